//! Orders to the head node.

use super::OperateError;
use crate::{
    apply::Stop,
    cloud::{Cloud, PutCondition},
    node::{Answer, Order, OrderDocument, answer_key},
    observe::keys,
    render::sha256,
};
use std::time::Duration;

/// Between looks for the answer.
const LOOK: Duration = Duration::from_secs(2);

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The head node has carried it out.
    Done(Answer),
    /// It is in the bucket, and nobody waits for the answer.
    Given {
        /// Its id.
        id: String,
    },
}

/// Gives an order; waits so many seconds for the answer (`None`: does not wait).
pub async fn give(
    cloud: &Cloud,
    cluster: &str,
    order: Order,
    wait: Option<u64>,
    stop: &Stop,
) -> Result<Outcome, OperateError> {
    let caller = cloud.identity.caller().await?;
    let bucket = keys::bucket_name(&caller.account, &cloud.region);
    let applied = cloud.objects.bucket_exists(&bucket).await?
        && cloud.objects.get(&bucket, &keys::head(cluster)).await?.is_some();
    if !applied {
        return Err(OperateError::NotApplied { cluster: cluster.to_owned() });
    }
    let document = document(cloud, caller.arn, order);
    let body = serde_json::to_vec_pretty(&document).unwrap_or_default();
    cloud.objects.put(&bucket, &document.key(cluster), body, PutCondition::Always).await?;
    let id = document.id;
    let Some(seconds) = wait else { return Ok(Outcome::Given { id }) };
    let key = answer_key(cluster, &id);
    let until = cloud.clock.now().plus(i64::try_from(seconds).unwrap_or(i64::MAX / 2));
    loop {
        if let Some(answer) = read(cloud, &bucket, &key).await? {
            return match answer.failed {
                Some(words) => Err(OperateError::Refused { words }),
                None => Ok(Outcome::Done(answer)),
            };
        }
        if stop.is_set() {
            return Err(OperateError::Interrupted);
        }
        if cloud.clock.now() >= until {
            return Err(OperateError::Unanswered { id, seconds });
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
async fn read(cloud: &Cloud, bucket: &str, key: &str) -> Result<Option<Answer>, OperateError> {
    let found = cloud.objects.get(bucket, key).await?;
    Ok(found.and_then(|(body, _)| serde_json::from_slice(&body).ok()))
}
