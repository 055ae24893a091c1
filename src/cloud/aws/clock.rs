//! The real time.

use super::super::{Clock, Timestamp};
use async_trait::async_trait;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The machine's clock and tokio's timer.
pub(super) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        super::super::real::elapsed()
    }

    fn unique(&self) -> String {
        super::super::real::unique()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
