//! One stack held against what exists of it.

use super::{
    Action, After, Cause, Change, DataFate, DataRisk, Effect, ExportTarget, PropertyChange, Reason,
    diff::differences,
    effects::{is_precious, judged, replaces, settle_refusals},
    head,
    inherited::{self, StackTags},
    references::{Reference, references},
    refusals::{self, Refusal},
    slurm_step::SlurmStep,
};
use crate::{
    catalog::{ResourceCatalog, ResourceType},
    cloud::Repository,
    model::{DataHolding, Resource, Stack, StackKey, stack_tags},
    observe::{Live, LiveStack},
};
use serde_json::{Map, Value};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// A parameter's value before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterState {
    /// Its value in the stack that exists.
    pub before: Option<String>,
    /// Its value to be.
    pub after: After,
}

impl ParameterState {
    fn changes(&self) -> bool {
        match &self.after {
            After::Known(value) => value.as_str() != self.before.as_deref(),
            After::Unset => self.before.is_some(),
            After::KnownAfterApply => true,
        }
    }
}

/// What comes of holding one stack against what exists.
#[derive(Debug, Default)]
pub struct StackDiff {
    /// The resources that change.
    pub changes: Vec<Change>,
    /// How many stay as they are.
    pub unchanged: usize,
    /// The outputs whose values are known only after apply.
    pub unknown_outputs: BTreeSet<String>,
    /// Whether anything at all differs, be it a description.
    pub differs: bool,
    /// What AWS would refuse.
    pub refusals: Vec<Refusal>,
}

/// Where the words of a change come from.
pub struct Context<'a> {
    /// Facts about resource types.
    pub catalog: &'a ResourceCatalog,
    /// The place of a path in the cluster file.
    pub cause: &'a dyn Fn(&crate::spec::Path) -> Cause,
    /// What exists.
    pub live: &'a Live,
    /// The cluster's tags.
    pub tags: &'a BTreeMap<String, String>,
    /// Resources that CloudFormation's change sets replace, whatever the templates seem to say.
    pub predicted: &'a BTreeMap<StackKey, BTreeSet<String>>,
    /// The step from one Slurm to another that does not read what the first one kept.
    pub queue: Option<SlurmStep>,
    known: RefCell<BTreeMap<String, Option<Rc<ResourceType>>>>,
}

impl<'a> Context<'a> {
    /// A context without remembered facts.
    pub fn new(
        catalog: &'a ResourceCatalog,
        cause: &'a dyn Fn(&crate::spec::Path) -> Cause,
        live: &'a Live,
        tags: &'a BTreeMap<String, String>,
        predicted: &'a BTreeMap<StackKey, BTreeSet<String>>,
    ) -> Self {
        Self { catalog, cause, live, tags, predicted, queue: None, known: RefCell::default() }
    }

    /// Whether CloudFormation itself says that the resource is replaced.
    fn is_predicted(&self, stack: &StackKey, logical_id: &str) -> bool {
        self.predicted.get(stack).is_some_and(|all| all.contains(logical_id))
    }

    /// Facts about a resource type, read once.
    fn facts(&self, kind: &str) -> Option<Rc<ResourceType>> {
        let mut known = self.known.borrow_mut();
        known.entry(kind.to_owned()).or_insert_with(|| self.catalog.get(kind).map(Rc::new)).clone()
    }
}

/// All resources of a stack that does not exist, or must be made anew.
pub fn create_all(stack: &Stack, reason: &Reason, context: &Context<'_>) -> StackDiff {
    let changes = stack
        .resources
        .iter()
        .map(|(logical_id, resource)| Change {
            address: resource.address.clone(),
            stack: stack.key.clone(),
            logical_id: logical_id.clone(),
            resource_type: resource.kind.to_owned(),
            physical_id: None,
            action: Action::Create,
            reason: reason.clone(),
            cause: Some((context.cause)(&resource.cause)),
            properties: Vec::new(),
            data: None,
        })
        .collect();
    StackDiff {
        changes,
        unknown_outputs: stack.outputs.keys().cloned().collect(),
        differs: true,
        ..StackDiff::default()
    }
}

