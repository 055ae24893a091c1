//! How often and how long: retries and time-outs of all services, and pauses between polls.

use super::errors::chain;
use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sts::config::{
    interceptors::InterceptorContext,
    retry::{ClassifyRetry, RetryAction},
};
use std::time::{Duration, Instant};

/// Attempts at one call, the first included.
const ATTEMPTS: u32 = 8;
/// One attempt, from connect to the answer's end.
const ATTEMPT: Duration = Duration::from_secs(60);
/// One attempt to move an object: a slow line needs minutes for tens of MiB. The SDK's stalled-stream
/// protection ends a transfer that does not move.
const TRANSFER: Duration = Duration::from_secs(900);

/// Standard mode: exponential backoff with jitter, at most 20 seconds, and a budget of retries. The adaptive
/// mode would also slow down calls that are not throttled, and with them the following of events.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS).with_max_backoff(Duration::from_secs(20))
}

/// Says of certificates that are not trusted that no retry will help: a user would wait a minute and more to read
/// of it. For all clients.
#[derive(Debug)]
pub(super) struct UntrustedForGood;

impl ClassifyRetry for UntrustedForGood {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failure = context.output_or_error().and_then(Result::err).and_then(|error| error.as_connector_error());
        match failure {
            Some(error) if chain(error).contains("invalid peer certificate") => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "certificates that are not trusted"
    }
}

/// Time-outs of all services but S3.
pub(super) fn timeouts() -> TimeoutConfig {
    within(ATTEMPT)
}

/// Time-outs of S3.
pub(super) fn transfer_timeouts() -> TimeoutConfig {
    within(TRANSFER)
}

fn within(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).operation_attempt_timeout(attempt).build()
}

/// Pauses between polls of one thing: half a second at first, up to five, and an end.
pub(super) struct Pauses {
    next: Duration,
    until: Instant,
}

impl Pauses {
    /// Pauses that end after `limit`.
    pub(super) fn within(limit: Duration) -> Self {
        Self { next: Duration::from_millis(500), until: Instant::now() + limit }
    }

    /// Waits; `false` without waiting when the time is up.
    pub(super) async fn wait(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(5));
        true
    }
}
