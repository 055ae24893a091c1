//! EBS volumes of the head node. It attaches them itself, at boot: no stack does, for CloudFormation makes a new
//! instance before it deletes the old one, and a volume is attached to one at a time.

use super::{DataHolding, DeletionPolicy, Resource, Stack, machine::volume_type, names::camel, site::Site, tags};
use crate::spec::{Ebs, HeadData, OnDestroyVolume, Path};

/// The name of the volume with the head node's lasting data, among those of `storage`, whose names have no underscore.
pub const HEAD_DATA: &str = "head_data";

/// Adds the volume with the head node's lasting data; gives its id as output.
pub(super) fn head_data(site: Site<'_>, stack: &mut Stack) {
    let HeadData { size_gib: _, volume_type, iops, throughput_mib, kms_key, snapshot_id, on_destroy } =
        site.cluster.head_node.data_volume.clone();
    let size_gib = site.cluster.head_data_gib();
    let as_ebs = Ebs { volume_id: None, size_gib, volume_type, iops, throughput_mib, snapshot_id, kms_key, on_destroy };
    let cause = Path::from("head_node.data_volume");
    let holding = DataHolding::HeadData { size_gib, home: !site.cluster.mounts_home() };
    volume(site, stack, HEAD_DATA, &as_ebs, holding, &cause);
}

/// Adds a volume of `storage`, unless it is one that exists.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, name: &str, ebs: &Ebs, cause: &Path) {
    if ebs.volume_id.is_none() {
        let holding = DataHolding::Volume { name: name.to_owned(), size_gib: ebs.size_gib };
        volume(site, stack, name, ebs, holding, cause);
    }
}

/// Adds a volume in the head node's zone; gives its id as output.
fn volume(site: Site<'_>, stack: &mut Stack, name: &str, ebs: &Ebs, holding: DataHolding, cause: &Path) {
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
        .maybe("Iops", ebs.iops)
        .maybe("Throughput", ebs.throughput_mib)
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
        .holding(holding, deletion);
    let id = volume_id(name);
    let volume = stack.add(id.clone(), volume);
    stack.output(format!("{id}Id"), volume);
}

/// The logical id of a volume that the storage stack makes.
pub fn volume_id(name: &str) -> String {
    // `HeadDataVolume` would be that of the user's own `head-data`.
    if name == HEAD_DATA { "HeadData".to_owned() } else { format!("{}Volume", camel(name)) }
}
