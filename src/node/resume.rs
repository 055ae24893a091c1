//! ResumeProgram: instances for nodes.
//!
//! One `CreateFleet` for each pool, whatever the number of nodes and jobs; one look at the instances; one object in S3
//! from which they learn their names; one `scontrol` for 500 addresses. Where EC2 has no capacity, the nodes are set
//! down at once, with the whole rest of their pool: Slurm requeues their jobs and takes another pool, instead of
//! trying node after node.

use super::{
    Cluster, Event, Events, Home, Job, Launch, LaunchedNode, Ledger, NodeError, PoolRef, Pools, Rest, Slurm,
    assign::{Assigned, assign},
    fleets::{self, Outcome},
    ledger::OwnLaunch,
    reasons::{JOB_LACKS, NOT_LAUNCHED, no_capacity},
};
use crate::{
    cloud::{Cloud, InstanceState, PutCondition, is_lack},
    spec::Scaling,
};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Fleets that are asked for at the same time.
const AT_ONCE: usize = 8;

/// Launches instances for nodes. True: every node has one, and all that have to know were told; what was not told is
/// made good by [`sync`](super::sync).
///
/// `jobs` are those of [`parse_resume_file`](super::parse_resume_file).
///
/// # Errors
/// When the ledger cannot be written. What EC2 or slurmctld refuse is an [`Event`].
pub async fn resume(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    jobs: Vec<Job>,
    events: Events<'_>,
) -> Result<bool, NodeError> {
    let slurm = cluster.slurm();
    let ledger = Ledger::new(home);
    let (jobs, running) = without_running(cloud, cluster, &ledger, jobs, events).await?;
    let rests = Pools::read(home)?;
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let jobs = without_resting(cloud, cluster, &rests, jobs, &mut failed, events);
    let (jobs, launches) = begin(cloud, cluster, &ledger, jobs, events)?;
    let strict = cluster.config.scaling == Scaling::AllOrNothing;
    let all_or_nothing = strict && jobs.len() == 1;
    let fleets = launches.into_iter().map(|(pool, own)| fleets::launch(cloud, cluster, pool, own, all_or_nothing));
    let mut outcomes: Vec<Outcome<'_>> = stream::iter(fleets).buffer_unordered(AT_ONCE).collect().await;
    outcomes.sort_by_key(|outcome| outcome.pool.key());
    let came = outcomes.iter().map(|outcome| (outcome.pool.key(), outcome.came.clone())).collect();
    let pool_of = |node: &str| cluster.pool_of(node).map(|pool| pool.key()).unwrap_or_default();
    let assigned = assign(&jobs, pool_of, came, strict);
    let mut told = true;
    for outcome in &mut outcomes {
        told &= hand_out(cloud, cluster, &ledger, outcome, &assigned, events).await;
    }
    let addresses: Vec<(String, String)> =
        assigned.nodes.iter().map(|(name, (_, address))| (name.clone(), address.clone())).chain(running).collect();
    if let Err(error) = slurm.set_addresses(&addresses).await {
        told = false;
        events(Event::Failed { step: "set addresses", error });
    }
    give_back(cloud, &outcomes, &assigned, events).await;
    for outcome in &outcomes {
        let short = shortage(cloud, cluster, home, outcome, &assigned, events)?;
        if let Some((reason, nodes)) = short {
            failed.entry(reason).or_default().extend(nodes);
        }
    }
    let complete = told && failed.is_empty();
    set_down(cluster, &slurm, home, cloud, failed, events).await?;
    // The locks of the launches end here: from now on `sync` answers for them.
    drop(outcomes);
    Ok(complete)
}

