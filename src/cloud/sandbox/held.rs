//! The head node's answers to orders about file systems, as far as somebody who waits for them sees it.
//!
//! In a rehearsal the head node is real, and nothing here happens.

use super::{
    bucket::Body,
    durations::HEAD_SETS_UP,
    effects,
    faults::{Fault, Script},
    head::{cluster_of, runs},
    instance::Instance,
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
    head: String,
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
    let cluster = |head: &String| world.instances.get(head).and_then(|head| cluster_of(world, head).map(str::to_owned));
    let ended: Vec<String> =
        world.held.iter().filter(|(_, at)| at.plus(jobs) <= now).filter_map(|(head, _)| cluster(head)).collect();
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

/// Orders about file systems that a head node that is set up has had time for, and whose revision it runs.
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
            let Some(head) = head(world, cluster).filter(|head| world.now >= head.launched.plus(HEAD_SETS_UP)) else {
                continue;
            };
            let least = document.pointer("/order/storage/open/revision").and_then(Value::as_u64).unwrap_or_default();
            if document.pointer("/order/storage").is_some() && runs(world, head, cluster) >= least {
                let (bucket, cluster, key) = (bucket.clone(), cluster.to_owned(), key.clone());
                found.push(Found { bucket, cluster, head: head.id.clone(), key, document });
            }
        }
    }
    found
}

fn read(body: &Body) -> Option<Value> {
    serde_json::from_slice(&body.bytes()).ok()
}

/// The head node that runs.
fn head<'w>(world: &'w World, cluster: &str) -> Option<&'w Instance> {
    world.instances.values().find(|one| cluster_of(world, one) == Some(cluster))
}

fn answer(world: &mut World, order: &Found) {
    let now: Timestamp = world.now;
    let wish = &order.document["order"]["storage"];
    if *wish == json!("hold") {
        world.held.entry(order.head.clone()).or_insert(now);
    } else if wish.get("open").is_some() {
        world.held.remove(&order.head);
    }
    for volume in wish["release"]["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        volumes::set_aside(world, volume);
    }
    // Taken back: what its files still name is mounted again.
    let back = wish["open"]["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let back: Vec<String> = back.map(str::to_owned).collect();
    if !back.is_empty() {
        effects::attach_free(world, &order.head, Some(&back));
    }
    let id = order.document["id"].as_str().unwrap_or_default().to_owned();
    let key = format!("clusters/{}/status/orders/{id}.json", order.cluster);
    let body = json!({ "id": id, "done": now, "failed": null }).to_string();
    let bucket = world.buckets.entry(order.bucket.clone()).or_default();
    bucket.put(&key, Some(Body::Text(body)), now);
    bucket.put(&order.key, None, now);
    world.dirty = true;
}
