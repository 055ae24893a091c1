//! What carries the cluster's tag and is in none of its stacks.

use super::{Kept, LiveStack, Outside, keys};
use crate::{
    cloud::{Cloud, KEPT_TAG, Result},
    model::StackKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// EC2's words for what is looked at: things that only stacks make. Nodes have volumes and interfaces of their own.
const KINDS: &[&str] = &["launch-template", "security-group", "subnet", "vpc"];

/// What is outside of all stacks and not known to be kept.
pub(super) async fn outside(
    cloud: &Cloud,
    cluster: &str,
    stacks: &BTreeMap<StackKey, LiveStack>,
    kept: &[Kept],
) -> Result<Vec<Outside>> {
    let inside: BTreeSet<&str> = ids(stacks).chain(kept.iter().map(|kept| kept.id.as_str())).collect();
    let mut found = Vec::new();
    for file_system in cloud.file_systems.file_systems_of(cluster).await? {
        if !inside.contains(file_system.id.as_str()) && !file_system.tags.contains_key(KEPT_TAG) {
            found.push(Outside { kind: "file system".to_owned(), id: file_system.id });
        }
    }
    let mut tagged = cloud.compute.tagged(cluster).await?;
    tagged.retain(|one| KINDS.contains(&one.kind.as_str()) && !inside.contains(one.id.as_str()));
    if !tagged.is_empty() {
        let there = cloud.compute.still_there(tagged).await?;
        found.extend(there.into_iter().map(|one| Outside { kind: one.kind, id: one.id }));
    }
    found.sort();
    Ok(found)
}

/// The list of what was kept, without what is in a stack.
pub(super) async fn kept(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    stacks: &BTreeMap<StackKey, LiveStack>,
) -> Result<Vec<Kept>> {
    let list = cloud.objects.get(bucket, &keys::kept(cluster)).await?;
    let mut list: Vec<Kept> = list.and_then(|(text, _)| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let inside: BTreeSet<&str> = ids(stacks).collect();
    list.retain(|kept| !inside.contains(kept.id.as_str()));
    Ok(list)
}

/// The physical ids of what is in stacks.
fn ids(stacks: &BTreeMap<StackKey, LiveStack>) -> impl Iterator<Item = &str> {
    let resources = stacks.values().flat_map(|stack| &stack.resources);
    let there = resources.filter(|one| !matches!(one.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED"));
    there.map(|one| one.physical_id.as_str())
}
