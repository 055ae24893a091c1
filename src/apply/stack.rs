//! Steps on stacks: start, follow to the end, say what failed.

use super::{ApplyError, Context, Event, FailedResource, context::Pace};
use crate::{
    cloud::{
        ErrorKind, MAX_TEMPLATE_BODY, StackEvent, StackInput, StackState, StackStatus, TemplateSource, UpdateStart,
    },
    model::{ParameterSource, StackKey, stack_tags},
    observe::keys,
    plan::PlannedParameter,
};
use std::collections::BTreeMap;

/// Makes a stack; true: it was there already as the plan wants it.
pub async fn create(context: &Context<'_>, key: &StackKey, step: usize) -> Result<bool, ApplyError> {
    let input = input(context, key, step).await?;
    let id = match context.cloud.stacks.stack(&input.name).await? {
        Some(state) if state.status.succeeded() || state.status.can_update() => {
            return match same_template(context, key, &state).await? {
                true => Ok(true),
                false => Err(failed(key, &state, Vec::new())),
            };
        }
        Some(state) if state.status == StackStatus::CreateInProgress => state.id,
        Some(state) => return Err(failed(key, &state, Vec::new())),
        None => context.cloud.stacks.create(&input).await?,
    };
    follow(context, key, &id, None).await?;
    Ok(false)
}

/// Updates a stack; true: CloudFormation saw nothing to update.
pub async fn update(context: &Context<'_>, key: &StackKey, step: usize) -> Result<bool, ApplyError> {
    let input = input(context, key, step).await?;
    match context.cloud.stacks.stack(&input.name).await? {
        Some(state) => begin_update(context, key, &input, &state).await,
        None => create(context, key, step).await,
    }
}

/// Updates a stack, but keeps what is to leave it; true: that is done, or it has left already.
pub async fn prepare(context: &Context<'_>, key: &StackKey, step: usize) -> Result<bool, ApplyError> {
    let mut input = input(context, key, step).await?;
    let (Some(between), Some(state)) =
        (context.plan.content.between.get(key), context.cloud.stacks.stack(&input.name).await?)
    else {
        return Ok(true);
    };
    if !state.status.in_progress() && same_template(context, key, &state).await? {
        return Ok(true);
    }
    input.template = template(context, &between.template, &keys::between(&key.to_string()));
    input.parameters.extend(between.parameters.clone());
    begin_update(context, key, &input, &state).await
}

/// Writes what is to stay into the template of a stack that goes; true: it stands there already. Nothing else changes.
pub async fn mark_kept(context: &Context<'_>, key: &StackKey, step: usize) -> Result<bool, ApplyError> {
    let name = key.stack_name(&context.plan.cluster);
    let (Some(marked), Some(state)) = (context.plan.content.between.get(key), context.cloud.stacks.stack(&name).await?)
    else {
        return Ok(true);
    };
    if !state.status.can_update() {
        return Ok(true);
    }
    let input = StackInput {
        name,
        template: TemplateSource::Body(marked.template.clone()),
        parameters: marked.parameters.clone(),
        tags: state.tags.clone(),
        token: context.token(step),
        termination_protection: state.termination_protection,
    };
    begin_update(context, key, &input, &state).await
}

async fn begin_update(
    context: &Context<'_>,
    key: &StackKey,
    input: &StackInput,
    state: &StackState,
) -> Result<bool, ApplyError> {
    let last = last_event(context, &state.id).await?;
    if state.termination_protection != input.termination_protection {
        context.cloud.stacks.protect(&input.name, input.termination_protection).await?;
    }
    if !state.status.in_progress() && context.cloud.stacks.update(input).await? == UpdateStart::NoChanges {
        return Ok(true);
    }
    follow(context, key, &state.id, last).await?;
    Ok(false)
}

