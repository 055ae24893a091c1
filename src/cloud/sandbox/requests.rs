//! CloudFormation's requests that change a stack: what is refused, and how the rest begins.

use super::{
    changes,
    control::Call,
    faults::Script,
    ids::uuid,
    operation::{Before, Operation, Phase},
    parameters, phases,
    sim::Sim,
    stack::{Asked, Stack},
    stacks::missing,
    template::Template,
    world::{ACCOUNT, World},
};
use crate::cloud::{ErrorKind, MAX_TEMPLATE_BODY, Result, StackInput, StackStatus, TemplateSource, UpdateStart};

/// The template and the rest of what is asked for, checked as far as it can be before anything is made.
pub(super) fn read(world: &World, script: &Script, call: Call, input: &StackInput) -> Result<(Template, Asked)> {
    let text = match &input.template {
        TemplateSource::Body(body) if body.len() > MAX_TEMPLATE_BODY => {
            let words = "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have \
                         length less than or equal to 51200";
            return Err(call.invalid(words));
        }
        TemplateSource::Body(body) => body.clone(),
        TemplateSource::Object { bucket, key } => {
            let body = world.buckets.get(bucket).and_then(|b| b.current(key));
            let body = body
                .ok_or_else(|| call.invalid(format!("S3 error: The specified key does not exist: {bucket}/{key}")))?;
            String::from_utf8(body.bytes()).map_err(|_| call.invalid("Template format error: not UTF-8"))?
        }
    };
    let template = Template::parse(&text).map_err(|e| call.invalid(e))?;
    parameters::check(&template, &input.parameters).map_err(|e| call.invalid(e))?;
    let parameters = parameters::with_defaults(&template, &input.parameters);
    parameters::there(&template, &parameters, &script.absent).map_err(|e| call.invalid(e))?;
    let asked = Asked { template: text, parameters, tags: input.tags.clone() };
    Ok((template, asked))
}

/// Begins to create a stack.
pub(super) fn create(sim: &mut Sim<'_>, call: Call, region: &str, input: &StackInput) -> Result<String> {
    let token = format!("CreateStack {}", input.token);
    if let Some(id) = sim.world.stack_id(region, &input.name) {
        let same = sim.world.stacks.get(&id).is_some_and(|s| s.tokens.contains(&token));
        let words = format!("Stack [{}] already exists", input.name);
        return if same { Ok(id) } else { Err(call.error(ErrorKind::AlreadyExists, "AlreadyExistsException", words)) };
    }
    let valid = input.name.starts_with(|c: char| c.is_ascii_alphabetic())
        && input.name.len() <= 128
        && input.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !valid {
        let words =
            format!("Value '{}' at 'stackName' failed to satisfy constraint: [a-zA-Z][-a-zA-Z0-9]*", input.name);
        return Err(call.invalid(words));
    }
    let (template, asked) = read(sim.world, sim.script, call, input)?;
    let mut stack = new_stack(sim.world, region, input, asked);
    let steps = phases::apply_steps(&stack, &template).map_err(|e| call.invalid(e))?;
    stack.tokens.insert(token);
    stack.operation = Some(Operation::new(Phase::Create, Some(input.token.clone()), steps));
    stack.turn(sim.world.now, StackStatus::CreateInProgress, Some("User Initiated".to_owned()));
    let id = stack.id.clone();
    sim.world.stacks.insert(id.clone(), stack);
    begin(sim);
    Ok(id)
}

/// Lets what can begin at this second begin, so that it is seen at once.
fn begin(sim: &mut Sim<'_>) {
    let now = sim.world.now;
    sim.advance_to(now);
}

fn new_stack(world: &mut World, region: &str, input: &StackInput, asked: Asked) -> Stack {
    let nth = world.count(&format!("stack {region} {}", input.name)).to_string();
    let uuid = uuid(&[region, &input.name, &nth]);
    Stack {
        name: input.name.clone(),
        id: format!("arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{}/{uuid}", input.name),
        region: region.to_owned(),
        status: StackStatus::CreateInProgress,
        reason: None,
        asked,
        outputs: Default::default(),
        created: world.now,
        updated: None,
        deleted: None,
        termination_protection: input.termination_protection,
        resources: Default::default(),
        tokens: Default::default(),
        operation: None,
        events: Vec::new(),
    }
}

