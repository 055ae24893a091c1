//! The head node, as far as the control plane's users see it: some minutes after its files are published it reports
//! the revision that it runs. What it does between is a rehearsal's matter: while one runs, the machine itself reports.

use super::{
    bucket::{Body, Version},
    durations::{HEAD_PICKS_UP, HEAD_SETS_UP},
    faults::{Fault, HeadFault, HeadTrouble, Script},
    instance::Instance,
    world::{ACCOUNT, World},
};
use crate::cloud::{CLUSTER_TAG, NODE_TAG, ROLE_TAG, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A head node writes its report anew after so many seconds.
const ANEW: i64 = 300;
/// What a set-up says that fails for no reason given.
const FAILED: &str = "hpcctl: set-up failed in line 191: mount_all";

/// Lets head nodes report what they have had time to set up.
pub(super) fn report(world: &mut World, script: &Script) {
    if world.ahead_ms.is_some() {
        return;
    }
    let says: Vec<Says> = world.instances.values().filter_map(|head| says(world, script, head)).collect();
    for Says { bucket, key, body, at } in says {
        let Some(bucket) = world.buckets.get_mut(&bucket) else { continue };
        // Its many versions are nobody's business.
        bucket.objects.insert(key, vec![Version { body: Some(Body::new(body.into_bytes())), at }]);
        world.dirty = true;
    }
}

/// An object that a head node writes.
struct Says {
    bucket: String,
    key: String,
    body: String,
    at: Timestamp,
}

fn says(world: &World, script: &Script, head: &Instance) -> Option<Says> {
    let cluster = cluster_of(world, head)?;
    let bucket = bucket_of(head);
    let at = |path: &str| format!("clusters/{cluster}/{path}");
    let newest = |path: &str| newest(world, &bucket, &at(path));
    let (revision, up) = published(world, head, cluster)?;
    if world.now < up {
        return None;
    }
    let fault = fault(script, cluster);
    let (path, when) = match fault.map(|fault| fault.trouble) {
        None => ("status/slurm.json", up.plus((world.now.0 - up.0) / ANEW * ANEW)),
        Some(HeadTrouble::SetUpFailed) => ("status/set-up.log", up),
        Some(HeadTrouble::Silent | HeadTrouble::NoNetwork) => return None,
    };
    let before = newest(path).and_then(|there| there.body.as_ref());
    let (body, when) = match fault {
        None => {
            let config = newest("current/head/hpcctl.json").and_then(json).unwrap_or_default();
            let report = slurm_report(world, &config, (cluster, revision), head);
            let before: Option<Value> = before.and_then(|old| serde_json::from_slice(&old.bytes()).ok());
            dated(report, before, when, world.now)?
        }
        Some(fault) => {
            let mode = if newest("status/slurm.json").is_some() { "update" } else { "start" };
            let head_line =
                format!("hpcctl set-up failed: revision={revision} instance={} mode={mode} at={up}", head.id);
            (format!("{head_line}\n{}\n", words(fault, up)), when)
        }
    };
    let there = before.is_some_and(|old| old.bytes() == body.as_bytes());
    (!there).then(|| Says { key: at(path), bucket, body, at: when })
}

/// A report with its time: what has changed beneath the same revision is said at once, the rest anew from time to time.
fn dated(mut report: Value, before: Option<Value>, due: Timestamp, now: Timestamp) -> Option<(String, Timestamp)> {
    let same = |key: &str| before.as_ref().is_some_and(|old| old[key] == report[key]);
    let last = before.as_ref().and_then(|old| old["at"].as_i64()).map(Timestamp);
    let known = same("revision") && same("instance");
    let when = match last {
        Some(last) if known && same("queues") && last >= due => return None,
        Some(_) if known && !same("queues") => now,
        _ => due,
    };
    report["at"] = json!(when);
    Some((report.to_string(), when))
}

fn bucket_of(head: &Instance) -> String {
    format!("hpcctl-{ACCOUNT}-{}", head.region)
}

fn newest<'w>(world: &'w World, bucket: &str, key: &str) -> Option<&'w Version> {
    world.buckets.get(bucket)?.objects.get(key)?.last()
}

/// The newest revision, and when the head node has it in place.
fn published(world: &World, head: &Instance, cluster: &str) -> Option<(u64, Timestamp)> {
    let published = newest(world, &bucket_of(head), &format!("clusters/{cluster}/head.json"))?;
    let revision = json(published)?.get("number")?.as_u64()?;
    Some((revision, head.launched.plus(HEAD_SETS_UP).max(published.at.plus(HEAD_PICKS_UP))))
}

/// The revision that a head node runs.
pub(super) fn runs(world: &World, head: &Instance, cluster: &str) -> u64 {
    match published(world, head, cluster) {
        Some((revision, up)) if world.now >= up => revision,
        Some((revision, _)) => revision.saturating_sub(1),
        None => 0,
    }
}

