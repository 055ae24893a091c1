//! What a property's change does to its resource, and when that counts as replacement.

use super::{After, Cause, Effect, Grounds, PropertyChange, head::HEAD_ADDRESS};
use crate::catalog::{Edit, Outcome, ResourceType};
use serde_json::Value;

/// A property's change with what it does, by the rules and else by the schema.
pub fn judged(
    facts: Option<&ResourceType>,
    properties: &Value,
    path: String,
    before: Option<Value>,
    after: After,
    cause: Option<Cause>,
) -> PropertyChange {
    let known = match &after {
        After::Known(value) => Some(value),
        After::Unset | After::KnownAfterApply => None,
    };
    let edit = Edit { path: &path, before: before.as_ref(), after: known, properties };
    let ruling = facts.map(|facts| facts.ruling(edit));
    let effect = match ruling.as_ref().map(|ruling| ruling.outcome) {
        Some(Outcome::InPlace) => Effect::InPlace,
        Some(Outcome::Restarts) => Effect::Restarts,
        Some(Outcome::MayReplace) | None => Effect::MayReplace,
        Some(Outcome::Replaces) => Effect::Replaces,
        Some(Outcome::Refused) => Effect::Refused,
    };
    let ruling = ruling.and_then(|ruling| {
        let page = ruling.page.map(|page| page.into_owned()).unwrap_or_default();
        ruling.rule.map(|rule| Grounds { rule, page })
    });
    PropertyChange { path, before, after, effect, ruling, cause }
}

/// Whether these changes replace their resource. What may replace counts where the resource is precious.
pub fn replaces(properties: &[PropertyChange], precious: bool) -> bool {
    let counts = |effect: Effect| effect == Effect::Replaces || (precious && effect == Effect::MayReplace);
    properties.iter().any(|change| counts(change.effect))
}

/// A refusal that is about the old resource alone ends where another property replaces it: the new one is made with
/// the new value.
pub fn settle_refusals(properties: &mut [PropertyChange]) {
    if !replaces(properties, false) {
        return;
    }
    for change in properties {
        let ends = change.ruling.as_ref().is_some_and(|grounds| grounds.rule.ends_with_replacement());
        if change.effect == Effect::Refused && ends {
            (change.effect, change.ruling) = (Effect::InPlace, None);
        }
    }
}

/// Whether a resource of a template is the head node, or holds data that would be missed.
pub fn is_precious(resource: &Value) -> bool {
    let of = |key: &str| resource.get("Metadata").and_then(|metadata| metadata.get(key));
    let holds = of(crate::render::cloudformation::HOLDS).is_some_and(|holds| holds.as_str() != Some("logs"));
    let address = of(crate::render::cloudformation::ADDRESS).and_then(Value::as_str);
    holds || address == Some(HEAD_ADDRESS)
}
