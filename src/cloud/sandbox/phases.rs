//! From one phase of an operation to the next: what follows when all steps are done, or one has failed.

use super::{
    operation::{Action, Before, Old, Operation, Phase, Step, StepState},
    resource::Resource,
    sim::Sim,
    stack::Stack,
    template::{Policy, Template},
    world::World,
};
use crate::cloud::StackStatus;
use std::collections::BTreeMap;

/// The steps that create or update what the template asks for.
pub(super) fn apply_steps(stack: &Stack, template: &Template) -> Result<Vec<Step>, String> {
    let scope = stack.scope(template, &stack.asked);
    let mut steps = Vec::new();
    for logical in template.order()? {
        if scope.wants(&logical)? {
            steps.push(Step::new(&logical, Action::Apply, template.needs(&logical).into_iter().collect()));
        }
    }
    Ok(steps)
}

/// The steps that delete the stack's resources, users before what they use.
pub(super) fn delete_steps(resources: &BTreeMap<String, Resource>) -> Vec<Step> {
    let there = || resources.iter().filter(|(_, r)| r.present());
    let users = |name: &String| there().filter(|(_, r)| r.depends_on.contains(name)).map(|(n, _)| n.clone()).collect();
    there().map(|(name, _)| Step::new(name, Action::Delete, users(name))).collect()
}

fn old_steps(old: &[Old]) -> Vec<Step> {
    let users = |name: &String| {
        let users = old.iter().filter(|o| o.resource.depends_on.contains(name) && o.logical != *name);
        users.map(|user| user.logical.clone()).collect()
    };
    let step = |(index, o): (usize, &Old)| Step::new(&o.logical, Action::DeleteOld(index), users(&o.logical));
    old.iter().enumerate().map(step).collect()
}

/// What becomes of a resource that leaves its stack now: deleted, kept, or kept as a snapshot.
pub(super) fn policy(stack: &Stack, resource: &Resource) -> Policy {
    let phase = stack.operation.as_ref().map(|o| o.phase);
    let replaced = || {
        stack
            .operation
            .iter()
            .flat_map(|o| &o.old)
            .any(|o| o.resource.physical == resource.physical && stack.resources.contains_key(&o.logical))
    };
    let policy =
        if phase == Some(Phase::UpdateCleanup) && replaced() { resource.replacement } else { resource.deletion };
    let undone = matches!(phase, Some(Phase::Rollback | Phase::UpdateRollbackCleanup));
    match policy {
        Policy::RetainExceptOnCreate if undone => Policy::Delete,
        Policy::RetainExceptOnCreate => Policy::Retain,
        // What was never complete has nothing to keep.
        Policy::Snapshot if undone => Policy::Delete,
        other => other,
    }
}

/// A step failed: what runs is cancelled and the rollback begins; a delete goes on with the rest.
pub(super) fn failed(world: &World, stack: &mut Stack) {
    let Some(operation) = &stack.operation else { return };
    let (phase, failed, cancelled) = (operation.phase, operation.failed(), operation.running());
    let (word, verb) = match phase {
        Phase::Create => ("create", "creation"),
        Phase::Update => ("update", "update"),
        _ => return,
    };
    for logical in &cancelled {
        cancel(world, stack, logical, &format!("Resource {verb} cancelled"));
    }
    let all = failed.iter().chain(&cancelled).cloned().collect::<Vec<_>>().join(", ");
    let reason = format!("The following resource(s) failed to {word}: [{all}]. ");
    match phase {
        Phase::Create => {
            stack.turn(
                world.now,
                StackStatus::RollbackInProgress,
                Some(format!("{reason}Rollback requested by user.")),
            );
            let steps = delete_steps(&stack.resources);
            go_on(stack, Phase::Rollback, steps);
        }
        _ => {
            stack.turn(world.now, StackStatus::UpdateRollbackInProgress, Some(reason));
            begin_rollback(stack);
        }
    }
}

