//! Asking for the lock: one object in the artifact bucket, written only when it is not there.
//!
//! It is a lease. Its owner renews it while the plan is applied ([`Lease`](super::lease)). Who finds it takes it over when
//! its owner is known to have died, or when it stands still for [`LEASE`] before his eyes: the times in it are another
//! machine's, and two clocks may differ by more than a lease (S3 itself takes requests that are 15 minutes off).

use super::lease::{Lock, Moment, body};
use crate::{
    cloud::{Cloud, ErrorKind, PutCondition, Result},
    observe::{self, FoundLock, LEASE, LockInfo, Owner, Watch, keys},
};
use std::time::Duration;

/// Between two looks at a lock.
const LOOK: Duration = Duration::from_secs(5);

/// What came of asking for the lock.
pub enum LockOutcome {
    /// It is ours.
    Held(Lock),
    /// It is ours, taken over from this owner.
    TakenOver(Lock, FoundLock),
    /// Somebody else has it.
    Refused(FoundLock),
}

/// Who asks for a lock, and how.
pub struct Claim<'a> {
    /// The artifact bucket.
    pub bucket: &'a str,
    /// The cluster.
    pub cluster: &'a str,
    /// Who asks.
    pub owner: Owner,
    /// The plan that is to be applied.
    pub plan: &'a str,
    /// Until when somebody else is waited for, by the clock that nobody sets; `None`: nobody is waited for who seems to be
    /// at work, and a lock that seems to be silent is watched for a lease.
    pub until: Option<Duration>,
    /// How long somebody else's lock has been watched already.
    pub watch: Watch,
    /// Whether an owner is known to be dead.
    pub is_dead: &'a dyn Fn(&Owner) -> bool,
    /// Asked before each further look at somebody else's lock, whether to look on.
    pub waits: &'a dyn Fn(&FoundLock) -> bool,
}

impl Claim<'_> {
    /// Asks for the lock, and waits for it as long as there is patience.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn acquire(&self, cloud: &Cloud) -> Result<LockOutcome> {
        let mut watch = self.watch.clone();
        loop {
            let began = Moment::of(cloud);
            let info = self.info(cloud);
            let held = |etag| Lock::new(cloud, self.bucket, self.cluster, info.clone(), etag, began);
            if let Some(etag) = self.put(cloud, &info, PutCondition::IfAbsent).await? {
                return Ok(LockOutcome::Held(held(etag)));
            }
            let Some(found) = observe::lock(cloud, self.bucket, self.cluster).await? else {
                // Gone in between: it is free.
                cloud.clock.sleep(Duration::from_secs(1)).await;
                continue;
            };
            let stood = watch.look(&found.etag, cloud.clock.elapsed());
            let is_dead = found.info.as_ref().is_some_and(|info| (self.is_dead)(&info.owner));
            if is_dead || stood >= LEASE {
                match self.put(cloud, &info, PutCondition::IfMatch(found.etag.clone())).await? {
                    Some(etag) => return Ok(LockOutcome::TakenOver(held(etag), found)),
                    // Somebody was faster.
                    None => continue,
                }
            }
            let patient = match self.until {
                Some(until) => cloud.clock.elapsed() < until,
                None => found.seems_silent(cloud.clock.now()) && !watch.has_changed(),
            };
            if !patient || !(self.waits)(&found) {
                return Ok(LockOutcome::Refused(found));
            }
            cloud.clock.sleep(LOOK).await;
        }
    }

    fn info(&self, cloud: &Cloud) -> LockInfo {
        let now = cloud.clock.now();
        let (owner, plan, token) = (self.owner.clone(), self.plan.to_owned(), cloud.clock.unique());
        LockInfo { owner, plan, since: now, renewed: now, token, renewals: 0 }
    }

    /// Writes the lock; gives its entity tag, or `None` when it is somebody else's. A call that failed may have been
    /// carried out: then the lock has our token.
    async fn put(&self, cloud: &Cloud, info: &LockInfo, condition: PutCondition) -> Result<Option<String>> {
        let refusal = match cloud.objects.put(self.bucket, &keys::lock(self.cluster), body(info), condition).await {
            Ok(etag) => return Ok(Some(etag)),
            Err(refusal) => refusal,
        };
        match observe::lock(cloud, self.bucket, self.cluster).await {
            Ok(Some(found)) if is_ours(&found, &info.token) => Ok(Some(found.etag)),
            _ if refusal.kind == ErrorKind::PreconditionFailed => Ok(None),
            _ => Err(refusal),
        }
    }
}

/// Whether a lock is the one with this token.
pub(super) fn is_ours(found: &FoundLock, token: &str) -> bool {
    found.info.as_ref().is_some_and(|info| !token.is_empty() && info.token == token)
}

/// Ends a lock whose owner is known to have died, for good.
pub async fn bury(cloud: &Cloud, bucket: &str, cluster: &str, is_dead: &dyn Fn(&Owner) -> bool) -> Result<()> {
    let Some(found) = observe::lock(cloud, bucket, cluster).await? else { return Ok(()) };
    if !found.info.as_ref().is_some_and(|info| is_dead(&info.owner)) {
        return Ok(());
    }
    match cloud.objects.delete_if(bucket, &keys::lock(cluster), &found.etag).await {
        Ok(()) => cloud.objects.purge_old(bucket, &keys::lock(cluster)).await.map(drop),
        Err(error) if error.kind == ErrorKind::PreconditionFailed => Ok(()),
        Err(error) => Err(error),
    }
}

/// What came of releasing somebody's lock.
#[derive(Debug, PartialEq, Eq)]
pub enum Released {
    /// It is away.
    Done,
    /// It was renewed while it was watched: its owner is at work.
    Renewed(FoundLock),
    /// It is somebody else's now.
    Passed(FoundLock),
    /// It was gone already.
    Gone,
    /// Nobody wanted to watch it any longer.
    Unknown,
}

/// Takes a cluster's lock away as it was found: unless `forced`, only when it stands still for a lease. `waits` is
/// asked before each look, whether to look on.
pub async fn unlock(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    found: FoundLock,
    forced: bool,
    waits: &dyn Fn() -> bool,
) -> Result<Released> {
    let mut now = found.clone();
    let mut watch = Watch::default();
    while !forced && watch.look(&now.etag, cloud.clock.elapsed()) < LEASE {
        if !waits() {
            return Ok(Released::Unknown);
        }
        cloud.clock.sleep(LOOK).await;
        match observe::lock(cloud, bucket, cluster).await? {
            None => return Ok(Released::Gone),
            Some(other) if other.etag != found.etag => return Ok(changed(&found, other)),
            Some(same) => now = same,
        }
    }
    loop {
        match cloud.objects.delete_if(bucket, &keys::lock(cluster), &now.etag).await {
            Err(error) if error.kind == ErrorKind::PreconditionFailed => {}
            gone => return gone.map(|()| Released::Done),
        }
        match observe::lock(cloud, bucket, cluster).await?.map(|other| changed(&found, other)) {
            None => return Ok(Released::Gone),
            // Whoever takes it by force takes it from an owner that renews it, too.
            Some(Released::Renewed(other)) if forced => now = other,
            Some(other) => return Ok(other),
        }
    }
}

/// A lock that is not as it was found: renewed, or another one.
fn changed(found: &FoundLock, other: FoundLock) -> Released {
    let same = found.info.as_ref().is_some_and(|info| is_ours(&other, &info.token));
    if same { Released::Renewed(other) } else { Released::Passed(other) }
}
