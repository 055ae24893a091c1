//! Parameters that nothing refers to.

use super::{Stack, Val};
use std::collections::BTreeSet;

/// Takes them away: helpers ask for what the whole cluster may need, and a stack may use less.
pub(super) fn drop_unused(stack: &mut Stack) {
    let mut used = BTreeSet::new();
    let properties = stack.resources.values().flat_map(|resource| resource.properties.values());
    for value in properties.chain(stack.outputs.values()) {
        references(value, &mut used);
    }
    stack.parameters.retain(|name, _| used.contains(name));
}

fn references(value: &Val, used: &mut BTreeSet<String>) {
    match value {
        Val::Ref(name) => {
            used.insert(name.clone());
        }
        Val::Sub(text) => {
            used.extend(text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())))
        }
        Val::List(items) | Val::Join(_, items) => items.iter().for_each(|item| references(item, used)),
        Val::Map(entries) => entries.values().for_each(|entry| references(entry, used)),
        Val::Select(_, inner) | Val::Split(_, inner) | Val::Base64(inner) => references(inner, used),
        Val::Bool(_) | Val::Int(_) | Val::Num(_) | Val::Str(_) | Val::Att(..) | Val::Zones | Val::Tags(_) => {}
    }
}