fn cancel(world: &World, stack: &mut Stack, logical: &str, reason: &str) {
    let Some(resource) = stack.resources.get_mut(logical) else { return };
    let verb = if resource.status.starts_with("CREATE") { "CREATE" } else { "UPDATE" };
    resource.status = format!("{verb}_FAILED");
    let (kind, physical, status) = (resource.kind.clone(), resource.physical.clone(), resource.status.clone());
    stack.tell(world.now, logical, (&kind, &physical), &status, Some(reason.to_owned()));
}

fn go_on(stack: &mut Stack, phase: Phase, steps: Vec<Step>) {
    if let Some(operation) = &mut stack.operation {
        (operation.phase, operation.steps) = (phase, steps);
    }
}

/// Brings back what an update has touched; what it has made waits for the clean-up.
fn begin_rollback(stack: &mut Stack) {
    let Some(before) = stack.operation.as_ref().and_then(|o| o.before.clone()) else { return };
    stack.asked = before.asked.clone();
    let touched = |logical: &String| stack.resources.get(logical) != before.resources.get(logical);
    let steps: Vec<Step> = before
        .resources
        .keys()
        .filter(|logical| touched(logical))
        .map(|logical| Step::new(logical, Action::Restore, before.resources[logical].depends_on.clone()))
        .collect();
    let new: Vec<String> = stack.resources.keys().filter(|l| !before.resources.contains_key(*l)).cloned().collect();
    let made = new.into_iter().filter_map(|logical| stack.resources.remove_entry(&logical));
    let made: Vec<Old> =
        made.filter(|(_, r)| r.present()).map(|(logical, resource)| Old { logical, resource }).collect();
    if let Some(operation) = &mut stack.operation {
        // Old resources that the update wanted to replace are the stack's again.
        operation.old = made;
    }
    go_on(stack, Phase::UpdateRollback, steps);
}

/// Begins to bring back one resource.
pub(super) fn begin_restore(sim: &mut Sim<'_>, stack: &mut Stack, logical: &str) -> StepState {
    let before = stack.operation.as_ref().and_then(|o| o.before.as_ref()).and_then(|b| b.resources.get(logical));
    let Some(before) = before.cloned() else { return StepState::Done };
    let now = sim.world.now;
    let current = stack.resources.insert(logical.to_owned(), before.clone());
    let replaced = current.filter(|c| c.physical != before.physical);
    if let (Some(new), Some(operation)) = (replaced.filter(Resource::present), &mut stack.operation) {
        operation.old.push(Old { logical: logical.to_owned(), resource: new });
        stack.tell(now, logical, (&before.kind, &before.physical), "UPDATE_COMPLETE", None);
        return StepState::Done;
    }
    let kind = before.kind.clone();
    stack.tell(now, logical, (&kind, &before.physical), "UPDATE_IN_PROGRESS", None);
    let failure = sim.failure(stack, logical, &kind, super::faults::Verb::Update);
    let seconds = sim.seconds(stack, logical, &kind, super::faults::Verb::Update);
    StepState::Running { until: now.plus(seconds), verb: "UPDATE".to_owned(), failure }
}