/// Holds a stack against the one that exists.
pub fn diff_stack(
    stack: &Stack,
    template: &Value,
    exists: &LiveStack,
    parameters: &BTreeMap<String, ParameterState>,
    context: &Context<'_>,
) -> StackDiff {
    let empty = Map::new();
    let wanted = object(template, "Resources").unwrap_or(&empty);
    let there = object(&exists.template, "Resources").unwrap_or(&empty);
    let mut found: BTreeMap<String, Vec<PropertyChange>> = BTreeMap::new();
    let mut diff = StackDiff::default();
    let tags = StackTags { before: &exists.state.tags, after: stack_tags(context.tags, &stack.key) };
    for (logical_id, resource) in &stack.resources {
        let (Some(old), Some(new)) = (there.get(logical_id), wanted.get(logical_id)) else { continue };
        if old.get("Type") != new.get("Type") {
            let cause = (context.cause)(&resource.cause);
            diff.refusals.push(refusals::of_type(&stack.key, logical_id, &resource.address, old, new, cause));
            continue;
        }
        let facts = context.facts(resource.kind);
        let mut properties = direct(resource, old, new, facts.as_deref(), context);
        properties.extend(through_parameters(resource, new, parameters, &properties, facts.as_deref(), context));
        properties.extend(inherited::tags(&tags, &properties_of(new), facts.as_deref(), context));
        if !properties.is_empty() || context.is_predicted(&stack.key, logical_id) {
            found.insert(logical_id.clone(), properties);
        }
    }
    let followed = follow(stack, wanted, there, &mut found, context);
    found.values_mut().for_each(|properties| settle_refusals(properties));
    for (logical_id, resource) in &stack.resources {
        match there.get(logical_id) {
            Some(old) if old.get("Type").and_then(Value::as_str) == Some(resource.kind) => {
                match found.remove(logical_id) {
                    Some(properties) => {
                        let mut change = changed(stack, logical_id, resource, properties, exists, &followed, context);
                        if let Some(new) = wanted.get(logical_id) {
                            worsen(&mut change, new, context.live);
                        }
                        diff.changes.push(change);
                    }
                    None => diff.unchanged += 1,
                }
            }
            _ => diff.changes.push(created(stack, logical_id, resource, context)),
        }
    }
    for (logical_id, old) in there {
        let stays = stack
            .resources
            .get(logical_id)
            .is_some_and(|new| old.get("Type").and_then(Value::as_str) == Some(new.kind));
        if !stays {
            diff.changes.push(removed(&stack.key, logical_id, old, exists, &Reason::NotWanted, context.live));
        }
    }
    diff.refusals.extend(refusals::of_properties(&diff.changes));
    let precious = |logical_id: &str| wanted.get(logical_id).is_some_and(is_precious);
    diff.refusals.extend(refusals::of_names(&mut diff.changes, &precious));
    diff.unknown_outputs = unknown_outputs(template, exists, parameters, &diff.changes);
    diff.differs = template != &exists.template || parameters.values().any(ParameterState::changes);
    diff
}

fn object<'v>(value: &'v Value, key: &str) -> Option<&'v Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}

/// Properties whose text differs.
fn direct(
    resource: &Resource,
    old: &Value,
    new: &Value,
    facts: Option<&ResourceType>,
    context: &Context<'_>,
) -> Vec<PropertyChange> {
    let (before, after) = (properties_of(old), properties_of(new));
    let mut changes: Vec<PropertyChange> = differences(&before, &after)
        .into_iter()
        .map(|difference| {
            let cause = Some((context.cause)(cause_of(resource, &difference.path)));
            let after = difference.after.map_or(After::Unset, After::Known);
            judged(facts, &before, difference.path, difference.before, after, cause)
        })
        .collect();
    for attribute in ["DeletionPolicy", "UpdateReplacePolicy"] {
        if old.get(attribute) != new.get(attribute) {
            changes.push(PropertyChange {
                path: attribute.to_owned(),
                before: old.get(attribute).cloned(),
                after: new.get(attribute).cloned().map_or(After::Unset, After::Known),
                effect: Effect::InPlace,
                ruling: None,
                cause: Some((context.cause)(&resource.cause)),
            });
        }
    }
    changes
}

