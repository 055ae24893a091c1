//! The ports of whoever holds a lock: no call that changes something is made before the lock is known to be ours.
//!
//! This is the one place that every call of every step goes through, also those in the midst of a long step. What comes after
//! a look at the lease and before the service has the request is out of anybody's reach: see `docs/reliability.md`.

use super::{ApplyError, Care, Lock};
use crate::cloud::{
    Cloud, CloudError, ErrorKind, ObjectInfo, Objects, PreviewChange, PutCondition, ResourceDrift, Result, StackEvent,
    StackInput, StackResource, StackState, Stacks, UpdateStart,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Ports that look at the lock before they change something.
pub(super) struct Guarded {
    pub cloud: Cloud,
    lock: Lock,
}

/// The same cloud for whoever holds this lock.
pub fn guarded(cloud: &Cloud, lock: &Lock) -> Cloud {
    let all = Arc::new(Guarded { cloud: cloud.clone(), lock: lock.clone() });
    let Cloud { kind, region, identity, inventory, experiments, logs, metadata, clock, .. } = cloud.clone();
    let (stacks, objects, file_systems) = (all.clone(), all.clone(), all.clone());
    Cloud {
        kind,
        region,
        stacks,
        objects,
        file_systems,
        compute: all,
        identity,
        inventory,
        experiments,
        logs,
        metadata,
        clock,
    }
}

impl Guarded {
    /// Whether the lock is ours yet.
    pub(super) async fn may(&self, care: Care) -> Result<()> {
        let (kind, message) = match self.lock.assure(care).await {
            Ok(()) => return Ok(()),
            Err(ApplyError::LeaseEnded { cause }) => (ErrorKind::LeaseEnded, cause),
            Err(_) => (ErrorKind::LockLost, "the lock of the cluster is somebody else's".to_owned()),
        };
        Err(CloudError { kind, service: "s3", operation: "PutObject", code: None, message, request_id: None })
    }
}

#[async_trait]
impl Stacks for Guarded {
    async fn stack(&self, name: &str) -> Result<Option<StackState>> {
        self.cloud.stacks.stack(name).await
    }
    async fn stacks_of(&self, cluster: &str) -> Result<Vec<StackState>> {
        self.cloud.stacks.stacks_of(cluster).await
    }
    async fn all_stacks(&self) -> Result<Vec<StackState>> {
        self.cloud.stacks.all_stacks().await
    }
    async fn template(&self, name: &str) -> Result<String> {
        self.cloud.stacks.template(name).await
    }
    async fn resources(&self, name: &str) -> Result<Vec<StackResource>> {
        self.cloud.stacks.resources(name).await
    }
    async fn events(&self, name_or_id: &str, after: Option<&str>) -> Result<Vec<StackEvent>> {
        self.cloud.stacks.events(name_or_id, after).await
    }
    async fn create(&self, input: &StackInput) -> Result<String> {
        self.may(Care::Makes).await?;
        self.cloud.stacks.create(input).await
    }
    async fn update(&self, input: &StackInput) -> Result<UpdateStart> {
        self.may(Care::Takes).await?;
        self.cloud.stacks.update(input).await
    }
    async fn delete(&self, name: &str, retain: &[String], token: &str) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.stacks.delete(name, retain, token).await
    }
    async fn continue_rollback(&self, name: &str, skip: &[String]) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.stacks.continue_rollback(name, skip).await
    }
    async fn protect(&self, name: &str, on: bool) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.stacks.protect(name, on).await
    }
    async fn preview(&self, input: &StackInput) -> Result<Vec<PreviewChange>> {
        self.cloud.stacks.preview(input).await
    }
    async fn drift(&self, name: &str) -> Result<Vec<ResourceDrift>> {
        self.cloud.stacks.drift(name).await
    }
    async fn resource_drift(&self, name: &str, logical_id: &str) -> Result<ResourceDrift> {
        self.cloud.stacks.resource_drift(name, logical_id).await
    }
}

#[async_trait]
impl Objects for Guarded {
    async fn bucket_exists(&self, bucket: &str) -> Result<bool> {
        self.cloud.objects.bucket_exists(bucket).await
    }
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>, condition: PutCondition) -> Result<String> {
        self.may(Care::Makes).await?;
        self.cloud.objects.put(bucket, key, body, condition).await
    }
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>> {
        self.cloud.objects.get(bucket, key).await
    }
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>> {
        self.cloud.objects.list(bucket, prefix).await
    }
    async fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.objects.delete(bucket, key).await
    }
    async fn delete_if(&self, bucket: &str, key: &str, etag: &str) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.objects.delete_if(bucket, key, etag).await
    }
    async fn purge_old(&self, bucket: &str, key: &str) -> Result<usize> {
        self.may(Care::Takes).await?;
        self.cloud.objects.purge_old(bucket, key).await
    }
    async fn purge(&self, bucket: &str, prefix: &str) -> Result<usize> {
        self.may(Care::Takes).await?;
        self.cloud.objects.purge(bucket, prefix).await
    }
    async fn purge_but(&self, bucket: &str, prefix: &str, but: &str) -> Result<usize> {
        self.may(Care::Takes).await?;
        self.cloud.objects.purge_but(bucket, prefix, but).await
    }
}
