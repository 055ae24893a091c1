//! Orders to the head node, and its answers.

use super::Stop;
use crate::{
    cloud::{Cloud, CloudError, PutCondition},
    observe::{Answer, Order, OrderDocument, answer_key, keys},
    render::sha256,
};
use std::time::Duration;

/// Between looks for the answer.
const LOOK: Duration = Duration::from_secs(2);

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOutcome {
    /// The head node has carried it out.
    Done(Answer),
    /// It is in the bucket, and nobody waits for the answer.
    Given {
        /// Its id.
        id: String,
    },
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderError {
    /// A call failed.
    Cloud(CloudError),
    /// The cluster has no artifact bucket: it was never applied.
    NotApplied {
        /// The cluster.
        cluster: String,
    },
    /// The head node could not carry it out.
    Refused {
        /// The head node's words.
        words: String,
    },
    /// The head node has not answered.
    Unanswered {
        /// The order's id.
        id: String,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// Somebody asked to stop.
    Interrupted,
}

impl From<CloudError> for OrderError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

/// Gives an order; waits so many seconds for the answer (`None`: does not wait).
///
/// # Errors
/// When the cluster has no head node to read it, or the head node refuses it or does not answer.
pub async fn order(
    cloud: &Cloud,
    cluster: &str,
    order: Order,
    wait: Option<u64>,
    stop: &Stop,
) -> Result<OrderOutcome, OrderError> {
    let caller = cloud.identity.caller().await?;
    let bucket = keys::bucket_name(&caller.account, &cloud.region);
    let applied = cloud.objects.bucket_exists(&bucket).await?
        && cloud.objects.get(&bucket, &keys::head(cluster)).await?.is_some();
    if !applied {
        return Err(OrderError::NotApplied { cluster: cluster.to_owned() });
    }
    let document = document(cloud, caller.arn, order);
    let body = serde_json::to_vec_pretty(&document).unwrap_or_default();
    cloud.objects.put(&bucket, &document.key(cluster), body, PutCondition::Always).await?;
    let id = document.id;
    let Some(seconds) = wait else { return Ok(OrderOutcome::Given { id }) };
    let key = answer_key(cluster, &id);
    let until = cloud.clock.now().after(Duration::from_secs(seconds));
    loop {
        if let Some(answer) = read(cloud, &bucket, &key).await? {
            return match answer.failed {
                Some(words) => Err(OrderError::Refused { words }),
                None => Ok(OrderOutcome::Done(answer)),
            };
        }
        if stop.is_set() {
            return Err(OrderError::Interrupted);
        }
        if cloud.clock.now() >= until {
            return Err(OrderError::Unanswered { id, seconds });
        }
        cloud.clock.sleep(LOOK).await;
    }
}

/// The same order by the same person in the same second is the same order.
fn document(cloud: &Cloud, by: String, order: Order) -> OrderDocument {
    let at = cloud.clock.now();
    let id = sha256(format!("{by} {at} {order:?}"))[..12].to_owned();
    OrderDocument::new(id, at, by, order)
}

/// The answer; one that is not whole counts as none yet.
async fn read(cloud: &Cloud, bucket: &str, key: &str) -> Result<Option<Answer>, OrderError> {
    let found = cloud.objects.get(bucket, key).await?;
    Ok(found.and_then(|(body, _)| serde_json::from_slice(&body).ok()))
}
