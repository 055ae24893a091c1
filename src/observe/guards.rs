//! What would refuse a deletion, looked at before the first one: protection of databases and instances, switched on by
//! the template or by hand, and the buckets that exports go to.

use super::{Live, ObserveError};
use crate::{
    cloud::{Cloud, ErrorKind},
    model::StackKey,
    spec::S3Uri,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Something that goes: its stack and its logical id.
pub type Going = (StackKey, String);

/// What would refuse a deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// Databases that are protected against deletion.
    pub databases: BTreeSet<Going>,
    /// Ids of instances that are protected against termination.
    pub instances: BTreeSet<String>,
    /// Volumes on whose last change EBS still works, with how much of it is done in percent.
    pub changing: BTreeMap<String, Option<i64>>,
    /// Buckets that file systems export to and that are not there.
    pub missing_buckets: BTreeSet<String>,
}

/// Looks at what goes.
///
/// # Errors
/// When a call fails.
pub async fn guards(cloud: &Cloud, live: &Live, going: &[Going]) -> Result<Guards, ObserveError> {
    let mut guards = Guards::default();
    let (mut instances, mut volumes, mut buckets) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (key, logical_id) in going {
        let Some(stack) = live.stacks.get(key) else { continue };
        let Some(resource) = stack.resources.iter().find(|one| one.logical_id == *logical_id) else { continue };
        match resource.resource_type.as_str() {
            "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" if !resource.physical_id.is_empty() => {
                let written = stack.template.pointer(&format!("/Resources/{logical_id}/Properties/DeletionProtection"));
                if is_protected(cloud, &stack.state.name, logical_id, written).await? {
                    guards.databases.insert((key.clone(), logical_id.clone()));
                }
            }
            "AWS::EC2::Instance" if !resource.physical_id.is_empty() => instances.push(resource.physical_id.clone()),
            "AWS::EC2::Volume" if !resource.physical_id.is_empty() => volumes.push(resource.physical_id.clone()),
            "AWS::FSx::FileSystem" => buckets.extend(targets(live, logical_id)),
            _ => {}
        }
    }
    guards.instances = cloud.compute.termination_protected(&instances).await?.into_iter().collect();
    if !volumes.is_empty() {
        let works = |state: &str| matches!(state, "modifying" | "optimizing");
        match cloud.compute.modifications(&volumes).await {
            Ok(found) => {
                let open = found.into_iter().filter(|one| works(&one.state));
                guards.changing = open.map(|one| (one.volume, one.progress)).collect();
            }
            // Who may not look is told by EC2 itself.
            Err(error) if matches!(error.kind, ErrorKind::AccessDenied | ErrorKind::Invalid) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for bucket in buckets {
        match cloud.objects.bucket_exists(&bucket).await {
            Ok(true) => {}
            Ok(false) => {
                guards.missing_buckets.insert(bucket);
            }
            // FSx comes to it with a role of its own: that we do not says nothing.
            Err(error) if error.kind == ErrorKind::AccessDenied => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(guards)
}

/// What the template says, unless somebody has changed it by hand: CloudFormation reads the database for its drift.
async fn is_protected(
    cloud: &Cloud,
    stack: &str,
    logical_id: &str,
    written: Option<&Value>,
) -> Result<bool, ObserveError> {
    let says = |text: &str| text.eq_ignore_ascii_case("true");
    let written = written.is_some_and(|value| value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(says)));
    match cloud.stacks.resource_drift(stack, logical_id).await {
        Ok(drift) => {
            let found = drift.differences.iter().find(|one| one.path.trim_start_matches('/') == "DeletionProtection");
            Ok(found.map_or(written, |one| says(&one.actual)))
        }
        // Who may not look at the database plans with what the template says.
        Err(error) if error.kind == ErrorKind::AccessDenied => Ok(written),
        Err(error) => Err(error.into()),
    }
}

/// The buckets that a file system exports to.
fn targets(live: &Live, logical_id: &str) -> Vec<String> {
    let links = live.file_systems.get(logical_id).into_iter().flat_map(|one| &one.state.repositories);
    links.filter_map(|link| Some(S3Uri(link.export.clone()?).bucket().to_owned())).collect()
}
