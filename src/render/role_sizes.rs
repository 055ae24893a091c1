//! How long the inline policies of roles become.

use super::wire::Wire;
use crate::{
    catalog,
    model::{Graph, Resource},
    spec::Path,
};
use serde_json::Value;

/// The shortest of what only CloudFormation knows: an id such as `fs-0123456789abcdef0`.
const UNKNOWN: usize = 20;

/// The inline policies of every role, with the place in the file that they grow with, in characters as IAM counts them: white space is none. What only CloudFormation
/// knows counts as short as it may be, so that what is too long here is so for certain.
pub fn role_sizes(graph: &Graph) -> Vec<(Path, usize)> {
    let resources = graph.stacks.iter().flat_map(|stack| stack.resources.values());
    let roles = resources.filter(|resource| resource.kind == "AWS::IAM::Role");
    roles.filter_map(|role| size(role, &graph.region)).collect()
}

fn size(role: &Resource, region: &str) -> Option<(Path, usize)> {
    let policies = serde_json::to_value(Wire(role.properties.get("Policies")?)).ok()?;
    let documents = policies.as_array()?.iter().filter_map(|policy| policy.get("PolicyDocument"));
    let text = |document: &Value| filled(document, region).to_string();
    let characters = documents.map(|one| text(one).chars().filter(|letter| !letter.is_whitespace()).count()).sum();
    let at = role.causes.get("Policies").unwrap_or(&role.cause).clone();
    Some((at, characters))
}

/// The document with what its references stand for.
fn filled(value: &Value, region: &str) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| filled(item, region)).collect(),
        Value::Object(map) => match map.iter().next() {
            Some((call, Value::String(text))) if call == "Fn::Sub" => Value::from(substituted(text, region)),
            Some((call, Value::String(name))) if call == "Ref" => Value::from(known(name, region)),
            Some((call, _)) if call.starts_with("Fn::") => Value::from("x".repeat(UNKNOWN)),
            _ => Value::Object(map.iter().map(|(key, one)| (key.clone(), filled(one, region))).collect()),
        },
        other => other.clone(),
    }
}

fn substituted(text: &str, region: &str) -> String {
    let mut parts = text.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| match part.split_once('}') {
        Some((name, rest)) => all + &known(name, region) + rest,
        None => all + part,
    })
}

fn known(name: &str, region: &str) -> String {
    match name {
        "AWS::Region" => region.to_owned(),
        "AWS::AccountId" => "0".repeat(12),
        "AWS::Partition" => catalog::partition(region).map_or("aws", |partition| partition.name()).to_owned(),
        "ArtifactBucket" => format!("hpcctl-{}-{region}", "0".repeat(12)),
        _ => "x".repeat(UNKNOWN),
    }
}
