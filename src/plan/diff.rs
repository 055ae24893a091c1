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
/// Mappings are compared key by key; lists of mappings item by item, statements of policies by their `Sid`; lists of
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
            if old.len() == new.len()
                && old.iter().chain(new).all(Value::is_object)
                && old.iter().zip(new).all(|(old, new)| sid(old) == sid(new)) =>
        {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&join(path, &index.to_string()), Some(old), Some(new), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new)))
            if !old.is_empty() && !new.is_empty() && old.iter().chain(new).all(is_item) =>
        {
            items(path, old, new, found);
        }
        _ => found.push(Difference { path: path.to_owned(), before: before.cloned(), after: after.cloned() }),
    }
}

/// Lists of mappings that are not as long: those that came, those that went, and those with a name of their own that
/// changed. A list whose items only change places is one difference.
fn items(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    let before = found.len();
    let same = |one: &Value, other: &Value| one == other || (sid(one).is_some() && sid(one) == sid(other));
    for (index, item) in old.iter().enumerate() {
        let there = new.iter().find(|other| same(item, other));
        let name = sid(item).map_or_else(|| index.to_string(), str::to_owned);
        compare(&join(path, &name), Some(item), there, found);
    }
    for (index, item) in new.iter().enumerate().filter(|(_, item)| old.iter().all(|other| !same(item, other))) {
        let name = sid(item).map_or_else(|| index.to_string(), str::to_owned);
        found.push(Difference { path: join(path, &name), before: None, after: Some(item.clone()) });
    }
    if found.len() == before {
        let whole = |list: &[Value]| Some(Value::Array(list.to_vec()));
        found.push(Difference { path: path.to_owned(), before: whole(old), after: whole(new) });
    }
}

/// The name of a policy's statement.
fn sid(item: &Value) -> Option<&str> {
    item.get("Sid").and_then(Value::as_str)
}

fn is_item(item: &Value) -> bool {
    item.as_object().is_some_and(|object| !is_intrinsic(object))
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
    fn a_rule_that_is_added_is_a_rule_added() {
        let rule = |cidr: &str| json!({"CidrIp": cidr, "FromPort": 22});
        let (old, new) = (json!({"Rules": [rule("a")]}), json!({"Rules": [rule("a"), rule("0.0.0.0/0")]}));
        let found = differences(&old, &new);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), &found[0].before), ("Rules/1", &None));
        assert_eq!(found[0].after, Some(rule("0.0.0.0/0")));
        let gone = differences(&new, &old);
        assert_eq!((gone.len(), gone[0].path.as_str(), gone[0].after.as_ref()), (1, "Rules/1", None));
    }

    #[test]
    fn statements_are_compared_by_name() {
        let statement = |sid: &str, action: &str| json!({"Sid": sid, "Action": [action]});
        let old = json!({"Statement": [statement("One", "a"), statement("Two", "b")]});
        let new = json!({"Statement": [statement("New", "n"), statement("One", "c"), statement("Two", "b")]});
        let paths: Vec<String> = differences(&old, &new).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["Statement/One/Action", "Statement/New"]);
        // In another order they are the same list but for that.
        let turned = json!({"Statement": [statement("Two", "b"), statement("One", "a")]});
        assert!(!differences(&old, &turned).is_empty());
    }

    #[test]
    fn references_are_whole() {
        let found = differences(&json!({"Id": {"Ref": "A"}}), &json!({"Id": {"Ref": "B"}}));
        assert_eq!(found[0].path, "Id");
        assert_eq!(found[0].before, Some(json!({"Ref": "A"})));
    }
}
