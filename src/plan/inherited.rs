//! What a stack's resources inherit of it: tags, which CloudFormation passes on to everything that takes some.

use super::{After, PropertyChange, effects::judged, stack_diff::Context};
use crate::{catalog::ResourceType, spec::Path};
use serde_json::Value;
use std::collections::BTreeMap;

/// Tags of a stack before and after.
pub struct StackTags<'a> {
    /// Those that it has.
    pub before: &'a BTreeMap<String, String>,
    /// Those that it shall have.
    pub after: BTreeMap<String, String>,
}

/// The changes of tags that a resource gets from its stack. A tag of its own goes before the stack's.
pub fn tags(
    tags: &StackTags<'_>,
    properties: &Value,
    facts: Option<&ResourceType>,
    context: &Context<'_>,
) -> Vec<PropertyChange> {
    let Some(property) = facts.and_then(ResourceType::tags_property) else { return Vec::new() };
    let own = properties.get(property).map(Value::to_string).unwrap_or_default();
    let mut keys: Vec<&String> = tags.before.keys().chain(tags.after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let differs = |key: &&String| tags.before.get(*key) != tags.after.get(*key);
    let inherited = |key: &&String| !own.contains(&format!("\"Key\":{}", Value::from(key.as_str())));
    let change = |key: &String| {
        let after = tags.after.get(key).map_or(After::Unset, |value| After::Known(Value::from(value.as_str())));
        let before = tags.before.get(key).map(|value| Value::from(value.as_str()));
        let cause = Some((context.cause)(&Path::from("tags").key(key.as_str())));
        judged(facts, properties, format!("{property}/{key}"), before, after, cause)
    };
    keys.into_iter().filter(differs).filter(inherited).map(change).collect()
}
