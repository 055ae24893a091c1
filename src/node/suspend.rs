//! SuspendProgram: instances go back.

use super::{Cluster, Event, Events, Home, Ledger, NodeError, Pools};
use crate::cloud::{Cloud, NODE_TAG};
use std::collections::{BTreeMap, BTreeSet};

/// Why nodes are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// They had no work, or were told to.
    Idle,
    /// They did not come up in time (ResumeFailProgram).
    Failed,
}

/// Terminates the instances of nodes. Instances that are gone already are no errors.
///
/// # Errors
/// When EC2 does not take the call; slurmctld does not ask again, `sync` does.
pub async fn suspend(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    nodes: &[String],
    why: Why,
    events: Events<'_>,
) -> Result<(), NodeError> {
    let ledger = Ledger::new(home);
    let nodes: BTreeSet<&str> = nodes.iter().map(String::as_str).collect();
    let mut instances: BTreeMap<String, String> = ledger
        .hold()?
        .instances()
        .into_iter()
        .filter(|(node, _)| nodes.contains(node))
        .map(|(node, instance)| (node.to_owned(), instance.to_owned()))
        .collect();
    let unknown: BTreeSet<&str> = nodes.into_iter().filter(|node| !instances.contains_key(*node)).collect();
    if !unknown.is_empty() && instances.is_empty() {
        // A ledger that was lost with the head node: the nodes' names are tags, too, a minute after launch.
        let tagged = cloud.compute.instances_of(&cluster.config.cluster).await?;
        let named = tagged.into_iter().filter_map(|one| Some((one.tags.get(NODE_TAG)?.clone(), one.id)));
        instances.extend(named.filter(|(node, _)| unknown.contains(node.as_str())));
    }
    // A node that never had an instance lacked capacity, and has its reason: that is no failed start.
    let started: Vec<String> = instances.keys().cloned().collect();
    let ids: Vec<String> = instances.values().cloned().collect();
    if !ids.is_empty() {
        cloud.compute.terminate(&ids).await?;
        ledger.hold()?.end(&ids.iter().cloned().collect())?;
        let why = match why {
            Why::Idle => "given back",
            Why::Failed => "did not come up in time",
        };
        events(Event::Terminated { instances: ids, why });
    }
    if why == Why::Failed {
        count_failures(cluster, home, &started)?;
    }
    Ok(())
}

/// Counts starts that failed, queue by queue; `sync` judges.
fn count_failures(cluster: &Cluster, home: &Home, nodes: &[String]) -> Result<(), NodeError> {
    let queues: Vec<&str> =
        nodes.iter().filter_map(|node| cluster.pool_of(node)).map(|pool| pool.queue.name.as_str()).collect();
    Pools::change(home, |pools| {
        for queue in queues {
            *pools.failures.entry(queue.to_owned()).or_default() += 1;
        }
    })
}
