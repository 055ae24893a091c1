//! A lock that is held: a lease, and with it the right to write.
//!
//! Whoever waits for the lock takes it over when it stands still for [`LEASE`]. So its owner must know at each moment how old
//! the lease is: by the clock that goes on while a machine sleeps, and by the machine's own, whichever says more. A process
//! that was stopped and goes on has missed its renewals; it asks S3 whether the lock is its own yet before it does anything.

use super::{ApplyError, lock::is_ours};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, PutCondition, Result, Timestamp},
    observe::{self, LEASE, LockInfo, keys},
};
use futures_util::lock::Mutex;
use std::{sync::Arc, time::Duration};

/// Between two renewals of the lock.
const RENEW: Duration = Duration::from_secs(60);
/// After so long without a renewal, one comes before anything else.
const SURE: Duration = RENEW.saturating_mul(2);
/// After so long without a renewal nothing new is begun: what was begun before needs the rest of the lease.
const NOTHING_NEW: Duration = Duration::from_secs(LEASE.as_secs() / 3 * 2);
/// Between two renewals for a call that waits for one.
const AGAIN: Duration = Duration::from_secs(5);
/// How often a renewal is repeated whose answer took too long.
const TRIES: usize = 3;

/// What a call does, as far as two who do it at once are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// It makes something, or writes down what it is like.
    Makes,
    /// It can take away what another one has made: S3 is asked each time whether the lock is ours.
    Takes,
}

/// A moment, by two clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    elapsed: Duration,
    wall: Timestamp,
}

impl Moment {
    /// Now.
    pub fn of(cloud: &Cloud) -> Self {
        Self { elapsed: cloud.clock.elapsed(), wall: cloud.clock.now() }
    }

    /// How long ago it was: by the clock that says more.
    fn ago(self, now: Self) -> Duration {
        let wall = u64::try_from(now.wall.0.saturating_sub(self.wall.0)).unwrap_or_default();
        now.elapsed.saturating_sub(self.elapsed).max(Duration::from_secs(wall))
    }
}

/// A lock that is held; clones are the same one.
#[derive(Clone)]
pub struct Lock(Arc<Held>);

struct Held {
    cloud: Cloud,
    bucket: String,
    key: String,
    cluster: String,
    state: Mutex<State>,
}

struct State {
    info: LockInfo,
    etag: String,
    /// When the last renewal that succeeded was begun.
    renewed: Moment,
    /// Whether it is ours no more.
    over: bool,
}

/// Why a renewal did not succeed.
enum NotRenewed {
    /// It is somebody else's.
    Lost,
    /// The call failed.
    Failed(CloudError),
}

impl Lock {
    /// The lock as it was just written.
    pub(super) fn new(
        cloud: &Cloud,
        bucket: &str,
        cluster: &str,
        info: LockInfo,
        etag: String,
        renewed: Moment,
    ) -> Self {
        let state = Mutex::new(State { info, etag, renewed, over: false });
        let (bucket, key, cluster) = (bucket.to_owned(), keys::lock(cluster), cluster.to_owned());
        Self(Arc::new(Held { cloud: cloud.clone(), bucket, key, cluster, state }))
    }

    /// Makes sure that the lock is ours before something is done.
    ///
    /// # Errors
    /// `LockLost` when it is somebody else's; `LeaseEnded` when it could not be renewed for two thirds of the lease.
    pub async fn assure(&self, care: Care) -> std::result::Result<(), ApplyError> {
        let mut state = self.0.state.lock().await;
        if state.over {
            return Err(ApplyError::LockLost);
        }
        if care == Care::Makes && self.0.age(&state) < SURE {
            return Ok(());
        }
        loop {
            match self.0.renew(&mut state).await {
                Ok(()) => return Ok(()),
                Err(NotRenewed::Lost) => return Err(ApplyError::LockLost),
                Err(NotRenewed::Failed(error)) if self.0.age(&state) >= NOTHING_NEW => return Err(ended(&error)),
                // A passing failure is no loss: the lease is longer than the pause between two renewals.
                Err(NotRenewed::Failed(_)) if care == Care::Makes => return Ok(()),
                // What takes something away waits for the answer.
                Err(NotRenewed::Failed(_)) => self.0.cloud.clock.sleep(AGAIN).await,
            }
        }
    }

