//! What AWS would refuse, found before anything is begun.

use super::{Cause, Change, Effect, PropertyChange, Reason};
use crate::{catalog::Rule, model::StackKey};
use serde_json::Value;

/// A change that AWS would refuse.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The resource's name in plans.
    pub address: String,
    /// Its stack.
    pub stack: StackKey,
    /// Its logical id.
    pub logical_id: String,
    /// The place in the cluster file that asks for it.
    pub cause: Option<Cause>,
    /// What is refused.
    pub what: Refused,
}

/// What is refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// A property's change.
    Property {
        /// The change.
        change: Box<PropertyChange>,
        /// The resource's type.
        resource_type: String,
    },
    /// Another type under the same logical id.
    Type {
        /// The type that is there.
        before: String,
        /// The type that would come.
        after: String,
    },
    /// The same thing under another logical id: it would be made anew, and empty.
    Renamed {
        /// The logical id that is there.
        before: String,
    },
}

impl Refused {
    /// The rule that a property's refusal goes back to.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Property { change, .. } => change.ruling.as_ref().map(|grounds| grounds.rule),
            Self::Type { .. } | Self::Renamed { .. } => None,
        }
    }
}

/// The refusals among changes to properties.
pub fn of_properties(changes: &[Change]) -> Vec<Refusal> {
    let refused = |change: &Change| {
        let of = |property: &PropertyChange| Refusal {
            address: change.address.clone(),
            stack: change.stack.clone(),
            logical_id: change.logical_id.clone(),
            cause: property.cause.clone(),
            what: Refused::Property { change: Box::new(property.clone()), resource_type: change.resource_type.clone() },
        };
        change.properties.iter().filter(|property| property.effect == Effect::Refused).map(of).collect::<Vec<_>>()
    };
    changes.iter().flat_map(refused).collect()
}

/// A logical id whose type changes: CloudFormation says "Update of resource type is not permitted".
pub fn of_type(stack: &StackKey, logical_id: &str, address: &str, old: &Value, new: &Value, cause: Cause) -> Refusal {
    let kind = |value: &Value| value.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
    Refusal {
        address: address.to_owned(),
        stack: stack.clone(),
        logical_id: logical_id.to_owned(),
        cause: Some(cause),
        what: Refused::Type { before: kind(old), after: kind(new) },
    }
}

/// Things that would go and come again under another logical id, which a file never asks for; and of what comes in
/// the place of another kind, the word that it starts empty. `precious` says of a logical id that is to be made
/// whether it will hold data.
pub fn of_names(changes: &mut [Change], precious: &dyn Fn(&str) -> bool) -> Vec<Refusal> {
    use super::Action::{Create, Delete, Forget};
    let gone: Vec<(StackKey, String, String, String)> = changes
        .iter()
        .filter(|change| matches!(change.action, Delete | Forget) && change.data.is_some())
        .map(|c| (c.stack.clone(), c.address.clone(), c.resource_type.clone(), c.logical_id.clone()))
        .collect();
    let mut refusals = Vec::new();
    for change in changes.iter_mut().filter(|change| change.action == Create && precious(&change.logical_id)) {
        let same = |(stack, address, _, _): &&(StackKey, String, String, String)| {
            *stack == change.stack && *address == change.address
        };
        let Some((_, _, kind, before)) = gone.iter().find(same) else { continue };
        if *kind != change.resource_type {
            change.reason = Reason::StartsEmpty { instead_of: before.clone() };
            continue;
        }
        refusals.push(Refusal {
            address: change.address.clone(),
            stack: change.stack.clone(),
            logical_id: change.logical_id.clone(),
            cause: change.cause.clone(),
            what: Refused::Renamed { before: before.clone() },
        });
    }
    refusals
}
