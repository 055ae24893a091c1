//! EBS volumes and addresses of instances: who has which, and what EC2 refuses.

use super::{control::Call, eval::plain, ids::hex, instance::Instance, resource::Resource, world::World};
use crate::cloud::{
    CLUSTER_TAG, ErrorKind, InterfaceState, Result, SnapshotState, Timestamp, VolumeAttachment, VolumeState,
};
use serde::{Deserialize, Serialize};

/// Seconds from attaching to attached.
const ATTACH: i64 = 2;
/// Seconds from detaching to available.
const DETACH: i64 = 2;

/// A volume's instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub instance: String,
    pub device: String,
    pub since: Timestamp,
    /// When it was told to detach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<Timestamp>,
    /// Whether the instance itself let go of it, and has set its mount aside until a new configuration comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aside: bool,
}

/// A volume of a stack, or one that outlived it.
pub(super) fn made<'w>(world: &'w World, id: &str) -> Option<&'w Resource> {
    let all = world.resources().map(|(_, resource)| resource).chain(world.retained.values());
    all.into_iter().find(|one| one.kind == "AWS::EC2::Volume" && one.physical == id)
}

/// A volume as EC2 shows it. One that no stack made is somebody's own, and there.
pub(super) fn view(world: &World, _region: &str, id: &str) -> Option<VolumeState> {
    if !id.starts_with("vol-") {
        return None;
    }
    let created = made(world, id).map(|one| one.created).unwrap_or_default();
    let size = made(world, id).and_then(|one| one.properties.get("Size").map(plain)?.parse().ok());
    let attachment = attached(world, id).map(|one| VolumeAttachment {
        instance: one.instance.clone(),
        device: one.device.clone(),
        state: match one.leaves {
            Some(_) => "detaching",
            None if world.now < one.since.plus(ATTACH) => "attaching",
            None => "attached",
        }
        .to_owned(),
    });
    let state = if attachment.is_some() { "in-use" } else { "available" }.to_owned();
    Some(VolumeState { id: id.to_owned(), state, size_gib: size.unwrap_or(8), created, attachment })
}

/// The snapshots that were made of volumes when their stacks let them go.
pub(super) fn snapshots(world: &World, region: &str, volumes: &[String]) -> Vec<SnapshotState> {
    let all = world.retained.values().filter(|one| one.kind == "AWS::EC2::Snapshot" && one.is_in(region));
    let one = |snapshot: &Resource| {
        let volume = snapshot.text("VolumeId").filter(|id| volumes.iter().any(|one| one == id))?.to_owned();
        let size = snapshot.properties.get("VolumeSize").and_then(|size| plain(size).parse().ok());
        let (id, tags) = (snapshot.physical.clone(), snapshot.tags.clone());
        Some(SnapshotState { id, volume, size_gib: size.unwrap_or(8), tags })
    };
    let mut found: Vec<SnapshotState> = all.filter_map(one).collect();
    found.sort_by(|a, b| (&a.volume, &a.id).cmp(&(&b.volume, &b.id)));
    found
}

/// The volumes with a cluster's tag.
pub(super) fn of_cluster(world: &World, region: &str, cluster: &str) -> Vec<VolumeState> {
    let stacks = world.resources().filter(|(stack, _)| stack.region == region).map(|(_, resource)| resource);
    let ours = stacks
        .chain(world.retained.values())
        .filter(|one| one.kind == "AWS::EC2::Volume" && one.tags.get(CLUSTER_TAG).is_some_and(|name| name == cluster));
    let mut found: Vec<VolumeState> = ours.filter_map(|one| view(world, region, &one.physical)).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The attachment of a volume; an instance that is gone has none.
pub(super) fn attached<'w>(world: &'w World, id: &str) -> Option<&'w Attachment> {
    world.attachments.get(id).filter(|one| lasts(world, one))
}

fn lasts(world: &World, one: &Attachment) -> bool {
    let there = world.instances.get(&one.instance).is_some_and(|instance| instance.state(world.now).is_some());
    there && one.leaves.is_none_or(|at| world.now < at.plus(DETACH))
}

/// The device names that are taken on an instance.
pub(super) fn devices(world: &World, instance: &str) -> Vec<String> {
    let held = world.attachments.values().filter(|one| one.instance == instance && lasts(world, one));
    held.map(|one| one.device.clone()).collect()
}

