//! That an apply has the queues held: `clusters/NAME/held.json`.
//!
//! Written before the head node is ordered to hold them, taken away when it is ordered to open them. What the head node
//! reports is minutes old at worst, and a new head node knows nothing of what was ordered from the one before.

use super::{HeldWhy, ObserveError, Order, OrderDocument, SlurmReport, StorageOrder, keys, orders_prefix};
use crate::cloud::{Cloud, Timestamp};
use serde::{Deserialize, Serialize};

/// The `kind` of the record.
pub const HELD_KIND: &str = "hpcctl/held-queues";
/// Its `format_version`: a new minor adds.
pub const HELD_FORMAT: &str = "1.0";

/// Queues that an apply holds for something that goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldQueues {
    /// [`HELD_KIND`].
    pub kind: String,
    /// [`HELD_FORMAT`].
    pub format_version: String,
    /// The plan that holds them; empty where nothing says it.
    pub plan: String,
    /// Since when.
    pub since: Timestamp,
    /// The file systems (ids) that the head node was told to unmount.
    pub file_systems: Vec<String>,
    /// The volumes (ids) that the head node was told to give back.
    pub volumes: Vec<String>,
}

impl HeldQueues {
    /// Reads the record; one that is damaged still says that they are held.
    pub fn parse(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }
}

/// Whether queues are held for something that goes: by the record, or, where an older hpcctl held them, by what the head
/// node reports, unless it has the order to open them.
///
/// # Errors
/// When a call fails.
pub(super) async fn held(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    report: Option<&SlurmReport>,
) -> Result<Option<HeldQueues>, ObserveError> {
    if let Some((text, _)) = cloud.objects.get(bucket, &keys::held(cluster)).await? {
        return Ok(Some(HeldQueues::parse(&text)));
    }
    let reported = report.into_iter().flat_map(|report| &report.queues).filter_map(|queue| queue.held.as_ref());
    let Some(since) = reported.filter(|one| one.why == HeldWhy::Storage).map(|one| one.since).min() else {
        return Ok(None);
    };
    if is_to_open(cloud, bucket, cluster).await? {
        return Ok(None);
    }
    Ok(Some(HeldQueues { since, ..HeldQueues::default() }))
}

/// Whether the head node has yet to carry out an order to open the queues.
async fn is_to_open(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<bool, ObserveError> {
    for object in cloud.objects.list(bucket, &orders_prefix(cluster)).await? {
        let found = cloud.objects.get(bucket, &object.key).await?;
        let order = found.and_then(|(text, _)| serde_json::from_slice::<OrderDocument>(&text).ok());
        if order.is_some_and(|one| matches!(one.order, Order::Storage(StorageOrder::Open { .. }))) {
            return Ok(true);
        }
    }
    Ok(false)
}
