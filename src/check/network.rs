//! Where the cluster lives: region, zones, a network that exists or is to be created.

use super::{
    cidr,
    rules::network as rule,
    sheet::{Sheet, args},
};
use crate::{
    catalog,
    spec::{AvailabilityZone, Cluster, CreateNetwork, Nat, Network, Path, Pool, Queue, SubnetId},
};
use std::collections::HashSet;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    region(sheet, cluster);
    let at = Path::from("network");
    match &cluster.network.create {
        Some(create) => {
            both(sheet, cluster);
            created(sheet, cluster, create, &at.key("create"));
        }
        None => existing(sheet, cluster, &at),
    }
}

fn region(sheet: &mut Sheet, cluster: &Cluster) {
    if sheet.facts.catalog.is_none() || catalog::region(cluster.region.as_str()).is_some() {
        return;
    }
    let mut args = args! { region: cluster.region };
    args.extend(catalog::closest_region(cluster.region.as_str()).map(|name| ("suggestion", name.to_owned())));
    sheet.add(&rule::UNKNOWN_REGION, Path::from("region"), args);
}

/// Things of another VPC beside a network that is to be created.
fn both(sheet: &mut Sheet, cluster: &Cluster) {
    let root = Path::root();
    let network = &cluster.network;
    let mut given = vec![
        (root.key("network").key("vpc_id"), network.vpc_id.is_some()),
        (root.key("network").key("head_node_subnet"), network.head_node_subnet.is_some()),
        (root.key("network").key("compute_subnets"), !network.compute_subnets.is_empty()),
        (root.key("network").key("subnet_zones"), !network.subnet_zones.is_empty()),
        (root.key("network").key("additional_security_groups"), !network.additional_security_groups.is_empty()),
        (root.key("head_node").key("subnet"), cluster.head_node.subnet.is_some()),
    ];
    for (i, login) in cluster.login_nodes.iter().enumerate() {
        given.push((root.key("login_nodes").index(i).key("subnet"), login.subnet.is_some()));
    }
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = root.key("queues").index(i);
        given.push((at.key("subnets"), !queue.subnets.is_empty()));
        given.push((at.key("additional_security_groups"), !queue.additional_security_groups.is_empty()));
        for (j, pool) in queue.pools.iter().enumerate() {
            given.push((at.key("pools").index(j).key("subnets"), !pool.subnets.is_empty()));
        }
    }
    for (i, storage) in cluster.storage.iter().enumerate() {
        let own = storage.fsx_lustre.as_ref().and_then(|lustre| lustre.subnet.as_ref());
        given.push((root.key("storage").index(i).key("fsx_lustre").key("subnet"), own.is_some()));
    }
    if let Some(rds) = cluster.accounting.as_ref().and_then(|accounting| accounting.rds.as_ref()) {
        given.push((root.key("accounting").key("rds").key("subnets"), !rds.subnets.is_empty()));
    }
    for (at, _) in given.into_iter().filter(|(_, given)| *given) {
        let key = at.to_string();
        let key = key.rsplit('.').next().unwrap_or(&key).to_owned();
        sheet.add_key(&rule::CREATE_AND_EXISTING, at, args! { key: key });
    }
}

fn existing(sheet: &mut Sheet, cluster: &Cluster, at: &Path) {
    let network = &cluster.network;
    let queue_without = cluster
        .queues
        .iter()
        .find(|queue| queue.subnets.is_empty() && queue.pools.iter().any(|pool| pool.subnets.is_empty()));
    let login_without = cluster.login_nodes.iter().any(|login| login.subnet.is_none());
    if network.vpc_id.is_none() && network.head_node_subnet.is_none() && network.compute_subnets.is_empty() {
        sheet.add_missing(&rule::NO_NETWORK, at.key("create"), args! {});
        return;
    }
    if network.vpc_id.is_none() {
        incomplete(sheet, at, "vpc_id", "security groups need their VPC".to_owned());
    }
    if network.head_node_subnet.is_none() && (cluster.head_node.subnet.is_none() || login_without) {
        incomplete(sheet, at, "head_node_subnet", "the head node has no subnet of its own".to_owned());
    }
    if let Some(queue) = queue_without.filter(|_| network.compute_subnets.is_empty()) {
        incomplete(sheet, at, "compute_subnets", format!("queue `{}` has no subnets of its own", queue.name));
    }
}

fn incomplete(sheet: &mut Sheet, at: &Path, key: &str, reason: String) {
    sheet.add_missing(&rule::NETWORK_INCOMPLETE, at.key(key), args! { key: key, reason: reason });
}

