//! A provider schema's objections in CloudFormation's words.

use crate::catalog::{PropViolation, ResourceCatalog, ViolationKind};
use serde_json::Value;

/// Why the provider refuses these properties, if it does.
pub(super) fn of(logical: &str, kind: &str, properties: &Value) -> Option<String> {
    let found = ResourceCatalog::embedded().get(kind)?.check(properties);
    let words: Vec<String> = found.iter().map(words).collect();
    if words.is_empty() {
        return None;
    }
    Some(format!("Properties validation failed for resource {logical} with message: [{}]", words.join("], [")))
}

fn words(violation: &PropViolation) -> String {
    let path = violation.path.as_str();
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let at = |path: &str| if path.is_empty() { "#".to_owned() } else { format!("#/{path}") };
    let here = at(path);
    match &violation.kind {
        ViolationKind::Unknown { .. } => format!("{}: extraneous key [{name}] is not permitted", at(parent)),
        ViolationKind::Missing => format!("{}: required key [{name}] not found", at(parent)),
        ViolationKind::ReadOnly => format!("{here}: read-only property cannot be specified"),
        ViolationKind::WrongType { expected, found } => {
            let expected: Vec<&str> = expected.iter().map(|kind| kind.name()).collect();
            format!("{here}: expected type: {}, found: {}", expected.join(" or "), found.name())
        }
        ViolationKind::NotAllowed { found, .. } => format!("{here}: {found} is not a valid enum value"),
        ViolationKind::Pattern { pattern } => {
            format!("{here}: failed validation constraint for keyword [pattern] {pattern}")
        }
        ViolationKind::Range { min, max } => format!("{here}: value is out of range{}", bounds(*min, *max)),
        ViolationKind::Length { min, max, found } => {
            format!("{here}: length {found} is out of range{}", bounds(*min, *max))
        }
        ViolationKind::ExactlyOne { of, found } => {
            format!("{here}: #: {found} subschemas matched instead of one of [{}]", of.join(", "))
        }
        ViolationKind::AtLeastOne { of } => format!("{here}: none of [{}] is there", of.join(", ")),
        ViolationKind::NeededBy { by } => format!("{}: required key [{name}] not found (needed by {by})", at(parent)),
        ViolationKind::ExcludedBy { by } => format!("{here}: cannot be there together with {by}"),
    }
}

fn bounds<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    let min = min.map(|m| format!(", at least {m}")).unwrap_or_default();
    let max = max.map(|m| format!(", at most {m}")).unwrap_or_default();
    format!("{min}{max}")
}