/// Properties whose text stays but that refer to a parameter whose value changes.
fn through_parameters(
    resource: &Resource,
    new: &Value,
    parameters: &BTreeMap<String, ParameterState>,
    already: &[PropertyChange],
    facts: Option<&ResourceType>,
    context: &Context<'_>,
) -> Vec<PropertyChange> {
    let Some(properties) = new.get("Properties") else { return Vec::new() };
    let mut changes: Vec<PropertyChange> = Vec::new();
    for (path, reference) in references(properties) {
        let Some(state) = parameters.get(&reference.name).filter(|state| state.changes()) else { continue };
        if already.iter().chain(&changes).any(|change| change.path == path) {
            continue;
        }
        let cause = Some((context.cause)(cause_of(resource, &path)));
        let before = state.before.clone().map(Value::from);
        changes.push(judged(facts, properties, path, before, state.after.clone(), cause));
    }
    changes
}

fn properties_of(resource: &Value) -> Value {
    resource.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new()))
}

/// Follows replacements through references inside the stack, to the end. Gives, for each resource that is
/// changed only by that, the address of the resource that it follows.
fn follow(
    stack: &Stack,
    wanted: &Map<String, Value>,
    there: &Map<String, Value>,
    found: &mut BTreeMap<String, Vec<PropertyChange>>,
    context: &Context<'_>,
) -> BTreeMap<String, String> {
    let mut followed = BTreeMap::new();
    loop {
        let replaced: BTreeSet<&String> = found
            .iter()
            .filter(|(logical_id, properties)| is_replaced(stack, logical_id, properties, there, context))
            .map(|(logical_id, _)| logical_id)
            .collect();
        let updated: BTreeSet<&String> = found
            .iter()
            .filter(|(_, properties)| makes_version(properties))
            .map(|(logical_id, _)| logical_id)
            .collect();
        let mut more: Vec<(String, PropertyChange, String)> = Vec::new();
        for (logical_id, resource) in &stack.resources {
            let Some(new) = wanted.get(logical_id).filter(|_| there.contains_key(logical_id)) else { continue };
            let Some(properties) = new.get("Properties") else { continue };
            let facts = context.facts(resource.kind);
            for (path, reference) in references(properties) {
                if !carries(&reference, &replaced, &updated) {
                    continue;
                }
                let known = found.get(logical_id).is_some_and(|list| list.iter().any(|change| change.path == path))
                    || more.iter().any(|(id, change, _)| id == logical_id && change.path == path);
                if known {
                    continue;
                }
                let cause = Some((context.cause)(cause_of(resource, &path)));
                let change = judged(facts.as_deref(), properties, path, None, After::KnownAfterApply, cause);
                let source =
                    stack.resources.get(&reference.name).map_or(reference.name.clone(), |from| from.address.clone());
                more.push((logical_id.clone(), change, source));
            }
        }
        if more.is_empty() {
            return followed;
        }
        for (logical_id, change, source) in more {
            if !found.contains_key(&logical_id) {
                followed.insert(logical_id.clone(), source);
            }
            found.entry(logical_id).or_default().push(change);
        }
    }
}

/// Whether a reference brings a new value: to a replaced resource always; to an updated one when the
/// attribute counts its versions.
fn carries(reference: &Reference, replaced: &BTreeSet<&String>, updated: &BTreeSet<&String>) -> bool {
    replaced.contains(&reference.name)
        || (updated.contains(&reference.name) && reference.attribute.as_deref().is_some_and(counts_versions))
}

/// Whether an update counts as a new version: of a launch template, launch parameters alone do, its own tags do not
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html>).
fn makes_version(properties: &[PropertyChange]) -> bool {
    properties.iter().any(|change| !change.path.starts_with("TagSpecifications"))
}

