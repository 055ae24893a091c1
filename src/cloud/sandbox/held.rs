//! The head node's answers to orders about file systems, as far as somebody who waits for them sees it.
//!
//! In a rehearsal the head node is real, and nothing here happens.

use super::{
    bucket::Body,
    effects,
    faults::{Fault, Script},
    volumes,
    world::World,
};
use crate::cloud::{CLUSTER_TAG, ROLE_TAG, Timestamp};
use serde_json::{Value, json};

/// Seconds from an order to its answer.
const ANSWER: i64 = 15;
/// Seconds that jobs run on when nobody says otherwise.
const JOBS: i64 = 120;

/// An order that lies in a bucket.
struct Found {
    bucket: String,
    cluster: String,
    key: String,
    document: Value,
}

/// Answers what is due, and ends compute nodes whose queues are held when their jobs have ended.
pub(super) fn tend(world: &mut World, script: &Script) {
    if world.ahead_ms.is_some() {
        return;
    }
    for order in due(world) {
        answer(world, &order);
    }
    let (now, jobs) = (world.now, job_seconds(script));
    let ended: Vec<String> =
        world.held.iter().filter(|(_, at)| at.plus(jobs) <= now).map(|(cluster, _)| cluster.clone()).collect();
    let has = |tags: &std::collections::BTreeMap<String, String>, key: &str, value: &str| {
        tags.get(key).is_some_and(|found| found == value)
    };
    for instance in world.instances.values_mut().filter(|one| one.terminated.is_none()) {
        let held = ended.iter().any(|cluster| has(&instance.tags, CLUSTER_TAG, cluster));
        if held && has(&instance.tags, ROLE_TAG, "compute") {
            instance.terminated = Some(now);
            world.dirty = true;
        }
    }
}

fn job_seconds(script: &Script) -> i64 {
    let said = script.faults.iter().find_map(|fault| match fault {
        Fault::Jobs(jobs) => Some(jobs.seconds),
        _ => None,
    });
    said.unwrap_or(JOBS)
}

/// Orders about file systems that a running head node has had time for.
fn due(world: &World) -> Vec<Found> {
    let mut found = Vec::new();
    for (bucket, content) in &world.buckets {
        let given = content.objects.iter().filter(|(key, _)| key.contains("/orders/") && !key.contains("/status/"));
        for (key, versions) in given {
            let Some(version) = versions.last().filter(|version| version.at.plus(ANSWER) <= world.now) else {
                continue;
            };
            let Some(document) = version.body.as_ref().and_then(read) else { continue };
            let Some(cluster) = key.strip_prefix("clusters/").and_then(|rest| rest.split('/').next()) else { continue };
            if document.pointer("/order/storage").is_some() && has_head(world, cluster) {
                let (bucket, cluster, key) = (bucket.clone(), cluster.to_owned(), key.clone());
                found.push(Found { bucket, cluster, key, document });
            }
        }
    }
    found
}

fn read(body: &Body) -> Option<Value> {
    serde_json::from_slice(&body.bytes()).ok()
}

fn has_head(world: &World, cluster: &str) -> bool {
    head(world, cluster).is_some()
}

/// The head node that runs.
fn head<'w>(world: &'w World, cluster: &str) -> Option<&'w str> {
    let is = |tag: Option<&String>, value: &str| tag.is_some_and(|found| found == value);
    let mut all = world.instances.values();
    let found = all.find(|one| {
        one.state(world.now) == Some("running")
            && is(one.tags.get(CLUSTER_TAG), cluster)
            && is(one.tags.get(ROLE_TAG), "head")
    });
    found.map(|one| one.id.as_str())
}

fn answer(world: &mut World, order: &Found) {
    let now: Timestamp = world.now;
    let wish = &order.document["order"]["storage"];
    if *wish == json!("hold") {
        world.held.entry(order.cluster.clone()).or_insert(now);
    } else if wish.get("open").is_some() {
        world.held.remove(&order.cluster);
    }
    for volume in wish["release"]["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        volumes::set_aside(world, volume);
    }
    // Taken back: what its files still name is mounted again.
    let back = wish["open"]["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let back: Vec<String> = back.map(str::to_owned).collect();
    if let (false, Some(head)) = (back.is_empty(), head(world, &order.cluster).map(str::to_owned)) {
        effects::attach_free(world, &head, Some(&back));
    }
    let id = order.document["id"].as_str().unwrap_or_default().to_owned();
    let key = format!("clusters/{}/status/orders/{id}.json", order.cluster);
    let body = json!({ "id": id, "done": now, "failed": null }).to_string();
    let bucket = world.buckets.entry(order.bucket.clone()).or_default();
    bucket.put(&key, Some(Body::Text(body)), now);
    bucket.put(&order.key, None, now);
    world.dirty = true;
}
