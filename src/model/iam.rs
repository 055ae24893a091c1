//! Roles and instance profiles.

use super::{Resource, Val, names, policy, props::Props, site::Site, tags};
use crate::spec::{Arn, Path};
use std::collections::BTreeMap;

/// A role that a service assumes, within the cluster's path and boundary.
pub(super) fn role(site: Site<'_>, address: impl Into<String>, cause: Path, service: &str) -> Resource {
    let boundary = site.cluster.iam.as_ref().and_then(|iam| iam.permissions_boundary.as_ref());
    let address = address.into();
    let (path, part) = match address.split('.').next().unwrap_or_default() {
        "queue" => (names::compute_iam_path(site.cluster), "compute".to_owned()),
        other => (names::iam_path(site.cluster), other.to_owned()),
    };
    let own = of_region(site, &part);
    let tags = if part == "compute" { tags::with_users(site.cluster, own) } else { own };
    Resource::new("AWS::IAM::Role", address, cause)
        .set("Path", path)
        .set("AssumeRolePolicyDocument", policy::trust(service))
        .maybe("PermissionsBoundary", boundary.map(Arn::as_str))
        .set("Tags", tags::list(tags))
        .because("Tags", Path::from("tags"))
        .because("Path", Path::from("iam.path"))
        .because("PermissionsBoundary", Path::from("iam.permissions_boundary"))
}

/// A role's tags: a cluster of the same name in another region has roles below the same path.
fn of_region(site: Site<'_>, part: &str) -> BTreeMap<String, String> {
    let mut tags = tags::own(site.cluster, part);
    tags.insert(names::REGION_TAG.to_owned(), site.cluster.region.to_string());
    tags
}

/// `Policies` with the one policy.
pub(super) fn inline(name: &str, document: Val) -> Val {
    let policy = Props::new().set("PolicyName", name).set("PolicyDocument", document);
    Val::List(vec![policy.into()])
}

/// An instance profile with a role in it, by name.
pub(super) fn profile(site: Site<'_>, address: impl Into<String>, cause: Path, role: Val) -> Resource {
    Resource::new("AWS::IAM::InstanceProfile", address, cause)
        .set("Path", names::iam_path(site.cluster))
        .set("Roles", vec![role])
        .because("Path", Path::from("iam.path"))
}

/// The name in an ARN: what follows the last slash.
pub(super) fn name_of(arn: &Arn) -> &str {
    arn.as_str().rsplit('/').next().unwrap_or_default()
}
