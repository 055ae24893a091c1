//! The versions of S3's objects, to be deleted for good.

use super::super::{CloudError, ErrorKind, Result};
use super::errors::{failed, own};
use super::objects::owner;
use aws_sdk_s3::{
    Client,
    error::BuildError,
    operation::list_object_versions::ListObjectVersionsOutput,
    types::{Delete, DeleteMarkerEntry, ObjectIdentifier, ObjectVersion},
};

/// Which versions go.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    /// All.
    All,
    /// All but those of this key.
    AllBut(&'a str),
    /// Those of this key that are past: what the object is now stays, and is no delete marker.
    OldOf(&'a str),
}

impl Which<'_> {
    fn takes(self, key: Option<&str>, is_now: bool) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(but) => key != Some(but),
            Self::OldOf(of) => key == Some(of) && !is_now,
        }
    }
}

/// Deletes versions and delete markers under a prefix; gives how many. S3 lists and deletes up to 1,000 at a
/// time (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
pub(super) async fn purge(client: &Client, bucket: &str, prefix: &str, which: Which<'_>) -> Result<usize> {
    let mut deleted = 0;
    let (mut key, mut version) = (None, None);
    loop {
        let call = client
            .list_object_versions()
            .bucket(bucket)
            .set_expected_bucket_owner(owner(bucket))
            .prefix(prefix)
            .set_key_marker(key);
        let page = call.set_version_id_marker(version).send().await.map_err(failed("s3", "ListObjectVersions"))?;
        let found = identifiers(&page, which)?;
        deleted += found.len();
        delete(client, bucket, found).await?;
        if !page.is_truncated().unwrap_or_default() {
            return Ok(deleted);
        }
        (key, version) = (page.next_key_marker, page.next_version_id_marker);
    }
}

fn identifiers(page: &ListObjectVersionsOutput, which: Which<'_>) -> Result<Vec<ObjectIdentifier>> {
    let version = |one: &ObjectVersion| (one.key.clone(), one.version_id.clone(), one.is_latest.unwrap_or_default());
    let marker = |one: &DeleteMarkerEntry| (one.key.clone(), one.version_id.clone(), false);
    let all = page.versions().iter().map(version).chain(page.delete_markers().iter().map(marker));
    let identifier = |(key, version, _)| {
        let one = ObjectIdentifier::builder().set_key(key).set_version_id(version);
        one.build().map_err(unnamed)
    };
    all.filter(|(key, _, is_now)| which.takes(key.as_deref(), *is_now)).map(identifier).collect()
}

async fn delete(client: &Client, bucket: &str, objects: Vec<ObjectIdentifier>) -> Result<()> {
    if objects.is_empty() {
        return Ok(());
    }
    let wanted = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unnamed)?;
    let call =
        client.delete_objects().bucket(bucket).set_expected_bucket_owner(owner(bucket)).delete(wanted).send().await;
    let outcome = call.map_err(failed("s3", "DeleteObjects"))?;
    let Some(first) = outcome.errors().first() else { return Ok(()) };
    let (code, why) = (first.code().unwrap_or_default(), first.message().unwrap_or_default());
    let count = outcome.errors().len();
    let message = format!("{count} not deleted, the first `{}`: {why}", first.key().unwrap_or_default());
    let mut error = own("s3", "DeleteObjects", super::error_kinds::kind(code, why, 0), message);
    error.code = Some(code.to_owned());
    Err(error)
}

fn unnamed(error: BuildError) -> CloudError {
    own("s3", "ListObjectVersions", ErrorKind::Other, error.to_string())
}
