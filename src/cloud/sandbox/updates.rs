//! What an update of a resource comes to, by the values of its properties: AWS's services look at these, not at a
//! schema alone.

use super::{eval::plain, resource::Resource};
use crate::{
    catalog::{Edit, Outcome, ResourceCatalog, Rule},
    cloud::Timestamp,
};
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

/// FSx grows a file system once in six hours.
/// <https://docs.aws.amazon.com/fsx/latest/LustreGuide/managing-storage-capacity.html>
const BETWEEN_GROWTHS: i64 = 6 * 3600;
/// How long EBS works on a change of a volume, which takes hours for a large one.
const VOLUME_CHANGE: i64 = 1800;
/// The attribute with the time of the last change of size.
const CHANGED: &str = "ChangedAt";

/// When a file system's last growth was asked for.
pub(super) fn grown(resource: &Resource) -> Option<Timestamp> {
    resource.attributes.get(CHANGED).and_then(Value::as_i64).map(Timestamp)
}

/// EBS's word for the last change of a volume, if there was one.
pub(super) fn modification(resource: &Resource, now: Timestamp) -> Option<&'static str> {
    let begun = grown(resource)?;
    Some(if now < begun.plus(VOLUME_CHANGE) { "optimizing" } else { "completed" })
}

/// What AWS says of a change of size that comes too soon after another; else the change is written down.
pub(super) fn too_soon(resource: &mut Resource, paths: &[String], now: Timestamp) -> Option<String> {
    let size = match resource.kind.as_str() {
        "AWS::FSx::FileSystem" => &["StorageCapacity"][..],
        "AWS::EC2::Volume" => &["Size", "Iops", "Throughput", "VolumeType"],
        _ => return None,
    };
    if !paths.iter().any(|path| size.contains(&path.as_str())) {
        return None;
    }
    let refused = match resource.kind.as_str() {
        "AWS::FSx::FileSystem" => grown(resource).filter(|before| now < before.plus(BETWEEN_GROWTHS)).map(|_| {
            "Unable to perform the storage capacity update. The storage capacity can be increased again six hours after the \
             last increase was requested (Service: AmazonFSx; Status Code: 400; Error Code: BadRequest)"
                .to_owned()
        }),
        _ => (modification(resource, now) == Some("optimizing")).then(|| {
            format!(
                "Volume {} is currently being modified (Service: AmazonEC2; Status Code: 400; Error Code: \
                 IncorrectModificationState)",
                resource.physical
            )
        }),
    };
    if refused.is_none() {
        resource.attributes.insert(CHANGED.to_owned(), Value::from(now.0));
    }
    refused
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
