//! The proof that nothing is left.

use super::{ApplyError, Context, context::Pace};
use crate::{
    cloud::{Cloud, KEPT_TAG, REGION_TAG, Result, RoleState, TaggedResource},
    observe::KeptList,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Something that carries the cluster's tag or name and still exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leftover {
    /// Its kind, such as `stack` or `volume`.
    pub kind: String,
    /// Its id or name.
    pub id: String,
}

/// Everything that carries the cluster's tag, and its roles below these paths.
pub async fn leftovers(cloud: &Cloud, cluster: &str, role_paths: &[String]) -> Result<Vec<Leftover>> {
    let mut left = Vec::new();
    let mut push = |kind: &str, id: String| left.push(Leftover { kind: kind.to_owned(), id });
    for stack in cloud.stacks.stacks_of(cluster).await? {
        push("stack", stack.name);
    }
    for instance in cloud.compute.instances_of(cluster).await? {
        push("instance", instance.id);
    }
    for file_system in cloud.file_systems.file_systems_of(cluster).await? {
        if !file_system.tags.contains_key(KEPT_TAG) {
            push("file system", file_system.id);
        }
    }
    // EC2 shows these, tags and all, for an hour after their end. Instances were asked above; of the others the
    // stacks that made them have seen the end.
    let lingers = |resource: &TaggedResource| LINGERING.contains(&resource.kind.as_str());
    let mut tagged = cloud.compute.tagged(cluster).await?;
    tagged.retain(|resource| !lingers(resource));
    for resource in cloud.compute.still_there(tagged).await? {
        push(&resource.kind, resource.id);
    }
    // A path says which cluster, a tag which region: names say neither.
    let here = |role: &RoleState| match role.tags.get(REGION_TAG) {
        Some(region) => *region == cloud.region,
        None => role.name.starts_with(&format!("{cluster}-")),
    };
    for path in role_paths {
        for role in cloud.identity.roles(path).await?.into_iter().filter(here) {
            push("role", role.name);
        }
    }
    left.sort();
    left.dedup();
    Ok(left)
}

/// EC2's words for what it still shows after its end.
const LINGERING: &[&str] = &["instance", "fleet", "spot-instances-request", "natgateway", "vpc-endpoint"];
/// How often to look before what is left counts: IAM and FSx take their time to forget.
const LOOKS: usize = 24;

/// Proves that nothing is left but what this plan or an earlier one keeps.
pub async fn verify(context: &Context<'_>) -> std::result::Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let mut left = Vec::new();
    let kept = kept(context).await?;
    for _ in 0..LOOKS {
        left = leftovers(context.cloud, &context.plan.cluster, &context.plan.content.role_paths).await?;
        left.retain(|leftover| leftover.kind != "snapshot" && !kept.contains(&leftover.id));
        if left.is_empty() {
            return Ok(false);
        }
        context.pause(&mut pace).await?;
    }
    Err(ApplyError::Leftovers { left })
}

/// The ids of what is kept, by this plan and by those before it.
async fn kept(context: &Context<'_>) -> std::result::Result<BTreeSet<String>, ApplyError> {
    let plan = context.plan;
    let now = plan.changes.iter().filter(|change| super::keeps(change)).filter_map(|change| change.physical_id.clone());
    let mut ids: BTreeSet<String> = now.collect();
    let bucket = context.bucket();
    if context.cloud.objects.bucket_exists(&bucket).await? {
        let list = KeptList::read(context.cloud, &bucket, &plan.cluster).await?;
        ids.extend(list.items.into_iter().filter(|kept| kept.made_of.is_none()).map(|kept| kept.id));
    }
    Ok(ids)
}
