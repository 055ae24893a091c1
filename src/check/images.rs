//! What comes with images and regions, and what does not.

use super::{
    rules::images as rule,
    sheet::{Sheet, args, list, word},
};
use crate::{
    catalog::{Partition, image_owner, is_missing, region},
    spec::{Cluster, CustomActions, Os, Path, Queue},
};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    vendor(sheet, cluster);
    types(sheet, cluster);
    for (index, queue) in cluster.queues.iter().enumerate() {
        drivers(sheet, cluster, queue, &Path::from("queues").index(index));
    }
    for (index, storage) in cluster.storage.iter().enumerate() {
        if storage.efs.as_ref().is_some_and(|efs| !efs.encryption_in_transit) {
            let at = Path::from("storage").index(index).key("efs").key("encryption_in_transit");
            sheet.add(&rule::EFS_IN_CLEAR, at, args! { name: storage.name });
        }
    }
}

/// An image of the vendor's, and what its nodes fetch from elsewhere.
fn vendor(sheet: &mut Sheet, cluster: &Cluster) {
    let image = &cluster.image;
    let Some(known) = region(cluster.region.as_str()).filter(|_| image.ami.is_none()) else { return };
    if image_owner(image.os.vendor(), known.partition).is_none() {
        let args = args! { os: word(&image.os), partition: known.partition.name() };
        sheet.add(&rule::NO_VENDOR_IMAGE, Path::from("region"), args);
    } else if !matches!(known.partition, Partition::Aws | Partition::UsGov) {
        let hosts = hosts(cluster);
        if !hosts.is_empty() {
            sheet.add(&rule::FOREIGN_HOSTS, Path::from("region"), args! { region: known.name, hosts: list(hosts) });
        }
    }
}

/// The hosts of the commercial partition that nodes fetch from.
fn hosts(cluster: &Cluster) -> Vec<&'static str> {
    let desktop = cluster.head_node.dcv.is_some() || cluster.login_nodes.iter().any(|pool| pool.dcv.is_some());
    let lustre = cluster.storage.iter().any(|one| one.fsx_lustre.is_some());
    let all = [
        (matches!(cluster.image.os, Os::Ubuntu2404 | Os::Rocky9 | Os::Rhel9), "awscli.amazonaws.com"),
        (cluster.queues.iter().any(|queue| queue.efa), "efa-installer.amazonaws.com"),
        (lustre && cluster.image.os != Os::Alinux2023, "fsx-lustre-client-repo.s3.amazonaws.com"),
        (desktop, "d1uj6qtbmh3dt5.cloudfront.net"),
    ];
    all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, host)| host).collect()
}

/// Resource types that CloudFormation does not have in the region.
fn types(sheet: &mut Sheet, cluster: &Cluster) {
    let name = cluster.region.as_str();
    let budget = cluster.budget.is_some().then(|| (Path::from("budget"), "AWS::Budgets::Budget"));
    let made =
        |one: &crate::spec::Storage| one.fsx_lustre.as_ref().is_some_and(|lustre| lustre.file_system_id.is_none());
    let lustre = cluster
        .storage
        .iter()
        .position(made)
        .map(|index| (Path::from("storage").index(index).key("fsx_lustre"), "AWS::FSx::FileSystem"));
    for (at, resource) in budget.into_iter().chain(lustre).filter(|(_, resource)| is_missing(resource, name)) {
        sheet.add_key(&rule::TYPE_NOT_IN_REGION, at, args! { type: resource, region: name });
    }
}

/// GPUs of NVIDIA in a queue whose image has no driver, and whose scripts install none.
fn drivers(sheet: &mut Sheet, cluster: &Cluster, queue: &Queue, at: &Path) {
    let scripts = queue
        .custom_actions
        .as_ref()
        .is_some_and(|actions: &CustomActions| !actions.on_start.is_empty() || !actions.on_configured.is_empty());
    if cluster.image.ami.is_some() || queue.ami.is_some() || scripts {
        return;
    }
    for (pool_index, pool) in queue.pools.iter().enumerate() {
        for (index, name) in pool.instance_types.iter().enumerate() {
            let Some(found) = sheet.instance(name.as_str()) else { continue };
            if found.gpus.iter().any(|gpu| gpu.manufacturer.eq_ignore_ascii_case("NVIDIA")) {
                let at = at.key("pools").index(pool_index).key("instance_types").index(index);
                sheet.add(&rule::GPU_WITHOUT_DRIVER, at, args! { queue: queue.name });
                return;
            }
        }
    }
}
