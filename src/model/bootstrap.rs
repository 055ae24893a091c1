//! The stack of an account and region: the bucket for templates, node files and the revision archive.

use super::{
    DeletionPolicy, Resource, Val,
    policy::{Statement, document},
    props::Props,
};
use crate::spec::Path;
use std::collections::BTreeMap;

/// The name of the stack.
pub const BOOTSTRAP_STACK: &str = "hpcctl-bootstrap";

/// Days that an overwritten or deleted object can still be had.
const OLD_VERSIONS_DAYS: u32 = 90;

/// The stack of an account and region. All clusters share it; no cluster's `destroy` touches it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// The stack's name.
    pub name: &'static str,
    /// What it is for.
    pub description: String,
    /// Its resources, by logical id.
    pub resources: BTreeMap<String, Resource>,
    /// Its outputs, by name.
    pub outputs: BTreeMap<String, Val>,
}

/// The stack of an account and region.
pub fn bootstrap() -> Bootstrap {
    let resources = [("Artifacts".to_owned(), bucket()), ("ArtifactsPolicy".to_owned(), bucket_policy())];
    Bootstrap {
        name: BOOTSTRAP_STACK,
        description: "hpcctl: templates, node files and revisions of all clusters of this account and region"
            .to_owned(),
        resources: BTreeMap::from(resources),
        outputs: BTreeMap::from([("ArtifactBucket".to_owned(), Val::reference("Artifacts"))]),
    }
}

fn bucket() -> Resource {
    let encryption = Props::new().set("SSEAlgorithm", "AES256");
    let rule = Props::new().set("ServerSideEncryptionByDefault", encryption);
    let private = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let private = private.iter().fold(Props::new(), |all, key| all.set(key, true));
    let owner = Props::new().set("ObjectOwnership", "BucketOwnerEnforced");
    let mut bucket = Resource::new("AWS::S3::Bucket", "bootstrap.artifacts", Path::root())
        .set("BucketName", Val::sub("hpcctl-${AWS::AccountId}-${AWS::Region}"))
        .set("BucketEncryption", Props::new().set("ServerSideEncryptionConfiguration", vec![Val::from(rule)]))
        .set("VersioningConfiguration", Props::new().set("Status", "Enabled"))
        .set("PublicAccessBlockConfiguration", private)
        .set("OwnershipControls", Props::new().set("Rules", vec![Val::from(owner)]))
        .set("LifecycleConfiguration", Props::new().set("Rules", vec![old_versions()]));
    // It has every cluster's history.
    bucket.deletion = DeletionPolicy::Retain;
    bucket
}

fn old_versions() -> Val {
    Props::new()
        .set("Id", "old-versions")
        .set("Status", "Enabled")
        .set("NoncurrentVersionExpiration", Props::new().set("NoncurrentDays", OLD_VERSIONS_DAYS))
        .set("AbortIncompleteMultipartUpload", Props::new().set("DaysAfterInitiation", 7_u32))
        .set("ExpiredObjectDeleteMarker", true)
        .into()
}

/// Nothing in the clear.
fn bucket_policy() -> Resource {
    let deny = Statement::deny("TlsOnly", &["s3:*"])
        .on("arn:${AWS::Partition}:s3:::${Artifacts}")
        .on("arn:${AWS::Partition}:s3:::${Artifacts}/*")
        .by(Props::new().set("AWS", "*").into())
        .when("Bool", "aws:SecureTransport", "false");
    let mut policy = Resource::new("AWS::S3::BucketPolicy", "bootstrap.artifacts_policy", Path::root())
        .set("Bucket", Val::reference("Artifacts"))
        .set("PolicyDocument", document([deny]));
    policy.deletion = DeletionPolicy::Retain;
    policy
}