    /// Renews the lease again and again, until that is of no use any more: says why.
    pub(super) async fn keep(&self) -> ApplyError {
        loop {
            self.0.cloud.clock.sleep(RENEW).await;
            let mut state = self.0.state.lock().await;
            if state.over {
                return ApplyError::LockLost;
            }
            match self.0.renew(&mut state).await {
                Ok(()) => {}
                Err(NotRenewed::Lost) => return ApplyError::LockLost,
                Err(NotRenewed::Failed(error)) if self.0.age(&state) >= LEASE => return ended(&error),
                Err(NotRenewed::Failed(_)) => {}
            }
        }
    }

    /// Gives the lock back; from now on nothing is written in its name. One that is somebody else's stays.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn release(self) -> Result<()> {
        self.give_back().await.map(drop)
    }

    /// The same for good, with all its versions: the cluster is no more.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn forget(self) -> Result<()> {
        if self.give_back().await? {
            self.0.cloud.objects.purge_old(&self.0.bucket, &self.0.key).await?;
        }
        Ok(())
    }

    /// Whether it was ours to give.
    async fn give_back(&self) -> Result<bool> {
        let mut state = self.0.state.lock().await;
        if std::mem::replace(&mut state.over, true) {
            return Ok(false);
        }
        loop {
            match self.0.cloud.objects.delete_if(&self.0.bucket, &self.0.key, &state.etag).await {
                Err(error) if error.kind == ErrorKind::PreconditionFailed => {}
                gone => return gone.map(|()| true),
            }
            // The answer to a renewal may have been lost.
            match self.0.own_etag(&state).await? {
                Some(etag) if etag != state.etag => state.etag = etag,
                _ => return Ok(false),
            }
        }
    }
}

impl Held {
    fn age(&self, state: &State) -> Duration {
        state.renewed.ago(Moment::of(&self.cloud))
    }

    /// Renews the lease. A renewal whose answer came late, as after a sleep, is worth nothing: another one follows.
    async fn renew(&self, state: &mut State) -> std::result::Result<(), NotRenewed> {
        for _ in 0..TRIES {
            self.renew_once(state).await?;
            if self.age(state) < SURE {
                break;
            }
        }
        Ok(())
    }

    async fn renew_once(&self, state: &mut State) -> std::result::Result<(), NotRenewed> {
        let began = Moment::of(&self.cloud);
        state.info.renewed = began.wall;
        state.info.renewals += 1;
        let condition = PutCondition::IfMatch(state.etag.clone());
        let mut put = self.cloud.objects.put(&self.bucket, &self.key, body(&state.info), condition).await;
        if put.as_ref().is_err_and(refused) {
            // The answer to the renewal before may have been lost: then the lock is ours as it is. Who cannot see that it
            // is has lost it.
            if let Ok(Some(etag)) = self.own_etag(state).await {
                let condition = PutCondition::IfMatch(etag);
                put = self.cloud.objects.put(&self.bucket, &self.key, body(&state.info), condition).await;
            }
        }
        match put {
            Ok(etag) => {
                (state.etag, state.renewed) = (etag, began);
                Ok(())
            }
            Err(error) if refused(&error) => {
                state.over = true;
                Err(NotRenewed::Lost)
            }
            Err(error) => Err(NotRenewed::Failed(error)),
        }
    }

    /// The entity tag that the lock has now, if it is ours.
    async fn own_etag(&self, state: &State) -> Result<Option<String>> {
        let found = observe::lock(&self.cloud, &self.bucket, &self.cluster).await?;
        Ok(found.filter(|found| is_ours(found, &state.info.token)).map(|found| found.etag))
    }
}

fn ended(error: &CloudError) -> ApplyError {
    ApplyError::LeaseEnded { cause: error.to_string() }
}

/// Whether S3 says that the lock is not as its owner left it, or is gone.
fn refused(error: &CloudError) -> bool {
    matches!(error.kind, ErrorKind::PreconditionFailed | ErrorKind::NotFound)
}

/// A lock as it is written.
pub(super) fn body(info: &LockInfo) -> Vec<u8> {
    serde_json::to_vec_pretty(info).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_as_long_ago_as_the_clock_says_that_says_more() {
        let at = |elapsed, wall| Moment { elapsed: Duration::from_secs(elapsed), wall: Timestamp(wall) };
        let ago = |now| at(100, 1000).ago(now).as_secs();
        assert_eq!(ago(at(160, 1060)), 60);
        assert_eq!(ago(at(160, 5000)), 4000, "a machine that stood still in a way that its own clock does not see");
        assert_eq!(ago(at(900, 1060)), 800, "a clock that was set back");
        assert_eq!(ago(at(160, -9)), 60);
    }
}
