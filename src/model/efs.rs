//! Amazon EFS.

use super::{DataHolding, DeletionPolicy, Resource, Stack, Val, facts, names::camel, props::Props, site::Site, tags};
use crate::spec::{Efs, EfsPerformance, EfsThroughput, OnDestroyKeep, Path, SubnetId};
use std::collections::BTreeSet;

/// Adds a file system with a mount target in each zone; gives its id and name as outputs.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, name: &str, efs: &Efs, cause: &Path) {
    if efs.file_system_id.is_some() {
        return;
    }
    let id = facts::efs_id(name);
    let file_system = stack.add(id.clone(), file_system(site, name, efs, cause));
    for (index, subnet) in mount_subnets(site, stack).into_iter().enumerate() {
        let target = Resource::new("AWS::EFS::MountTarget", format!("storage.{name}.mount.{index}"), cause.clone())
            .set("FileSystemId", file_system.clone())
            .set("SubnetId", subnet)
            .set("SecurityGroups", vec![Val::att("EfsSecurityGroup", "GroupId")])
            .because("SubnetId", Path::from("network.compute_subnets"));
        stack.add(format!("{}Mount{index}", camel(name)), target);
    }
    stack.output(format!("{id}Id"), file_system);
    stack.output(
        format!("{id}DnsName"),
        Val::Join(".".into(), vec![Val::reference(&id), Val::sub("efs.${AWS::Region}.${AWS::URLSuffix}")]),
    );
}

fn file_system(site: Site<'_>, name: &str, efs: &Efs, cause: &Path) -> Resource {
    let performance = match efs.performance {
        EfsPerformance::GeneralPurpose => "generalPurpose",
        EfsPerformance::MaxIo => "maxIO",
    };
    let throughput = match efs.throughput {
        EfsThroughput::Elastic => "elastic",
        EfsThroughput::Bursting => "bursting",
        EfsThroughput::Provisioned => "provisioned",
    };
    let provisioned = efs.provisioned_mib.filter(|_| efs.throughput == EfsThroughput::Provisioned);
    let backups = if efs.backups { "ENABLED" } else { "DISABLED" };
    // Nothing exports an EFS, so it stays unless the user says otherwise.
    let deletion = match efs.on_destroy {
        Some(OnDestroyKeep::Discard) => DeletionPolicy::Delete,
        Some(OnDestroyKeep::Keep) | None => DeletionPolicy::Retain,
    };
    Resource::new("AWS::EFS::FileSystem", format!("storage.{name}"), cause.clone())
        .set("Encrypted", true)
        .maybe("KmsKeyId", efs.kms_key.as_ref().map(|key| key.as_str()))
        .set("PerformanceMode", performance)
        .set("ThroughputMode", throughput)
        .maybe("ProvisionedThroughputInMibps", provisioned)
        .set("BackupPolicy", Props::new().set("Status", backups))
        .set("FileSystemTags", tags::named(site.cluster, "storage", name))
        .because("KmsKeyId", cause.key("kms_key"))
        .because("PerformanceMode", cause.key("performance"))
        .because("ThroughputMode", cause.key("throughput"))
        .because("ProvisionedThroughputInMibps", cause.key("provisioned_mib"))
        .because("BackupPolicy", cause.key("backups"))
        .holding(DataHolding::FileSystem { name: name.to_owned(), capacity_gib: None, exportable: false }, deletion)
}

/// One subnet in each zone, as EFS wants it.
///
/// Subnets whose zones the file does not say: only the network's compute subnets, which are taken to be
/// in different zones, as most networks have them.
fn mount_subnets(site: Site<'_>, stack: &mut Stack) -> Vec<Val> {
    if site.created().is_some() {
        return site.compute_subnets(stack);
    }
    let (mut zones, mut subnets) = (BTreeSet::new(), BTreeSet::new());
    let cluster = site.cluster;
    let first = &cluster.network.compute_subnets;
    let queues = cluster
        .queues
        .iter()
        .flat_map(|queue| queue.subnets.iter().chain(queue.pools.iter().flat_map(|pool| &pool.subnets)));
    let head = cluster.head_node.subnet.iter().chain(&cluster.network.head_node_subnet);
    let login = cluster.login_nodes.iter().filter_map(|pool| pool.subnet.as_ref());
    let mut wanted = |subnet: &&SubnetId| match site.zone(subnet) {
        _ if !subnets.insert(subnet.as_str().to_owned()) => false,
        Some(zone) => zones.insert(zone),
        None => first.contains(subnet),
    };
    let all = first.iter().chain(queues).chain(head).chain(login);
    all.filter(|subnet| wanted(subnet)).map(|subnet| subnet.as_str().into()).collect()
}