/// Attaches a volume, in EC2's words when that cannot be.
pub(super) fn attach(world: &mut World, call: Call, region: &str, volume: &str, to: &str, device: &str) -> Result<()> {
    let Some(state) = view(world, region, volume) else {
        let words = format!("The volume '{volume}' does not exist.");
        return Err(call.error(ErrorKind::NotFound, "InvalidVolume.NotFound", words));
    };
    let zone = made(world, volume).and_then(|one| one.properties.get("AvailabilityZone").map(plain));
    let now = world.now;
    let instance = instance(world, call, to)?;
    if state.attachment.is_some() {
        let words = format!("{volume} is already attached to an instance");
        return Err(call.error(ErrorKind::Busy, "VolumeInUse", words));
    }
    if zone.is_some_and(|zone| zone != instance.zone) {
        let words = format!("The volume '{volume}' is not in the same availability zone as instance '{to}'");
        return Err(call.error(ErrorKind::Invalid, "InvalidVolume.ZoneMismatch", words));
    }
    if !matches!(instance.state(now), Some("running" | "stopped" | "pending")) {
        let words = format!("Instance '{to}' is not 'running'.");
        return Err(call.error(ErrorKind::Busy, "IncorrectState", words));
    }
    if devices(world, to).iter().any(|taken| taken == device) {
        let words = format!("Invalid value '{device}' for unixDevice. Attachment point {device} is already in use");
        return Err(call.error(ErrorKind::Invalid, "InvalidParameterValue", words));
    }
    let attachment =
        Attachment { instance: to.to_owned(), device: device.to_owned(), since: now, leaves: None, aside: false };
    world.attachments.insert(volume.to_owned(), attachment);
    Ok(())
}

/// Takes a volume from its instance, which takes a moment.
pub(super) fn detach(world: &mut World, volume: &str) {
    let now = world.now;
    if let Some(held) = world.attachments.get_mut(volume) {
        held.leaves.get_or_insert(now);
    }
}

/// The same, as an instance does that will not take it again at its next boot.
pub(super) fn set_aside(world: &mut World, volume: &str) {
    detach(world, volume);
    if let Some(held) = world.attachments.get_mut(volume) {
        held.aside = true;
    }
}

/// Whether an instance let go of it by itself, since its configuration came.
pub(super) fn is_aside(world: &World, volume: &str, instance: &str, configured: Option<Timestamp>) -> bool {
    let held = world.attachments.get(volume).filter(|one| one.aside && one.instance == instance);
    held.is_some_and(|one| one.leaves.is_some_and(|at| configured.is_none_or(|since| since <= at)))
}

/// An instance that is there.
pub(super) fn instance<'w>(world: &'w mut World, call: Call, id: &str) -> Result<&'w mut Instance> {
    let now = world.now;
    let found = world.instances.get_mut(id).filter(|one| one.state(now).is_some_and(|state| state != "shutting-down"));
    found.ok_or_else(|| {
        let words = format!("The instance ID '{id}' does not exist");
        call.error(ErrorKind::NotFound, "InvalidInstanceID.NotFound", words)
    })
}

/// Switches an instance's protection against termination, past its stack.
pub(super) fn protect(world: &mut World, id: &str, protected: bool) {
    let all = world.stacks.values_mut().flat_map(|stack| stack.resources.values_mut());
    if let Some(found) = all.into_iter().find(|one| one.physical == id) {
        found.edits.insert("DisableApiTermination".to_owned(), protected.into());
    }
}

/// An instance's first network interface.
pub(super) fn interface(of: &Instance) -> InterfaceState {
    let id = format!("eni-0{}", hex(&[&of.id, "interface"], 16));
    InterfaceState { id, primary: of.private_ip.clone(), secondary: of.secondary.clone() }
}

/// The instance of an interface.
pub(super) fn holder(world: &World, call: Call, id: &str) -> Result<String> {
    let of = |one: &&Instance| one.state(world.now).is_some() && interface(one).id == id;
    let found = world.instances.values().find(of).map(|one| one.id.clone());
    found.ok_or_else(|| {
        let words = format!("The networkInterface ID '{id}' does not exist");
        call.error(ErrorKind::NotFound, "InvalidNetworkInterfaceID.NotFound", words)
    })
}

/// Moves an address to an instance. EC2 moves no address that is an interface's own, and none out of its subnet.
pub(super) fn give_address(world: &mut World, call: Call, to: &str, address: &str) -> Result<()> {
    let (now, subnet) = (world.now, world.instances.get(to).map(|one| one.subnet.clone()));
    let there = |one: &&Instance| one.state(now).is_some();
    let primary = world.instances.values().filter(there).find(|one| one.private_ip == address);
    if primary.is_some() {
        let words = format!("{address} is a primary private IP address and cannot be reassigned");
        return Err(call.error(ErrorKind::Invalid, "InvalidParameterValue", words));
    }
    let elsewhere = |one: &&Instance| one.secondary.iter().any(|held| held == address);
    let held = world.instances.values().filter(there).find(elsewhere).map(|one| one.subnet.clone());
    if held.is_some() && held != subnet {
        let words = format!("Address {address} does not fall within the subnet's address range");
        return Err(call.error(ErrorKind::Invalid, "InvalidParameterValue", words));
    }
    for one in world.instances.values_mut() {
        one.secondary.retain(|held| held != address);
        if one.id == to {
            one.secondary.push(address.to_owned());
        }
    }
    Ok(())
}