/// Takes out what needs no launch: nodes of no pool, nodes that another process launches at this moment, nodes whose instances
/// run. The last are given with their addresses, for slurmctld may have forgotten them.
async fn without_running(
    cloud: &Cloud,
    cluster: &Cluster,
    ledger: &Ledger,
    mut jobs: Vec<Job>,
    events: Events<'_>,
) -> Result<(Vec<Job>, Vec<(String, String)>), NodeError> {
    let nodes: BTreeSet<String> = jobs.iter().flat_map(|job| job.nodes.clone()).collect();
    let unknown: Vec<String> = nodes.iter().filter(|node| cluster.pool_of(node).is_none()).cloned().collect();
    let (in_flight, instances) = {
        let held = ledger.hold()?;
        let in_flight: Vec<String> =
            held.in_flight()?.into_iter().filter(|node| nodes.contains(*node)).map(str::to_owned).collect();
        let instances: BTreeMap<String, String> = held
            .instances()
            .into_iter()
            .filter(|(node, _)| nodes.contains(*node))
            .map(|(node, instance)| (instance.to_owned(), node.to_owned()))
            .collect();
        (in_flight, instances)
    };
    let ids: Vec<String> = instances.keys().cloned().collect();
    let mut alive = Vec::new();
    if !ids.is_empty() {
        let known = cloud.compute.instances(&ids).await?;
        for one in known.into_iter().filter(InstanceState::is_alive) {
            if let (Some(node), Some(address)) = (instances.get(&one.id), one.private_ip) {
                alive.push((node.clone(), address, one.id));
            }
        }
        let kept: BTreeSet<&String> = alive.iter().map(|(_, _, id)| id).collect();
        let gone = ids.iter().filter(|id| !kept.contains(id)).cloned().collect();
        ledger.hold()?.end(&gone)?;
    }
    let running: Vec<(String, String)> = alive.into_iter().map(|(node, address, _)| (node, address)).collect();
    let known: BTreeSet<&String> =
        unknown.iter().chain(&in_flight).chain(running.iter().map(|(node, _)| node)).collect();
    for job in &mut jobs {
        job.nodes.retain(|node| !known.contains(node));
    }
    jobs.retain(|job| !job.nodes.is_empty());
    if !running.is_empty() {
        events(Event::Running { nodes: running.iter().map(|(node, _)| node.clone()).collect() });
    }
    if !unknown.is_empty() {
        events(Event::Unknown { nodes: unknown });
    }
    if !in_flight.is_empty() {
        events(Event::InFlight { nodes: in_flight });
    }
    Ok((jobs, running))
}

/// Takes out the jobs that need a pool that rests: EC2 is not asked again before its time.
fn without_resting(
    cloud: &Cloud,
    cluster: &Cluster,
    pools: &Pools,
    jobs: Vec<Job>,
    failed: &mut BTreeMap<String, Vec<String>>,
    events: Events<'_>,
) -> Vec<Job> {
    let now = cloud.clock.now();
    let mut told = BTreeSet::new();
    let mut rest_of = |node: &String| {
        let key = cluster.pool_of(node)?.key();
        let rest = pools.rest(&key, now)?;
        if told.insert(key.clone()) {
            events(Event::Resting { pool: key, code: rest.code.clone(), seconds: rest.until.0 - now.0 });
        }
        Some(rest.code.clone())
    };
    let (mut kept, strict) = (Vec::new(), cluster.config.scaling == Scaling::AllOrNothing);
    for mut job in jobs {
        let codes: BTreeMap<String, String> =
            job.nodes.iter().filter_map(|node| Some((node.clone(), rest_of(node)?))).collect();
        if let Some(code) = codes.values().next() {
            let down = job.nodes.iter().filter(|node| strict || codes.contains_key(*node)).cloned();
            failed.entry(no_capacity(code)).or_default().extend(down);
            job.nodes.retain(|node| !strict && !codes.contains_key(node));
        }
        if !job.nodes.is_empty() {
            kept.push(job);
        }
    }
    kept
}

/// The jobs with the nodes that are left to launch, and a launch for each pool.
type Begun<'c> = (Vec<Job>, Vec<(PoolRef<'c>, OwnLaunch)>);

