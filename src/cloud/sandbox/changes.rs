//! What an update would change: the answer of a change set, and whether there is anything to do.

use super::{
    eval::{Known, UNKNOWN},
    resource::Resource,
    scope::Desired,
    stack::{Asked, Stack},
    template::Template,
};
use crate::{
    catalog::{Replacement, ResourceCatalog},
    cloud::{PreviewChange, PreviewDetail},
};
use serde_json::Value;

/// The strongest of what changes of these properties do.
fn replacement(kind: &str, paths: &[String]) -> Replacement {
    let Some(found) = ResourceCatalog::embedded().get(kind) else { return Replacement::Never };
    let rank = |r: &Replacement| match r {
        Replacement::Never => 0,
        Replacement::Conditional => 1,
        Replacement::Always => 2,
        Replacement::Refused => 3,
    };
    paths.iter().map(|path| found.replacement(path)).max_by_key(rank).unwrap_or(Replacement::Never)
}

/// What CloudFormation would do to each resource, by logical id.
pub(super) fn preview(stack: &Stack, template: &Template, asked: &Asked) -> Result<Vec<PreviewChange>, String> {
    types_stay(stack, template)?;
    let before = Template::read(&stack.asked.template).unwrap_or_default();
    let mut scope = stack.scope(template, asked);
    let mut changes = Vec::new();
    for logical in template.order()? {
        if !scope.wants(&logical)? {
            continue;
        }
        let desired = scope.desired(&logical, &asked.tags)?;
        let resource = stack.resources.get(&logical).filter(|r| r.present());
        let (change, known) = match resource {
            None => (Some(change(&logical, &desired.declared.kind, "Add", None)), Some(unknown(&logical))),
            Some(resource) => {
                let metadata = before.resources.get(&logical).map(|declared| &declared.metadata);
                modification(&logical, resource, &desired, metadata)
            }
        };
        changes.extend(change);
        if let Some(known) = known {
            scope.resources.insert(logical, known);
        }
    }
    for (logical, resource) in stack.resources.iter().filter(|(_, r)| r.present()) {
        if !scope.wants(logical)? {
            changes.push(change(logical, &resource.kind, "Remove", None));
        }
    }
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    Ok(changes)
}

/// The change of a resource, and what references to it give from then on, where that changes.
fn modification(
    logical: &str,
    resource: &Resource,
    desired: &Desired,
    metadata: Option<&Value>,
) -> (Option<PreviewChange>, Option<Known>) {
    let kind = &desired.declared.kind;
    let paths = desired.changes(resource);
    if paths.is_empty() {
        // Policies alone are no change; metadata is.
        let changed = metadata.is_some_and(|before| *before != desired.declared.metadata);
        return (changed.then(|| change(logical, kind, "Modify", Some("False"))), None);
    }
    let known_at = |path: &String| {
        let value = desired.properties.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
        !value.to_string().contains(UNKNOWN)
    };
    let sure: Vec<String> = paths.iter().filter(|path| known_at(path)).cloned().collect();
    let (all, sure) = (replacement(kind, &paths), replacement(kind, &sure));
    let word = match (all, sure) {
        (Replacement::Never | Replacement::Refused, _) => "False",
        (_, Replacement::Always) => "True",
        _ => "Conditional",
    };
    let known = match word {
        "True" => Some(unknown(logical)),
        _ if kind == "AWS::EC2::LaunchTemplate" => Some(next_version(resource)),
        _ => None,
    };
    let details = paths.iter().map(|path| detail(kind, path, !known_at(path))).collect();
    (Some(PreviewChange { details, ..change(logical, kind, "Modify", Some(word)) }), known)
}

fn detail(kind: &str, path: &str, dynamic: bool) -> PreviewDetail {
    let recreation = match replacement(kind, &[path.to_owned()]) {
        Replacement::Never | Replacement::Refused => "Never",
        Replacement::Conditional => "Conditionally",
        Replacement::Always => "Always",
    };
    let property = path.split('/').next().unwrap_or(path).to_owned();
    PreviewDetail { property, recreation: recreation.to_owned(), dynamic }
}

/// CloudFormation keeps the type of what it has made under a logical id.
fn types_stay(stack: &Stack, template: &Template) -> Result<(), String> {
    let other = |(logical, resource): &(&String, &Resource)| {
        template.resources.get(*logical).is_some_and(|declared| declared.kind != resource.kind)
    };
    let there = stack.resources.iter().filter(|(_, resource)| resource.present());
    let changed: Vec<&str> = there.filter(other).map(|(logical, _)| logical.as_str()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
        changed.join(", ")
    ))
}

fn unknown(logical: &str) -> Known {
    Known { physical: format!("{UNKNOWN}{logical}"), unknown: true, ..Known::default() }
}

/// A launch template stays itself and gets a new version.
fn next_version(resource: &Resource) -> Known {
    let mut attributes = resource.attributes.clone();
    attributes.insert("LatestVersionNumber".to_owned(), Value::from(UNKNOWN));
    Known { physical: resource.physical.clone(), attributes, properties: resource.properties.clone(), unknown: false }
}

fn change(logical: &str, kind: &str, action: &str, replacement: Option<&str>) -> PreviewChange {
    PreviewChange {
        logical_id: logical.to_owned(),
        resource_type: kind.to_owned(),
        action: action.to_owned(),
        replacement: replacement.map(str::to_owned),
        details: Vec::new(),
    }
}

/// Whether an update would do nothing at all.
pub(super) fn nothing(stack: &Stack, template: &Template, asked: &Asked) -> Result<bool, String> {
    if stack.asked.parameters != asked.parameters || stack.asked.tags != asked.tags {
        return Ok(false);
    }
    let outputs = stack.scope(template, asked).outputs().is_ok_and(|outputs| outputs == stack.outputs);
    Ok(outputs && preview(stack, template, asked)?.is_empty())
}
