//! What a head node asks of AWS at boot, asked again where the refusal may pass: slurmctld does not start without it.
//!
//! Behind the SDK's own retries, which end after seconds: an API can be away for minutes, and a role's rights and the
//! network arrive a while after the instance (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-troubleshooting.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>).

use super::{Event, Events, NodeError};
use crate::cloud::{Cloud, ErrorKind};
use std::time::Duration;

/// The first pause; each is twice the one before, up to the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// How long a refusal is taken for one that passes; none: not at all.
fn patience(error: &NodeError) -> Option<Duration> {
    use ErrorKind::{
        AccessDenied, AlreadyExists, Busy, Capacity, Crash, Credentials, Invalid, LeaseEnded, LockLost, Network,
        NotFound, Other, PreconditionFailed, Quota, Throttled, Unavailable, Unreadable,
    };
    let NodeError::Cloud(error) = error else { return None };
    match error.kind {
        Credentials | Busy | Capacity | Throttled | Unavailable | Network | Unreadable | Other => {
            Some(Duration::from_mins(15))
        }
        // Rights that are on their way; those that nobody gave are to be told soon.
        AccessDenied => Some(Duration::from_mins(2)),
        NotFound | AlreadyExists | PreconditionFailed | Invalid | Quota | LockLost | LeaseEnded | Crash => None,
    }
}

/// Does something that can be done again until it succeeds.
///
/// # Errors
/// With the last refusal, when it does not pass.
pub(super) async fn patiently<T>(
    cloud: &Cloud,
    events: Events<'_>,
    mut work: impl AsyncFnMut(Events<'_>) -> Result<T, NodeError>,
) -> Result<T, NodeError> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST);
    loop {
        let error = match work(&mut *events).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if patience(&error).is_none_or(|patience| waited >= patience) {
            return Err(error);
        }
        events(Event::Again { seconds: pause.as_secs(), error });
        cloud.clock.sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(LONGEST);
    }
}