/// Writes a launch for each pool into the ledger. What another process has begun since this one looked is its: looking and
/// beginning are one hold of the ledger.
fn begin<'c>(
    cloud: &Cloud,
    cluster: &'c Cluster,
    ledger: &Ledger,
    mut jobs: Vec<Job>,
    events: Events<'_>,
) -> Result<Begun<'c>, NodeError> {
    let mut held = ledger.hold()?;
    let taken: BTreeSet<String> =
        held.in_flight()?.into_iter().chain(held.instances().into_keys()).map(str::to_owned).collect();
    let late: Vec<String> =
        jobs.iter().flat_map(|job| &job.nodes).filter(|node| taken.contains(*node)).cloned().collect();
    for job in &mut jobs {
        job.nodes.retain(|node| !taken.contains(node));
    }
    jobs.retain(|job| !job.nodes.is_empty());
    if !late.is_empty() {
        events(Event::InFlight { nodes: late });
    }
    let mut pools: BTreeMap<String, (PoolRef<'c>, Vec<String>)> = BTreeMap::new();
    for node in jobs.iter().flat_map(|job| &job.nodes) {
        if let Some(pool) = cluster.pool_of(node) {
            pools.entry(pool.key()).or_insert_with(|| (pool, Vec::new())).1.push(node.clone());
        }
    }
    let now = cloud.clock.now();
    let mut begun = Vec::new();
    for (pool, nodes) in pools.into_values() {
        let id = Home::nonce();
        let launch = Launch::new(id, &cluster.config.cluster, &pool.queue.name, &pool.pool.name, now, nodes);
        begun.push((pool, held.begin(launch)?));
    }
    Ok((jobs, begun))
}

/// Writes down which instance is which node, here and where the nodes look. Whether all of it was written.
async fn hand_out(
    cloud: &Cloud,
    cluster: &Cluster,
    ledger: &Ledger,
    outcome: &mut Outcome<'_>,
    assigned: &Assigned,
    events: Events<'_>,
) -> bool {
    let launch = &mut outcome.own.launch;
    let came: BTreeSet<&String> = outcome.came.iter().map(|(instance, _)| instance).collect();
    let ours = assigned.nodes.iter().filter(|(_, (instance, _))| came.contains(instance));
    launch.nodes.extend(ours.map(|(name, (instance, address))| {
        (instance.clone(), LaunchedNode { name: name.clone(), address: address.clone() })
    }));
    // While `wanted` is not empty, the surplus is this launch's to give back.
    let mut published = launch.clone();
    published.wanted.clear();
    let mut note = |step, result: Result<(), NodeError>| {
        let well = result.is_ok();
        if let Err(error) = result {
            events(Event::Failed { step, error });
        }
        well
    };
    let mut well = note("write the launch down", ledger.record(launch));
    if !published.nodes.is_empty() {
        launch.untold = !note("tell the nodes their names", publish(cloud, cluster, &published).await);
        well &= !launch.untold;
        let shown = |(instance, node): (String, LaunchedNode)| (node.name, instance, node.address);
        events(Event::Launched {
            pool: outcome.pool.key(),
            launch: published.launch,
            nodes: published.nodes.into_iter().map(shown).collect(),
        });
    }
    well
}

/// Puts a launch where its nodes learn their names.
pub(super) async fn publish(cloud: &Cloud, cluster: &Cluster, launch: &Launch) -> Result<(), NodeError> {
    let body = serde_json::to_vec(&Launch { untold: false, ..launch.clone() }).unwrap_or_default();
    let key = cluster.launch_key(&launch.launch);
    cloud.objects.put(cluster.bucket()?, &key, body, PutCondition::Always).await?;
    Ok(())
}

