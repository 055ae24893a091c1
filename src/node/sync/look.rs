//! Looking at EC2, the ledger and Slurm.

use super::{KnownLaunch, World};
use crate::{
    cloud::{Cloud, InstanceState, LAUNCH_TAG, NODE_TAG},
    node::{Cluster, Event, Events, Home, Launch, LaunchedNode, Ledger, NodeError, Pools, objects::find},
};
use std::collections::{BTreeMap, BTreeSet};

/// One look at everything, in the order that [`World`] asks for.
///
/// # Errors
/// When EC2, S3 or slurmctld do not answer, or the ledger cannot be read: then nothing may be decided.
pub(super) async fn look<'c>(
    cloud: &Cloud,
    cluster: &'c Cluster,
    home: &Home,
    events: Events<'_>,
) -> Result<World<'c>, NodeError> {
    let all = cloud.compute.instances_of(&cluster.config.cluster).await?;
    let compute = all.into_iter().filter(InstanceState::is_compute);
    let mut instances: BTreeMap<String, InstanceState> = compute.map(|one| (one.id.clone(), one)).collect();
    let ledger = Ledger::new(home);
    let mut known = ledger.launches()?;
    known.extend(read_back(cloud, cluster, &ledger, &known, &instances, events).await?);
    let mut launches = Vec::new();
    for launch in known {
        // Free and still wanting: its process died. It may have closed the launch between the two looks.
        let mut at_work = ledger.is_at_work(&launch.launch)?;
        if !at_work && !launch.wanted.is_empty() {
            let again = ledger.launches()?.into_iter().find(|one| one.launch == launch.launch);
            at_work = again.is_none_or(|again| again != launch);
        }
        launches.push(KnownLaunch { launch, at_work });
    }
    // What EC2 does not count among the cluster's any more it still shows for an hour: dead at once, and not perhaps unseen.
    let of_nodes = launches.iter().flat_map(|known| known.launch.nodes.keys());
    let missing: Vec<String> = of_nodes.filter(|id| !instances.contains_key(*id)).cloned().collect();
    if !missing.is_empty() {
        instances.extend(cloud.compute.instances(&missing).await?.into_iter().map(|one| (one.id.clone(), one)));
    }
    let slurm = cluster.slurm();
    let nodes = slurm.nodes(&[]).await?;
    Ok(World {
        cluster,
        now: cloud.clock.now(),
        instances,
        launches,
        nodes: nodes.into_iter().map(|node| (node.name.clone(), node)).collect(),
        partitions: slurm.partitions().await?,
        booted: slurm.booted().await?,
        pools: Pools::read(home)?,
    })
}

/// Reads launches back that the ledger has lost, as when the head node was replaced: from what their nodes read, or
/// from the names on their instances. Gives them.
async fn read_back(
    cloud: &Cloud,
    cluster: &Cluster,
    ledger: &Ledger,
    known: &[Launch],
    instances: &BTreeMap<String, InstanceState>,
    events: Events<'_>,
) -> Result<Vec<Launch>, NodeError> {
    let known: BTreeSet<&String> = known.iter().map(|launch| &launch.launch).collect();
    let mut lost: BTreeMap<&str, Vec<&InstanceState>> = BTreeMap::new();
    for instance in instances.values().filter(|one| one.is_alive()) {
        if let Some(launch) = instance.tags.get(LAUNCH_TAG).filter(|launch| !known.contains(*launch)) {
            lost.entry(launch).or_default().push(instance);
        }
    }
    let mut back = Vec::new();
    for (id, alive) in lost {
        let object = find(cloud, cluster.bucket()?, &cluster.launch_key(id)).await?;
        let published: Option<Launch> = object.and_then(|body| serde_json::from_slice(&body).ok());
        let Some(mut launch) = published.filter(|one| one.launch == id).or_else(|| by_names(cluster, id, &alive))
        else {
            continue;
        };
        launch.wanted.clear();
        launch.nodes.retain(|instance, _| alive.iter().any(|one| one.id == *instance));
        if launch.is_over() {
            continue;
        }
        let nodes = launch.nodes.values().map(|node| node.name.clone()).collect();
        ledger.record(&launch)?;
        events(Event::ReadBack { launch: launch.launch.clone(), nodes });
        back.push(launch);
    }
    Ok(back)
}

fn by_names(cluster: &Cluster, id: &str, alive: &[&InstanceState]) -> Option<Launch> {
    let named = |one: &&&InstanceState| {
        let node = LaunchedNode { name: one.tags.get(NODE_TAG)?.clone(), address: one.private_ip.clone()? };
        Some((one.id.clone(), node))
    };
    let nodes: BTreeMap<String, LaunchedNode> = alive.iter().filter_map(|one| named(&one)).collect();
    let pool = cluster.pool_of(&nodes.values().next()?.name)?;
    let at = alive.iter().map(|one| one.launched).min()?;
    let (queue, name) = (&pool.queue.name, &pool.pool.name);
    let mut launch = Launch::new(id.to_owned(), &cluster.config.cluster, queue, name, at, Vec::new());
    launch.nodes = nodes;
    Some(launch)
}