/// Begins to update a stack.
pub(super) fn update(sim: &mut Sim<'_>, call: Call, region: &str, input: &StackInput) -> Result<UpdateStart> {
    let id = sim.world.stack_id(region, &input.name).ok_or_else(|| missing(call, &input.name))?;
    let Some(stack) = sim.world.stacks.get(&id) else { return Err(missing(call, &input.name)) };
    let token = format!("UpdateStack {}", input.token);
    if stack.tokens.contains(&token) {
        return Ok(UpdateStart::Running);
    }
    if !stack.status.can_update() {
        let status = stack.status.as_str();
        let words = format!("Stack:{id} is in {status} state and can not be updated.");
        let busy = stack.status.in_progress();
        let kind = if busy { ErrorKind::Busy } else { ErrorKind::Invalid };
        return Err(call.error(kind, "ValidationError", words));
    }
    let (template, asked) = read(sim.world, sim.script, call, input)?;
    if changes::nothing(stack, &template, &asked).map_err(|e| call.invalid(e))? {
        return Ok(UpdateStart::NoChanges);
    }
    let begun =
        sim.with_stack(&id, |sim, stack| begin_update(sim.world, stack, &template, asked, (token, &input.token)));
    begun.unwrap_or(Ok(())).map_err(|e| call.invalid(e))?;
    begin(sim);
    Ok(UpdateStart::Running)
}

fn begin_update(
    world: &World,
    stack: &mut Stack,
    template: &Template,
    asked: Asked,
    token: (String, &str),
) -> std::result::Result<(), String> {
    let before = Before::of(stack);
    stack.asked = asked;
    let steps = phases::apply_steps(stack, template).inspect_err(|_| stack.asked = before.asked.clone())?;
    let mut operation = Operation::new(Phase::Update, Some(token.1.to_owned()), steps);
    operation.before = Some(before);
    stack.operation = Some(operation);
    stack.tokens.insert(token.0);
    stack.updated = Some(world.now);
    stack.turn(world.now, StackStatus::UpdateInProgress, Some("User Initiated".to_owned()));
    Ok(())
}

/// Begins to delete a stack. One that is gone is no error, as in CloudFormation.
pub(super) fn delete(sim: &mut Sim<'_>, call: Call, stack: (&str, &str), retain: &[String], token: &str) -> Result<()> {
    let Some(id) = sim.world.stack_id(stack.0, stack.1) else { return Ok(()) };
    let key = format!("DeleteStack {token}");
    let Some(stack) = sim.world.stacks.get(&id) else { return Ok(()) };
    let (status, name) = (stack.status, &stack.name);
    let done = matches!(status, StackStatus::DeleteInProgress | StackStatus::DeleteComplete);
    if done || (stack.tokens.contains(&key) && status != StackStatus::DeleteFailed) {
        return Ok(());
    }
    if stack.termination_protection {
        let words = format!("Stack [{name}] cannot be deleted while TerminationProtection is enabled");
        return Err(call.invalid(words));
    }
    if status.in_progress() && status != StackStatus::CreateInProgress {
        let words = format!("Stack [{name}] cannot be deleted while in status {}", status.as_str());
        return Err(call.error(ErrorKind::Busy, "ValidationError", words));
    }
    if !retain.is_empty() && status != StackStatus::DeleteFailed {
        return Err(call.invalid(format!("Stack [{name}] is not in DELETE_FAILED; resources cannot be retained")));
    }
    let valid = |logical: &String| stack.resources.get(logical).is_some_and(|one| one.status != "DELETE_COMPLETE");
    if !retain.iter().all(valid) {
        let words = "The specified resources to retain must be in a valid state. Do not specify resources that are in the \
                     DELETE_COMPLETE state.";
        return Err(call.invalid(words));
    }
    sim.with_stack(&id, |sim, stack| {
        stack.tokens.insert(key);
        phases::begin_delete(sim.world, stack, retain, token);
    });
    begin(sim);
    Ok(())
}

/// Goes on with a rollback that failed.
pub(super) fn continue_rollback(sim: &mut Sim<'_>, call: Call, stack: (&str, &str), skip: &[String]) -> Result<()> {
    let id = sim.world.stack_id(stack.0, stack.1).ok_or_else(|| missing(call, stack.1))?;
    let status = sim.world.stacks.get(&id).map(|s| s.status);
    if status != Some(StackStatus::UpdateRollbackFailed) {
        let status = status.map(StackStatus::as_str).unwrap_or_default();
        return Err(call.invalid(format!("Stack [{id}] is in {status} state and its rollback can not be continued.")));
    }
    sim.with_stack(&id, |sim, stack| phases::continue_rollback(sim.world, stack, skip));
    begin(sim);
    Ok(())
}
