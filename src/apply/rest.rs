//! Bringing a file system to rest before it is exported and goes: jobs end, compute nodes end, the head node lets go.

use super::{
    ApplyError, Context, Event,
    head::{held_by, still_held},
    order,
};
use crate::observe::{Order, StorageOrder};

/// Seconds that the head node has for an order that only changes queues.
const HOLD_SECONDS: u64 = 300;
/// Seconds that it has to unmount: dirty pages go to the servers first.
const RELEASE_SECONDS: u64 = 900;
/// Seconds from the head node's answer to a volume that is free.
const FREE_SECONDS: i64 = 120;

/// Holds all queues, and waits until no compute node is left that could write.
pub(super) async fn hold(context: &Context<'_>) -> Result<bool, ApplyError> {
    give(context, StorageOrder::Hold, Some(HOLD_SECONDS)).await?;
    let mut told = None;
    let nodes = async || {
        let instances = context.cloud.compute.instances_of(&context.plan.cluster).await?;
        let left = Some(instances.iter().filter(|instance| instance.is_compute()).count()).filter(|left| *left > 0);
        if let Some(left) = left.filter(|_| told.replace(left) != Some(left)) {
            context.tell(&Event::Draining { left });
        }
        Ok(left)
    };
    let seconds = i64::try_from(context.patience.as_secs()).unwrap_or(i64::MAX / 2);
    match context.until_gone(seconds, nodes).await? {
        None => Ok(false),
        Some(left) => Err(ApplyError::StillUsed { left, minutes: context.patience.as_secs() / 60 }),
    }
}

/// Lets the head node unmount file systems and give volumes back; waits until EC2 says that nobody has these.
pub(super) async fn release(
    context: &Context<'_>,
    file_systems: &[String],
    volumes: &[String],
) -> Result<bool, ApplyError> {
    let wish = StorageOrder::Release { file_systems: file_systems.to_vec(), volumes: volumes.to_vec() };
    give(context, wish, Some(RELEASE_SECONDS)).await?;
    for volume in volumes {
        // An older hpcctl on the head node knows of no volumes: it is never taken from beneath whoever uses it.
        let held = context.until_gone(FREE_SECONDS, async || held_by(context, volume).await).await?;
        still_held(volume, held)?;
    }
    Ok(false)
}

/// Lets the head node open the queues when it runs the revision; nobody waits for it here.
pub(super) async fn open(context: &Context<'_>) -> Result<bool, ApplyError> {
    let wish = StorageOrder::Open { file_systems: Vec::new(), volumes: Vec::new(), revision: context.plan.revision };
    give(context, wish, None).await.map(|()| false)
}

async fn give(context: &Context<'_>, wish: StorageOrder, seconds: Option<u64>) -> Result<(), ApplyError> {
    let given = order(context.cloud, &context.plan.cluster, Order::Storage(wish), seconds, &context.stop);
    Ok(given.await.map(drop)?)
}