/// Terminates what came and is nobody's; then nothing of the launches is open any more.
async fn give_back(cloud: &Cloud, outcomes: &[Outcome<'_>], assigned: &Assigned, events: Events<'_>) {
    let surplus = assigned.surplus.iter().map(|(id, _)| id.clone());
    let instances: Vec<String> = surplus.chain(outcomes.iter().flat_map(|outcome| outcome.lost.clone())).collect();
    if instances.is_empty() {
        return;
    }
    match cloud.compute.terminate(&instances).await {
        Ok(()) => events(Event::Terminated { instances, why: "no job can use them" }),
        Err(error) => events(Event::Failed { step: "give instances back", error: error.into() }),
    }
}

/// Closes a launch; gives the nodes that it did not bring, with the reason, and lets its pool rest when EC2 had no capacity.
fn shortage(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    outcome: &Outcome<'_>,
    assigned: &Assigned,
    events: Events<'_>,
) -> Result<Option<(String, Vec<String>)>, NodeError> {
    let (launch, key) = (&outcome.own.launch, outcome.pool.key());
    let missing: Vec<String> = launch.wanted.iter().filter(|node| assigned.missing.contains(*node)).cloned().collect();
    let mut closed = launch.clone();
    closed.wanted.clear();
    Ledger::new(home).record(&closed)?;
    let errors = outcome.errors.clone();
    let capacity = errors.iter().find(|error| is_lack(&error.code, &error.message)).map(|error| error.code.clone());
    let (wanted, got) = (launch.wanted.len(), outcome.came.len());
    let first = errors.first().map(|error| format!("(Code:{}) {}", error.code, error.message));
    if !errors.is_empty() && got < wanted {
        events(Event::Short { pool: key.clone(), wanted, got, errors });
    }
    let reason = match (&capacity, &outcome.failed) {
        (Some(code), _) if got < wanted => {
            let seconds = cluster.config.capacity_cooldown_seconds;
            let until = cloud.clock.now().plus(i64::from(seconds));
            let rest = Rest { until, code: code.clone() };
            Pools::change(home, |pools| pools.resting.insert(key.clone(), rest))?;
            events(Event::Cooling { pool: key, code: code.clone(), seconds });
            no_capacity(code)
        }
        (_, Some(error)) => format!("{NOT_LAUNCHED}: {error}"),
        _ if got < wanted => {
            format!("{NOT_LAUNCHED}: {}", first.unwrap_or_else(|| "no reason given".to_owned()))
        }
        _ => JOB_LACKS.to_owned(),
    };
    Ok((!missing.is_empty()).then_some((reason, missing)))
}

/// Sets nodes down, and with those of a pool without capacity all of the pool that are powered down.
async fn set_down(
    cluster: &Cluster,
    slurm: &Slurm,
    home: &Home,
    cloud: &Cloud,
    mut failed: BTreeMap<String, Vec<String>>,
    events: Events<'_>,
) -> Result<(), NodeError> {
    let (pools, now) = (Pools::read(home)?, cloud.clock.now());
    let hit: BTreeSet<String> =
        failed.values().flatten().filter_map(|node| cluster.pool_of(node)).map(|pool| pool.key()).collect();
    for pool in cluster.pools().filter(|pool| hit.contains(&pool.key())) {
        let Some(rest) = pools.rest(&pool.key(), now) else { continue };
        let all: Vec<String> = pool.nodes().collect();
        match slurm.nodes(&all).await {
            Ok(nodes) => {
                let asleep = nodes.into_iter().filter(|node| node.is("IDLE") && node.is("POWERED_DOWN"));
                failed.entry(no_capacity(&rest.code)).or_default().extend(asleep.map(|node| node.name));
            }
            Err(error) => events(Event::Failed { step: "look at the pool's nodes", error }),
        }
    }
    for (reason, mut nodes) in failed {
        nodes.sort();
        nodes.dedup();
        // Slurm keeps some hundred letters of a reason.
        let short: String = reason.chars().filter(|letter| !letter.is_control()).take(250).collect();
        match slurm.update_nodes(&nodes, &["state=down", &format!("reason={short}")]).await {
            Ok(()) => events(Event::Down { nodes, reason: short }),
            Err(error) => events(Event::Failed { step: "set nodes down", error }),
        }
    }
    Ok(())
}
