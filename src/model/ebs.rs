//! EBS volumes on the head node.

use super::{
    DataHolding, DeletionPolicy, Resource, Stack, StackKey, Val,
    machine::{self, volume_type},
    names::camel,
    props::Props,
    site::Site,
    tags,
};
use crate::spec::{Ebs, OnDestroyVolume, Path};

/// Adds a volume in the head node's zone; gives its id as output.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, name: &str, ebs: &Ebs, cause: &Path) {
    if ebs.volume_id.is_some() {
        return;
    }
    let zone = site.head_zone(stack);
    let deletion = match ebs.on_destroy {
        Some(OnDestroyVolume::Keep) => DeletionPolicy::Retain,
        Some(OnDestroyVolume::Discard) => DeletionPolicy::Delete,
        Some(OnDestroyVolume::Snapshot) | None => DeletionPolicy::Snapshot,
    };
    let volume = Resource::new("AWS::EC2::Volume", format!("storage.{name}"), cause.clone())
        .set("AvailabilityZone", zone)
        .set("Size", ebs.size_gib)
        .set("VolumeType", volume_type(ebs.volume_type))
        .set("Encrypted", true)
        .maybe("Iops", machine::iops(ebs.volume_type, ebs.iops))
        .maybe("Throughput", machine::throughput(ebs.volume_type, ebs.throughput_mib))
        .maybe("SnapshotId", ebs.snapshot_id.as_ref().map(|snapshot| snapshot.as_str()))
        .maybe("KmsKeyId", ebs.kms_key.as_ref().map(|key| key.as_str()))
        .set("Tags", tags::named(site.cluster, "storage", name))
        .because("AvailabilityZone", Path::from("network.head_node_subnet"))
        .because("Size", cause.key("size_gib"))
        .because("VolumeType", cause.key("volume_type"))
        .because("Iops", cause.key("iops"))
        .because("Throughput", cause.key("throughput_mib"))
        .because("SnapshotId", cause.key("snapshot_id"))
        .because("KmsKeyId", cause.key("kms_key"))
        .holding(DataHolding::Volume { name: name.to_owned(), size_gib: ebs.size_gib }, deletion);
    let id = format!("{}Volume", camel(name));
    let volume = stack.add(id.clone(), volume);
    stack.output(format!("{id}Id"), volume);
}

/// The volumes as the head node attaches them: `/dev/sdf`, `/dev/sdg` and so on, in the file's order.
pub(super) fn attachments(site: Site<'_>, stack: &mut Stack) -> Vec<Val> {
    let volumes = site.cluster.storage.iter().filter_map(|storage| Some((storage, storage.ebs.as_ref()?)));
    let mut attach = |((storage, ebs), letter): ((&crate::spec::Storage, &Ebs), char)| {
        let volume = match &ebs.volume_id {
            Some(own) => own.as_str().into(),
            None => {
                let output = format!("{}VolumeId", camel(storage.name.as_str()));
                stack.take(&StackKey::Storage, output, "AWS::EC2::Volume::Id")
            }
        };
        Props::new().set("Device", format!("/dev/sd{letter}")).set("VolumeId", volume).into()
    };
    volumes.zip('f'..='z').map(&mut attach).collect()
}