/// All steps have ended: the next phase, or the end.
pub(super) fn next(world: &mut World, stack: &mut Stack, template: &Template) {
    let Some(operation) = &stack.operation else { return };
    let (phase, failed) = (operation.phase, operation.failed());
    match phase {
        Phase::Create => match outputs(stack, template) {
            Ok(()) => end(world, stack, StackStatus::CreateComplete, None),
            Err(reason) => {
                stack.turn(world.now, StackStatus::RollbackInProgress, Some(reason));
                let steps = delete_steps(&stack.resources);
                go_on(stack, Phase::Rollback, steps);
            }
        },
        Phase::Rollback if failed.is_empty() => end(world, stack, StackStatus::RollbackComplete, None),
        Phase::Rollback => end(world, stack, StackStatus::RollbackFailed, Some(not_deleted(&failed))),
        Phase::Update => match outputs(stack, template) {
            Ok(()) => begin_cleanup(world, stack, template),
            Err(reason) => {
                stack.turn(world.now, StackStatus::UpdateRollbackInProgress, Some(reason));
                begin_rollback(stack);
            }
        },
        Phase::UpdateCleanup => end(world, stack, StackStatus::UpdateComplete, None),
        Phase::UpdateRollback if failed.is_empty() => {
            stack.turn(world.now, StackStatus::UpdateRollbackCompleteCleanupInProgress, None);
            let steps = stack.operation.as_ref().map(|o| old_steps(&o.old)).unwrap_or_default();
            go_on(stack, Phase::UpdateRollbackCleanup, steps);
        }
        Phase::UpdateRollback => {
            let reason = format!("The following resource(s) failed to update: [{}]. ", failed.join(", "));
            stack.turn(world.now, StackStatus::UpdateRollbackFailed, Some(reason));
        }
        Phase::UpdateRollbackCleanup => end(world, stack, StackStatus::UpdateRollbackComplete, None),
        Phase::Delete if failed.is_empty() => {
            stack.deleted = Some(world.now);
            end(world, stack, StackStatus::DeleteComplete, None);
        }
        Phase::Delete => end(world, stack, StackStatus::DeleteFailed, Some(not_deleted(&failed))),
    }
}

fn not_deleted(failed: &[String]) -> String {
    format!("The following resource(s) failed to delete: [{}]. ", failed.join(", "))
}

fn end(world: &World, stack: &mut Stack, status: StackStatus, reason: Option<String>) {
    stack.turn(world.now, status, reason);
    stack.operation = None;
}

fn outputs(stack: &mut Stack, template: &Template) -> Result<(), String> {
    stack.outputs = stack.scope(template, &stack.asked).outputs()?;
    Ok(())
}

fn begin_cleanup(world: &World, stack: &mut Stack, template: &Template) {
    let scope = stack.scope(template, &stack.asked);
    let wanted = |logical: &String| scope.wants(logical).unwrap_or(true);
    let removed: Vec<String> = stack.resources.keys().filter(|logical| !wanted(logical)).cloned().collect();
    let removed: Vec<_> = removed.into_iter().filter_map(|logical| stack.resources.remove_entry(&logical)).collect();
    if let Some(operation) = &mut stack.operation {
        let removed = removed.into_iter().filter(|(_, r)| r.present());
        operation.old.extend(removed.map(|(logical, resource)| Old { logical, resource }));
        operation.steps = old_steps(&operation.old);
        operation.phase = Phase::UpdateCleanup;
    }
    stack.turn(world.now, StackStatus::UpdateCompleteCleanupInProgress, None);
}

/// Goes on with a rollback that failed, leaving some resources as they are.
pub(super) fn continue_rollback(world: &World, stack: &mut Stack, skip: &[String]) {
    if let Some(operation) = &mut stack.operation {
        for step in operation.steps.iter_mut().filter(|s| s.state == StepState::Failed) {
            step.state = if skip.contains(&step.logical) { StepState::Done } else { StepState::Waiting };
        }
    }
    stack.turn(world.now, StackStatus::UpdateRollbackInProgress, None);
}

/// Begins to delete a stack.
pub(super) fn begin_delete(world: &World, stack: &mut Stack, retain: &[String], token: &str) {
    for logical in retain {
        if let Some(resource) = stack.resources.get_mut(logical) {
            resource.deletion = Policy::Retain;
        }
    }
    let old = stack.operation.take().map(|o| o.old).unwrap_or_default();
    for Old { logical, resource } in old {
        stack.resources.insert(format!("{logical}Old"), resource);
    }
    let steps = delete_steps(&stack.resources);
    stack.operation = Some(Operation::new(Phase::Delete, Some(token.to_owned()), steps));
    stack.turn(world.now, StackStatus::DeleteInProgress, None);
}

impl Before {
    /// The stack as it is now.
    pub fn of(stack: &Stack) -> Box<Self> {
        Box::new(Self { asked: stack.asked.clone(), resources: stack.resources.clone() })
    }
}
