//! Nodes that must be close: EFA and placement groups.

use super::{
    network::pool_subnets,
    pool::{Found, Types},
    rules::nodes as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cluster, Path, Pool, Purchase, Queue};
use std::collections::HashMap;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster, queue: &Queue, at: &Path, types: &Types) {
    let placed = queue.placement_group || queue.existing_placement_group.is_some();
    if queue.placement_group && queue.existing_placement_group.is_some() {
        sheet.add(&rule::PLACEMENT_TWICE, at.key("existing_placement_group"), args! {});
    }
    if queue.efa {
        efa_types(sheet, types);
        if !placed && sheet.is_given(&at.key("placement_group")) && queue.pools.iter().any(not_a_block) {
            sheet.add(&rule::EFA_WITHOUT_PLACEMENT, at.key("efa"), args! { queue: queue.name });
        }
    }
    if queue.public_ip {
        for found in types.iter().filter(|found| queue.efa && found.facts.network_cards > 1) {
            let args = args! { type: found.facts.name, cards: found.facts.network_cards };
            sheet.add(&rule::EFA_PUBLIC_IP, found.at.clone(), args);
        }
    }
    if placed {
        placement(sheet, queue, at, types);
    }
    if (queue.efa || placed) && cluster.network.create.is_none() {
        one_zone(sheet, cluster, queue, at);
    }
}

fn not_a_block(pool: &Pool) -> bool {
    pool.purchase != Purchase::CapacityBlock
}

fn efa_types(sheet: &mut Sheet, types: &Types) {
    let mut first_of_pool: HashMap<usize, &Found> = HashMap::new();
    for found in types.iter() {
        let name = &found.facts.name;
        if found.facts.efa.is_none() {
            let mut args = args! { type: name };
            args.extend(with_efa(sheet, name).map(|near| ("suggestion", near)));
            sheet.add(&rule::EFA_UNSUPPORTED, found.at.clone(), args);
            continue;
        }
        let first = first_of_pool.entry(found.pool).or_insert(found);
        let (count, other_count) = (found.facts.network_cards, first.facts.network_cards);
        if count != other_count {
            let args = args! { type: name, count: count, other: first.facts.name, other_count: other_count };
            sheet.add(&rule::EFA_MIXED_CARDS, found.at.clone(), args);
        }
    }
}

/// The smallest type of the same family that has EFA.
fn with_efa(sheet: &Sheet, name: &str) -> Option<String> {
    let catalog = sheet.facts.catalog?;
    let family = name.split_once('.')?.0;
    let alike = catalog.names().filter(|other| other.split_once('.').is_some_and(|(own, _)| own == family));
    let facts = alike.filter_map(|other| catalog.get(other)).filter(|facts| facts.efa.is_some());
    facts.min_by_key(|facts| (facts.vcpus, facts.name.clone())).map(|facts| facts.name)
}

fn placement(sheet: &mut Sheet, queue: &Queue, at: &Path, types: &Types) {
    for found in types.iter().filter(|found| !found.facts.placement_cluster) {
        sheet.add(&rule::PLACEMENT_UNSUPPORTED, found.at.clone(), args! { type: found.facts.name });
    }
    for (j, pool) in queue.pools.iter().enumerate() {
        if pool.purchase == Purchase::CapacityBlock {
            let at = at.key("pools").index(j).key("purchase");
            sheet.add(&rule::PLACEMENT_CAPACITY_BLOCK, at, args! { pool: pool.name });
        }
    }
}

/// Holds the subnets of each pool against the zones that the file tells.
fn one_zone(sheet: &mut Sheet, cluster: &Cluster, queue: &Queue, at: &Path) {
    let network = &cluster.network;
    for (j, pool) in queue.pools.iter().enumerate() {
        let (subnets, subnets_at) = pool_subnets(network, queue, pool, &at.key("pools").index(j));
        if subnets.len() < 2 {
            continue;
        }
        let zones: Vec<Option<&str>> = subnets.iter().map(|subnet| sheet.zone(subnet)).collect();
        let mut known = zones.iter().flatten();
        let first = known.next();
        let other = first.and_then(|first| zones.iter().position(|zone| zone.is_some_and(|zone| zone != *first)));
        if let (Some(first), Some(other)) = (first, other) {
            let args = args! { first: first, second: zones[other].unwrap_or_default() };
            let rule = if queue.efa { &rule::EFA_ZONES } else { &rule::PLACEMENT_ZONES };
            sheet.add(rule, subnets_at.index(other), args);
        } else if zones.contains(&None) && sheet.is_whole(&Path::from("network.subnet_zones")) {
            let feature = if queue.efa { "EFA" } else { "a placement group" };
            sheet.add(&rule::ZONES_UNKNOWN, subnets_at, args! { feature: feature });
        }
    }
}
