//! slurm.conf, the part of one queue: its nodes, node sets and partition.

use super::{
    RenderError,
    conf_line::{ConfLine, node_range},
    engine::vars,
    site::{Site, SitePool},
};
use crate::spec::{AvailabilityZone, PreemptMode, Purchase, Queue, SubnetId};
use serde::Serialize;
use std::collections::BTreeSet;

/// A pool in the queue's file.
#[derive(Debug, Serialize)]
struct PoolLines {
    what: String,
    line: String,
    set: String,
    nodes: String,
}

/// The text of a queue's file.
pub(super) fn queue_conf(site: &Site<'_>, queue: &Queue) -> Result<String, RenderError> {
    let pools: Vec<PoolLines> = site.pools_of(queue).map(|one| pool_lines(site, one)).collect();
    let queue = vars! { name => queue.name.as_str(), pools => pools, line => partition(site, queue).text() };
    site.engine.render("slurm/queue.conf", &vars! { cluster => site.cluster.name, slurm => site.slurm, queue })
}

fn pool_lines(site: &Site<'_>, one: &SitePool<'_>) -> PoolLines {
    let types: Vec<&str> = one.pool.instance_types.iter().map(|name| name.as_str()).collect();
    let of = match types.len() {
        1 => types.join(""),
        _ => format!("the least of {}", types.join(", ")),
    };
    PoolLines {
        what: format!("Pool {}: {}, {of}", one.pool.name, purchase(one.pool.purchase)),
        line: node_line(site, one).text(),
        set: one.prefix().trim_end_matches('-').to_owned(),
        nodes: node_range(&one.prefix(), one.pool.max),
    }
}

fn purchase(purchase: Purchase) -> &'static str {
    match purchase {
        Purchase::OnDemand => "on-demand",
        Purchase::Spot => "spot",
        Purchase::CapacityReservation => "capacity reservation",
        Purchase::CapacityBlock => "capacity block",
    }
}

fn node_line(site: &Site<'_>, one: &SitePool<'_>) -> ConfLine {
    let (pool, hardware) = (one.pool, &one.hardware);
    let weight = pool.weight.unwrap_or(one.index as u32 * 10 + 10);
    ConfLine::default()
        .set("NodeName", node_range(&one.prefix(), pool.max))
        .set("CPUs", hardware.cpus)
        .set("Boards", 1)
        .set("SocketsPerBoard", 1)
        .set("CoresPerSocket", hardware.cores)
        .set("ThreadsPerCore", hardware.threads)
        .set("RealMemory", hardware.memory_mib)
        .maybe("Gres", hardware.gpus.as_ref().map(|gpus| gpus.gres()))
        .set("Feature", features(site, one).join(","))
        .set("Weight", weight)
        .set("State", "CLOUD")
        .overlay(&pool.node_options)
}

/// What a job may ask for with `--constraint`. A feature is a promise, so instance type and zone are among them
/// only where the pool has one of each: which of several a node will be is known when EC2 has launched it.
fn features(site: &Site<'_>, one: &SitePool<'_>) -> Vec<String> {
    let bought = match one.pool.purchase {
        Purchase::OnDemand => "ondemand",
        Purchase::Spot => "spot",
        Purchase::CapacityReservation => "reservation",
        Purchase::CapacityBlock => "block",
    };
    let mut all = vec![bought.to_owned()];
    if let [only] = &one.pool.instance_types[..] {
        all.push(only.to_string());
    }
    all.extend(zone(site, one).map(|zone| zone.to_string()));
    all.extend(one.pool.features.iter().map(|feature| feature.to_string()));
    let mut seen = BTreeSet::new();
    all.retain(|feature| seen.insert(feature.clone()));
    all
}

/// The zone of the pool's nodes, when all its subnets are known to lie in one.
fn zone<'s>(site: &'s Site<'_>, one: &'s SitePool<'_>) -> Option<&'s AvailabilityZone> {
    let network = &site.cluster.network;
    let own = [&one.pool.subnets, &one.queue.subnets, &network.compute_subnets];
    let Some(subnets) = own.into_iter().find(|subnets| !subnets.is_empty()) else {
        return match network.create.as_ref().map(|create| &create.zones[..]) {
            Some([only]) => Some(only),
            Some([first, ..]) if one.queue.in_one_zone(one.pool) => Some(first),
            _ => None,
        };
    };
    let of = |subnet: &SubnetId| network.subnet_zones.iter().find(|known| known.subnet == *subnet).map(|it| &it.zone);
    let mut zones = subnets.iter().map(of);
    let first = zones.next().flatten()?;
    zones.all(|zone| zone == Some(first)).then_some(first)
}

fn partition(site: &Site<'_>, queue: &Queue) -> ConfLine {
    let sets: Vec<String> = site.pools_of(queue).map(|one| one.prefix().trim_end_matches('-').to_owned()).collect();
    let memory = site.pools_of(queue).map(|one| one.hardware.memory_per_cpu()).min();
    let preemption = site.cluster.queues.iter().any(|any| any.preempt_mode.is_some());
    let list = |names: &Vec<String>| (!names.is_empty()).then(|| names.join(","));
    ConfLine::default()
        .set("PartitionName", &queue.name)
        .set("Nodes", sets.join(","))
        .set("Default", if queue.default { "YES" } else { "NO" })
        .set("State", "UP")
        .set("MaxTime", queue.max_time.as_deref().unwrap_or("UNLIMITED"))
        .maybe("DefaultTime", queue.default_time.as_ref())
        .maybe("MinNodes", queue.min_nodes_per_job)
        .maybe("MaxNodes", queue.max_nodes_per_job)
        .maybe("OverSubscribe", queue.exclusive.then_some("EXCLUSIVE"))
        .maybe("PriorityTier", queue.priority_tier)
        .maybe("PreemptMode", preemption.then(|| preempt_mode(queue.preempt_mode)))
        .maybe("AllowAccounts", list(&queue.allow_accounts))
        .maybe("AllowGroups", list(&queue.allow_groups))
        .maybe("DefMemPerCPU", memory.filter(|_| site.cluster.slurm.memory_scheduling))
        // Before 22.05 the idle time is the cluster's.
        .maybe("SuspendTime", queue.idle_seconds.filter(|_| site.slurm.number >= 2205))
        .overlay(&queue.partition_options)
}

/// Queues that say nothing keep their jobs, whatever others of the cluster do.
pub(super) fn preempt_mode(mode: Option<PreemptMode>) -> &'static str {
    match mode {
        None | Some(PreemptMode::Off) => "OFF",
        Some(PreemptMode::Requeue) => "REQUEUE",
        Some(PreemptMode::Cancel) => "CANCEL",
        Some(PreemptMode::Suspend) => "SUSPEND",
    }
}
