//! Time.

use crate::cloud::Timestamp;
use async_trait::async_trait;
use std::time::Duration;

/// Time: real for AWS, virtual in the sandbox; and what, like time, comes only once.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, as this machine's clock has it: somebody may set it.
    fn now(&self) -> Timestamp;
    /// The time since some moment of the past: nobody sets it, and it passes while the machine sleeps, too.
    fn elapsed(&self) -> Duration;
    /// 32 hexadecimal digits that are given once, here or on any machine.
    fn unique(&self) -> String;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
