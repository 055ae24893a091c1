//! What an update of a resource comes to, by the values of its properties: AWS's services look at these, not at a
//! schema alone.

use super::eval::plain;
use crate::catalog::{Edit, Outcome, ResourceCatalog, Rule};
use serde_json::Value;

/// What an update comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Update {
    InPlace,
    /// The instance is stopped and started.
    Restarts,
    Replaces,
    /// Refused, in AWS's words.
    Refused(String),
}

/// What these changes of properties come to together.
pub(super) fn outcome(kind: &str, paths: &[String], before: &Value, after: &Value) -> Update {
    let Some(found) = ResourceCatalog::embedded().get(kind) else { return Update::InPlace };
    let (mut replaces, mut restarts, mut soft) = (false, false, None);
    for path in paths {
        let at = format!("/{path}");
        let (old, new) = (before.pointer(&at), after.pointer(&at));
        let ruling = found.ruling(Edit { path, before: old, after: new, properties: before });
        match (ruling.outcome, ruling.rule) {
            // CloudFormation makes a second subnet, and EC2 finds the conflict.
            (Outcome::Refused, Some(Rule::PlaceStays)) | (Outcome::Replaces, _) => replaces = true,
            (Outcome::Refused, Some(rule)) if rule.ends_with_replacement() => {
                soft.get_or_insert_with(|| words(kind, path, old, new, paths));
            }
            (Outcome::Refused, _) => return Update::Refused(words(kind, path, old, new, paths)),
            (Outcome::Restarts, _) => restarts = true,
            (Outcome::InPlace | Outcome::MayReplace, _) => {}
        }
    }
    match soft {
        _ if replaces => Update::Replaces,
        Some(words) => Update::Refused(words),
        None if restarts => Update::Restarts,
        None => Update::InPlace,
    }
}

fn words(kind: &str, path: &str, old: Option<&Value>, new: Option<&Value>, paths: &[String]) -> String {
    let text = |value: Option<&Value>| value.map(plain).unwrap_or_default();
    match (kind, path) {
        ("AWS::FSx::FileSystem", "StorageCapacity") => format!(
            "The specified storage capacity {} is not valid. The value must be greater than the current storage capacity \
             {} (Service: AmazonFSx; Status Code: 400; Error Code: BadRequest)",
            text(new),
            text(old)
        ),
        ("AWS::EC2::Volume", "Size") => {
            "New size cannot be smaller than existing size (Service: AmazonEC2; Status Code: \
                                         400; Error Code: InvalidParameterValue)"
                .to_owned()
        }
        ("AWS::RDS::DBInstance", "AllocatedStorage") => format!(
            "Requested storage size ({}) cannot be less than the current storage size ({}) (Service: Rds, Status Code: \
             400, Error Code: InvalidParameterCombination)",
            text(new),
            text(old)
        ),
        _ => format!("Resource handler returned message: \"Invalid request: {} cannot be updated\"", paths.join(", ")),
    }
}
