//! The head node, as far as the control plane's users see it: some minutes after its files are published it reports
//! the revision that it runs. What it does between is a rehearsal's matter: while one runs, the machine itself reports.

use super::{
    bucket::{Body, Version},
    durations::{HEAD_PICKS_UP, HEAD_SETS_UP},
    faults::{Fault, HeadFault, HeadTrouble, Script},
    instance::Instance,
    world::{ACCOUNT, World},
};
use crate::cloud::{CLUSTER_TAG, ROLE_TAG, Timestamp};
use serde_json::{Value, json};

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
    let bucket = format!("hpcctl-{ACCOUNT}-{}", head.region);
    let at = |path: &str| format!("clusters/{cluster}/{path}");
    let objects = &world.buckets.get(&bucket)?.objects;
    let newest = |path: &str| objects.get(&at(path)).and_then(|versions| versions.last());
    let published = newest("head.json")?;
    let revision = json(published)?.get("number")?.as_u64()?;
    let up = head.launched.plus(HEAD_SETS_UP).max(published.at.plus(HEAD_PICKS_UP));
    if world.now < up {
        return None;
    }
    let fault = fault(script, cluster);
    let (path, when) = match fault.map(|fault| fault.trouble) {
        None => ("status/slurm.json", up.plus((world.now.0 - up.0) / ANEW * ANEW)),
        Some(HeadTrouble::SetUpFailed) => ("status/set-up.log", up),
        Some(HeadTrouble::Silent | HeadTrouble::NoNetwork) => return None,
    };
    let body = match fault {
        None => slurm_report(cluster, revision, &head.id, when).to_string(),
        Some(fault) => {
            let mode = if newest("status/slurm.json").is_some() { "update" } else { "start" };
            let head_line =
                format!("hpcctl set-up failed: revision={revision} instance={} mode={mode} at={up}", head.id);
            format!("{head_line}\n{}\n", words(fault, up))
        }
    };
    let there = newest(path).is_some_and(|there| there.body.as_ref().is_some_and(|old| old.bytes() == body.as_bytes()));
    (!there).then(|| Says { bucket, key: at(path), body, at: when })
}

/// The cluster whose head node an instance is, as long as it runs.
fn cluster_of<'w>(world: &World, head: &'w Instance) -> Option<&'w str> {
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

/// A report without queues: what Slurm does is not known here.
fn slurm_report(cluster: &str, revision: u64, instance: &str, at: Timestamp) -> Value {
    json!({
        "kind": "hpcctl/slurm-report",
        "format_version": "1.1",
        "cluster": cluster,
        "revision": revision,
        "instance": instance,
        "at": at,
        "set_up_failed": null,
        "queues": [],
    })
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
