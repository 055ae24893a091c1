//! The versions of S3's objects, to be deleted for good.

use super::super::{CloudError, ErrorKind, Result};
use super::errors::{failed, own};
use super::objects::owner;
use aws_sdk_s3::{
    Client,
    error::BuildError,
    operation::list_object_versions::ListObjectVersionsOutput,
    types::{Delete, ObjectIdentifier},
};

/// Deletes every version and delete marker under a prefix, but for one key; gives how many. S3 lists and deletes up to 1,000 at a
/// time (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
pub(super) async fn purge(client: &Client, bucket: &str, prefix: &str, but: Option<&str>) -> Result<usize> {
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
        let found = identifiers(&page, but)?;
        deleted += found.len();
        delete(client, bucket, found).await?;
        if !page.is_truncated().unwrap_or_default() {
            return Ok(deleted);
        }
        (key, version) = (page.next_key_marker, page.next_version_id_marker);
    }
}

fn identifiers(page: &ListObjectVersionsOutput, but: Option<&str>) -> Result<Vec<ObjectIdentifier>> {
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    let identifier = |(key, version): (Option<&str>, Option<&str>)| {
        let one = ObjectIdentifier::builder().set_key(key.map(str::to_owned));
        one.set_version_id(version.map(str::to_owned)).build().map_err(unnamed)
    };
    versions.chain(markers).filter(|(key, _)| but.is_none() || *key != but).map(identifier).collect()
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
