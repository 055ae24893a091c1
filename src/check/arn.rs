//! ARNs: that each names what its key asks for, where the cluster is.

use super::{
    rules::names as rule,
    sheet::{Sheet, args},
};
use crate::{
    catalog,
    spec::{Arn, Cluster, NodeIam, Path},
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
        let mut parts = arn.as_str().splitn(6, ':').skip(1);
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
fn all(cluster: &Cluster) -> Vec<(&Arn, &'static Kind, Path)> {
    let root = Path::root();
    let mut found = Vec::new();
    nodes(cluster, &mut found);
    for (i, storage) in cluster.storage.iter().enumerate() {
        let at = root.key("storage").index(i);
        let keys = [
            (storage.fsx_lustre.as_ref().and_then(|one| one.kms_key.as_ref()), "fsx_lustre"),
            (storage.ebs.as_ref().and_then(|one| one.kms_key.as_ref()), "ebs"),
            (storage.efs.as_ref().and_then(|one| one.kms_key.as_ref()), "efs"),
        ];
        for (key, kind) in keys {
            found.extend(key.map(|key| (key, &KEY, at.key(kind).key("kms_key"))));
        }
    }
    let external = cluster.accounting.as_ref().and_then(|accounting| accounting.external.as_ref());
    let secret = external.map(|external| &external.password_secret);
    found.extend(secret.map(|arn| (arn, &SECRET, Path::from("accounting.external.password_secret"))));
    let munge = cluster.slurm.munge_key_secret.as_ref();
    found.extend(munge.map(|arn| (arn, &SECRET, Path::from("slurm.munge_key_secret"))));
    let boundary = cluster.iam.as_ref().and_then(|iam| iam.permissions_boundary.as_ref());
    found.extend(boundary.map(|arn| (arn, &POLICY, Path::from("iam.permissions_boundary"))));
    let logs = cluster.monitoring.logs.kms_key.as_ref();
    found.extend(logs.map(|arn| (arn, &KEY, Path::from("monitoring.logs.kms_key"))));
    found
}

fn nodes<'c>(cluster: &'c Cluster, found: &mut Vec<(&'c Arn, &'static Kind, Path)>) {
    let root = Path::root();
    let head = root.key("head_node");
    rights(cluster.head_node.iam.as_ref(), &head, found);
    found.extend(volume_key(cluster.head_node.root_volume.kms_key.as_ref(), &head));
    let data = cluster.head_node.data_volume.kms_key.as_ref();
    found.extend(data.map(|key| (key, &KEY, head.key("data_volume").key("kms_key"))));
    for (i, login) in cluster.login_nodes.iter().enumerate() {
        let at = root.key("login_nodes").index(i);
        rights(login.iam.as_ref(), &at, found);
        found.extend(volume_key(login.root_volume.kms_key.as_ref(), &at));
    }
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = root.key("queues").index(i);
        rights(queue.iam.as_ref(), &at, found);
        found.extend(volume_key(queue.root_volume.kms_key.as_ref(), &at));
        for (j, pool) in queue.pools.iter().enumerate() {
            let group = pool.capacity_reservation.as_ref().and_then(|target| target.resource_group.as_ref());
            let at = || at.key("pools").index(j).key("capacity_reservation").key("resource_group");
            found.extend(group.map(|arn| (arn, &GROUP, at())));
        }
    }
}

fn volume_key<'c>(key: Option<&'c Arn>, at: &Path) -> Option<(&'c Arn, &'static Kind, Path)> {
    key.map(|key| (key, &KEY, at.key("root_volume").key("kms_key")))
}

fn rights<'c>(iam: Option<&'c NodeIam>, at: &Path, found: &mut Vec<(&'c Arn, &'static Kind, Path)>) {
    let Some(iam) = iam else { return };
    let at = at.key("iam");
    for (i, policy) in iam.policies.iter().enumerate() {
        found.push((policy, &POLICY, at.key("policies").index(i)));
    }
    found.extend(iam.role.iter().map(|arn| (arn, &ROLE, at.key("role"))));
    found.extend(iam.instance_profile.iter().map(|arn| (arn, &PROFILE, at.key("instance_profile"))));
}
