//! `hpcctl node sync`: keeps ledger, EC2 and Slurm of one mind, and the head node up to date.
//!
//! In: what EC2, the ledger and slurmctld say, orders and new configurations in the artifact bucket. Out: [`Action`]s
//! that the pure [`reconcile`] decided and that were done, a report of the cluster, metrics.

mod action;
mod configuration;
mod decided;
mod look;
mod memory;
mod metrics;
mod obey;
pub(super) mod orders;
mod reconcile;
mod report;
mod storage;
mod volumes;
mod world;

pub use action::{Action, Cause, FailedStart, Orphan};
pub use memory::{Configuration, Hold, HoldWhy, Memory, Part};
pub use metrics::line as metrics_line;
pub use reconcile::reconcile;
pub use report::report;
pub use world::{KnownLaunch, World};

use super::{Cluster, Event, Events, Home, Ledger, Machine, NodeError, Pools, ledger::FOLDER};
use crate::{
    cloud::{Cloud, LAUNCH_TAG},
    observe::{SlurmReport, keys},
};
use obey::Hands;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};

/// Seconds between two passes.
const PERIOD: i64 = 10;
/// Seconds between two looks at the health of instances.
const HEALTH: i64 = 60;
/// Seconds between two looks for objects of launches that are over.
const LAUNCHES: i64 = 600;
/// Seconds between two lines of metrics.
const METRICS: i64 = 60;

/// Where things are on the head node, beyond what all programs of nodes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The files of this kind of node, with `setup.sh`: `/opt/hpcctl/node`.
    pub tree: PathBuf,
    /// hpcctl: `/opt/hpcctl/bin/hpcctl`.
    pub program: PathBuf,
    /// Logs: `/var/log/hpcctl`.
    pub logs: PathBuf,
    /// The machine beneath.
    pub machine: Machine,
}

/// Passes until `stop` says so, or until another hpcctl is in place. What fails is tried again with growing pauses.
pub async fn forever(cloud: &Cloud, home: &Home, place: &Place, stop: impl Fn() -> bool, events: Events<'_>) {
    let mut failures: u32 = 0;
    while !stop() {
        let begun = cloud.clock.now();
        let result = match Cluster::load(home) {
            Ok(cluster) => pass(cloud, &cluster, home, place, events).await,
            Err(error) => Err(error),
        };
        failures = if result.is_ok() { 0 } else { (failures + 1).min(4) };
        match result {
            Ok(false) => {}
            Ok(true) => return events(Event::Renewed),
            Err(error) => events(Event::Failed { step: "look at the cluster", error }),
        }
        let next = begun.plus(PERIOD << failures);
        while !stop() && cloud.clock.now() < next {
            cloud.clock.sleep(Duration::from_secs(1)).await;
        }
    }
}

/// One pass: looks, decides, does, reports. True: another hpcctl is in place.
///
/// # Errors
/// When EC2 or slurmctld do not answer, or the state of the node cannot be read or written. What fails later is an event.
pub async fn pass(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    place: &Place,
    events: Events<'_>,
) -> Result<bool, NodeError> {
    let mut memory = Memory::read(home)?;
    // First, and whatever else fails: a new configuration may be what puts it right.
    let renewed = match configuration::renew(cloud, cluster, home, place, &mut memory, events).await {
        Ok(renewed) => renewed,
        Err(error) => {
            events(Event::Failed { step: "look for a new configuration", error });
            false
        }
    };
    memory.write(home)?;
    if renewed {
        return Ok(true);
    }
    let fresh = Cluster::load(home)?;
    tend(cloud, &fresh, home, place, &mut memory, events).await?;
    memory.write(home)?;
    Ok(false)
}

async fn tend(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    place: &Place,
    memory: &mut Memory,
    events: Events<'_>,
) -> Result<(), NodeError> {
    if let Err(error) = orders::carry_out(cloud, cluster, home, &place.machine, memory, events).await {
        events(Event::Failed { step: "carry out orders", error });
    }
    let objects = launch_objects(cloud, cluster, memory, events).await;
    let mut world = look::look(cloud, cluster, home, events).await?;
    damaged(home, memory, events)?;
    if memory.due(Part::Health, world.now, HEALTH) {
        health(cloud, &world, memory, events).await;
    }
    world.notice(memory);
    let actions = reconcile(&world, memory);
    let hands = Hands { cloud, cluster, home, slurm: cluster.slurm() };
    hands.obey(actions, memory, events).await;
    memory.booted.clone_from(&world.booted);
    Ledger::new(home).sweep()?;
    home.sweep(&["", FOLDER])?;
    forget_objects(cloud, &world, objects, events).await;
    world.pools = Pools::read(home)?;
    if let Err(error) = tell(cloud, &world, place, memory).await {
        events(Event::Failed { step: "report", error });
    }
    Ok(())
}

