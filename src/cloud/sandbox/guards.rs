//! What AWS refuses to delete, in its words.

use super::resource::Resource;
use serde_json::Value;

/// Why a resource cannot be deleted.
pub(super) fn objection(resource: &Resource) -> Option<String> {
    database(resource).or_else(|| termination(resource))
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html>
fn database(resource: &Resource) -> Option<String> {
    let kind = match resource.kind.as_str() {
        "AWS::RDS::DBInstance" => "DB Instance",
        "AWS::RDS::DBCluster" => "DB Cluster",
        _ => return None,
    };
    let words = format!("Cannot delete protected {kind}, please disable deletion protection and try again.");
    is_on(resource, "DeletionProtection").then_some(words)
}

/// Why an instance cannot be terminated.
pub(super) fn termination(resource: &Resource) -> Option<String> {
    let guarded = resource.kind == "AWS::EC2::Instance" && is_on(resource, "DisableApiTermination");
    guarded.then(|| {
        format!(
            "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try \
             again.",
            resource.physical
        )
    })
}

fn is_on(resource: &Resource, property: &str) -> bool {
    match resource.live(property) {
        Some(Value::Bool(on)) => on,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}
