//! Queues: their names, limits and what they share.

use super::{
    efa, iam, instances, options, pool,
    rules::{capacity, names, nodes, slurm},
    sheet::{Sheet, args},
    time_limit, volumes,
};
use crate::spec::{Cluster, Path, PreemptMode, Queue, walk::closest};
use std::collections::{HashMap, HashSet};

/// The most nodes that Slurm counts (`MAX_SLURM_NODES`).
const MAX_NODES: u64 = 65_533;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let licenses: HashSet<&str> = cluster.slurm.licenses.iter().map(|license| license.name.as_str()).collect();
    let highest_tier = cluster.queues.iter().map(|queue| queue.priority_tier.unwrap_or(1)).max();
    let mut seen: HashMap<&str, Path> = HashMap::new();
    let mut node_names: HashMap<String, (usize, usize)> = HashMap::new();
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = Path::from("queues").index(i);
        name(sheet, queue, &at, &mut seen);
        limits(sheet, queue, &at);
        taken_licenses(sheet, queue, &at, &licenses);
        if queue.preempt_mode.is_some_and(|mode| mode != PreemptMode::Off)
            && highest_tier == Some(queue.priority_tier.unwrap_or(1))
            && sheet.is_whole(&Path::from("queues"))
        {
            sheet.add(&capacity::PREEMPT_WITHOUT_TIERS, at.key("preempt_mode"), args! { queue: queue.name });
        }
        if !queue.allow_accounts.is_empty() && cluster.accounting.is_none() {
            let found = sheet.is_given(&Path::from("accounting"));
            if found {
                sheet.add_key(&slurm::ACCOUNTS_WITHOUT_ACCOUNTING, at.key("allow_accounts"), args! {});
            }
        }
        options::partition(sheet, &queue.partition_options, &at.key("partition_options"));
        volumes::root(
            sheet,
            &queue.root_volume,
            instances::own_image(cluster, queue.ami.is_some()),
            &at.key("root_volume"),
        );
        iam::node(sheet, queue.iam.as_ref(), &at.key("iam"));
        iam::queue(sheet, queue, &at);
        iam::actions(sheet, queue.custom_actions.as_ref(), &at.key("custom_actions"));
        let types = pool::check(sheet, cluster, queue, &at, &mut node_names, i);
        efa::check(sheet, cluster, queue, &at, &types);
        if queue.gpu_health_check && types.all_known && types.iter().all(|found| found.facts.gpus.is_empty()) {
            sheet.add(&nodes::NO_GPU_TO_CHECK, at.key("gpu_health_check"), args! { queue: queue.name });
        }
    }
    defaults(sheet, cluster);
    total(sheet, cluster);
}

fn name<'c>(sheet: &mut Sheet, queue: &'c Queue, at: &Path, seen: &mut HashMap<&'c str, Path>) {
    let at = at.key("name");
    let name = queue.name.as_str();
    if name == "default" {
        sheet.add(&names::RESERVED_QUEUE, at, args! { name: name });
    } else if let Some(first) = seen.get(name) {
        let args = args! { name: name, line: sheet.line(first) };
        sheet.add_with(&names::DUPLICATE_QUEUE, at, vec![(first.clone(), "first used here")], args);
    } else if sheet.is_given(&at) {
        seen.insert(name, at);
    }
}

fn limits(sheet: &mut Sheet, queue: &Queue, at: &Path) {
    if let (Some(default), Some(max)) = (&queue.default_time, &queue.max_time)
        && let (Some(shorter), Some(longer)) = (time_limit::seconds(default), time_limit::seconds(max))
        && shorter > longer
    {
        let args = args! { default: default, max: max };
        sheet.add_with(&capacity::TIME_ORDER, at.key("default_time"), vec![(at.key("max_time"), "the longest")], args);
    }
    let nodes: u64 = queue.pools.iter().map(|pool| u64::from(pool.max)).sum();
    let most = queue.max_nodes_per_job.map_or(nodes, |max| nodes.min(u64::from(max)));
    let Some(min) = queue.min_nodes_per_job else { return };
    if u64::from(min) > most && sheet.is_whole(&at.key("pools")) && sheet.is_given(&at.key("max_nodes_per_job")) {
        sheet.add(&capacity::JOB_NODES, at.key("min_nodes_per_job"), args! { min: min, max: most });
    }
}

fn taken_licenses(sheet: &mut Sheet, queue: &Queue, at: &Path, licenses: &HashSet<&str>) {
    for (i, license) in queue.licenses.iter().enumerate() {
        let plain = license.split([':', '=', '@']).next().unwrap_or(license);
        if licenses.contains(plain) || !sheet.is_whole(&Path::from("slurm.licenses")) {
            continue;
        }
        let mut args = args! { name: license };
        args.extend(closest(plain, licenses.iter().copied()).map(|near| ("suggestion", near.to_owned())));
        sheet.add(&names::UNKNOWN_LICENSE, at.key("licenses").index(i), args);
    }
}

fn defaults(sheet: &mut Sheet, cluster: &Cluster) {
    let place = |i: usize| Path::from("queues").index(i).key("default");
    let mut chosen = cluster.queues.iter().enumerate().filter(|(_, queue)| queue.default);
    let Some((first, queue)) = chosen.next() else {
        let whole = sheet.is_whole(&Path::from("queues"));
        if cluster.queues.len() > 1 && whole {
            sheet.add(&names::NO_DEFAULT_QUEUE, Path::from("queues"), args! {});
        }
        return;
    };
    for (i, _) in chosen {
        let first = place(first);
        let args = args! { queue: queue.name, line: sheet.line(&first) };
        sheet.add_with(&names::TWO_DEFAULT_QUEUES, place(i), vec![(first, "the default already")], args);
    }
}

fn total(sheet: &mut Sheet, cluster: &Cluster) {
    let total: u64 = cluster.queues.iter().flat_map(|queue| &queue.pools).map(|pool| u64::from(pool.max)).sum();
    if total > MAX_NODES {
        sheet.add(&capacity::TOO_MANY_NODES, Path::from("queues"), args! { total: total, max: MAX_NODES });
    }
}
