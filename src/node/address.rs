//! The address by which nodes know the head node: a further private address that moves from one head node to the next.
//!
//! Nodes mount `/home` from it and their slurmd speaks to it. An NFS client never looks a server's address up again, so the
//! address itself must stay. An instance's own address goes with the instance; a further one can be assigned to another
//! interface of the subnet, away from its present holder, running or stopped
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html>, `AllowReassignment`).

use super::{Cluster, Event, Events, NodeError, objects::find, patience::patiently};
use crate::cloud::{Cloud, ErrorKind, PutCondition};
use serde::{Deserialize, Serialize};

/// `clusters/CLUSTER/launches/head.json`: where nodes find the head node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadAddress {
    /// `hpcctl/head-address`.
    pub kind: String,
    /// `1.0`.
    pub format_version: String,
    /// The address.
    pub address: String,
}

/// Takes the address over, or a first one; gives it. Nobody is told yet: see [`publish_address`].
///
/// # Errors
/// When EC2 or S3 refuses for good.
pub async fn head_address(cloud: &Cloud, cluster: &Cluster, events: Events<'_>) -> Result<String, NodeError> {
    patiently(cloud, events, async |events: Events<'_>| take(cloud, cluster, events).await).await
}

/// Tells the other nodes the address, when this one answers there: a node that is told too early finds no exports.
///
/// # Errors
/// When S3 refuses for good.
pub async fn publish_address(
    cloud: &Cloud,
    cluster: &Cluster,
    address: &str,
    events: Events<'_>,
) -> Result<(), NodeError> {
    patiently(cloud, events, async |_: Events<'_>| publish(cloud, cluster, address).await).await
}

async fn publish(cloud: &Cloud, cluster: &Cluster, address: &str) -> Result<(), NodeError> {
    if published(cloud, cluster).await?.is_some_and(|known| known.address == address) {
        return Ok(());
    }
    let now = HeadAddress {
        kind: "hpcctl/head-address".to_owned(),
        format_version: "1.0".to_owned(),
        address: address.to_owned(),
    };
    let text = serde_json::to_vec_pretty(&now).unwrap_or_default();
    cloud.objects.put(cluster.bucket()?, &key(cluster), text, PutCondition::Always).await?;
    Ok(())
}

fn key(cluster: &Cluster) -> String {
    cluster.launch_key(crate::model::names::HEAD_ADDRESS)
}

/// What the nodes were told last.
async fn published(cloud: &Cloud, cluster: &Cluster) -> Result<Option<HeadAddress>, NodeError> {
    let written = find(cloud, cluster.bucket()?, &key(cluster)).await?;
    Ok(written.and_then(|text| serde_json::from_slice(&text).ok()))
}

async fn take(cloud: &Cloud, cluster: &Cluster, events: Events<'_>) -> Result<String, NodeError> {
    let here = cloud.metadata.instance_id().await?;
    let before = published(cloud, cluster).await?;
    let interface = cloud.compute.interface_of(&here).await?;
    let interface = interface.ok_or_else(|| NodeError::Missing(format!("an interface of {here}")))?;
    let mut lost = None;
    if let Some(HeadAddress { address, .. }) = before {
        if interface.secondary.contains(&address) {
            return Ok(address);
        }
        match cloud.compute.assign_address(&interface.id, Some(&address)).await {
            Ok(_) => {
                events(Event::AddressTaken { address: address.clone() });
                return Ok(address);
            }
            // Another subnet, or somebody else's by now.
            Err(error) if error.kind == ErrorKind::Invalid => lost = Some((address, error)),
            Err(error) => return Err(error.into()),
        }
    }
    let (address, fresh) = match interface.secondary.first() {
        Some(address) => (address.clone(), false),
        None => (cloud.compute.assign_address(&interface.id, None).await?, true),
    };
    match lost {
        None if fresh => events(Event::AddressTaken { address: address.clone() }),
        None => {}
        Some((before, error)) => {
            events(Event::AddressLost { before, address: address.clone(), error: error.into() });
        }
    }
    Ok(address)
}
