//! The instance metadata service, as a program on an instance sees it.

use crate::cloud::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The metadata of the instance that this program runs on.
#[async_trait]
pub trait Metadata: Send + Sync {
    /// The instance's id.
    async fn instance_id(&self) -> Result<String>;
    /// A tag of the instance; `None` when it has none, or when its launch template does not show tags.
    async fn tag(&self, key: &str) -> Result<Option<String>>;
    /// The notice that EC2 takes this spot instance back; `None` as long as there is none.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
    async fn interruption(&self) -> Result<Option<Interruption>>;
    /// Since when EC2 has recommended to move work elsewhere; `None` as long as it has not.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html>
    async fn rebalance(&self) -> Result<Option<Timestamp>>;
}

/// The notice that EC2 takes a spot instance back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// `terminate`, `stop` or `hibernate`.
    pub action: String,
    /// When.
    pub at: Timestamp,
}
