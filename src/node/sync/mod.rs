//! `hpcctl node sync`: keeps ledger, EC2 and Slurm of one mind, and the head node up to date.
//!
//! In: what EC2, the ledger and slurmctld say, orders and new configurations in the artifact bucket. Out: [`Action`]s
//! that the pure [`reconcile`] decided and that were done, a report of the cluster, metrics.

mod action;
mod look;
mod memory;
mod obey;
mod reconcile;
mod world;

pub use action::{Action, Cause, Orphan};
pub use memory::{Configuration, Hold, HoldWhy, Memory, Part};
pub use reconcile::reconcile;
pub use world::{KnownLaunch, World};

use super::{Cluster, Events, Home, Ledger, NodeError};
use crate::cloud::Cloud;
use obey::Hands;

/// Seconds between two passes.
const PERIOD: i64 = 10;
/// Seconds between two looks at the health of instances.
const HEALTH: i64 = 60;

/// One pass: looks, decides, does.
///
/// # Errors
/// When EC2 or slurmctld do not answer, or the state of the node cannot be read or written. What fails later is an event.
pub async fn pass(cloud: &Cloud, cluster: &Cluster, home: &Home, events: Events<'_>) -> Result<(), NodeError> {
    let mut memory = Memory::read(home)?;
    let world = look::look(cloud, cluster, home, events).await?;
    if memory.due(Part::Health, world.now, HEALTH) {
        health(cloud, &world, &mut memory, events).await;
    }
    world.notice(&mut memory);
    let actions = reconcile(&world, &memory);
    let hands = Hands { cloud, cluster, home, slurm: cluster.slurm() };
    hands.obey(actions, &mut memory, events).await;
    memory.booted = world.booted.clone();
    Ledger::new(home).sweep()?;
    memory.write(home)
}

/// Passes until `stop` says so. What fails is tried again with growing pauses.
pub async fn forever(cloud: &Cloud, home: &Home, stop: impl Fn() -> bool, events: Events<'_>) {
    let mut failures: u32 = 0;
    while !stop() {
        let begun = cloud.clock.now();
        let result = match Cluster::load(home) {
            Ok(cluster) => pass(cloud, &cluster, home, events).await,
            Err(error) => Err(error),
        };
        failures = if result.is_ok() { 0 } else { (failures + 1).min(4) };
        if let Err(error) = result {
            events(super::Event::Failed { step: "look at the cluster", error });
        }
        let next = begun.plus(PERIOD << failures);
        while !stop() && cloud.clock.now() < next {
            cloud.clock.sleep(std::time::Duration::from_secs(1)).await;
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
        Err(error) => events(super::Event::Failed { step: "look at the health of instances", error: error.into() }),
    }
}
