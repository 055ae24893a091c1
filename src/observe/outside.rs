//! What carries the cluster's tag and is in none of its stacks.

use super::{Kept, KeptList, LiveStack, ObserveError, Outside};
use crate::{
    cloud::{Cloud, ErrorKind, KEPT_TAG, Result, TaggedResource, VolumeState},
    model::StackKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// EC2's words for what is looked at: things that only stacks make. Nodes have volumes and interfaces of their own; a volume
/// that no instance has is no node's.
const KINDS: &[&str] = &["launch-template", "security-group", "subnet", "vpc"];

/// Types of what is kept that EC2 can be asked about, and its words for them.
const OF_EC2: &[(&str, &str)] = &[
    ("AWS::EC2::SecurityGroup", "security-group"),
    ("AWS::EC2::Subnet", "subnet"),
    ("AWS::EC2::VPC", "vpc"),
    ("AWS::EC2::Volume", "volume"),
];

/// The type of a volume's snapshot.
pub const VOLUME_SNAPSHOT: &str = "AWS::EC2::Snapshot";

/// What is outside of all stacks and not known to be kept.
pub(super) async fn outside(
    cloud: &Cloud,
    cluster: &str,
    stacks: &BTreeMap<StackKey, LiveStack>,
    kept: &[Kept],
    volumes: &[VolumeState],
) -> Result<Vec<Outside>> {
    let stays = kept.iter().filter(|kept| kept.made_of.as_ref() != Some(&kept.id));
    let inside: BTreeSet<&str> = ids(stacks).chain(stays.map(|kept| kept.id.as_str())).collect();
    let mut found = Vec::new();
    for file_system in cloud.file_systems.file_systems_of(cluster).await? {
        if !inside.contains(file_system.id.as_str()) && !file_system.tags.contains_key(KEPT_TAG) {
            found.push(Outside { kind: "file system".to_owned(), id: file_system.id });
        }
    }
    let mut tagged = cloud.compute.tagged(cluster).await?;
    tagged.retain(|one| KINDS.contains(&one.kind.as_str()) && !inside.contains(one.id.as_str()));
    if !tagged.is_empty() {
        let there = cloud.compute.still_there(tagged).await?;
        found.extend(there.into_iter().map(|one| Outside { kind: one.kind, id: one.id }));
    }
    let free = |one: &&VolumeState| one.attachment.is_none() && one.state == "available";
    let free = volumes.iter().filter(free).filter(|one| !inside.contains(one.id.as_str()));
    found.extend(free.map(|one| Outside { kind: "volume".to_owned(), id: one.id.clone() }));
    found.sort();
    Ok(found)
}

/// The list of what was kept, as far as it is still there and in no stack.
pub(super) async fn kept(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    stacks: &BTreeMap<StackKey, LiveStack>,
) -> std::result::Result<Vec<Kept>, ObserveError> {
    let mut list = KeptList::read(cloud, bucket, cluster).await?.items;
    let inside: BTreeSet<&str> = ids(stacks).collect();
    list.retain(|kept| !inside.contains(kept.id.as_str()));
    Ok(without_gone(cloud, with_snapshots(cloud, list).await?).await?)
}

/// What was to become a snapshot is written down by the id of the volume, before there is a snapshot: in its place those that
/// there are.
async fn with_snapshots(cloud: &Cloud, list: Vec<Kept>) -> Result<Vec<Kept>> {
    let (of_volumes, mut others): (Vec<Kept>, Vec<Kept>) =
        list.into_iter().partition(|one| one.resource_type == VOLUME_SNAPSHOT);
    if of_volumes.is_empty() {
        return Ok(others);
    }
    let volumes: Vec<String> = of_volumes.iter().map(|one| one.id.clone()).collect();
    match cloud.compute.snapshots_of(&volumes).await {
        Ok(found) => {
            for kept in &of_volumes {
                let snapshots = found.iter().filter(|one| one.volume == kept.id && !one.is_backup());
                others.extend(snapshots.map(|it| Kept {
                    id: it.id.clone(),
                    size_gib: Some(it.size_gib),
                    ..kept.clone()
                }));
            }
        }
        // Who may not look for snapshots is told of what they were made.
        Err(error) if matches!(error.kind, ErrorKind::AccessDenied | ErrorKind::Invalid) => others.extend(of_volumes),
        Err(error) => return Err(error),
    }
    Ok(others)
}

/// Leaves out what somebody has deleted since.
async fn without_gone(cloud: &Cloud, mut list: Vec<Kept>) -> Result<Vec<Kept>> {
    let asked = list.iter().filter_map(|one| {
        let (_, kind) = OF_EC2.iter().find(|(name, _)| *name == one.resource_type)?;
        Some(TaggedResource { id: one.id.clone(), kind: (*kind).to_owned() })
    });
    let asked: Vec<TaggedResource> = asked.collect();
    let mut gone: BTreeSet<String> = asked.iter().map(|one| one.id.clone()).collect();
    if !asked.is_empty() {
        for one in cloud.compute.still_there(asked).await? {
            gone.remove(&one.id);
        }
    }
    for one in list.iter().filter(|one| one.resource_type == "AWS::FSx::FileSystem") {
        if cloud.file_systems.file_system(&one.id).await?.is_none() {
            gone.insert(one.id.clone());
        }
    }
    list.retain(|one| !gone.contains(&one.id));
    Ok(list)
}

/// The physical ids of what is in stacks.
fn ids(stacks: &BTreeMap<StackKey, LiveStack>) -> impl Iterator<Item = &str> {
    let resources = stacks.values().flat_map(|stack| &stack.resources);
    resources.filter(|one| one.is_there()).map(|one| one.physical_id.as_str())
}
