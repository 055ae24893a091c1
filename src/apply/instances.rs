//! Instances that no stack made: Slurm launched compute nodes, Auto Scaling launched login nodes.

use super::{ApplyError, Context, Event, context::Pace};
use crate::cloud::{InstanceState, POOL_TAG, QUEUE_TAG};

/// Terminates the compute instances of the cluster, of one queue, or of one pool of it, and waits until they are gone;
/// true: there were none.
pub async fn terminate(context: &Context<'_>, queue: Option<&str>, pool: Option<&str>) -> Result<bool, ApplyError> {
    let of_queue =
        |one: &InstanceState| queue.is_none_or(|queue| one.tags.get(QUEUE_TAG).is_some_and(|found| found == queue));
    // One that does not say which pool it is of may be of this one.
    let of_pool =
        |one: &InstanceState| pool.is_none_or(|pool| one.tags.get(POOL_TAG).is_none_or(|found| found == pool));
    let meant = |one: &InstanceState| of_queue(one) && of_pool(one);
    end(context, |instance| instance.has_role("compute") && meant(instance)).await
}

/// Terminates login nodes and waits until they are gone; true: they were. Their groups make others by themselves.
pub async fn replace_logins(context: &Context<'_>, ids: &[String]) -> Result<bool, ApplyError> {
    end(context, |instance| ids.contains(&instance.id) && instance.has_role("login")).await
}

/// Terminates the instances of the cluster that are meant and waits until they are gone; true: there were none.
async fn end(context: &Context<'_>, meant: impl Fn(&InstanceState) -> bool) -> Result<bool, ApplyError> {
    let (mut pace, mut first) = (Pace::new(), true);
    loop {
        let mut left = context.cloud.compute.instances_of(&context.plan.cluster).await?;
        left.retain(&meant);
        if left.is_empty() {
            return Ok(first);
        }
        first = false;
        context.tell(&Event::Terminating { left: left.len() });
        left.retain(|instance| instance.state != "shutting-down");
        let begin: Vec<String> = left.into_iter().map(|instance| instance.id).collect();
        if !begin.is_empty() {
            context.cloud.compute.terminate(&begin).await?;
        }
        context.pause(&mut pace).await?;
    }
}