/// The last word of a login node's set-up, which needs the head node.
fn login(script: &Script, instance: &Instance) -> &'static str {
    let cluster = instance.tags.get(CLUSTER_TAG).map_or("", String::as_str);
    match fault(script, cluster) {
        None => "hpcctl: set-up done",
        Some(_) => "hpcctl: the set-up starts again in a minute: the head node has not said where it is",
    }
}

/// The cluster whose head node an instance is, as long as it runs.
pub(super) fn cluster_of<'w>(world: &World, head: &'w Instance) -> Option<&'w str> {
    let is_head = head.tags.get(ROLE_TAG).is_some_and(|role| role == "head");
    let runs = head.state(world.now) == Some("running");
    head.tags.get(CLUSTER_TAG).filter(|_| is_head && runs).map(String::as_str)
}

fn fault<'s>(script: &'s Script, cluster: &str) -> Option<&'s HeadFault> {
    script.faults.iter().find_map(|fault| match fault {
        Fault::HeadNode(fault) if fault.cluster.as_deref().is_none_or(|name| name == cluster) => Some(fault),
        _ => None,
    })
}

fn json(version: &Version) -> Option<Value> {
    serde_json::from_slice(&version.body.as_ref()?.bytes()).ok()
}

/// What `hpcctl node sync` reports, as far as it is known here: which queues are held, and which nodes have instances.
/// Of jobs, that each node has one.
fn slurm_report(world: &World, config: &Value, (cluster, revision): (&str, u64), head: &Instance) -> Value {
    let held = world.held.get(&head.id);
    let queues: Vec<Value> = list(config, "queues").map(|queue| queue_report(world, cluster, queue, held)).collect();
    json!({
        "kind": "hpcctl/slurm-report",
        "format_version": "1.1",
        "cluster": cluster,
        "revision": revision,
        "instance": head.id,
        "at": 0,
        "set_up_failed": null,
        "queues": queues,
    })
}

fn queue_report(world: &World, cluster: &str, queue: &Value, held: Option<&Timestamp>) -> Value {
    let pools: Vec<Value> = list(queue, "pools").map(|pool| pool_report(world, cluster, pool)).collect();
    // Slurm launches nodes for jobs: each that runs has one.
    let busy: u64 = pools.iter().filter_map(|pool| pool["nodes"]["allocated"].as_u64()).sum();
    json!({
        "name": queue["name"],
        "state": if held.is_some() { "down" } else { "up" },
        "held": held.map(|since| json!({ "why": "storage", "since": since })),
        "failed_starts": 0,
        "running": busy,
        "pending": 0,
        "held_jobs": [],
        "busy_nodes": busy,
        "pools": pools,
        "last_failed_starts": [],
        "failing": [],
    })
}

fn pool_report(world: &World, cluster: &str, pool: &Value) -> Value {
    let prefix = pool["node_prefix"].as_str().unwrap_or_default();
    let is_node = |one: &&Instance| {
        let has = |key: &str, fits: &dyn Fn(&str) -> bool| one.tags.get(key).is_some_and(|value| fits(value));
        let number = |name: &str| name.strip_prefix(prefix).is_some_and(|number| number.parse::<u32>().is_ok());
        one.state(world.now) == Some("running") && has(CLUSTER_TAG, &|tag| tag == cluster) && has(NODE_TAG, &number)
    };
    let busy = world.instances.values().filter(is_node).count() as u64;
    let asleep = pool["max"].as_u64().unwrap_or_default().saturating_sub(busy);
    let counts = [("allocated", busy), ("powered_down", asleep)];
    let nodes: BTreeMap<&str, u64> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    json!({ "name": pool["name"], "nodes": nodes, "rest": null })
}

fn list<'v>(of: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    of.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn words(fault: &HeadFault, at: Timestamp) -> String {
    fault.log.clone().unwrap_or_else(|| format!("{at} {FAILED}"))
}

/// What an instance has written to its console; nothing before it runs. A machine of a rehearsal has a console of its
/// own, which this is not.
pub(super) fn console(world: &World, script: &Script, instance: &Instance) -> Option<String> {
    if world.ahead_ms.is_some() || instance.state(world.now) == Some("pending") {
        return None;
    }
    let booted = "cloud-init: first boot\n".to_owned();
    if instance.tags.get(ROLE_TAG).is_some_and(|role| role == "login") {
        return Some(format!("{booted}{}\n", login(script, instance)));
    }
    let Some(cluster) = cluster_of(world, instance) else { return Some(booted) };
    let at = instance.launched.plus(HEAD_SETS_UP);
    let last = match fault(script, cluster) {
        Some(HeadFault { trouble: HeadTrouble::NoNetwork, log: None, .. }) => {
            "hpcctl: trying again in 60 s: install_aws".to_owned()
        }
        Some(fault @ HeadFault { trouble: HeadTrouble::NoNetwork | HeadTrouble::SetUpFailed, .. }) => words(fault, at),
        _ if world.now < at => return Some(booted),
        Some(_) | None => format!("{at} hpcctl: set-up done (start)"),
    };
    Some(format!("{booted}{last}\n"))
}