/// Deletes a stack; true: it was gone already.
///
/// `retain` stays of one that is in DELETE_FAILED, where nothing else can be said about what stays.
pub async fn delete(context: &Context<'_>, key: &StackKey, retain: &[String], step: usize) -> Result<bool, ApplyError> {
    let name = key.stack_name(&context.plan.cluster);
    let Some(state) = context.cloud.stacks.stack(&name).await? else { return Ok(true) };
    let last = last_event(context, &state.id).await?;
    if state.status != StackStatus::DeleteInProgress {
        let retain = if state.status == StackStatus::DeleteFailed { retain } else { &[] };
        context.cloud.stacks.delete(&name, retain, &context.token(step)).await?;
    }
    follow_to(context, key, &state.id, last, true).await?;
    Ok(false)
}

/// Goes on with a rollback that failed.
pub async fn continue_rollback(context: &Context<'_>, key: &StackKey) -> Result<bool, ApplyError> {
    let name = key.stack_name(&context.plan.cluster);
    let Some(state) = context.cloud.stacks.stack(&name).await? else { return Ok(true) };
    if state.status != StackStatus::UpdateRollbackFailed {
        return Ok(true);
    }
    let last = last_event(context, &state.id).await?;
    context.cloud.stacks.continue_rollback(&name, &[]).await?;
    match follow(context, key, &state.id, last).await {
        Err(ApplyError::Stack { status, .. }) if status == StackStatus::UpdateRollbackComplete.as_str() => Ok(false),
        other => other.map(|()| false),
    }
}

async fn last_event(context: &Context<'_>, id: &str) -> Result<Option<String>, ApplyError> {
    let events = context.cloud.stacks.events(id, None).await?;
    Ok(events.last().map(|event| event.id.clone()))
}

/// Follows a stack to the end of what it does, telling every event.
async fn follow(context: &Context<'_>, key: &StackKey, id: &str, last: Option<String>) -> Result<(), ApplyError> {
    follow_to(context, key, id, last, false).await
}

/// The same; a stack that nobody knows any more has reached its end when it `deletes`, and no other.
async fn follow_to(
    context: &Context<'_>,
    key: &StackKey,
    id: &str,
    mut last: Option<String>,
    deletes: bool,
) -> Result<(), ApplyError> {
    let mut pace = Pace::new();
    let mut failures = Vec::new();
    // What CloudFormation could not delete, by physical id: it tries more than once.
    let mut left: BTreeMap<String, FailedResource> = BTreeMap::new();
    loop {
        let state = context.cloud.stacks.stack(id).await?;
        let events = match context.cloud.stacks.events(id, last.as_deref()).await {
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            events => events?,
        };
        for event in events {
            tell(context, key, id, &event);
            failures.extend(failure(id, &event, |logical| context.address(key, logical)));
            note_deletion(context, key, id, &event, &mut left);
            last = Some(event.id);
        }
        match state {
            None if deletes => return Ok(()),
            None => return Err(vanished(key)),
            Some(state) if state.status.in_progress() => {}
            Some(state) if state.status.succeeded() && left.is_empty() => return Ok(()),
            Some(state) if state.status.succeeded() => {
                let resources = left.into_values().collect();
                return Err(ApplyError::NotDeleted { stack: key.clone(), resources });
            }
            Some(state) => return Err(failed(key, &state, failures)),
        }
        context.pause(&mut pace).await?;
    }
}

fn tell(context: &Context<'_>, key: &StackKey, id: &str, event: &StackEvent) {
    if event.physical_id.as_deref() == Some(id) {
        return;
    }
    context.tell(&Event::Resource {
        stack: key.clone(),
        address: context.address(key, &event.logical_id),
        resource_type: event.resource_type.clone(),
        status: event.status.clone(),
        reason: event.reason.clone(),
    });
}

/// A failure that is a cause: not one that follows from another resource's failure.
pub(super) fn failure(id: &str, event: &StackEvent, address: impl FnOnce(&str) -> String) -> Option<FailedResource> {
    let reason = event.reason.clone().unwrap_or_default();
    let follows = reason.contains("cancelled") || event.physical_id.as_deref() == Some(id);
    (event.status.ends_with("_FAILED") && !follows).then(|| FailedResource {
        address: address(&event.logical_id),
        resource_type: event.resource_type.clone(),
        physical_id: event.physical_id.clone(),
        status: event.status.clone(),
        reason,
    })
}