fn counts_versions(attribute: &str) -> bool {
    matches!(attribute, "LatestVersionNumber" | "DefaultVersionNumber" | "Version")
}

/// Whether a resource is replaced, as far as the plan and CloudFormation say.
fn is_replaced(
    stack: &Stack,
    logical_id: &str,
    properties: &[PropertyChange],
    there: &Map<String, Value>,
    context: &Context<'_>,
) -> bool {
    let held = stack.resources.get(logical_id).and_then(|resource| resource.holds.as_ref());
    let holds = held.is_some_and(|holds| *holds != DataHolding::Logs);
    let precious = holds || there.get(logical_id).is_some_and(is_precious);
    context.is_predicted(&stack.key, logical_id) || replaces(properties, precious)
}

/// The path in the cluster file that a property comes from: the longest property path that fits.
fn cause_of<'r>(resource: &'r Resource, property: &str) -> &'r crate::spec::Path {
    let fits = |path: &str| property == path || property.starts_with(&format!("{path}/"));
    resource
        .causes
        .iter()
        .filter(|(path, _)| fits(path))
        .max_by_key(|(path, _)| path.len())
        .map_or(&resource.cause, |(_, cause)| cause)
}

fn created(stack: &Stack, logical_id: &str, resource: &Resource, context: &Context<'_>) -> Change {
    Change {
        address: resource.address.clone(),
        stack: stack.key.clone(),
        logical_id: logical_id.to_owned(),
        resource_type: resource.kind.to_owned(),
        physical_id: None,
        action: Action::Create,
        reason: Reason::New,
        cause: Some((context.cause)(&resource.cause)),
        properties: Vec::new(),
        data: None,
    }
}

fn changed(
    stack: &Stack,
    logical_id: &str,
    resource: &Resource,
    properties: Vec<PropertyChange>,
    exists: &LiveStack,
    followed: &BTreeMap<String, String>,
    context: &Context<'_>,
) -> Change {
    let empty = Map::new();
    let there = object(&exists.template, "Resources").unwrap_or(&empty);
    let replaced = is_replaced(stack, logical_id, &properties, there, context);
    let action = if replaced { Action::Replace } else { Action::Update };
    let old = there.get(logical_id).unwrap_or(&Value::Null);
    let reason = match followed.get(logical_id) {
        Some(address) => Reason::Follows { address: address.clone() },
        None if replaced && !replaces(&properties, true) => Reason::Predicted,
        None => Reason::Changed,
    };
    Change {
        address: resource.address.clone(),
        stack: stack.key.clone(),
        logical_id: logical_id.to_owned(),
        resource_type: resource.kind.to_owned(),
        physical_id: exists.physical_id(logical_id).map(str::to_owned),
        action,
        reason,
        cause: Some((context.cause)(&resource.cause)),
        properties,
        data: (action == Action::Replace)
            .then(|| {
                let own = risk(old, "UpdateReplacePolicy", logical_id, context.live);
                own.or_else(|| head::risk(&stack.key, logical_id, context.live))
                    .or_else(|| context.queue.as_ref().and_then(|jump| jump.risk(&stack.key, logical_id)))
            })
            .flatten(),
    }
}

/// What is replaced while its policy changes: no page says which of the two policies counts for the old one, so the
/// worse one does.
fn worsen(change: &mut Change, new: &Value, live: &Live) {
    let Some(data) = &mut change.data else { return };
    let to_be = risk(new, "UpdateReplacePolicy", &change.logical_id, live).map(|risk| risk.fate);
    data.fate = to_be.map_or(data.fate, |fate| fate.max(data.fate));
}

/// A resource that goes: its address and the data it holds are in its metadata.
pub fn removed(
    key: &StackKey,
    logical_id: &str,
    old: &Value,
    exists: &LiveStack,
    reason: &Reason,
    live: &Live,
) -> Change {
    let retained = old.get("DeletionPolicy").and_then(Value::as_str).is_some_and(keeps);
    Change {
        address: address_of(key, logical_id, old),
        stack: key.clone(),
        logical_id: logical_id.to_owned(),
        resource_type: old.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned(),
        physical_id: exists.physical_id(logical_id).map(str::to_owned),
        action: if retained { Action::Forget } else { Action::Delete },
        reason: reason.clone(),
        cause: None,
        properties: Vec::new(),
        data: risk(old, "DeletionPolicy", logical_id, live).or_else(|| head::risk(key, logical_id, live)),
    }
}

