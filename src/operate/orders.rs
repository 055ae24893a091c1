//! Orders to the head node.

use super::OperateError;
use crate::{
    apply::{self, OrderError, OrderOutcome, Stop},
    cloud::Cloud,
    node::Order,
};

/// Gives an order; waits so many seconds for the answer (`None`: does not wait).
pub async fn give(
    cloud: &Cloud,
    cluster: &str,
    order: Order,
    wait: Option<u64>,
    stop: &Stop,
) -> Result<OrderOutcome, OperateError> {
    Ok(apply::order(cloud, cluster, order, wait, stop).await?)
}

impl From<OrderError> for OperateError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Cloud(error) => Self::Cloud(error),
            OrderError::NotApplied { cluster } => Self::NotApplied { cluster },
            OrderError::Refused { words } => Self::Refused { words },
            OrderError::Unanswered { id, seconds } => Self::Unanswered { id, seconds },
            OrderError::Interrupted => Self::Interrupted,
        }
    }
}
