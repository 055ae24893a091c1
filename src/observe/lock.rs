//! The lock as others see it. Who takes it and how is in [`apply`](crate::apply).

use super::keys;
use crate::cloud::{Cloud, ErrorKind, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds without a renewal after which a lock may be taken over.
pub const LEASE_SECONDS: i64 = 600;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The caller's ARN.
    pub arn: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The command that it runs, such as `hpcctl apply fds.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What tells this process from others with the same number; `None`: nobody knows whether it has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Birth>,
}

/// Which process a number means: numbers are used again, after a boot, in another namespace, and in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// The machine's boot (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
    /// The namespace of process numbers (`/proc/self/ns/pid`).
    pub namespace: String,
    /// When it started, in clock ticks since the boot (`/proc/self/stat`, field 22).
    pub started: u64,
}

/// The content of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// Who holds it.
    pub owner: Owner,
    /// The plan that is applied.
    pub plan: String,
    /// Since when.
    pub since: Timestamp,
    /// When it was last renewed.
    pub renewed: Timestamp,
}

impl LockInfo {
    /// Whether its owner renewed it within a lease of this moment, by two clocks that may differ.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renewed.plus(LEASE_SECONDS)
    }
}

/// Reads a cluster's lock; `None`: there is none, or none that can be read.
pub async fn lock(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Option<LockInfo>> {
    match cloud.objects.get(bucket, &keys::lock(cluster)).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        there => Ok(there?.and_then(|(body, _)| serde_json::from_slice(&body).ok())),
    }
}
