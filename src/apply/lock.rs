//! The lock: one object in the artifact bucket, written only when it is not there.
//!
//! It is a lease. Its owner renews it while the plan is applied. Who finds it takes it over when its owner is known to
//! have died, or when it stands still for [`LEASE_SECONDS`] before his eyes: the times in it are another machine's, and
//! two clocks may differ by more than a lease (S3 itself takes requests that are 15 minutes off).

use super::ApplyError;
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, PutCondition},
    observe::{self, LEASE_SECONDS, LockInfo, Owner, keys},
};
use std::time::Duration;

/// Seconds between two looks at a lock that seems to be silent.
const LOOK_SECONDS: i64 = 30;

/// A lock that is held.
pub struct Lock {
    bucket: String,
    key: String,
    info: LockInfo,
    etag: String,
}

/// What came of asking for the lock.
pub enum LockOutcome {
    /// It is ours.
    Held(Lock),
    /// It is ours, taken over from this owner.
    TakenOver(Lock, LockInfo),
    /// Somebody else has it.
    Refused(LockInfo),
}

impl Lock {
    /// Asks for the lock of a cluster. `is_dead` tells whether an owner is known to be dead; `waits` is asked before
    /// each look at a lock that seems to be silent, whether to look on.
    pub async fn acquire(
        cloud: &Cloud,
        bucket: &str,
        cluster: &str,
        owner: Owner,
        plan: &str,
        is_dead: &dyn Fn(&Owner) -> bool,
        waits: &dyn Fn(&LockInfo) -> bool,
    ) -> Result<LockOutcome, CloudError> {
        let key = keys::lock(cluster);
        let now = cloud.clock.now();
        let info = LockInfo { owner, plan: plan.to_owned(), since: now, renewed: now };
        let held = |etag| Lock { bucket: bucket.to_owned(), key: key.clone(), info: info.clone(), etag };
        match cloud.objects.put(bucket, &key, body(&info), PutCondition::IfAbsent).await {
            Ok(etag) => return Ok(LockOutcome::Held(held(etag))),
            Err(error) if error.kind == ErrorKind::PreconditionFailed => {}
            Err(error) => return Err(error),
        }
        let Some((there, etag)) = cloud.objects.get(bucket, &key).await? else {
            let etag = cloud.objects.put(bucket, &key, body(&info), PutCondition::IfAbsent).await?;
            return Ok(LockOutcome::Held(held(etag)));
        };
        let Ok(other) = serde_json::from_slice::<LockInfo>(&there) else {
            let etag = cloud.objects.put(bucket, &key, body(&info), PutCondition::IfMatch(etag)).await?;
            return Ok(LockOutcome::Held(held(etag)));
        };
        if !is_dead(&other.owner)
            && (other.is_fresh(now) || !stands_still(cloud, bucket, &key, &other, &etag, waits).await?)
        {
            return Ok(LockOutcome::Refused(other));
        }
        match cloud.objects.put(bucket, &key, body(&info), PutCondition::IfMatch(etag)).await {
            Ok(etag) => Ok(LockOutcome::TakenOver(held(etag), other)),
            Err(error) if error.kind == ErrorKind::PreconditionFailed => Ok(LockOutcome::Refused(other)),
            Err(error) => Err(error),
        }
    }

    /// Renews the lease.
    pub async fn renew(&mut self, cloud: &Cloud) -> Result<(), ApplyError> {
        self.info.renewed = cloud.clock.now();
        let condition = PutCondition::IfMatch(self.etag.clone());
        match cloud.objects.put(&self.bucket, &self.key, body(&self.info), condition).await {
            Ok(etag) => {
                self.etag = etag;
                Ok(())
            }
            Err(error) if matches!(error.kind, ErrorKind::PreconditionFailed | ErrorKind::NotFound) => {
                Err(ApplyError::LockLost)
            }
            // A passing failure is no loss: the lease is longer than the pause between two renewals.
            Err(_) => Ok(()),
        }
    }

    /// Gives the lock back.
    pub async fn release(self, cloud: &Cloud) -> Result<(), CloudError> {
        let ours = cloud.objects.get(&self.bucket, &self.key).await?.is_some_and(|(_, etag)| etag == self.etag);
        if ours { cloud.objects.delete(&self.bucket, &self.key).await } else { Ok(()) }
    }
}

impl Lock {
    /// Gives the lock back for good, with all its versions: the cluster is no more.
    pub async fn forget(self, cloud: &Cloud) -> Result<(), CloudError> {
        let ours = cloud.objects.get(&self.bucket, &self.key).await?.is_some_and(|(_, etag)| etag == self.etag);
        if ours { cloud.objects.purge(&self.bucket, &self.key).await.map(drop) } else { Ok(()) }
    }
}

/// Whether a lock is not renewed for a whole lease, by this machine's clock alone.
async fn stands_still(
    cloud: &Cloud,
    bucket: &str,
    key: &str,
    other: &LockInfo,
    etag: &str,
    waits: &dyn Fn(&LockInfo) -> bool,
) -> Result<bool, CloudError> {
    for _ in 0..LEASE_SECONDS / LOOK_SECONDS {
        if !waits(other) {
            return Ok(false);
        }
        cloud.clock.sleep(Duration::from_secs(LOOK_SECONDS.unsigned_abs())).await;
        let there = cloud.objects.get(bucket, key).await?;
        if there.is_none_or(|(_, now)| now != etag) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Ends a lock whose owner is known to have died, for good.
pub async fn bury(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    is_dead: &dyn Fn(&Owner) -> bool,
) -> Result<(), CloudError> {
    match observe::lock(cloud, bucket, cluster).await? {
        Some(lock) if is_dead(&lock.owner) => cloud.objects.purge(bucket, &keys::lock(cluster)).await.map(drop),
        _ => Ok(()),
    }
}

/// Takes a cluster's lock away, whoever holds it.
pub async fn unlock(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<(), CloudError> {
    cloud.objects.delete(bucket, &keys::lock(cluster)).await
}

fn body(info: &LockInfo) -> Vec<u8> {
    serde_json::to_vec_pretty(info).unwrap_or_default()
}
