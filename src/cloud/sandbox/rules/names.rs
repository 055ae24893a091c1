//! Names that must be unique.

use crate::cloud::sandbox::{estate::Estate, ids::given_name, resource::Resource};
use serde_json::Value;

/// The objection to a name that is taken. A given name is part of the physical id for most types; launch templates
/// have both.
pub(super) fn objection(estate: &Estate<'_>, kind: &str, properties: &Value) -> Option<String> {
    let name = given_name(kind, properties)?;
    let bucket = kind == "AWS::S3::Bucket" && estate.world.buckets.contains_key(&name);
    let taken = |resource: &Resource| {
        let same = |other: &str| other.eq_ignore_ascii_case(&name);
        resource.kind == kind
            && (same(&resource.physical) || given_name(kind, &resource.properties).is_some_and(|other| same(&other)))
    };
    // What was retained still has its name.
    let found = bucket || estate.resources().any(taken);
    found.then(|| {
        format!(
            "Resource handler returned message: \"Resource of type '{kind}' with identifier '{name}' already exists.\" \
             (HandlerErrorCode: AlreadyExists)"
        )
    })
}
