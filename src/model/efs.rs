//! Amazon EFS.

use super::{DataHolding, DeletionPolicy, Resource, Stack, Val, facts, names::camel, props::Props, site::Site, tags};
use crate::spec::{Efs, EfsPerformance, EfsThroughput, OnDestroyKeep, Path, SubnetId, subnets_with_nodes};
use std::collections::BTreeSet;

/// Adds a file system with a mount target in each zone; gives its id and name as outputs.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, name: &str, efs: &Efs, cause: &Path) {
    if efs.file_system_id.is_some() {
        return;
    }
    let id = facts::efs_id(name);
    let file_system = stack.add(id.clone(), file_system(site, name, efs, cause));
    for (place, subnet) in mount_subnets(site, stack) {
        let logical_id = format!("{}Mount{}", camel(name), camel(&place));
        // A zone has one target, and it serves all of the zone: one that is there stays in its subnet.
        let subnet = site.ground.lies_in.get(&logical_id).map_or(subnet, |subnet| subnet.as_str().into());
        let target = Resource::new("AWS::EFS::MountTarget", format!("storage.{name}.mount.{place}"), cause.clone())
            .set("FileSystemId", file_system.clone())
            .set("SubnetId", subnet)
            .set("SecurityGroups", vec![Val::att("EfsSecurityGroup", "GroupId")])
            .because("SubnetId", Path::from("network.compute_subnets"));
        stack.add(logical_id, target);
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

/// One subnet in each zone, as EFS wants it, by the zone: a target's name must not change with the order of a list.
///
/// Subnets whose zones the file does not say are called by their own names, and only the network's compute subnets are
/// taken: they are thought to be in different zones, as most networks have them.
fn mount_subnets(site: Site<'_>, stack: &mut Stack) -> Vec<(String, Val)> {
    if site.created().is_some() {
        let numbered = site.compute_subnets(stack).into_iter().enumerate();
        return numbered.map(|(index, subnet)| (index.to_string(), subnet)).collect();
    }
    let compute = &site.cluster.network.compute_subnets;
    let mut zones = BTreeSet::new();
    let mut place = |subnet: &SubnetId| match site.zone(subnet) {
        Some(zone) => zones.insert(zone).then(|| zone.to_owned()),
        None => compute.contains(subnet).then(|| subnet.to_string()),
    };
    let wanted = subnets_with_nodes(site.cluster).into_iter();
    wanted.filter_map(|subnet| Some((place(subnet)?, subnet.as_str().into()))).collect()
}