/// Keeps count of what a clean-up could not delete, or only at a later try.
fn note_deletion(
    context: &Context<'_>,
    key: &StackKey,
    id: &str,
    event: &StackEvent,
    left: &mut BTreeMap<String, FailedResource>,
) {
    let Some(physical) = event.physical_id.as_deref().filter(|physical| *physical != id) else { return };
    match event.status.as_str() {
        "DELETE_FAILED" => {
            let found = failure(id, event, |logical| context.address(key, logical));
            left.extend(found.map(|found| (physical.to_owned(), found)));
        }
        "DELETE_COMPLETE" => {
            left.remove(physical);
        }
        _ => {}
    }
}

fn vanished(key: &StackKey) -> ApplyError {
    let reason = Some("CloudFormation does not know it any more: somebody deleted it meanwhile".to_owned());
    ApplyError::Stack { stack: key.clone(), status: "DELETE_COMPLETE".to_owned(), reason, resources: Vec::new() }
}

fn failed(key: &StackKey, state: &StackState, resources: Vec<FailedResource>) -> ApplyError {
    ApplyError::Stack {
        stack: key.clone(),
        status: state.status.as_str().to_owned(),
        reason: state.reason.clone(),
        resources,
    }
}

async fn same_template(context: &Context<'_>, key: &StackKey, state: &StackState) -> Result<bool, ApplyError> {
    let there = context.cloud.stacks.template(&state.name).await?;
    Ok(context.plan.content.templates.get(key) == Some(&there))
}

async fn input(context: &Context<'_>, key: &StackKey, step: usize) -> Result<StackInput, ApplyError> {
    let plan = context.plan;
    let body = plan.content.templates.get(key).cloned().unwrap_or_default();
    Ok(StackInput {
        name: key.stack_name(&plan.cluster),
        template: template(context, &body, &key.to_string()),
        parameters: parameters(context, key).await?,
        tags: stack_tags(&plan.content.tags, key),
        token: context.token(step),
        termination_protection: plan.content.termination_protection,
    })
}

/// A template in the request itself, or where the archive has it when it is too long for that.
fn template(context: &Context<'_>, body: &str, name: &str) -> TemplateSource {
    if body.len() <= MAX_TEMPLATE_BODY {
        return TemplateSource::Body(body.to_owned());
    }
    let key = keys::template(&context.plan.cluster, context.plan.revision, name);
    TemplateSource::Object { bucket: context.bucket(), key }
}

async fn parameters(context: &Context<'_>, key: &StackKey) -> Result<BTreeMap<String, String>, ApplyError> {
    let mut values = BTreeMap::new();
    let planned = context.plan.content.parameters.get(key);
    let mut outputs: BTreeMap<&StackKey, BTreeMap<String, String>> = BTreeMap::new();
    for (name, parameter) in planned.into_iter().flatten() {
        let value = match parameter {
            PlannedParameter::Value(value) => value.clone(),
            PlannedParameter::From(ParameterSource::ArtifactBucket) => context.bucket(),
            PlannedParameter::From(
                ParameterSource::Image { .. }
                | ParameterSource::SubnetZone { .. }
                | ParameterSource::ProfileRole { .. },
            ) => {
                return Err(ApplyError::Unresolved { parameter: name.clone() });
            }
            PlannedParameter::From(ParameterSource::Output { stack, output }) => {
                if !outputs.contains_key(stack) {
                    let state = context.cloud.stacks.stack(&stack.stack_name(&context.plan.cluster)).await?;
                    outputs.insert(stack, state.map(|state| state.outputs).unwrap_or_default());
                }
                let found = outputs.get(stack).and_then(|outputs| outputs.get(output)).cloned();
                found.ok_or_else(|| ApplyError::MissingOutput { stack: key.clone(), parameter: name.clone() })?
            }
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}
