//! Steps on the head node itself: what lasts longer is taken from it before another one takes its place.

use super::{ApplyError, Context, Event, context::Pace};
use crate::{
    cloud::InstanceState,
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
    let until = context.cloud.clock.now().plus(PATIENCE);
    let mut pace = Pace::new();
    loop {
        match find(context, instance).await? {
            None => break,
            Some(now) if now.state == "stopped" => break,
            Some(now) if context.cloud.clock.now() > until => {
                return Err(ApplyError::HeadNode { instance: instance.to_owned(), state: now.state });
            }
            Some(_) => context.pause(&mut pace).await?,
        }
    }
    for volume in volumes {
        detach(context, instance, volume).await?;
    }
    Ok(false)
}

async fn detach(context: &Context<'_>, instance: &str, volume: &str) -> Result<(), ApplyError> {
    let mut pace = Pace::new();
    let until = context.cloud.clock.now().plus(PATIENCE);
    let mut asked = false;
    loop {
        let found = context.cloud.compute.volumes(&[volume.to_owned()]).await?.pop();
        let held = found.and_then(|one| one.attachment).filter(|one| one.instance == instance);
        let Some(held) = held else { return Ok(()) };
        if !asked {
            context.cloud.compute.detach_volume(volume).await?;
            asked = true;
        } else if context.cloud.clock.now() > until {
            let state = format!("{volume} is {}", held.state);
            return Err(ApplyError::HeadNode { instance: instance.to_owned(), state });
        } else {
            context.pause(&mut pace).await?;
        }
    }
}

/// Starts the head node; true: it runs, or is gone.
pub async fn start(context: &Context<'_>, instance: &str) -> Result<bool, ApplyError> {
    let mut pace = Pace::new();
    loop {
        match find(context, instance).await? {
            Some(found) if found.state == "stopped" => {
                context.cloud.compute.start(instance).await?;
                return Ok(false);
            }
            Some(found) if found.state == "stopping" => context.pause(&mut pace).await?,
            _ => return Ok(true),
        }
    }
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
