//! S3.

use super::super::{CloudError, ErrorKind, ObjectInfo, Objects, PutCondition, Result, expected_owner};
use super::config::{Settings, configured};
use super::errors::{failed, own, said};
use super::values::{nonce, text};
use super::{retry, versions};
use async_trait::async_trait;
use aws_sdk_s3::{Client, config::RequestChecksumCalculation, primitives::ByteStream};

/// The metadata key by which a put is known again.
const PUT_ID: &str = "hpcctl-put";
/// How often an object is read again when the line breaks in its middle (the SDK retries only until it begins).
const READS: u32 = 3;

/// S3.
pub(super) struct S3 {
    client: Client,
}

impl S3 {
    /// Checksums only where S3 demands them: object stores of other makers refuse the new trailers.
    pub(super) fn new(settings: &Settings) -> Self {
        let config = configured!(aws_sdk_s3, settings)
            .force_path_style(settings.foreign_s3)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .timeout_config(retry::transfer_timeouts());
        Self { client: Client::from_conf(config.build()) }
    }

    /// A conditional put that was refused may have been our own first attempt, whose answer was lost: then the
    /// object carries this put's id.
    async fn put_before(&self, bucket: &str, key: &str, id: &str, refusal: CloudError) -> Result<String> {
        if refusal.kind != ErrorKind::PreconditionFailed {
            return Err(refusal);
        }
        match self.client.head_object().bucket(bucket).set_expected_bucket_owner(owner(bucket)).key(key).send().await {
            Ok(head) if head.metadata().is_some_and(|all| all.get(PUT_ID).is_some_and(|found| found == id)) => {
                Ok(text(head.e_tag()))
            }
            _ => Err(refusal),
        }
    }

    async fn read(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>> {
        let object =
            self.client.get_object().bucket(bucket).set_expected_bucket_owner(owner(bucket)).key(key).send().await;
        let object = match object.map_err(failed("s3", "GetObject")) {
            Err(error) if error.code.as_deref() == Some("NoSuchKey") => return Ok(None),
            object => object?,
        };
        // Every object has an entity tag; a log-in page has none.
        let tag = said("s3", "GetObject", object.e_tag())?;
        match object.body.collect().await {
            Ok(body) => Ok(Some((body.to_vec(), tag))),
            Err(error) => Err(own("s3", "GetObject", ErrorKind::Network, error.to_string())),
        }
    }
}

#[async_trait]
impl Objects for S3 {
    async fn bucket_exists(&self, bucket: &str) -> Result<bool> {
        match self
            .client
            .head_bucket()
            .bucket(bucket)
            .set_expected_bucket_owner(owner(bucket))
            .send()
            .await
            .map_err(failed("s3", "HeadBucket"))
        {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            // The answer to HEAD has no body that says why: the same right, asked with GET, has.
            Err(error) if error.kind == ErrorKind::AccessDenied && error.code.is_none() => {
                let call = self.client.list_objects_v2().bucket(bucket).max_keys(1);
                let call = call.set_expected_bucket_owner(owner(bucket)).send().await;
                call.map(|_| true).map_err(failed("s3", "HeadBucket"))
            }
            Err(error) => Err(error),
        }
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>, condition: PutCondition) -> Result<String> {
        let id = nonce();
        let call = self
            .client
            .put_object()
            .bucket(bucket)
            .set_expected_bucket_owner(owner(bucket))
            .key(key)
            .body(ByteStream::from(body));
        let call = match &condition {
            PutCondition::Always => call,
            PutCondition::IfAbsent => call.if_none_match("*").metadata(PUT_ID, &id),
            PutCondition::IfMatch(tag) => call.if_match(tag).metadata(PUT_ID, &id),
        };
        match call.send().await.map_err(failed("s3", "PutObject")) {
            Ok(put) => Ok(text(put.e_tag())),
            Err(refusal) => self.put_before(bucket, key, &id, as_condition(refusal, &condition)).await,
        }
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>> {
        for _ in 1..READS {
            match self.read(bucket, key).await {
                Err(error) if error.kind == ErrorKind::Network && error.code.is_none() => {}
                read => return read,
            }
        }
        self.read(bucket, key).await
    }

    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .set_expected_bucket_owner(owner(bucket))
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("s3", "ListObjectsV2"))?;
            found.extend(page.contents().iter().map(|object| ObjectInfo {
                key: text(object.key()),
                size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            }));
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        let call = self.client.delete_object().bucket(bucket).set_expected_bucket_owner(owner(bucket)).key(key);
        call.send().await.map(drop).map_err(failed("s3", "DeleteObject"))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    async fn delete_if(&self, bucket: &str, key: &str, etag: &str) -> Result<()> {
        let call = self.client.delete_object().bucket(bucket).set_expected_bucket_owner(owner(bucket)).key(key);
        let gone = call.if_match(etag).send().await.map(drop).map_err(failed("s3", "DeleteObject"));
        gone.map_err(|refusal| as_condition(refusal, &PutCondition::IfMatch(etag.to_owned())))
    }

    async fn purge_old(&self, bucket: &str, key: &str) -> Result<usize> {
        versions::purge(&self.client, bucket, key, versions::Which::OldOf(key)).await
    }

    async fn purge(&self, bucket: &str, prefix: &str) -> Result<usize> {
        versions::purge(&self.client, bucket, prefix, versions::Which::All).await
    }

    async fn purge_but(&self, bucket: &str, prefix: &str, but: &str) -> Result<usize> {
        versions::purge(&self.client, bucket, prefix, versions::Which::AllBut(but)).await
    }
}

/// The account that S3 shall find the bucket in.
pub(super) fn owner(bucket: &str) -> Option<String> {
    expected_owner(bucket).map(str::to_owned)
}

/// S3 answers `If-Match` on a key that is gone with "no such key": the condition does not hold.
fn as_condition(mut refusal: CloudError, condition: &PutCondition) -> CloudError {
    if matches!(condition, PutCondition::IfMatch(_)) && refusal.code.as_deref() == Some("NoSuchKey") {
        refusal.kind = ErrorKind::PreconditionFailed;
    }
    refusal
}
