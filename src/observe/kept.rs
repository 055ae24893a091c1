//! The list of what clusters of this name have kept: it outlives the cluster's archive.

use super::{Kept, ObserveError, keys};
use crate::cloud::{Cloud, PutCondition, Result};

/// The list, and what its next version must be written under, so that nobody's entries are lost.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptList {
    /// What was kept, the oldest first; some of it may be gone since.
    pub items: Vec<Kept>,
    /// Nobody has written the list since.
    pub unchanged: PutCondition,
}

impl KeptList {
    /// Reads the list of a cluster; an empty one when it never kept anything.
    ///
    /// # Errors
    /// When it cannot be fetched, or is there and cannot be read: it is the only thing that knows of what it names, so
    /// nothing is taken for an empty list.
    pub async fn read(cloud: &Cloud, bucket: &str, cluster: &str) -> std::result::Result<Self, ObserveError> {
        let key = keys::kept(cluster);
        let Some((body, tag)) = cloud.objects.get(bucket, &key).await? else {
            return Ok(Self { items: Vec::new(), unchanged: PutCondition::IfAbsent });
        };
        match serde_json::from_slice(&body) {
            Ok(items) => Ok(Self { items, unchanged: PutCondition::IfMatch(tag) }),
            Err(error) => Err(ObserveError::Archive { key, message: error.to_string() }),
        }
    }

    /// Writes the list as it is now.
    ///
    /// # Errors
    /// `PreconditionFailed` when somebody has written it since it was read; when the call fails.
    pub async fn write(self, cloud: &Cloud, bucket: &str, cluster: &str) -> Result<()> {
        let body = serde_json::to_vec_pretty(&self.items).unwrap_or_default();
        cloud.objects.put(bucket, &keys::kept(cluster), body, self.unchanged).await.map(drop)
    }
}
