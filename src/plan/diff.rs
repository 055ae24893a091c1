//! What differs between two JSON values, property by property.

use serde_json::Value;

/// One difference: the property's path, the value before and the value after.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The path, such as `LustreConfiguration/ImportPath` or `NetworkInterfaces/0/InterfaceType`.
    pub path: String,
    /// Before; `None`: not set.
    pub before: Option<Value>,
    /// After; `None`: not set.
    pub after: Option<Value>,
}

/// All differences, in the order of paths.
///
/// Mappings are compared key by key; lists of mappings of the same length item by item; lists of
/// `{Key, Value}` tags by key. Anything else is one difference as a whole.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) if !is_intrinsic(old) && !is_intrinsic(new) => {
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                compare(&join(path, key), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if are_tags(old) && are_tags(new) => {
            let mut keys: Vec<&str> = old.iter().chain(new).filter_map(tag_key).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let of = |tags: &[Value]| -> Option<Value> {
                    tags.iter().find(|tag| tag_key(tag) == Some(key)).and_then(|tag| tag.get("Value")).cloned()
                };
                compare(&join(path, key), of(old).as_ref(), of(new).as_ref(), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new)))
            if old.len() == new.len() && old.iter().chain(new).all(Value::is_object) =>
        {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&join(path, &index.to_string()), Some(old), Some(new), found);
            }
        }
        _ => found.push(Difference { path: path.to_owned(), before: before.cloned(), after: after.cloned() }),
    }
}

/// The path of a property below another.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}/{key}") }
}

fn is_intrinsic(object: &serde_json::Map<String, Value>) -> bool {
    object.len() == 1 && object.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

fn are_tags(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|item| tag_key(item).is_some() && item.get("Value").is_some())
}

fn tag_key(item: &Value) -> Option<&str> {
    item.get("Key").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_compared_by_key() {
        let old = json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]});
        let new = json!({"Tags": [{"Key": "b", "Value": "3"}, {"Key": "a", "Value": "1"}]});
        let found = differences(&old, &new);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "Tags/b");
    }

    #[test]
    fn references_are_whole() {
        let found = differences(&json!({"Id": {"Ref": "A"}}), &json!({"Id": {"Ref": "B"}}));
        assert_eq!(found[0].path, "Id");
        assert_eq!(found[0].before, Some(json!({"Ref": "A"})));
    }
}
