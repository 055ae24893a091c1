//! `hpcctl node attach`: the head node's volumes become this instance's.
//!
//! A volume is attached to one instance at a time (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-attaching-volume.html>),
//! and the head node before this one may still hold it: `apply` stops that one first, and here is waited for it.

use super::{Cluster, Event, Events, NodeError, patience::patiently};
use crate::cloud::{Cloud, CloudError, VolumeState};
use std::{collections::BTreeSet, time::Duration};

/// Between looks.
const LOOK: Duration = Duration::from_secs(5);
/// Looks before it is given up: 15 minutes. An instance that does not shut down is stopped by EC2 after a few.
const LOOKS: u32 = 180;
/// Looks between two words on what is waited for.
const SAY: u32 = 12;

/// A volume of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name in the cluster file.
    pub name: String,
    /// Its id.
    pub volume: String,
    /// The device name that was asked for; instances on Nitro show another one.
    pub device: String,
}

/// Attaches the volumes with these names (none: all), and waits until they are here. What is attached already stays.
///
/// # Errors
/// When a volume does not become free in time, or EC2 refuses for good.
pub async fn attach(
    cloud: &Cloud,
    cluster: &Cluster,
    names: &[String],
    events: Events<'_>,
) -> Result<Vec<Attached>, NodeError> {
    patiently(cloud, events, async |events: Events<'_>| attach_now(cloud, cluster, names, events).await).await
}

async fn attach_now(
    cloud: &Cloud,
    cluster: &Cluster,
    names: &[String],
    events: Events<'_>,
) -> Result<Vec<Attached>, NodeError> {
    let here = cloud.metadata.instance_id().await?;
    let mut attached = Vec::new();
    for (name, volume) in chosen(cluster, names)? {
        let device = one(cloud, cluster, &here, &name, &volume, events).await?;
        attached.push(Attached { name, volume, device });
    }
    Ok(attached)
}

/// Gives volumes back that this node has.
///
/// # Errors
/// When EC2 refuses.
pub async fn detach(cloud: &Cloud, cluster: &Cluster, names: &[String]) -> Result<(), NodeError> {
    let here = cloud.metadata.instance_id().await?;
    for (_, volume) in chosen(cluster, names)? {
        let state = look(cloud, &volume).await?;
        if state.and_then(|state| state.attachment).is_some_and(|one| one.instance == here) {
            cloud.compute.detach_volume(&volume).await?;
        }
    }
    Ok(())
}

fn chosen(cluster: &Cluster, names: &[String]) -> Result<Vec<(String, String)>, NodeError> {
    let mut all = cluster.volumes()?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        return Err(NodeError::Missing(format!("a volume {unknown}")));
    }
    all.retain(|(name, _)| names.is_empty() || names.contains(name));
    Ok(all)
}

async fn look(cloud: &Cloud, volume: &str) -> Result<Option<VolumeState>, CloudError> {
    Ok(cloud.compute.volumes(&[volume.to_owned()]).await?.pop())
}

/// Attaches one; gives its device name.
async fn one(
    cloud: &Cloud,
    cluster: &Cluster,
    here: &str,
    name: &str,
    volume: &str,
    events: Events<'_>,
) -> Result<String, NodeError> {
    let mut state = String::new();
    let mut asked = false;
    for number in 0..LOOKS {
        let found = look(cloud, volume).await?;
        if let Some(device) = found.as_ref().filter(|one| one.is_attached_to(here)).and_then(device_of) {
            if asked {
                let (name, volume) = (name.to_owned(), volume.to_owned());
                events(Event::VolumeAttached { name, volume, device: device.clone() });
            }
            return Ok(device);
        }
        let free = found.as_ref().is_some_and(|one| one.state == "available");
        if free && ask(cloud, cluster, here, volume).await? {
            asked = true;
        }
        let ours = found.as_ref().and_then(|one| one.attachment.as_ref()).is_some_and(|one| one.instance == here);
        state = words(found.as_ref());
        if !free && !ours && number % SAY == 0 {
            events(Event::VolumeTaken { name: name.to_owned(), volume: volume.to_owned(), state: state.clone() });
        }
        cloud.clock.sleep(LOOK).await;
    }
    let minutes = u64::from(LOOKS) * LOOK.as_secs() / 60;
    Err(NodeError::Volume { name: name.to_owned(), volume: volume.to_owned(), minutes, state })
}

/// Asks for a volume that is free; false: somebody else was faster.
async fn ask(cloud: &Cloud, cluster: &Cluster, here: &str, volume: &str) -> Result<bool, NodeError> {
    let ids: Vec<String> = cluster.volumes()?.into_iter().map(|(_, id)| id).collect();
    let all = cloud.compute.volumes(&ids).await?;
    let taken: BTreeSet<String> = all.iter().filter(|one| holder(one) == Some(here)).filter_map(device_of).collect();
    let device = ('f'..='z').map(|letter| format!("/dev/sd{letter}")).find(|device| !taken.contains(device));
    let device = device.ok_or_else(|| NodeError::Missing("a free device name".to_owned()))?;
    match cloud.compute.attach_volume(volume, here, &device).await {
        Err(error) if error.code.as_deref() == Some("VolumeInUse") => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

fn holder(volume: &VolumeState) -> Option<&str> {
    volume.attachment.as_ref().map(|one| one.instance.as_str())
}

fn device_of(volume: &VolumeState) -> Option<String> {
    volume.attachment.as_ref().map(|one| one.device.clone())
}

/// What a volume is that cannot be had.
fn words(volume: Option<&VolumeState>) -> String {
    match volume {
        None => "EC2 does not know it".to_owned(),
        Some(VolumeState { attachment: Some(one), .. }) => format!("{} to {}", one.state, one.instance),
        Some(VolumeState { state, .. }) => state.clone(),
    }
}
