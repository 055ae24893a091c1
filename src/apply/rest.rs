//! Bringing a file system to rest before it is exported and goes: jobs end, compute nodes end, the head node lets go.

use super::{
    ApplyError, Context, Event,
    head::{held_by, still_held},
    order,
};
use crate::{
    cloud::PutCondition,
    observe::{HELD_FORMAT, HELD_KIND, HeldQueues, Order, StorageOrder, keys},
};

/// Seconds that the head node has for an order that only changes queues.
const HOLD_SECONDS: u64 = 300;
/// Seconds that it has to unmount: dirty pages go to the servers first.
const RELEASE_SECONDS: u64 = 900;
/// Seconds from the head node's answer to a volume that is free.
const FREE_SECONDS: i64 = 120;

/// Holds all queues, and waits until no compute node is left that could write.
pub(super) async fn hold(context: &Context<'_>) -> Result<bool, ApplyError> {
    remember(context, &[], &[]).await?;
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
    remember(context, file_systems, volumes).await?;
    let wish = StorageOrder::Release { file_systems: file_systems.to_vec(), volumes: volumes.to_vec() };
    give(context, wish, Some(RELEASE_SECONDS)).await?;
    for volume in volumes {
        // An older hpcctl on the head node knows of no volumes: it is never taken from beneath whoever uses it.
        let held = context.until_gone(FREE_SECONDS, async || held_by(context, volume).await).await?;
        still_held(volume, held)?;
    }
    Ok(false)
}

/// Lets the head node open the queues when it runs the revision, and mount again what it has unmounted and still has to
/// have; nobody waits for it here.
pub(super) async fn open(context: &Context<'_>) -> Result<bool, ApplyError> {
    let HeldQueues { file_systems, volumes, .. } = remembered(context).await?.unwrap_or_default();
    let wish = StorageOrder::Open { file_systems, volumes, revision: context.plan.revision };
    give(context, wish, None).await?;
    forget(context).await.map(|()| false)
}

/// Writes down that this apply holds the queues, before it does: whoever plans after its death must see it, whatever the
/// head node has reported by then. What an earlier one has written stays.
async fn remember(context: &Context<'_>, file_systems: &[String], volumes: &[String]) -> Result<(), ApplyError> {
    let before = remembered(context).await?;
    let mut held = before.clone().filter(|held| held.kind == HELD_KIND).unwrap_or_else(|| HeldQueues {
        kind: HELD_KIND.to_owned(),
        format_version: HELD_FORMAT.to_owned(),
        plan: context.plan.id().to_owned(),
        since: context.cloud.clock.now(),
        ..HeldQueues::default()
    });
    for (list, more) in [(&mut held.file_systems, file_systems), (&mut held.volumes, volumes)] {
        list.extend_from_slice(more);
        list.sort_unstable();
        list.dedup();
    }
    if before.as_ref() == Some(&held) {
        return Ok(());
    }
    let (key, body) = (keys::held(&context.plan.cluster), serde_json::to_vec_pretty(&held).unwrap_or_default());
    context.cloud.objects.put(&context.bucket(), &key, body, PutCondition::Always).await?;
    Ok(())
}

async fn remembered(context: &Context<'_>) -> Result<Option<HeldQueues>, ApplyError> {
    let found = context.cloud.objects.get(&context.bucket(), &keys::held(&context.plan.cluster)).await?;
    Ok(found.map(|(text, _)| HeldQueues::parse(&text)))
}

/// The head node has the order to open them.
pub(super) async fn forget(context: &Context<'_>) -> Result<(), ApplyError> {
    if remembered(context).await?.is_some() {
        context.cloud.objects.delete(&context.bucket(), &keys::held(&context.plan.cluster)).await?;
    }
    Ok(())
}

async fn give(context: &Context<'_>, wish: StorageOrder, seconds: Option<u64>) -> Result<(), ApplyError> {
    let given = order(context.cloud, &context.plan.cluster, Order::Storage(wish), seconds, &context.stop);
    Ok(given.await.map(drop)?)
}
