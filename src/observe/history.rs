//! The archive of a cluster: every revision that was applied or begun, and the cluster file of each.

use super::{ObserveError, Revision, keys};
use crate::cloud::{Cloud, Timestamp};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// A revision in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// Its number, from 1.
    pub number: u64,
    /// Whether an apply brought it to its end.
    pub state: PastState,
    /// The plan that made or began it; empty when the archive does not say.
    pub plan: String,
    /// When it was published; none of one that was only begun.
    pub at: Option<Timestamp>,
    /// By whom (an ARN); none of one that was only begun.
    pub by: Option<String>,
    /// SHA-256 of its cluster file; empty when the archive does not say.
    pub source_sha256: String,
}

/// What became of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PastState {
    /// It was applied to its end.
    Applied,
    /// An apply archived it and did not come to its end.
    Begun,
}

/// All revisions, the oldest first; none when there is no archive.
///
/// # Errors
/// When a call fails, or a record of a revision cannot be read.
pub async fn history(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Vec<Past>, ObserveError> {
    if !cloud.objects.bucket_exists(bucket).await? {
        return Ok(Vec::new());
    }
    let prefix = keys::revisions(cluster);
    let listed = cloud.objects.list(bucket, &prefix).await?;
    let number = |key: &str| key.strip_prefix(&prefix)?.split('/').next()?.parse::<u64>().ok();
    let numbers: BTreeSet<u64> = listed.iter().filter_map(|object| number(&object.key)).collect();
    let keys: BTreeSet<&str> = listed.iter().map(|object| object.key.as_str()).collect();
    let looks = numbers.iter().map(|&number| {
        let published = keys.contains(keys::archive(cluster, number, RECORD).as_str());
        past(cloud, bucket, cluster, number, published)
    });
    join_all(looks).await.into_iter().collect()
}

/// The record that an apply writes at its end.
const RECORD: &str = "revision.json";

async fn past(cloud: &Cloud, bucket: &str, cluster: &str, number: u64, published: bool) -> Result<Past, ObserveError> {
    let key = keys::archive(cluster, number, if published { RECORD } else { "plan.json" });
    let body = cloud.objects.get(bucket, &key).await?.map(|(body, _)| body).unwrap_or_default();
    if published {
        let read: Result<Revision, _> = serde_json::from_slice(&body);
        let revision = read.map_err(|error| ObserveError::Archive { key, message: error.to_string() })?;
        let Revision { number, plan, at, by, source_sha256 } = revision;
        return Ok(Past { number, state: PastState::Applied, plan, at: Some(at), by: Some(by), source_sha256 });
    }
    let plan: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |path: &str| plan.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = text("/digest").chars().take(12).collect();
    Ok(Past { number, state: PastState::Begun, plan: id, at: None, by: None, source_sha256: text("/source/sha256") })
}

/// The cluster file of a revision; `None`: there is no such revision.
///
/// # Errors
/// When a call fails.
pub async fn revision_file(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    number: u64,
) -> Result<Option<String>, ObserveError> {
    let found = cloud.objects.get(bucket, &keys::archive(cluster, number, "cluster.yaml")).await?;
    Ok(found.map(|(body, _)| String::from_utf8_lossy(&body).into_owned()))
}
