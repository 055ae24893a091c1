//! Tags.

use super::{
    StackKey, Val,
    names::{CLUSTER_TAG, POOL_TAG, QUEUE_TAG, ROLE_TAG},
    props::Props,
};
use crate::spec::{Cluster, Pool, Queue};
use std::{collections::BTreeMap, sync::Arc};

/// Tags in the order of their keys, as most resource types take them.
pub(super) fn list(tags: BTreeMap<String, String>) -> Val {
    Val::Tags(Arc::new(tags))
}

/// The cluster's tag and the role's, nothing of the user's: those come as tags of the stack.
pub(super) fn own(cluster: &Cluster, role: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(CLUSTER_TAG.to_owned(), cluster.name.to_string()), (ROLE_TAG.to_owned(), role.to_owned())])
}

/// Those of a cluster's tags that a stack has: CloudFormation passes them on to everything that it makes.
///
/// A queue's stack has hpcctl's own alone. The tags of a placement group cannot change: another value would replace the
/// group, which cannot go while nodes are in it. What else a queue's stack makes has the user's tags by itself.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-placementgroup.html>
pub fn of_stack(all: &BTreeMap<String, String>, stack: &StackKey) -> BTreeMap<String, String> {
    let wanted = |key: &str| !matches!(stack, StackKey::Queue(_)) || key.starts_with("hpcctl:");
    all.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The user's tags with ours, for what gets none from its stack.
pub(super) fn with_users(cluster: &Cluster, ours: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = cluster.tags.clone();
    tags.extend(ours);
    tags
}

/// [`own`] with a name that consoles show.
pub(super) fn named(cluster: &Cluster, role: &str, name: &str) -> Val {
    let mut tags = own(cluster, role);
    tags.insert("Name".to_owned(), format!("{}-{name}", cluster.name));
    list(tags)
}

/// Tags of something that belongs to a pool.
pub(super) fn of_pool(cluster: &Cluster, queue: &Queue, pool: &Pool) -> BTreeMap<String, String> {
    let mut tags = own(cluster, "compute");
    tags.insert(QUEUE_TAG.to_owned(), queue.name.to_string());
    tags.insert(POOL_TAG.to_owned(), pool.name.to_string());
    tags
}

/// Tags of what a launch template launches: the user's from the outside in, then ours.
///
/// Stack tags do not reach what Slurm launches, so all of them are in the template.
pub(super) fn launched<'t>(
    users: impl IntoIterator<Item = &'t BTreeMap<String, String>>,
    ours: BTreeMap<String, String>,
    name: String,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([("Name".to_owned(), name)]);
    for layer in users {
        tags.extend(layer.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    tags.extend(ours);
    tags
}

/// `TagSpecifications` for these kinds of resources.
pub(super) fn specifications(kinds: &[&str], tags: BTreeMap<String, String>) -> Val {
    let tags = list(tags);
    let specification = |kind: &&str| Props::new().set("ResourceType", *kind).set("Tags", tags.clone()).into();
    Val::List(kinds.iter().map(specification).collect())
}

/// Whether instances can show these tags in their metadata: keys without blanks and slashes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html>
pub(super) fn fit_metadata(tags: &BTreeMap<String, String>) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || "+-=.,_:@".contains(char);
    tags.keys().all(|key| key.chars().all(fits) && key != "." && key != ".." && key != "_index")
}
