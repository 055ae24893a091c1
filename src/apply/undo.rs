//! After a failure: what was stopped for the sake of a file system that is still there goes on.

use super::{Context, Event, auto_export, order, rest};
use crate::{
    model::StackKey,
    observe::{Order, StorageOrder},
    plan::StepAction,
};
use std::collections::BTreeSet;

/// Takes back what the steps that were begun have stopped, unless the queues were opened again already. Nothing here
/// is a failure of its own: what cannot be taken back is told, and the next plan sees it.
pub(super) async fn undo(context: &Context<'_>, begun: &BTreeSet<usize>, done: &BTreeSet<usize>) {
    let actions = |numbers: &BTreeSet<usize>| -> Vec<StepAction> {
        let of = |number: &usize| context.plan.steps.iter().find(|step| step.number == *number);
        numbers.iter().filter_map(of).map(|step| step.action.clone()).collect()
    };
    let (begun, done) = (actions(begun), actions(done));
    for action in &begun {
        if let StepAction::StopAutoExport { storage, file_system, associations } = action
            && is_there(context, file_system).await
        {
            for error in auto_export::restore(context, associations).await {
                let error = error.map(|error| error.to_string());
                context.tell(&Event::AutoExportRestored { storage: storage.clone(), error });
            }
        }
    }
    let held = begun.iter().any(|action| matches!(action, StepAction::HoldQueues { .. }));
    if !held || done.contains(&StepAction::OpenQueues) {
        return;
    }
    let (mut file_systems, mut volumes) = (Vec::new(), Vec::new());
    for step in &context.plan.steps {
        if let StepAction::Release { file_systems: mounted, volumes: attached } = &step.action {
            file_systems.extend(mounted.iter().cloned());
            volumes.extend(attached.iter().cloned());
        }
    }
    // Nodes that start now would mount what is gone.
    if !are_in_stack(context, &file_systems).await || !are_there(context, &volumes).await {
        return context.tell(&Event::QueuesStayHeld);
    }
    let open = Order::Storage(StorageOrder::Open { file_systems, volumes, revision: 0 });
    let given = order(context.cloud, &context.plan.cluster, open, None, &context.stop).await;
    if given.is_err() {
        return context.tell(&Event::QueuesStayHeld);
    }
    // A record that stays makes the next plan open them once more, which does no harm.
    let _ = rest::forget(context).await;
    context.tell(&Event::QueuesReopened);
}

/// Whether the storage stack has them, and CloudFormation is not at it: what it keeps for others as an entry leaves has
/// lost its mount targets or rules, and FSx knows nothing of EFS.
async fn are_in_stack(context: &Context<'_>, file_systems: &[String]) -> bool {
    if file_systems.is_empty() {
        return true;
    }
    let stacks = &context.cloud.stacks;
    let name = StackKey::Storage.stack_name(&context.plan.cluster);
    let Ok(Some(state)) = stacks.stack(&name).await else { return false };
    let Ok(resources) = stacks.resources(&name).await else { return false };
    let has = |id: &String| resources.iter().any(|one| one.physical_id == *id && !one.status.starts_with("DELETE"));
    !state.status.in_progress() && file_systems.iter().all(has)
}

async fn is_there(context: &Context<'_>, id: &str) -> bool {
    match context.cloud.file_systems.file_system(id).await {
        Ok(Some(state)) => matches!(state.lifecycle.as_str(), "AVAILABLE" | "UPDATING"),
        Ok(None) | Err(_) => false,
    }
}

/// Whether no volume has gone, nor is about to.
async fn are_there(context: &Context<'_>, volumes: &[String]) -> bool {
    if volumes.is_empty() {
        return true;
    }
    match context.cloud.compute.volumes(volumes).await {
        Ok(found) => found.len() == volumes.len() && found.iter().all(|one| one.state != "deleting"),
        Err(_) => false,
    }
}
