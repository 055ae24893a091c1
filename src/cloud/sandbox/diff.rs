//! Which properties differ.

use serde_json::Value;
use std::collections::BTreeSet;

/// The paths of all leaves that differ, such as `LustreConfiguration/DeploymentType`, `Tags/0/Value`.
pub(super) fn paths(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(String::new(), old, new, &mut found);
    found
}

fn walk(path: String, old: &Value, new: &Value, found: &mut Vec<String>) {
    if same(old, new) {
        return;
    }
    let below = |segment: &str| if path.is_empty() { segment.to_owned() } else { format!("{path}/{segment}") };
    match (old, new) {
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            let names: BTreeSet<&String> =
                [old, new].iter().filter_map(|v| v.as_object()).flat_map(|m| m.keys()).collect();
            for name in names {
                walk(below(name), &old[name.as_str()], &new[name.as_str()], found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                walk(below(&index.to_string()), &old[index], &new[index], found);
            }
        }
        _ => found.push(path),
    }
}

/// Whether two values are the same to CloudFormation, for which scalars are text.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|o| same(value, o)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b))
        }
        (Value::Object(_) | Value::Array(_) | Value::Null, _)
        | (_, Value::Object(_) | Value::Array(_) | Value::Null) => old == new,
        _ => super::eval::plain(old) == super::eval::plain(new),
    }
}
