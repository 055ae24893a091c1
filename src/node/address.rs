//! The address by which nodes know the head node: a further private address that moves from one head node to the next.
//!
//! Nodes mount `/home` from it and their slurmd speaks to it. An NFS client never looks a server's address up again, so the
//! address itself must stay. An instance's own address goes with the instance; a further one can be assigned to another
//! interface of the subnet, away from its present holder, running or stopped
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html>, `AllowReassignment`).

use super::{Cluster, Event, Events, NodeError, objects::find};
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

/// Takes the address over, or a first one; gives it. It is written down before any node needs it.
///
/// # Errors
/// When EC2 or S3 refuses.
pub async fn head_address(cloud: &Cloud, cluster: &Cluster, events: Events<'_>) -> Result<String, NodeError> {
    let here = cloud.metadata.instance_id().await?;
    let (bucket, key) = (cluster.bucket()?, cluster.launch_key(crate::model::names::HEAD_ADDRESS));
    let written = find(cloud, bucket, &key).await?;
    let before: Option<HeadAddress> = written.and_then(|text| serde_json::from_slice(&text).ok());
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
    let address = match interface.secondary.first() {
        Some(address) => address.clone(),
        None => cloud.compute.assign_address(&interface.id, None).await?,
    };
    let now = HeadAddress {
        kind: "hpcctl/head-address".to_owned(),
        format_version: "1.0".to_owned(),
        address: address.clone(),
    };
    let text = serde_json::to_vec_pretty(&now).unwrap_or_default();
    cloud.objects.put(bucket, &key, text, PutCondition::Always).await?;
    events(match lost {
        None => Event::AddressTaken { address: address.clone() },
        Some((before, error)) => Event::AddressLost { before, address: address.clone(), error: error.into() },
    });
    Ok(address)
}
