//! EBS volumes, and addresses of instances.

use super::super::{
    CLUSTER_TAG, ErrorKind, InterfaceState, Result, SnapshotState, VolumeAttachment, VolumeModification, VolumeState,
};
use super::compute::filter;
use super::errors::{failed, own};
use super::values::{count, pairs, text, time};
use aws_sdk_ec2::{
    Client,
    types::{AttributeBooleanValue, Filter, InstanceNetworkInterface, Volume},
};

/// Values of one filter.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html>
const FILTER_VALUES: usize = 200;

/// The volumes of a cluster.
pub(super) async fn of_cluster(client: &Client, cluster: &str) -> Result<Vec<VolumeState>> {
    found(client, filter(&format!("tag:{CLUSTER_TAG}"), &[cluster])).await
}

/// Volumes by id. By a filter: EC2 refuses a whole call for one id that it does not know.
pub(super) async fn by_ids(client: &Client, ids: &[String]) -> Result<Vec<VolumeState>> {
    let mut all = Vec::new();
    for batch in ids.chunks(FILTER_VALUES) {
        let ids: Vec<&str> = batch.iter().map(String::as_str).collect();
        all.extend(found(client, filter("volume-id", &ids)).await?);
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

async fn found(client: &Client, by: Filter) -> Result<Vec<VolumeState>> {
    let mut pages = client.describe_volumes().filters(by).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(volume) = pages.next().await {
        found.push(state(&volume.map_err(failed("ec2", "DescribeVolumes"))?));
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// The account's own snapshots of volumes, by a filter as above.
pub(super) async fn snapshots(client: &Client, volumes: &[String]) -> Result<Vec<SnapshotState>> {
    let mut all = Vec::new();
    for batch in volumes.chunks(FILTER_VALUES) {
        let ids: Vec<&str> = batch.iter().map(String::as_str).collect();
        let call = client.describe_snapshots().owner_ids("self").filters(filter("volume-id", &ids));
        let mut pages = call.into_paginator().items().send();
        while let Some(one) = pages.next().await {
            let one = one.map_err(failed("ec2", "DescribeSnapshots"))?;
            let (id, volume) = (text(one.snapshot_id()), text(one.volume_id()));
            let tags = pairs(one.tags().iter().map(|tag| (tag.key(), tag.value())));
            all.push(SnapshotState { id, volume, size_gib: count(one.volume_size()), tags });
        }
    }
    all.sort_by(|a, b| (&a.volume, &a.id).cmp(&(&b.volume, &b.id)));
    Ok(all)
}

/// The last change of each volume. A filter knows volumes that were never changed, too; a list of ids does not.
pub(super) async fn modifications(client: &Client, volumes: &[String]) -> Result<Vec<VolumeModification>> {
    let mut all = Vec::new();
    for batch in volumes.chunks(FILTER_VALUES) {
        let ids: Vec<&str> = batch.iter().map(String::as_str).collect();
        let call = client.describe_volumes_modifications().filters(filter("volume-id", &ids));
        let mut pages = call.into_paginator().items().send();
        while let Some(one) = pages.next().await {
            let one = one.map_err(failed("ec2", "DescribeVolumesModifications"))?;
            let state = one.modification_state().map(|state| state.as_str().to_owned()).unwrap_or_default();
            all.push(VolumeModification { volume: text(one.volume_id()), state, progress: one.progress() });
        }
    }
    all.sort_by(|a, b| a.volume.cmp(&b.volume));
    Ok(all)
}

fn state(from: &Volume) -> VolumeState {
    // Several attachments are for volumes with Multi-Attach, which hpcctl makes none of.
    let attachment = from.attachments().iter().find(|one| one.state().is_none_or(|state| state.as_str() != "detached"));
    VolumeState {
        id: text(from.volume_id()),
        state: from.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        size_gib: count(from.size()),
        created: time(from.create_time()),
        attachment: attachment.map(|one| VolumeAttachment {
            instance: text(one.instance_id()),
            device: text(one.device()),
            state: one.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        }),
    }
}

pub(super) async fn attach(client: &Client, volume: &str, instance: &str, device: &str) -> Result<()> {
    let call = client.attach_volume().volume_id(volume).instance_id(instance).device(device);
    call.send().await.map(|_| ()).map_err(failed("ec2", "AttachVolume"))
}

/// A volume that is attached to nothing is as it should be; EC2 calls that an incorrect state.
pub(super) async fn detach(client: &Client, volume: &str) -> Result<()> {
    let result = client.detach_volume().volume_id(volume).send().await.map_err(failed("ec2", "DetachVolume"));
    match result {
        Err(error) if error.code.as_deref() == Some("IncorrectState") => Ok(()),
        result => result.map(|_| ()),
    }
}

pub(super) async fn stop(client: &Client, id: &str) -> Result<()> {
    client.stop_instances().instance_ids(id).send().await.map(|_| ()).map_err(failed("ec2", "StopInstances"))
}

pub(super) async fn start(client: &Client, id: &str) -> Result<()> {
    client.start_instances().instance_ids(id).send().await.map(|_| ()).map_err(failed("ec2", "StartInstances"))
}

pub(super) async fn protect(client: &Client, id: &str, protected: bool) -> Result<()> {
    let value = AttributeBooleanValue::builder().value(protected).build();
    let call = client.modify_instance_attribute().instance_id(id).disable_api_termination(value);
    call.send().await.map(|_| ()).map_err(failed("ec2", "ModifyInstanceAttribute"))
}

pub(super) async fn interface_of(client: &Client, instance: &str) -> Result<Option<InterfaceState>> {
    let call = client.describe_instances().filters(filter("instance-id", &[instance])).send().await;
    let page = call.map_err(failed("ec2", "DescribeInstances"))?;
    let found = page.reservations().iter().flat_map(|one| one.instances()).next();
    let first = |one: &&InstanceNetworkInterface| {
        one.attachment().and_then(|attachment| attachment.device_index()).unwrap_or(0) == 0
    };
    Ok(found.and_then(|one| one.network_interfaces().iter().find(first)).map(interface))
}

fn interface(from: &InstanceNetworkInterface) -> InterfaceState {
    let further = from.private_ip_addresses().iter().filter(|one| one.primary() != Some(true));
    InterfaceState {
        id: text(from.network_interface_id()),
        primary: text(from.private_ip_address()),
        secondary: further.map(|one| text(one.private_ip_address())).collect(),
    }
}

pub(super) async fn assign(client: &Client, interface: &str, address: Option<&str>) -> Result<String> {
    let call = client.assign_private_ip_addresses().network_interface_id(interface);
    let call = match address {
        Some(address) => call.private_ip_addresses(address).allow_reassignment(true),
        None => call.secondary_private_ip_address_count(1),
    };
    let given = call.send().await.map_err(failed("ec2", "AssignPrivateIpAddresses"))?;
    let first = given.assigned_private_ip_addresses().first().map(|one| text(one.private_ip_address()));
    first.or_else(|| address.map(str::to_owned)).ok_or_else(|| {
        let words = "EC2 does not say which address it assigned".to_owned();
        own("ec2", "AssignPrivateIpAddresses", ErrorKind::Unavailable, words)
    })
}
