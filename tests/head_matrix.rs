//! Every example x a replacement of its head node, while nodes run: what was planned is done, nothing is lost, nothing is
//! left.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use hpcctl::{
    cloud::{Cloud, sandbox::Sandbox},
    plan::{self, Action, Change, Effect, Plan},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::{files::examples, matrix::*, *};

/// What no example has together: volumes of three kinds beside the head node's own, in a network of the cluster's own,
/// with people on login nodes.
const VOLUMES: &str = r#"
version: 1
name: volumes
region: eu-west-1
network: { create: { availability_zones: 2 } }
head_node: { instance_type: c5.xlarge, elastic_ip: true, data_volume: { size_gib: 50, on_destroy: discard } }
login_nodes:
  - { name: in, instance_type: m6i.large, count: 1, ssh_from: [203.0.113.0/24] }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: apps, mount: /apps, ebs: { size_gib: 100, on_destroy: snapshot } }
  - { name: kept, mount: /kept, ebs: { size_gib: 100, on_destroy: keep } }
  - { name: theirs, mount: /theirs, ebs: { volume_id: vol-0a1b2c3d4e5f67890 } }
accounting: { rds: { engine: mysql, instance_class: db.t4g.medium } }
"#;

/// Changes that a running instance cannot take: name, place in the cluster file, value.
fn edits(example: &Value) -> Vec<(&'static str, Value)> {
    let head = |key: &str, value: Value| {
        let mut changed = example.clone();
        changed["head_node"][key] = value;
        changed
    };
    let mut other_processor = head("ami", json!("ami-0ddddeeeeffff0000"));
    let arm = example["head_node"]["instance_type"].as_str().unwrap().contains("g.");
    other_processor["head_node"]["instance_type"] = json!(if arm { "c6i.xlarge" } else { "c7g.xlarge" });
    vec![
        ("image", head("ami", json!("ami-0ddddeeeeffff0000"))),
        ("root volume", head("root_volume", json!({ "size_gib": 333 }))),
        ("processor", other_processor),
    ]
}

/// What holds data, by its id: volumes, file systems, databases.
async fn holding_data(cloud: &Cloud, built: &Built) -> BTreeSet<String> {
    let live = look(cloud, built).await;
    let mut found = BTreeSet::new();
    for stack in live.stacks.values() {
        let holds = |logical: &str| stack.template.pointer(&format!("/Resources/{logical}/Metadata/hpcctl:holds"));
        let with_data = stack.resources.iter().filter(|one| holds(&one.logical_id).is_some());
        found.extend(with_data.map(|one| one.physical_id.clone()));
    }
    found
}

/// The volumes that a head node attaches, by who has them: the cluster's own, and those that its file names.
async fn held_by(cloud: &Cloud, built: &Built) -> BTreeMap<String, Option<String>> {
    let mut volumes = cloud.compute.volumes_of(&built.graph.cluster).await.unwrap();
    let named = built.cluster.storage.iter().filter_map(|one| one.ebs.as_ref()?.volume_id.as_ref());
    let named: Vec<String> = named.map(ToString::to_string).collect();
    volumes.extend(cloud.compute.volumes(&named).await.unwrap());
    volumes.into_iter().map(|one| (one.id, one.attachment.map(|held| held.instance))).collect()
}

async fn compute_nodes(cloud: &Cloud, cluster: &str) -> BTreeSet<String> {
    let all = cloud.compute.instances_of(cluster).await.unwrap();
    all.into_iter().filter(|one| one.is_compute() && one.is_alive()).map(|one| one.id).collect()
}

fn head_change(plan: &Plan) -> Option<&Change> {
    plan.changes.iter().find(|change| change.address == "head.instance")
}

/// What the file changes besides the head node's machine must not be more than its files and who else names its id.
fn touches_no_data(plan: &Plan) -> Result<(), String> {
    let goes = |change: &&Change| matches!(change.action, Action::Replace | Action::Delete | Action::Forget);
    let bad = |change: &&Change| change.data.is_some() || change.resource_type == "AWS::EC2::Volume";
    match plan.changes.iter().filter(goes).find(bad) {
        Some(change) => Err(format!("{} is {:?}", change.address, change.action)),
        None if plan.losses().count() > 0 => Err("the plan loses data".to_owned()),
        None => Ok(()),
    }
}

