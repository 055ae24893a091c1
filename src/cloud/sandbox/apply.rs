//! Begins to make a resource what its template asks for: create it, update it in place, or replace it.

use super::{
    attributes, effects,
    estate::Estate,
    faults::Verb,
    ids::{Naming, given_name},
    operation::{Old, StepState},
    resource::Resource,
    rules,
    scope::Desired,
    sim::Sim,
    stack::Stack,
    template::Template,
    updates::{self, Update},
    violations,
};
use crate::cloud::Timestamp;
use serde_json::Value;

/// Seconds after which a provider refuses.
const REFUSAL: i64 = 2;
/// Seconds for which an instance stands still between stop and start.
const RESTART: i64 = 150;

/// Begins the step of a resource.
pub(super) fn begin(sim: &mut Sim<'_>, stack: &mut Stack, template: &Template, logical: &str) -> StepState {
    let asked = stack.asked.clone();
    let desired = stack.scope(template, &asked).desired(logical, &asked.tags);
    let old = stack.resources.get(logical).filter(|r| r.present()).cloned();
    let desired = match desired {
        Ok(desired) => desired,
        Err(reason) => {
            let kind = template.resources.get(logical).map(|d| d.kind.clone()).unwrap_or_default();
            let verb = if old.is_some() { "UPDATE" } else { "CREATE" };
            let resource = old.unwrap_or_else(|| empty(&kind, &stack.region, sim.world.now));
            stack.resources.insert(logical.to_owned(), resource);
            return refuse(sim, stack, logical, verb, reason);
        }
    };
    match old {
        None => create(sim, stack, logical, &desired, "CREATE"),
        Some(old) => change(sim, stack, logical, old, &desired),
    }
}

fn change(sim: &mut Sim<'_>, stack: &mut Stack, logical: &str, old: Resource, desired: &Desired) -> StepState {
    let paths = desired.changes(&old);
    let kind = &desired.declared.kind;
    if let Some(resource) = stack.resources.get_mut(logical) {
        resource.deletion = desired.declared.deletion;
        resource.replacement = desired.declared.replacement;
        resource.depends_on = desired.depends_on.clone();
    }
    if paths.is_empty() {
        return StepState::Done;
    }
    let outcome = updates::outcome(kind, &paths, &old.properties, &desired.properties);
    if matches!(outcome, Update::InPlace | Update::Restarts)
        && let Some(resource) = stack.resources.get_mut(logical)
        && let Some(reason) = updates::too_soon(resource, &paths, sim.world.now)
    {
        return refuse(sim, stack, logical, "UPDATE", reason);
    }
    match outcome {
        Update::Replaces => replace(sim, stack, logical, old, desired),
        Update::Refused(reason) => refuse(sim, stack, logical, "UPDATE", reason),
        Update::Restarts => update(sim, stack, logical, desired, RESTART),
        Update::InPlace => update(sim, stack, logical, desired, 0),
    }
}

fn create(sim: &mut Sim<'_>, stack: &mut Stack, logical: &str, desired: &Desired, verb: &str) -> StepState {
    let now = sim.world.now;
    let kind = desired.declared.kind.clone();
    let nothing = empty(&kind, &stack.region, now);
    stack.resources.insert(logical.to_owned(), nothing);
    let reason = (verb == "UPDATE")
        .then(|| "Requested update requires the creation of a new physical resource; hence creating one.".to_owned());
    stack.tell(now, logical, (&kind, ""), &format!("{verb}_IN_PROGRESS"), reason);
    if let Some(failure) = objection(sim, stack, logical, desired) {
        return StepState::Running { until: now.plus(REFUSAL), verb: verb.to_owned(), failure: Some(failure) };
    }
    let resource = build(sim, stack, logical, desired, &format!("{verb}_IN_PROGRESS"));
    let started = Some("Resource creation Initiated".to_owned());
    stack.tell(now, logical, (&kind, &resource.physical), &resource.status, started);
    effects::making(sim.world, stack, logical, &resource);
    stack.resources.insert(logical.to_owned(), resource);
    let failure = sim.failure(stack, logical, &kind, Verb::Create);
    let seconds = sim.seconds(stack, logical, &kind, Verb::Create);
    StepState::Running { until: now.plus(seconds), verb: verb.to_owned(), failure }
}

/// What the provider or the service says against it.
fn objection(sim: &Sim<'_>, stack: &Stack, logical: &str, desired: &Desired) -> Option<String> {
    let kind = &desired.declared.kind;
    let schema = violations::of(logical, kind, &desired.properties);
    let absent = || rules::absent(&sim.script.absent, kind, &desired.properties);
    let estate = Estate { world: sim.world, stack };
    let beyond = || rules::beyond(sim.script, &estate, kind, &desired.properties);
    schema.or_else(absent).or_else(|| rules::objection(&estate, kind, &desired.properties)).or_else(beyond)
}

