//! Steps on the head node itself: what lasts longer is taken from it before another one takes its place.

use super::{ApplyError, Context, Event};
use crate::{
    cloud::{InstanceState, VolumeAttachment},
    model::StackKey,
    plan::{HEAD_INSTANCE, StepAction},
};

/// How long a head node may take to shut down, in seconds. EC2 itself cuts off one that hangs after some minutes.
const PATIENCE: i64 = 1200;

/// Stops the head node and takes its volumes from it; true: it was gone already.
pub async fn stop(
    context: &Context<'_>,
    instance: &str,
    volumes: &[String],
    protected: bool,
) -> Result<bool, ApplyError> {
    let compute = &context.cloud.compute;
    let Some(found) = find(context, instance).await? else { return Ok(true) };
    if protected {
        compute.protect_instance(instance, false).await?;
    }
    if !matches!(found.state.as_str(), "stopping" | "stopped") {
        compute.stop(instance).await?;
    }
    let runs = async || Ok(find(context, instance).await?.filter(|now| now.state != "stopped"));
    if let Some(now) = context.until_gone(PATIENCE, runs).await? {
        return Err(ApplyError::HeadNode { instance: instance.to_owned(), state: now.state });
    }
    for volume in volumes {
        detach(context, instance, volume).await?;
    }
    Ok(false)
}

async fn detach(context: &Context<'_>, instance: &str, volume: &str) -> Result<(), ApplyError> {
    let held = async || Ok(held_by(context, volume).await?.filter(|one| one.instance == instance));
    if held().await?.is_none() {
        return Ok(());
    }
    context.cloud.compute.detach_volume(volume).await?;
    still_held(volume, context.until_gone(PATIENCE, held).await?)
}

/// Who has a volume.
pub(super) async fn held_by(context: &Context<'_>, volume: &str) -> Result<Option<VolumeAttachment>, ApplyError> {
    let found = context.cloud.compute.volumes(&[volume.to_owned()]).await?.pop();
    Ok(found.and_then(|one| one.attachment))
}

/// An error when somebody has a volume yet.
pub(super) fn still_held(volume: &str, held: Option<VolumeAttachment>) -> Result<(), ApplyError> {
    let Some(held) = held else { return Ok(()) };
    Err(ApplyError::HeadNode { instance: held.instance, state: format!("{volume} is {}", held.state) })
}

/// Starts the head node; true: it runs, or is gone.
pub async fn start(context: &Context<'_>, instance: &str) -> Result<bool, ApplyError> {
    let stopping = async || Ok(find(context, instance).await?.filter(|now| now.state == "stopping"));
    if let Some(now) = context.until_gone(PATIENCE, stopping).await? {
        return Err(ApplyError::HeadNode { instance: instance.to_owned(), state: now.state });
    }
    if find(context, instance).await?.is_none_or(|now| now.state != "stopped") {
        return Ok(true);
    }
    context.cloud.compute.start(instance).await?;
    Ok(false)
}

async fn find(context: &Context<'_>, instance: &str) -> Result<Option<InstanceState>, ApplyError> {
    let found = context.cloud.compute.instances(&[instance.to_owned()]).await?;
    Ok(found.into_iter().find(|one| one.state != "terminated" && one.state != "shutting-down"))
}

/// After the update of the head node's stack: a head node that was to be replaced and was not, since CloudFormation saw
/// no need, is started again. Where the plan starts it itself, that comes later.
pub async fn revive(context: &Context<'_>) -> Result<(), ApplyError> {
    let starts = |step: &crate::plan::Step| matches!(step.action, StepAction::StartHead { .. });
    if context.plan.steps.iter().any(starts) {
        return Ok(());
    }
    let all: Vec<usize> = context.plan.steps.iter().map(|step| step.number).collect();
    undo(context, &all).await
}

/// After a failure: the head node that was stopped is started again, unless another one has taken its place or
/// CloudFormation is still at it. It attaches its volumes as it boots.
pub async fn undo(context: &Context<'_>, begun: &[usize]) -> Result<(), ApplyError> {
    for step in context.plan.steps.iter().filter(|step| begun.contains(&step.number)) {
        let StepAction::StopHead { instance, protected, .. } = &step.action else { continue };
        let name = StackKey::Head.stack_name(&context.plan.cluster);
        let busy = context.cloud.stacks.stack(&name).await?.is_none_or(|state| state.status.in_progress());
        let resources = context.cloud.stacks.resources(&name).await?;
        let current = resources.iter().find(|one| one.logical_id == HEAD_INSTANCE).map(|one| one.physical_id.as_str());
        if busy || current != Some(instance) || find(context, instance).await?.is_none() {
            continue;
        }
        if *protected {
            context.cloud.compute.protect_instance(instance, true).await?;
        }
        if !start(context, instance).await? {
            context.tell(&Event::HeadStarted { instance: instance.clone() });
        }
    }
    Ok(())
}