/// Tells of damaged documents, once each.
fn damaged(home: &Home, memory: &mut Memory, events: Events<'_>) -> Result<(), NodeError> {
    let found: BTreeSet<String> = home.set_aside(&["", FOLDER])?.into_iter().collect();
    let news: Vec<String> = found.difference(&memory.damaged).cloned().collect();
    if !news.is_empty() {
        events(Event::SetAside { files: news });
    }
    memory.damaged = found;
    Ok(())
}

/// Report and metrics.
async fn tell(cloud: &Cloud, world: &World<'_>, place: &Place, memory: &mut Memory) -> Result<(), NodeError> {
    let jobs = world.cluster.slurm().jobs().await?;
    // Whoever waits for a new head node must not take the old one's word. Without metadata it is not said.
    let instance = cloud.metadata.instance_id().await.ok();
    let report = SlurmReport { instance, ..report(world, &jobs, memory) };
    report::publish(cloud, world, &report, memory).await?;
    if place.logs.is_dir() && memory.due(Part::Metrics, world.now, METRICS) {
        Home::log(&place.logs.join(metrics::LOG), &metrics::line(&report, &jobs, world.now), metrics::MOST)?;
    }
    Ok(())
}

/// The keys of all objects of launches, when it is time to tidy them up. They are listed before the ledger is read: a
/// launch is in the ledger before it has an object.
async fn launch_objects(cloud: &Cloud, cluster: &Cluster, memory: &mut Memory, events: Events<'_>) -> Vec<String> {
    if !memory.due(Part::Launches, cloud.clock.now(), LAUNCHES) {
        return Vec::new();
    }
    let prefix = keys::launches(&cluster.config.cluster);
    let listed = match cluster.bucket() {
        Ok(bucket) => cloud.objects.list(bucket, &prefix).await.map_err(NodeError::from),
        Err(error) => Err(error),
    };
    match listed {
        Ok(listed) => listed.into_iter().map(|object| object.key).collect(),
        Err(error) => {
            events(Event::Failed { step: "list the objects of launches", error });
            Vec::new()
        }
    }
}

/// Deletes the objects of launches that are over: neither the ledger nor an instance knows them.
async fn forget_objects(cloud: &Cloud, world: &World<'_>, objects: Vec<String>, events: Events<'_>) {
    let ledger = world.launches.iter().map(|known| world.cluster.launch_key(&known.launch.launch));
    let tags = world.instances.values().filter_map(|one| one.tags.get(LAUNCH_TAG));
    let address = world.cluster.launch_key(crate::model::names::HEAD_ADDRESS);
    let ledger = ledger.chain([address]);
    let known: BTreeSet<String> = ledger.chain(tags.map(|launch| world.cluster.launch_key(launch))).collect();
    let Ok(bucket) = world.cluster.bucket() else { return };
    for key in objects.iter().filter(|key| !known.contains(*key)) {
        if let Err(error) = cloud.objects.delete(bucket, key).await {
            return events(Event::Failed { step: "delete the objects of old launches", error: error.into() });
        }
    }
}

/// Asks EC2 how the instances of nodes are.
async fn health(cloud: &Cloud, world: &World<'_>, memory: &mut Memory, events: Events<'_>) {
    let ids: Vec<String> =
        world.instances.values().filter(|one| one.state == "running").map(|one| one.id.clone()).collect();
    let ailing = if ids.is_empty() { Ok(Vec::new()) } else { cloud.compute.ailing(&ids).await };
    match ailing {
        Ok(ailing) => memory.ailing = ailing.into_iter().map(|one| (one.id.clone(), one)).collect(),
        Err(error) => events(Event::Failed { step: "look at the health of instances", error: error.into() }),
    }
}
