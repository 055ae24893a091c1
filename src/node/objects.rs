//! Objects of the artifact bucket that may not be there.

use super::NodeError;
use crate::cloud::Cloud;

/// An object that may not exist. S3 refuses to say so to a role that may list prefixes alone: a listing tells first.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(super) async fn find(cloud: &Cloud, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, NodeError> {
    let listed = cloud.objects.list(bucket, key).await?;
    if !listed.iter().any(|object| object.key == key) {
        return Ok(None);
    }
    Ok(cloud.objects.get(bucket, key).await?.map(|(body, _)| body))
}
