//! The proof that nothing is left.

use super::{ApplyError, Context, context::Pace};
use crate::{
    cloud::{Cloud, Result, TaggedResource},
    plan::{Action, DataFate},
};
use serde::Serialize;

/// Something that carries the cluster's tag or name and still exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leftover {
    /// Its kind, such as `stack` or `volume`.
    pub kind: String,
    /// Its id or name.
    pub id: String,
}

/// Everything that carries the cluster's tag or name.
pub async fn leftovers(cloud: &Cloud, cluster: &str) -> Result<Vec<Leftover>> {
    let mut left = Vec::new();
    let mut push = |kind: &str, id: String| left.push(Leftover { kind: kind.to_owned(), id });
    for stack in cloud.stacks.stacks_of(cluster).await? {
        push("stack", stack.name);
    }
    for instance in cloud.compute.instances_of(cluster).await? {
        push("instance", instance.id);
    }
    for file_system in cloud.file_systems.file_systems_of(cluster).await? {
        push("file system", file_system.id);
    }
    // EC2 shows these, tags and all, for an hour after their end. Instances were asked above; of the others the
    // stacks that made them have seen the end.
    let lingers = |resource: &TaggedResource| LINGERING.contains(&resource.kind.as_str());
    for resource in cloud.compute.tagged(cluster).await?.into_iter().filter(|resource| !lingers(resource)) {
        push(&resource.kind, resource.id);
    }
    for role in cloud.identity.roles(&format!("{cluster}-")).await? {
        push("role", role);
    }
    left.sort();
    left.dedup();
    Ok(left)
}

/// EC2's words for what it still shows after its end.
const LINGERING: &[&str] = &["instance", "fleet", "spot-instances-request", "natgateway", "vpc-endpoint"];
/// How often to look before what is left counts.
const LOOKS: usize = 12;

/// Proves that nothing is left but what the plan keeps.
pub async fn verify(context: &Context<'_>) -> std::result::Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let mut left = Vec::new();
    for _ in 0..LOOKS {
        left = leftovers(context.cloud, &context.plan.cluster).await?;
        left.retain(|leftover| leftover.kind != "snapshot" && !is_kept(context, &leftover.id));
        if left.is_empty() {
            return Ok(false);
        }
        context.pause(&mut pace).await?;
    }
    Err(ApplyError::Leftovers { left })
}

fn is_kept(context: &Context<'_>, id: &str) -> bool {
    context.plan.changes.iter().any(|change| {
        let kept =
            change.action == Action::Forget || change.data.as_ref().is_some_and(|data| data.fate == DataFate::Kept);
        kept && change.physical_id.as_deref() == Some(id)
    })
}
