//! Lists of subnets, and the zones they are said to lie in.

use super::{
    network::zone_of_region,
    rules::network as rule,
    sheet::{Sheet, args},
};
use crate::spec::{Cluster, Path, SubnetId, subnets_in_use, walk::closest};
use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let root = Path::root();
    repeated(sheet, &cluster.network.compute_subnets, root.key("network").key("compute_subnets"));
    for (i, queue) in cluster.queues.iter().enumerate() {
        let at = root.key("queues").index(i);
        repeated(sheet, &queue.subnets, at.key("subnets"));
        for (j, pool) in queue.pools.iter().enumerate() {
            repeated(sheet, &pool.subnets, at.key("pools").index(j).key("subnets"));
        }
    }
    if let Some(rds) = cluster.accounting.as_ref().and_then(|accounting| accounting.rds.as_ref()) {
        repeated(sheet, &rds.subnets, root.key("accounting").key("rds").key("subnets"));
    }
    if cluster.network.create.is_none() {
        zones(sheet, cluster);
    }
}

fn repeated(sheet: &mut Sheet, subnets: &[SubnetId], at: Path) {
    let mut seen = HashSet::new();
    for (i, subnet) in subnets.iter().enumerate() {
        if !seen.insert(subnet) {
            sheet.add(&rule::REPEATED_SUBNET, at.index(i), args! { subnet: subnet });
        }
    }
}

fn zones(sheet: &mut Sheet, cluster: &Cluster) {
    let used: BTreeSet<&str> = subnets_in_use(cluster).into_iter().map(SubnetId::as_str).collect();
    let mut seen: HashMap<&SubnetId, usize> = HashMap::new();
    for (i, entry) in cluster.network.subnet_zones.iter().enumerate() {
        let at = Path::from("network.subnet_zones").index(i);
        zone_of_region(sheet, cluster, &entry.zone, at.key("zone"));
        let subnet = entry.subnet.as_str();
        if !used.contains(subnet) {
            let mut args = args! { subnet: subnet };
            let near = closest(subnet, used.iter().copied());
            args.extend(near.map(|near| ("suggestion", near.to_owned())));
            sheet.add(&rule::SUBNET_ZONE_UNUSED, at.key("subnet"), args);
        }
        if let Some(first) = seen.insert(&entry.subnet, i) {
            let first_at = Path::from("network.subnet_zones").index(first);
            let zone = &cluster.network.subnet_zones[first].zone;
            let args = args! { subnet: subnet, zone: zone, line: sheet.line(&first_at) };
            sheet.add(&rule::SUBNET_TWO_ZONES, at.key("subnet"), args);
        }
    }
}
