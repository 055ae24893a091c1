//! A provider schema's objections in CloudFormation's words.

use crate::catalog::{PropViolation, ResourceCatalog, ViolationKind};
use serde_json::Value;

/// Why the provider refuses these properties, if it does.
pub(super) fn of(logical: &str, kind: &str, properties: &Value) -> Option<String> {
    if let Some(bad) = bad_description(kind, properties) {
        return Some(bad);
    }
    let found = ResourceCatalog::embedded().get(kind)?.check(properties);
    let words: Vec<String> = found.iter().map(words).collect();
    if words.is_empty() {
        return None;
    }
    Some(format!("Properties validation failed for resource {logical} with message: [{}]", words.join("], [")))
}

/// What EC2 takes in descriptions of security groups and of their rules, beside letters and digits:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>.
const IN_DESCRIPTIONS: &str = " ._-:/()#,@[]+=&;{}!$*";
const LONGEST_DESCRIPTION: usize = 255;

/// EC2's word on the description of a security group or of a rule; no schema knows which letters it takes.
fn bad_description(kind: &str, properties: &Value) -> Option<String> {
    if !kind.starts_with("AWS::EC2::SecurityGroup") {
        return None;
    }
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let rules =
        ["SecurityGroupIngress", "SecurityGroupEgress"].into_iter().filter_map(|key| properties.get(key)?.as_array());
    let mut all = rules.flatten().filter_map(|rule| text(rule, "Description"));
    let own = text(properties, "GroupDescription").or(text(properties, "Description"));
    let good = |text: &str| {
        text.len() <= LONGEST_DESCRIPTION
            && text.chars().all(|one| one.is_ascii_alphanumeric() || IN_DESCRIPTIONS.contains(one))
    };
    let bad = all.by_ref().chain(own).find(|text| !good(text))?;
    Some(format!(
        "Invalid rule description '{bad}'. Valid descriptions are strings less than 256 characters from the following set: \
         a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$* (Service: Ec2, Status Code: 400, InvalidParameterValue)"
    ))
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
