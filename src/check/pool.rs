//! Pools: their names, sizes, instance types, and how they are bought.

use super::{
    instances, interruption, options, reservation,
    rules::{capacity, names, nodes as rule},
    sheet::{Sheet, args},
};
use crate::{
    catalog::InstanceType,
    spec::{Cluster, Path, Pool, Queue},
};
use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    rc::Rc,
};

/// An instance type of a pool, and where the file names it.
pub(super) struct Found {
    /// What is known about it.
    pub(super) facts: Rc<InstanceType>,
    /// The pool's index.
    pub(super) pool: usize,
    /// Where the file names it.
    pub(super) at: Path,
}

/// The instance types of a queue that exist.
pub(super) struct Types {
    list: Vec<Found>,
    /// Whether all do.
    pub(super) all_known: bool,
}

impl Deref for Types {
    type Target = [Found];
    fn deref(&self) -> &[Found] {
        &self.list
    }
}

/// Checks the pools of a queue; `node_names` holds `QUEUE-POOL` of all queues before it.
pub(super) fn check(
    sheet: &mut Sheet,
    cluster: &Cluster,
    queue: &Queue,
    at: &Path,
    node_names: &mut HashMap<String, (usize, usize)>,
    index: usize,
) -> Types {
    let mut types = Types { list: Vec::new(), all_known: true };
    let mut seen: HashMap<&str, Path> = HashMap::new();
    for (j, pool) in queue.pools.iter().enumerate() {
        let at = at.key("pools").index(j);
        let name_at = at.key("name");
        let nodes = format!("{}-{}", queue.name, pool.name);
        if let Some(first) = seen.get(pool.name.as_str()) {
            let args = args! { name: pool.name, queue: queue.name, line: sheet.line(first) };
            sheet.add_with(&names::DUPLICATE_POOL, name_at, vec![(first.clone(), "first used here")], args);
        } else if let Some(&(i, j)) = node_names.get(&nodes).filter(|(i, _)| cluster.queues[*i].name != queue.name) {
            let other = &cluster.queues[i];
            let other_at = Path::from("queues").index(i).key("pools").index(j).key("name");
            let args = args! { node: nodes, queue: other.name, pool: other.pools[j].name };
            sheet.add_with(&names::NODE_NAMES_COLLIDE, name_at, vec![(other_at, "the other pool")], args);
        } else if sheet.is_given(&name_at) && sheet.is_given(&at.parent().parent().key("name")) {
            seen.insert(pool.name.as_str(), name_at);
            node_names.insert(nodes, (index, j));
        }
        if pool.max < pool.min {
            let related = vec![(at.key("min"), "the least")];
            sheet.add_with(&capacity::MAX_BELOW_MIN, at.key("max"), related, args! { min: pool.min, max: pool.max });
        }
        options::node(sheet, &pool.node_options, &at.key("node_options"));
        interruption::check(sheet, cluster, pool, &at);
        reservation::check(sheet, pool, &at);
        let from = types.list.len();
        instance_types(sheet, pool, &at, j, &mut types);
        let found = &types.list[from..];
        reservation::purchase(sheet, pool, found);
        alike(sheet, queue, found);
        single(sheet, queue, pool, &at, found);
    }
    one_architecture(sheet, &types);
    types
}

fn instance_types(sheet: &mut Sheet, pool: &Pool, at: &Path, index: usize, types: &mut Types) {
    let mut seen = HashSet::new();
    for (k, name) in pool.instance_types.iter().enumerate() {
        let at = at.key("instance_types").index(k);
        if !seen.insert(name) {
            sheet.add(&names::REPEATED_TYPE, at, args! { type: name });
            continue;
        }
        match instances::known(sheet, name, &at) {
            Some(facts) if sheet.is_given(&at) => types.list.push(Found { facts, pool: index, at }),
            _ => types.all_known = false,
        }
    }
}

/// Differences between the types of one pool that Slurm has to level down.
fn alike(sheet: &mut Sheet, queue: &Queue, found: &[Found]) {
    let cpus = |found: &Found| if queue.hyperthreading { found.facts.vcpus } else { found.facts.cores };
    let gpus = |found: &Found| found.facts.gpus.iter().map(|gpu| gpu.count).sum::<u32>();
    let unit = if queue.hyperthreading { "vCPUs" } else { "cores" };
    let (Some(fewest_cpus), Some(fewest_gpus)) =
        (found.iter().min_by_key(|found| cpus(found)), found.iter().min_by_key(|found| gpus(found)))
    else {
        return;
    };
    if let Some(most) = found.iter().max_by_key(|found| cpus(found)).filter(|most| cpus(most) > cpus(fewest_cpus)) {
        let args = args! {
            type: most.facts.name, count: cpus(most), unit: unit,
            other: fewest_cpus.facts.name, least: cpus(fewest_cpus),
        };
        sheet.add(&rule::DIFFERENT_CPUS, most.at.clone(), args);
    }
    if let Some(most) = found.iter().max_by_key(|found| gpus(found)).filter(|most| gpus(most) > gpus(fewest_gpus)) {
        let args = args! {
            type: most.facts.name, count: gpus(most), other: fewest_gpus.facts.name, least: gpus(fewest_gpus),
        };
        sheet.add(&rule::DIFFERENT_GPUS, most.at.clone(), args);
    }
}

/// What each type of a pool must be able to do.
fn single(sheet: &mut Sheet, queue: &Queue, pool: &Pool, at: &Path, found: &[Found]) {
    for one in found {
        let name = &one.facts.name;
        if !queue.hyperthreading && !instances::can_choose_threads(&one.facts) {
            sheet.add(&rule::NO_HYPERTHREADING_CHOICE, one.at.clone(), args! { type: name });
        }
        if let Some(mount) = queue.local_scratch.as_ref().filter(|_| one.facts.instance_store.is_none()) {
            sheet.add(&rule::NO_LOCAL_DISK, one.at.clone(), args! { type: name, mount: mount });
        }
    }
    let Some(wanted) = pool.schedulable_memory_mib else { return };
    let smallest = found.iter().min_by_key(|found| found.facts.memory_mib);
    if let Some(smallest) = smallest.filter(|smallest| wanted > smallest.facts.memory_mib) {
        let memory = smallest.facts.memory_mib;
        let args = args! { wanted: wanted, memory: memory, type: smallest.facts.name, most: memory * 95 / 100 };
        sheet.add(&rule::MEMORY_TOO_LARGE, at.key("schedulable_memory_mib"), args);
    }
}

fn one_architecture(sheet: &mut Sheet, types: &Types) {
    let Some(first) = types.first() else { return };
    if let Some(other) = types.iter().find(|found| found.facts.arch != first.facts.arch) {
        let args = args! {
            type: other.facts.name, arch: instances::arch_name(other.facts.arch),
            other: first.facts.name, other_arch: instances::arch_name(first.facts.arch),
        };
        sheet.add_with(&rule::MIXED_ARCHITECTURES, other.at.clone(), vec![(first.at.clone(), "the other one")], args);
    }
}
