//! The report of the cluster, for people elsewhere.

use super::{FailedStart, Hold, HoldWhy, Memory, Part, World};
use crate::{
    cloud::{Cloud, PutCondition, Timestamp},
    node::{NodeError, PoolRef, SlurmJob, SlurmNode, reasons::NO_CAPACITY},
    observe::{
        FailedStartReport, FailingNode, HeldJob, HeldReport, HeldWhy, NodeReport, PoolReport, QueueReport, RestReport,
        SLURM_REPORT_FORMAT, SLURM_REPORT_KIND, SlurmReport, keys,
    },
    render::NodeQueue,
};
use std::collections::{BTreeMap, BTreeSet};

/// A report that has not changed is written anew after so many seconds, so that its readers know it is alive.
const ANEW: i64 = 300;
/// Nodes that cannot be used, and jobs that are held, are named up to so many in a queue.
const FAILING: usize = 50;

/// The report of one look.
pub fn report(world: &World<'_>, jobs: &[SlurmJob], memory: &Memory) -> SlurmReport {
    let cluster = world.cluster;
    SlurmReport {
        kind: SLURM_REPORT_KIND.to_owned(),
        format_version: SLURM_REPORT_FORMAT.to_owned(),
        cluster: cluster.config.cluster.clone(),
        revision: cluster.revision(),
        instance: None,
        at: world.now,
        set_up_failed: memory.configuration.failed.clone(),
        queues: cluster.config.queues.iter().map(|one| queue(world, one, jobs, memory)).collect(),
    }
}

fn queue(world: &World<'_>, of: &NodeQueue, jobs: &[SlurmJob], memory: &Memory) -> QueueReport {
    let pools: Vec<PoolRef<'_>> = of.pools.iter().map(|pool| PoolRef { queue: of, pool }).collect();
    let ours = |name: &str| pools.iter().any(|pool| pool.has(name));
    let has_nodes = |job: &&SlurmJob| job.nodes.iter().any(|node| ours(node));
    let running: Vec<&SlurmJob> = jobs.iter().filter(|job| job.state != "PENDING").filter(has_nodes).collect();
    let waits = |job: &&SlurmJob| job.state == "PENDING" && job.partitions.contains(&of.name);
    let busy: BTreeSet<&String> = running.iter().flat_map(|job| &job.nodes).filter(|node| ours(node)).collect();
    let state = world.partitions.get(&of.name).map(|state| state.to_lowercase());
    QueueReport {
        name: of.name.clone(),
        state: state.unwrap_or_else(|| "missing".to_owned()),
        held: memory.hold(&of.name).map(held),
        failed_starts: world.pools.failures.get(&of.name).copied().unwrap_or_default(),
        last_failed_starts: failed_starts(memory, &of.name),
        running: count(running.len()),
        pending: count(jobs.iter().filter(waits).count()),
        held_jobs: jobs.iter().filter(waits).filter_map(held_job).take(FAILING).collect(),
        busy_nodes: count(busy.len()),
        pools: pools.iter().map(|one| pool(world, *one)).collect(),
        failing: world.nodes.values().filter(|node| ours(&node.name)).filter_map(failing).take(FAILING).collect(),
    }
}

fn failed_starts(memory: &Memory, queue: &str) -> Vec<FailedStartReport> {
    let all = memory.failed_starts.get(queue).into_iter().flatten();
    let one = |(at, FailedStart { node, words }): &(Timestamp, FailedStart)| FailedStartReport {
        node: node.clone(),
        at: *at,
        words: words.clone(),
    };
    all.map(one).collect()
}

fn held_job(job: &SlurmJob) -> Option<HeldJob> {
    job.is_held().then(|| HeldJob { id: job.id, reason: job.reason.clone() })
}

fn held(hold: Hold) -> HeldReport {
    let why = match hold.why {
        HoldWhy::Protected(_) => HeldWhy::Protected,
        HoldWhy::Drained => HeldWhy::Drained,
        HoldWhy::Stopped => HeldWhy::Stopped,
        HoldWhy::Storage => HeldWhy::Storage,
    };
    HeldReport { why, since: hold.since }
}

fn pool(world: &World<'_>, of: PoolRef<'_>) -> PoolReport {
    let mut nodes = BTreeMap::new();
    for node in world.nodes.values().filter(|node| of.has(&node.name)) {
        *nodes.entry(state(node)).or_default() += 1;
    }
    let rest = world.pools.rest(&of.key(), world.now);
    PoolReport {
        name: of.pool.name.clone(),
        nodes,
        rest: rest.map(|rest| RestReport { until: rest.until, code: rest.code.clone() }),
    }
}

/// A node's state in one word.
pub(super) fn state(node: &SlurmNode) -> NodeReport {
    if node.is_sinking() {
        NodeReport::Stopping
    } else if node.is("DOWN") {
        NodeReport::Down
    } else if node.is("DRAIN") {
        NodeReport::Drained
    } else if node.is_rising() {
        NodeReport::Starting
    } else if node.is_asleep() {
        NodeReport::PoweredDown
    } else if node.is_busy() {
        NodeReport::Allocated
    } else {
        NodeReport::Idle
    }
}

/// A node that cannot be used, unless its pool rests: that is said once, of the pool.
fn failing(node: &SlurmNode) -> Option<FailingNode> {
    let unusable = matches!(state(node), NodeReport::Down | NodeReport::Drained);
    let rests = node.reason.starts_with(NO_CAPACITY);
    (unusable && !rests).then(|| FailingNode { name: node.name.clone(), reason: node.reason.clone() })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Writes the report when it has changed, or when the last one is old.
pub(super) async fn publish(
    cloud: &Cloud,
    world: &World<'_>,
    report: &SlurmReport,
    memory: &mut Memory,
) -> Result<(), NodeError> {
    let timeless = SlurmReport { at: Timestamp(0), ..report.clone() };
    let digest = crate::render::sha256(serde_json::to_string(&timeless).unwrap_or_default());
    let old = memory.due(Part::Report, world.now, ANEW);
    if digest == memory.reported && !old {
        return Ok(());
    }
    let body = serde_json::to_vec_pretty(report).unwrap_or_default();
    let key = keys::slurm_report(&report.cluster);
    cloud.objects.put(world.cluster.bucket()?, &key, body, PutCondition::Always).await?;
    memory.reported = digest;
    memory.done.insert(Part::Report, world.now);
    Ok(())
}