/// Whether a policy keeps what exists.
fn keeps(policy: &str) -> bool {
    matches!(policy, "Retain" | "RetainExceptOnCreate")
}

fn address_of(key: &StackKey, logical_id: &str, resource: &Value) -> String {
    let written = resource.pointer("/Metadata/hpcctl:address").and_then(Value::as_str);
    written.map_or_else(|| format!("{key}.{logical_id}"), str::to_owned)
}

/// The data that a resource holds and what becomes of it under one of its policies.
fn risk(resource: &Value, policy: &str, logical_id: &str, live: &Live) -> Option<DataRisk> {
    let holding = resource.pointer("/Metadata/hpcctl:holds")?;
    let holding: DataHolding = serde_json::from_value(holding.clone()).ok()?;
    let exportable = matches!(holding, DataHolding::FileSystem { exportable: true, .. });
    let linked = live.file_systems.get(logical_id).filter(|_| exportable).map(|one| one.state.linked());
    let fate = match resource.get(policy).and_then(Value::as_str) {
        Some(policy) if keeps(policy) => DataFate::Kept,
        Some("Snapshot") => DataFate::SnapshotFirst,
        _ => exported(exportable, linked.as_deref()),
    };
    let last_export = live
        .file_systems
        .get(logical_id)
        .and_then(|file_system| file_system.last_export.as_ref())
        .and_then(|task| task.ended)
        .map(|at| at.to_string());
    let goes = matches!(fate, DataFate::ExportedFirst | DataFate::ExportedInPart);
    let links = live.file_systems.get(logical_id).filter(|_| goes).map(|one| one.state.repositories.as_slice());
    let target = |link: &Repository| Some(ExportTarget { path: link.path.clone(), uri: link.export.clone()? });
    let targets = links.unwrap_or_default().iter().filter_map(target).collect();
    Some(DataRisk { holding, fate, last_export, linked: linked.unwrap_or_default(), targets, login_nodes: false })
}

/// What an export brings to S3, by the links that the file system has now; without a look at it, by its template.
fn exported(exportable: bool, linked: Option<&[String]>) -> DataFate {
    match linked {
        None if exportable => DataFate::ExportedFirst,
        None | Some([]) => DataFate::Lost,
        Some([all]) if all == "/" => DataFate::ExportedFirst,
        Some(_) => DataFate::ExportedInPart,
    }
}

/// Outputs whose values may be new: new outputs, and those that refer to what is made, replaced or renumbered.
fn unknown_outputs(
    template: &Value,
    exists: &LiveStack,
    parameters: &BTreeMap<String, ParameterState>,
    changes: &[Change],
) -> BTreeSet<String> {
    let remade: BTreeSet<&String> = changes
        .iter()
        .filter(|change| matches!(change.action, Action::Create | Action::Replace))
        .map(|change| &change.logical_id)
        .collect();
    let updated: BTreeSet<&String> =
        changes.iter().filter(|one| makes_version(&one.properties)).map(|change| &change.logical_id).collect();
    let Some(outputs) = object(template, "Outputs") else { return BTreeSet::new() };
    let is_unknown = |name: &String, output: &Value| {
        let value = output.get("Value").unwrap_or(&Value::Null);
        let before = exists.template.pointer(&format!("/Outputs/{name}/Value"));
        before != Some(value)
            || !exists.state.outputs.contains_key(name)
            || references(value).iter().any(|(_, reference)| {
                carries(reference, &remade, &updated)
                    || parameters.get(&reference.name).is_some_and(ParameterState::changes)
            })
    };
    outputs.iter().filter(|(name, output)| is_unknown(name, output)).map(|(name, _)| name.clone()).collect()
}
