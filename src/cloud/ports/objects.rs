//! S3.

use crate::cloud::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The account that must own a bucket of this name; `None` for buckets of users.
///
/// Names of buckets are global: whoever comes first has one. An artifact bucket carries its account's number, and every call
/// on it says so, so that S3 refuses a bucket of that name in another account.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
pub fn expected_owner(bucket: &str) -> Option<&str> {
    let (account, _) = bucket.strip_prefix("hpcctl-")?.split_once('-')?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// S3. Every call on an artifact bucket names the account that must own it ([`expected_owner`]).
#[async_trait]
pub trait Objects: Send + Sync {
    /// Whether the bucket exists and can be reached; `AccessDenied` when it belongs to another account than its name says.
    async fn bucket_exists(&self, bucket: &str) -> Result<bool>;
    /// Writes an object; gives its entity tag. A condition that does not hold is `PreconditionFailed`.
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>, condition: PutCondition) -> Result<String>;
    /// Reads an object and its entity tag; `None` when it does not exist.
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>>;
    /// The objects whose keys begin with `prefix`, by key.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>>;
    /// Deletes one object (in a versioned bucket: puts a delete marker on it).
    async fn delete(&self, bucket: &str, key: &str) -> Result<()>;
    /// The same, if the object has this entity tag; else, and when there is no such object, `PreconditionFailed`.
    async fn delete_if(&self, bucket: &str, key: &str, etag: &str) -> Result<()>;
    /// Deletes the versions that an object once had, and its delete marker; never the object as it is now.
    async fn purge_old(&self, bucket: &str, key: &str) -> Result<usize>;
    /// Deletes every version of every object whose key begins with `prefix`; gives how many.
    async fn purge(&self, bucket: &str, prefix: &str) -> Result<usize>;
    /// The same, but leaves the object with the key `but` as it is, with its versions.
    async fn purge_but(&self, bucket: &str, prefix: &str, but: &str) -> Result<usize>;
}

/// A condition on writing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutCondition {
    /// None.
    Always,
    /// Only when there is no such object.
    IfAbsent,
    /// Only when the object has this entity tag.
    IfMatch(String),
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}
