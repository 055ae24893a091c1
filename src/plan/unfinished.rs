//! What an apply that died left to do, when all stacks and files are as they should be.
//!
//! The last that apply writes is `cluster.json`, from which nodes are launched, then the revision. Whoever dies before
//! that leaves a cluster whose stacks say one thing and whose head node does another.

use super::{
    Action, Desired, FileChange,
    facts::{CLUSTER_FACTS, Facts, outputs, same},
};
use crate::{model::StackKey, observe::Live};
use std::collections::BTreeMap;

/// The revision that an apply of the very same began and did not finish.
pub fn revision(rendered_digest: &str, live: &Live) -> Option<u64> {
    let begun = live.begun.as_ref()?;
    (begun.rendered_digest == rendered_digest).then_some(begun.number)
}

/// The change to `cluster.json`, when it is not what the stacks give. Only for a plan that changes nothing else: any
/// other writes the file at its end, from outputs that nobody knows yet.
///
/// `templates`: as apply would have them.
pub fn facts(
    desired: &Desired<'_>,
    templates: &BTreeMap<StackKey, String>,
    live: &Live,
    unfinished: Option<u64>,
) -> Option<FileChange> {
    let bucket = live.bucket.as_ref()?;
    let facts = Facts {
        cluster: &desired.graph.cluster,
        region: &desired.graph.region,
        revision: unfinished.or(live.revision.as_ref().map(|revision| revision.number)).unwrap_or(1),
        bucket: &bucket.name,
        facts: &desired.graph.facts,
        templates,
    };
    let (before, after) = (live.files.get(CLUSTER_FACTS), facts.text(&outputs(live)));
    if same(live, &after) {
        return None;
    }
    let action = if before.is_some() { Action::Update } else { Action::Create };
    let path = CLUSTER_FACTS.to_owned();
    Some(FileChange { path, action, before: before.cloned(), after: Some(after), cause: None })
}