async fn replaced(sandbox: &Sandbox, built: &Built, after: &Built) -> Result<(), String> {
    let cloud = sandbox.cloud();
    let cluster = &built.graph.cluster;
    let old = plan::head_id(&look(&cloud, built).await).unwrap().to_owned();
    let (data, nodes) = (holding_data(&cloud, built).await, compute_nodes(&cloud, cluster).await);
    let volumes = held_by(&cloud, built).await;
    if !volumes.values().all(|holder| holder.as_ref() == Some(&old)) {
        return Err(format!("before: {volumes:?}"));
    }
    let plan = plan_on_ground(&cloud, after).await;
    match head_change(&plan) {
        Some(change) if change.action == Action::Replace => {
            let replaces = |effect: Effect| matches!(effect, Effect::Replaces | Effect::MayReplace);
            assert!(change.properties.iter().any(|property| replaces(property.effect)), "{change:?}");
        }
        other => return Err(format!("the head node is {other:?}")),
    }
    touches_no_data(&plan)?;
    planned_is_done(&cloud, &plan).await?;
    let new = plan::head_id(&look(&cloud, after).await).unwrap().to_owned();
    if new == old {
        return Err("the head node is the old one".to_owned());
    }
    if holding_data(&cloud, after).await != data {
        return Err("other things hold data".to_owned());
    }
    let held = held_by(&cloud, built).await;
    if held.len() != volumes.len() || !held.values().all(|holder| holder.as_ref() == Some(&new)) {
        return Err(format!("{held:?} are not with {new}"));
    }
    if compute_nodes(&cloud, cluster).await != nodes {
        return Err("nodes ended".to_owned());
    }
    let again = plan_on_ground(&cloud, after).await;
    if !again.is_empty() || !again.outside.is_empty() {
        return Err(format!("the next plan has {:?} {:?} {:?}", again.changes, again.file_changes, again.outside));
    }
    planned_is_done(&cloud, &plan_destroy(&cloud, after).await).await?;
    let nothing = plan_destroy(&cloud, after).await;
    if nothing.is_empty() && nothing.outside.is_empty() { Ok(()) } else { Err("something is left".to_owned()) }
}

#[test]
fn each_head_node_can_be_replaced() {
    let (mut done, mut nodes, mut refused, mut wrong) = (0, 0, Vec::new(), Vec::new());
    let volumes = ("volumes".to_owned(), serde_yaml::from_str(VOLUMES).unwrap());
    let all: Vec<(String, Value)> = examples().into_iter().chain([volumes]).collect();
    for (name, example) in &all {
        on_sandbox(async {
            let built = build_value(example);
            let first = Sandbox::in_memory(&built.graph.region);
            carry_out_well(&first.cloud(), &plan_on_ground(&first.cloud(), &built).await).await;
            nodes += launch_nodes(&first, &built).await;
            for (edit, changed) in edits(example) {
                let words = format!("{name}: {edit}");
                let Ok(after) = try_build("cluster.yaml", &serde_yaml::to_string(&changed).unwrap()) else {
                    refused.push(words);
                    continue;
                };
                match replaced(&first.reborn(), &built, &after).await {
                    Ok(()) => done += 1,
                    Err(why) => wrong.push(format!("{words}: {why}")),
                }
            }
        });
    }
    println!(
        "{} clusters with {nodes} nodes, head nodes replaced: {done}, refused by the checks: {refused:?}",
        all.len()
    );
    assert!(wrong.is_empty(), "{} of {} went wrong: {wrong:#?}", wrong.len(), done + wrong.len());
    // Each kind of change, and no example without one.
    assert!(done + refused.len() == 3 * all.len() && done > 2 * all.len(), "{refused:?}");
}
