//! Jobs that end with what a change takes away, and the nodes that go with it.
//!
//! Whether jobs are at stake is part of the plan, since it wants an approval. How many they are changes by the minute, and is
//! only said beside it.

use super::{Action, Change, DataFate, DataRisk, Plan, Reason, Vanishing, held};
use crate::{
    cloud::{InstanceState, NODE_TAG, POOL_TAG, QUEUE_TAG},
    model::{DataHolding, StackKey},
    observe::{HEAD_CONFIG, Live, QueueReport, SlurmReport},
    render::Rendered,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Marks the changes by which jobs end that run or wait now: one for each queue and pool.
pub fn mark(changes: &mut [Change], live: &Live) {
    let mut told = BTreeSet::new();
    let found: Vec<(usize, Vec<String>)> = (0..changes.len())
        .filter_map(|index| {
            let mut queues = ended(&changes[index], changes, live);
            queues.retain(|queue| {
                told.insert((queue.clone(), pool_of(&changes[index], changes, live).map(str::to_owned)))
            });
            (!queues.is_empty()).then_some((index, queues))
        })
        .collect();
    for (index, queues) in found {
        let (fate, last_export, linked) = (DataFate::Lost, None, Vec::new());
        let holding = DataHolding::Jobs { queues };
        changes[index].data =
            Some(DataRisk { holding, fate, last_export, linked, targets: Vec::new(), login_nodes: false });
    }
}

/// The queues whose jobs end with a change that the plan does not know to end any.
pub fn unforeseen(plan: &Plan, live: &Live) -> Vec<String> {
    let jobs = |change: &Change| -> Vec<String> {
        match change.data.as_ref().map(|data| &data.holding) {
            Some(DataHolding::Jobs { queues }) => queues.clone(),
            _ => Vec::new(),
        }
    };
    let known: BTreeSet<String> = plan.changes.iter().flat_map(jobs).collect();
    let mut now = plan.changes.clone();
    now.iter_mut().filter(|change| !jobs(change).is_empty()).for_each(|change| change.data = None);
    if plan.goal == super::Goal::Apply {
        mark(&mut now, live);
    }
    let found: BTreeSet<String> = now.iter().flat_map(jobs).collect();
    found.difference(&known).cloned().collect()
}

/// The queues with jobs that end with a change.
fn ended(change: &Change, changes: &[Change], live: &Live) -> Vec<String> {
    if change.data.is_some() || change.reason == Reason::Destroyed {
        return Vec::new();
    }
    let goes = matches!(change.action, Action::Delete | Action::Replace);
    match &change.stack {
        StackKey::Queue(queue) if goes && change.resource_type == held::PLACEMENT_GROUP => {
            busy(queue, pool_of(change, changes, live), live)
        }
        StackKey::Queue(queue) if change.action == Action::Delete && change.resource_type == held::LAUNCH_TEMPLATE => {
            busy(queue, pool_of(change, changes, live), live)
        }
        _ if change.action == Action::Delete && change.resource_type == held::SUBNET => {
            let of = |key: &StackKey| match key {
                StackKey::Queue(queue) => busy(queue, None, live),
                _ => Vec::new(),
            };
            live.stacks.keys().flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

/// The pool that goes with a launch template, or whose nodes go with their placement group; `None`: all of the queue goes.
fn pool_of<'c>(change: &'c Change, changes: &[Change], live: &Live) -> Option<&'c str> {
    let name = held::pool_of(change)?;
    (!goes(&change.stack, changes, live)).then_some(name)
}

/// Whether a whole stack goes.
pub(super) fn goes(key: &StackKey, changes: &[Change], live: &Live) -> bool {
    let resources = live.stacks.get(key).and_then(|stack| stack.template.get("Resources")?.as_object());
    let gone = |logical_id: &String| {
        let is = |one: &&Change| one.stack == *key && one.logical_id == *logical_id;
        changes.iter().find(is).is_some_and(|one| matches!(one.action, Action::Delete | Action::Forget))
    };
    resources.is_some_and(|all| all.keys().all(gone))
}

/// The queue, when it, or its pool, has jobs; without a report of Slurm's, when it has nodes.
fn busy(queue: &str, pool: Option<&str>, live: &Live) -> Vec<String> {
    let of = |tag: &str, name: &str, tags: &BTreeMap<String, String>| tags.get(tag).is_some_and(|one| one == name);
    let has = |tags: &BTreeMap<String, String>| {
        of(QUEUE_TAG, queue, tags) && pool.is_none_or(|pool| of(POOL_TAG, pool, tags))
    };
    let nodes: Vec<&InstanceState> =
        live.instances.iter().filter(|one| one.is_compute() && one.is_alive() && has(&one.tags)).collect();
    let report = live.slurm.as_ref().filter(|report| counts(report, &nodes, live));
    let report = report.and_then(|report| report.queues.iter().find(|one| one.name == queue));
    let nodes = !nodes.is_empty();
    let jobs = match (report, pool) {
        (Some(QueueReport { running, pending, .. }), None) => running + pending > 0,
        (Some(QueueReport { running, .. }), Some(_)) => *running > 0 && nodes,
        (None, _) => nodes,
    };
    if jobs { vec![queue.to_owned()] } else { Vec::new() }
}

/// How old a report may be that says of a queue that it has no jobs: the head node reports each minute.
const FRESH_SECONDS: i64 = 600;

/// Whether what the head node said of jobs counts: it is the one that is there, spoke lately, and knows of these nodes.
fn counts(report: &SlurmReport, nodes: &[&InstanceState], live: &Live) -> bool {
    let is_there = |id: &String| live.instances.iter().any(|one| one.id == *id && one.is_alive());
    let knows = |node: &&InstanceState| node.launched <= report.at;
    live.at.0.saturating_sub(report.at.0) <= FRESH_SECONDS
        && report.instance.as_ref().is_none_or(is_there)
        && nodes.iter().all(knows)
}

/// The nodes that run now and that the next configuration does not have any more, by queue and pool.
pub fn vanishing(rendered: &Rendered, live: &Live) -> Vec<Vanishing> {
    let config = rendered.files.get(HEAD_CONFIG).and_then(|file| serde_json::from_str::<Value>(&file.content).ok());
    let Some(config) = config else { return Vec::new() };
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let pools: Vec<Value> = list(&config, "queues").iter().flat_map(|queue| list(queue, "pools")).collect();
    let stays = |node: &str| {
        pools.iter().any(|pool| {
            let prefix = pool["node_prefix"].as_str().unwrap_or_default();
            let number = node.strip_prefix(prefix).and_then(|number| number.parse::<u64>().ok());
            number.is_some_and(|number| number <= pool["max"].as_u64().unwrap_or_default())
        })
    };
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for one in live.instances.iter().filter(|one| one.is_compute() && one.is_alive()) {
        let tag = |name: &str| one.tags.get(name).cloned();
        let (Some(node), Some(queue)) = (tag(NODE_TAG), tag(QUEUE_TAG)) else { continue };
        if !stays(&node) {
            found.entry((queue, tag(POOL_TAG).unwrap_or_default())).or_default().push(node);
        }
    }
    let one = |((queue, pool), nodes)| Vanishing { queue, pool, nodes };
    found.into_iter().map(one).collect()
}
