//! Compute instances: Slurm launched them, no stack knows them.

use super::{ApplyError, Context, Event, context::Pace};
use crate::cloud::{InstanceState, QUEUE_TAG, ROLE_TAG};

/// Terminates the compute instances of the cluster, or of one queue, and waits until they are gone; true: there
/// were none.
pub async fn terminate(context: &Context<'_>, queue: Option<&str>) -> Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let mut first = true;
    loop {
        let left = compute(context, queue).await?;
        if left.is_empty() {
            return Ok(first);
        }
        first = false;
        context.tell(&Event::Terminating { left: left.len() });
        let begin: Vec<String> = left
            .iter()
            .filter(|instance| instance.state != "shutting-down")
            .map(|instance| instance.id.clone())
            .collect();
        if !begin.is_empty() {
            context.cloud.compute.terminate(&begin).await?;
        }
        context.pause(&mut pace).await?;
    }
}

/// Terminates login nodes and waits until they are gone; true: they were. Their groups make others by themselves.
pub async fn replace_logins(context: &Context<'_>, ids: &[String]) -> Result<bool, ApplyError> {
    let (mut pace, mut first) = (Pace::new(), true);
    loop {
        let mut left = context.cloud.compute.instances_of(&context.plan.cluster).await?;
        left.retain(|instance| ids.contains(&instance.id) && instance.has_role("login"));
        if left.is_empty() {
            return Ok(first);
        }
        context.tell(&Event::Terminating { left: left.len() });
        left.retain(|instance| instance.state != "shutting-down");
        let begin: Vec<String> = left.into_iter().map(|instance| instance.id).collect();
        if !begin.is_empty() {
            context.cloud.compute.terminate(&begin).await?;
        }
        first = false;
        context.pause(&mut pace).await?;
    }
}

async fn compute(context: &Context<'_>, queue: Option<&str>) -> Result<Vec<InstanceState>, ApplyError> {
    let mut instances = context.cloud.compute.instances_of(&context.plan.cluster).await?;
    let has =
        |instance: &InstanceState, tag: &str, value: &str| instance.tags.get(tag).is_some_and(|found| found == value);
    instances.retain(|instance| has(instance, ROLE_TAG, "compute"));
    if let Some(queue) = queue {
        instances.retain(|instance| has(instance, QUEUE_TAG, queue));
    }
    Ok(instances)
}
