//! Time.

use crate::cloud::Timestamp;
use async_trait::async_trait;
use std::time::Duration;

/// Time: real for AWS, virtual in the sandbox.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
