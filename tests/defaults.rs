//! A default that is written down is no change: equal meaning gives equal templates and equal files.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::InstanceCatalog,
    check::{self, Facts, Severity},
    model,
    plan::{Action, Effect},
    render, spec,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::*;

/// What a file is rendered to; `None` when it has errors.
fn digest(cluster: &Value) -> Option<String> {
    let catalog = InstanceCatalog::embedded();
    let document = spec::read("defaults.yaml", &serde_yaml::to_string(cluster).unwrap());
    let found = check::check(&document, &Facts { catalog: Some(catalog), ..Facts::default() });
    if found.iter().any(|finding| finding.rule.severity == Severity::Error) {
        return None;
    }
    let cluster = document.cluster.unwrap();
    let files = render::node_files(&cluster, catalog).unwrap();
    Some(render::render(&model::build(&cluster, catalog), files).digest)
}

/// The schema that a reference, or one of its alternatives, leads to.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return resolved(root, root.pointer(name.trim_start_matches('#')).unwrap());
    }
    let alternatives = ["anyOf", "allOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    let object = alternatives.into_iter().flatten().find(|one| one.get("$ref").is_some());
    object.map_or(schema, |one| resolved(root, one))
}

/// Every key with a default, of every mapping in a file: the place of the mapping, the key, its default.
fn places(root: &Value, schema: &Value, node: &Value, at: &str, found: &mut Vec<(String, String, Value)>) {
    let whole = resolved(root, schema);
    match node {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(root, &whole["items"], item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(_) => {
            for (key, property) in whole.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let default = property.get("default").or_else(|| resolved(root, property).get("default"));
                if let Some(default) = default.filter(|default| !default.is_null()) {
                    found.push((at.to_owned(), key.clone(), default.clone()));
                }
                if let Some(inner) = node.get(key) {
                    places(root, property, inner, &format!("{at}/{key}"), found);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_default_that_is_written_down_changes_nothing() {
    let text = std::fs::read_to_string("schemas/cluster.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let (mut seen, mut compared) = (BTreeSet::new(), BTreeSet::new());
    let files = ["examples/clusters/everything.yaml", "tests/clusters/created-corners.yaml"];
    let texts = files.map(|file| (file, std::fs::read_to_string(file).unwrap()));
    for (file, text) in texts.into_iter().chain([("CLUSTER", CLUSTER.to_owned())]) {
        let cluster: Value = serde_yaml::from_str(&text).unwrap();
        let mut found = Vec::new();
        places(&schema, &schema, &cluster, "", &mut found);
        for (at, key, default) in found {
            let kind: String = format!("{at}/{key}").split('/').filter(|part| part.parse::<u32>().is_err()).collect();
            seen.insert(kind.clone());
            if compared.contains(&kind) {
                continue;
            }
            let (mut without, mut with) = (cluster.clone(), cluster.clone());
            without.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(&key);
            with.pointer_mut(&at).unwrap()[&key] = default;
            let (Some(without), Some(with)) = (digest(&without), digest(&with)) else { continue };
            assert_eq!(without, with, "{file}: `{key}` at {at}");
            compared.insert(kind);
        }
    }
    let missed: Vec<&String> = seen.difference(&compared).collect();
    assert!(compared.len() > 65 && missed.is_empty(), "{}: missed {missed:?}", compared.len());
}

const CLUSTER: &str = r#"
version: 1
name: df
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge, root_volume: { size_gib: 50 } }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, data_repository: { import: "s3://df-data" } } }
  - { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 1200 } }
  - { name: h, mount: /h, efs: {} }
  - { name: v, mount: /v, ebs: {} }
accounting: { rds: {} }
"#;

/// Defaults that hang on something else, and are therefore not in the schema.
#[test]
fn a_default_that_hangs_on_something_else_changes_nothing() {
    let cluster: Value = serde_yaml::from_str(CLUSTER).unwrap();
    let before = digest(&cluster).unwrap();
    let cases = [
        ("/head_node/root_volume/iops", json!(3000)),
        ("/head_node/root_volume/throughput_mib", json!(125)),
        ("/storage/0/fsx_lustre/on_destroy", json!("export")),
        ("/storage/0/fsx_lustre/data_repository/chunk_mib", json!(1024)),
        ("/storage/1/fsx_lustre/on_destroy", json!("keep")),
        ("/storage/2/efs/on_destroy", json!("keep")),
        ("/storage/3/ebs/iops", json!(3000)),
        ("/storage/3/ebs/throughput_mib", json!(125)),
        ("/storage/3/ebs/on_destroy", json!("snapshot")),
        ("/accounting/rds/instance_class", json!("db.t4g.medium")),
        ("/accounting/rds/storage_gib", json!(20)),
    ];
    for (path, value) in cases {
        let (at, key) = path.rsplit_once('/').unwrap();
        let mut with = cluster.clone();
        with.pointer_mut(at).unwrap()[key] = value;
        assert_eq!(digest(&with).as_ref(), Some(&before), "{path}");
    }
}

#[test]
fn backups_that_come_later_are_an_update_in_place() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory("eu-west-1");
        let (plain, with) = ("PERSISTENT_2,", "PERSISTENT_2, backups: { days: 7 },");
        let (plain, with) = (build("df.yaml", CLUSTER), build("df.yaml", &CLUSTER.replace(plain, with)));
        for (from, to) in [(&plain, &with), (&with, &plain)] {
            carry_out_well(&cloud, &plan_for(&cloud, from).await).await;
            let plan = plan_for(&cloud, to).await;
            let change = plan.changes.iter().find(|change| change.address == "storage.p").unwrap();
            assert_eq!(change.action, Action::Update);
            assert!(change.properties.iter().all(|property| property.effect == Effect::InPlace), "{change:?}");
        }
    });
}