fn build(sim: &mut Sim<'_>, stack: &Stack, logical: &str, desired: &Desired, status: &str) -> Resource {
    let declared = &desired.declared;
    let nth = sim.world.count(&format!("resource {} {} {logical}", stack.region, stack.name));
    let naming = Naming {
        region: &stack.region,
        stack: &stack.name,
        logical,
        kind: &declared.kind,
        properties: &desired.properties,
        nth,
    };
    let physical = naming.physical();
    let mut attributes = attributes::of(&naming, &physical);
    if declared.kind == "AWS::EC2::Instance"
        && let Some(subnet) = desired.properties.get("SubnetId").and_then(Value::as_str)
    {
        attributes.insert("AvailabilityZone".to_owned(), sim.world.zone_of(&stack.region, subnet).into());
    }
    Resource {
        attributes,
        physical,
        kind: declared.kind.clone(),
        region: stack.region.clone(),
        status: status.to_owned(),
        properties: desired.properties.clone(),
        tags: desired.tags.clone(),
        deletion: declared.deletion,
        replacement: declared.replacement,
        depends_on: desired.depends_on.clone(),
        created: sim.world.now,
        made: None,
        edits: Default::default(),
    }
}

fn replace(sim: &mut Sim<'_>, stack: &mut Stack, logical: &str, old: Resource, desired: &Desired) -> StepState {
    let name = given_name(&old.kind, &old.properties);
    if name.is_some() && name == given_name(&desired.declared.kind, &desired.properties) {
        let reason = format!(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {} and update \
             the stack again.",
            name.unwrap_or_default()
        );
        return refuse(sim, stack, logical, "UPDATE", reason);
    }
    if let Some(operation) = &mut stack.operation {
        operation.old.push(Old { logical: logical.to_owned(), resource: old });
    }
    create(sim, stack, logical, desired, "UPDATE")
}

fn update(sim: &mut Sim<'_>, stack: &mut Stack, logical: &str, desired: &Desired, more: i64) -> StepState {
    let kind = &desired.declared.kind;
    let beyond = || rules::beyond(sim.script, &Estate { world: sim.world, stack }, kind, &desired.properties);
    if let Some(reason) = violations::of(logical, kind, &desired.properties).or_else(beyond) {
        return refuse(sim, stack, logical, "UPDATE", reason);
    }
    let failure = sim.failure(stack, logical, kind, Verb::Update);
    let seconds = sim.seconds(stack, logical, kind, Verb::Update) + more;
    let Some(resource) = stack.resources.get_mut(logical) else { return StepState::Done };
    let status = "UPDATE_IN_PROGRESS";
    status.clone_into(&mut resource.status);
    // A version is new launch parameters; tags of the template itself make none.
    let parameters = |properties: &Value| properties.get("LaunchTemplateData").cloned();
    let versions =
        kind == "AWS::EC2::LaunchTemplate" && parameters(&resource.properties) != parameters(&desired.properties);
    resource.properties = desired.properties.clone();
    resource.tags = desired.tags.clone();
    resource.edits.clear();
    if versions {
        next_version(resource);
    }
    let physical = resource.physical.clone();
    stack.tell(sim.world.now, logical, (kind, &physical), status, None);
    StepState::Running { until: sim.world.now.plus(seconds), verb: "UPDATE".to_owned(), failure }
}

fn next_version(resource: &mut Resource) {
    let version = resource.attributes.entry("LatestVersionNumber".to_owned()).or_insert(Value::from("1"));
    let next = version.as_str().and_then(|v| v.parse::<u64>().ok()).unwrap_or(0) + 1;
    *version = Value::from(next.to_string());
}

fn refuse(sim: &Sim<'_>, stack: &mut Stack, logical: &str, verb: &str, reason: String) -> StepState {
    let now = sim.world.now;
    let (kind, physical) =
        stack.resources.get(logical).map(|r| (r.kind.clone(), r.physical.clone())).unwrap_or_default();
    stack.tell(now, logical, (&kind, &physical), &format!("{verb}_IN_PROGRESS"), None);
    StepState::Running { until: now.plus(REFUSAL), verb: verb.to_owned(), failure: Some(reason) }
}

fn empty(kind: &str, region: &str, now: Timestamp) -> Resource {
    Resource {
        kind: kind.to_owned(),
        region: region.to_owned(),
        physical: String::new(),
        status: "CREATE_IN_PROGRESS".to_owned(),
        properties: Value::Null,
        attributes: Default::default(),
        tags: Default::default(),
        deletion: Default::default(),
        replacement: Default::default(),
        depends_on: Vec::new(),
        created: now,
        made: None,
        edits: Default::default(),
    }
}
