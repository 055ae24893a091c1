//! Orders about a file system that goes: nobody on this cluster uses it any more when its export begins.

use super::{Memory, orders::open, volumes};
use crate::{
    cloud::Cloud,
    node::{Cluster, Events, Home, Machine, NodeError, Order, StorageOrder, Unmounted, processes::Call},
};
use std::time::Duration;

/// How long an unmount may take: dirty pages go to the servers.
const PATIENCE: Duration = Duration::from_secs(150);
/// How long a mount may take.
const MOUNT: Duration = Duration::from_secs(120);
/// The state of partitions while a file system goes: jobs may be submitted, none starts.
const CLOSED: &str = "down";

/// Carries out an order about file systems; `None`: it is about something else.
pub(super) async fn one(
    order: &Order,
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    machine: &Machine,
    memory: &mut Memory,
    events: Events<'_>,
) -> Option<Result<(), NodeError>> {
    let Order::Storage(order) = order else { return None };
    Some(match order {
        StorageOrder::Hold => hold(cloud, cluster, memory).await,
        StorageOrder::Release { file_systems, volumes } => {
            release(cloud, cluster, machine, file_systems, volumes).await
        }
        StorageOrder::Open { file_systems, volumes, .. } => {
            let back = come_back(cloud, cluster, machine, (file_systems, volumes), events).await;
            reopen(cluster, home, memory).await.and(back)
        }
    })
}

/// Whether an order has to wait until the head node runs another revision.
pub(super) fn is_early(order: &Order, cluster: &Cluster) -> bool {
    matches!(order, Order::Storage(StorageOrder::Open { revision, .. }) if cluster.revision() < *revision)
}

async fn hold(cloud: &Cloud, cluster: &Cluster, memory: &mut Memory) -> Result<(), NodeError> {
    for queue in &cluster.config.queues {
        cluster.slurm().update_partition(&queue.name, CLOSED).await?;
    }
    memory.storage.get_or_insert(cloud.clock.now());
    Ok(())
}

/// What was mounted last comes first: one may lie in another.
async fn release(
    cloud: &Cloud,
    cluster: &Cluster,
    machine: &Machine,
    file_systems: &[String],
    volumes: &[String],
) -> Result<(), NodeError> {
    let volumes = volumes::find(cluster, volumes)?;
    for volume in &volumes {
        volume.unexport(machine).await?;
    }
    let mut going = machine.fstab(file_systems);
    going.extend(volumes.iter().map(|volume| volume.at.clone()));
    for at in machine.mounts().into_iter().rev().map(|mount| mount.at).filter(|at| going.contains(at)) {
        if machine.unmount(cloud.clock.as_ref(), &at, PATIENCE).await? == Unmounted::Lazily {
            let words = "somebody still uses it".to_owned();
            return Err(NodeError::Program { command: format!("umount {at}"), words });
        }
    }
    for volume in &volumes {
        volume.detach(cloud, cluster, machine).await?;
    }
    Ok(())
}

/// Mounts what was unmounted; what has left the configuration since stays away.
async fn come_back(
    cloud: &Cloud,
    cluster: &Cluster,
    machine: &Machine,
    (file_systems, volumes): (&[String], &[String]),
    events: Events<'_>,
) -> Result<(), NodeError> {
    let mut result = Ok(());
    for volume in volumes {
        if let Ok(found) = volumes::find(cluster, std::slice::from_ref(volume)) {
            for volume in found {
                result = result.and(volume.come_back(cloud, cluster, machine, events).await);
            }
        }
    }
    let mounted: Vec<String> = machine.mounts().into_iter().map(|mount| mount.at).collect();
    for at in machine.fstab(file_systems).into_iter().filter(|at| !mounted.contains(at)) {
        let mount = machine.run(&Call::new("mount", [at.as_str()]), MOUNT).await;
        result = result.and(mount.map(drop));
    }
    result
}

/// Queues that were held for another reason before stay so.
async fn reopen(cluster: &Cluster, home: &Home, memory: &mut Memory) -> Result<(), NodeError> {
    let held = memory.storage.take();
    let mut result = Ok(());
    for queue in &cluster.config.queues {
        result = result.and(match memory.holds.get(&queue.name) {
            Some(hold) => cluster.slurm().update_partition(&queue.name, hold.why.state()).await,
            None => open(&cluster.slurm(), home, &queue.name, memory).await,
        });
    }
    if result.is_err() {
        // Those that stay closed are said to be held, and the next apply orders them open again.
        memory.storage = held;
    }
    result
}