fn created(sheet: &mut Sheet, cluster: &Cluster, create: &CreateNetwork, at: &Path) {
    zones(sheet, cluster, create, at);
    if create.nat == Nat::None && cluster.network.http_proxy.is_none() {
        sheet.add(&rule::NO_WAY_OUT, at.key("nat"), args! {});
    }
    let cidr_at = at.key("cidr");
    let Some(block) = cidr::check(sheet, &create.cidr, &cidr_at) else { return };
    if create.cidr.is_ipv6() {
        sheet.add(&rule::CIDR_IPV6, cidr_at, args! {});
    } else if !(16..=24).contains(&block.prefix) {
        sheet.add(&rule::CIDR_SIZE, cidr_at, args! { prefix: block.prefix });
    } else {
        if !block.is_private() {
            sheet.add(&rule::CIDR_PUBLIC, cidr_at.clone(), args! { cidr: create.cidr });
        }
        room(sheet, cluster, create, block.prefix, cidr_at);
    }
}

/// Whether the private subnets, which share half of the block, have an address for every node.
fn room(sheet: &mut Sheet, cluster: &Cluster, create: &CreateNetwork, prefix: u32, at: Path) {
    let zones = zone_count(create);
    let pools = || cluster.queues.iter().flat_map(|queue| queue.pools.iter().map(move |pool| (queue, pool)));
    let nodes: u64 = pools().map(|(_, pool)| u64::from(pool.max)).sum();
    let close = pools().filter(|(queue, pool)| queue.in_one_zone(pool));
    let close: u64 = close.map(|(_, pool)| u64::from(pool.max)).sum();
    let each_may_want = nodes.div_ceil(u64::from(zones)).max(close);
    let addresses = |prefix: u32| {
        let shares = u64::from(zones.next_power_of_two());
        ((1_u64 << (32 - prefix)) / 2 / shares).saturating_sub(5)
    };
    if each_may_want <= addresses(prefix) || !sheet.is_whole(&Path::from("queues")) {
        return;
    }
    let mut args = args! { cidr: create.cidr, zones: zones, addresses: addresses(prefix), nodes: nodes };
    let wanted = (16..prefix).rev().find(|prefix| each_may_want <= addresses(*prefix));
    args.extend(wanted.map(|prefix| ("wanted", prefix.to_string())));
    sheet.add(&rule::CIDR_TOO_SMALL, at, args);
}

/// How many NAT gateways, each with an address, a created network has.
pub(super) fn nat_gateways(create: &CreateNetwork) -> usize {
    match create.nat {
        Nat::None => 0,
        Nat::Single => 1,
        Nat::PerZone => zone_count(create) as usize,
    }
}

/// How many zones a created network has.
pub(super) fn zone_count(create: &CreateNetwork) -> u32 {
    match create.zones.len() {
        0 => create.availability_zones,
        listed => u32::try_from(listed).unwrap_or(u32::MAX),
    }
}

fn zones(sheet: &mut Sheet, cluster: &Cluster, create: &CreateNetwork, at: &Path) {
    let count_at = at.key("availability_zones");
    let listed = u32::try_from(create.zones.len()).unwrap_or(u32::MAX);
    if listed > 0 && listed != create.availability_zones && sheet.doc.gives(&count_at) {
        sheet.add(&rule::ZONE_COUNT, count_at, args! { listed: listed, count: create.availability_zones });
    }
    let mut seen = HashSet::new();
    for (i, zone) in create.zones.iter().enumerate() {
        let at = at.key("zones").index(i);
        zone_of_region(sheet, cluster, zone, at.clone());
        if !seen.insert(zone) {
            sheet.add(&rule::REPEATED_ZONE, at, args! { zone: zone });
        }
    }
}

pub(super) fn zone_of_region(sheet: &mut Sheet, cluster: &Cluster, zone: &AvailabilityZone, at: Path) {
    let region = cluster.region.as_str();
    let inside = zone.as_str().strip_prefix(region).is_some_and(|letter| letter.len() == 1);
    if !inside && sheet.is_given(&Path::from("region")) {
        sheet.add(&rule::ZONE_REGION, at, args! { zone: zone, region: region });
    }
}

/// Subnets that nodes of a pool may land in, and where the file names them.
pub(super) fn pool_subnets<'c>(
    network: &'c Network,
    queue: &'c Queue,
    pool: &'c Pool,
    at: &Path,
) -> (&'c [SubnetId], Path) {
    if !pool.subnets.is_empty() {
        (&pool.subnets, at.key("subnets"))
    } else if !queue.subnets.is_empty() {
        (&queue.subnets, at.parent().parent().key("subnets"))
    } else {
        (&network.compute_subnets, Path::from("network.compute_subnets"))
    }
}
