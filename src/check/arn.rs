//! ARNs: that each names what its key asks for, where the cluster is.

use super::{
    rules::names as rule,
    sheet::{Sheet, args},
};
use crate::{
    catalog,
    spec::{Cluster, NamedKind, NodeIam, Path, named},
};

/// What a key asks for: words, service, the beginning of the resource, and an example.
struct Kind {
    expected: &'static str,
    service: &'static str,
    resource: &'static str,
    example: &'static str,
}

const POLICY: Kind = Kind {
    expected: "an IAM policy",
    service: "iam",
    resource: "policy/",
    example: "arn:aws:iam::123456789012:policy/name",
};
const ROLE: Kind =
    Kind { expected: "an IAM role", service: "iam", resource: "role/", example: "arn:aws:iam::123456789012:role/name" };
const PROFILE: Kind = Kind {
    expected: "an instance profile",
    service: "iam",
    resource: "instance-profile/",
    example: "arn:aws:iam::123456789012:instance-profile/name",
};
const KEY: Kind = Kind {
    expected: "a KMS key",
    service: "kms",
    resource: "key/",
    example: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
};
const SECRET: Kind = Kind {
    expected: "a secret in Secrets Manager",
    service: "secretsmanager",
    resource: "secret:",
    example: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf",
};
const GROUP: Kind = Kind {
    expected: "a resource group",
    service: "resource-groups",
    resource: "group/",
    example: "arn:aws:resource-groups:eu-west-1:123456789012:group/name",
};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let region = cluster.region.as_str();
    let known = sheet.is_given(&Path::from("region"));
    let partition = catalog::partition(region).map(catalog::Partition::name).filter(|_| known);
    for (arn, kind, at) in all(cluster) {
        let mut parts = arn.splitn(6, ':').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (arn_partition, service, arn_region, _, resource) = (next(), next(), next(), next(), next());
        if service != kind.service || !resource.starts_with(kind.resource) {
            sheet.add(&rule::ARN_KIND, at, args! { expected: kind.expected, example: kind.example });
        } else if let Some(expected) = partition.filter(|name| *name != arn_partition) {
            let args = args! { found: arn_partition, region: region, expected: expected };
            sheet.add(&rule::ARN_PARTITION, at, args);
        } else if !arn_region.is_empty() && arn_region != region && known {
            sheet.add(&rule::ARN_REGION, at, args! { found: arn_region, region: region });
        }
    }
}

/// Every ARN of the file.
fn all(cluster: &Cluster) -> Vec<(String, &'static Kind, Path)> {
    let mut found = Vec::new();
    for thing in named(cluster) {
        let kind = match thing.kind {
            NamedKind::Key => &KEY,
            NamedKind::Secret => &SECRET,
            NamedKind::ReservationGroup => &GROUP,
            _ => continue,
        };
        found.push((thing.id, kind, thing.at));
    }
    let root = Path::root();
    rights(cluster.head_node.iam.as_ref(), &root.key("head_node"), &mut found);
    for (i, login) in cluster.login_nodes.iter().enumerate() {
        rights(login.iam.as_ref(), &root.key("login_nodes").index(i), &mut found);
    }
    for (i, queue) in cluster.queues.iter().enumerate() {
        rights(queue.iam.as_ref(), &root.key("queues").index(i), &mut found);
    }
    let boundary = cluster.iam.as_ref().and_then(|iam| iam.permissions_boundary.as_ref());
    found.extend(boundary.map(|arn| (arn.to_string(), &POLICY, Path::from("iam.permissions_boundary"))));
    found
}

fn rights(iam: Option<&NodeIam>, at: &Path, found: &mut Vec<(String, &'static Kind, Path)>) {
    let Some(iam) = iam else { return };
    let at = at.key("iam");
    for (i, policy) in iam.policies.iter().enumerate() {
        found.push((policy.to_string(), &POLICY, at.key("policies").index(i)));
    }
    found.extend(iam.role.iter().map(|arn| (arn.to_string(), &ROLE, at.key("role"))));
    found.extend(iam.instance_profile.iter().map(|arn| (arn.to_string(), &PROFILE, at.key("instance_profile"))));
}
