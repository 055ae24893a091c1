//! Images, instance types, addresses and quotas of nodes, held against what the account has.

use super::{
    instances::own_image,
    network::pool_subnets,
    rules::preflight as rule,
    sheet::{Sheet, args, list, word},
};
use crate::{
    catalog::{self, Arch, Ground, Image},
    spec::{AmiId, Architecture, Cluster, InstanceTypeName, Path, Pool, Purchase, Queue, RootVolume, SubnetId},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    for machine in machines(cluster) {
        image(sheet, cluster, ground, &machine);
    }
    offerings(sheet, cluster, ground);
    addresses(sheet, cluster, ground);
    quotas(sheet, cluster, ground);
    for pattern in &ground.images_missing {
        let os = word(&cluster.image.os);
        let at = if sheet.doc.gives(&Path::from("image.os")) { "image.os" } else { "region" };
        let owner = catalog::region(cluster.region.as_str())
            .and_then(|region| catalog::image_owner(cluster.image.os.vendor(), region.partition));
        let args = args! { os: os, region: cluster.region, owner: owner.unwrap_or_default(), pattern: pattern };
        sheet.add(&rule::IMAGE_NOT_FOUND, Path::from(at), args);
    }
}

/// A kind of node: where it stands in the file, its image, root volume and types.
struct Machine<'c> {
    at: Path,
    ami: Option<&'c AmiId>,
    root: &'c RootVolume,
    types: Vec<&'c InstanceTypeName>,
}

fn machines(cluster: &Cluster) -> Vec<Machine<'_>> {
    let head = &cluster.head_node;
    let mut all = vec![Machine {
        at: Path::from("head_node"),
        ami: head.ami.as_ref(),
        root: &head.root_volume,
        types: vec![&head.instance_type],
    }];
    all.extend(cluster.login_nodes.iter().enumerate().map(|(i, pool)| Machine {
        at: Path::from("login_nodes").index(i),
        ami: pool.ami.as_ref(),
        root: &pool.root_volume,
        types: vec![&pool.instance_type],
    }));
    all.extend(cluster.queues.iter().enumerate().map(|(i, queue)| Machine {
        at: Path::from("queues").index(i),
        ami: queue.ami.as_ref(),
        root: &queue.root_volume,
        types: queue.pools.iter().filter_map(|pool| pool.instance_types.first()).collect(),
    }));
    all
}

fn image(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground, machine: &Machine<'_>) {
    if !own_image(cluster, machine.ami.is_some()) {
        return;
    }
    let (ami, at) = match (machine.ami, &cluster.image.ami) {
        (Some(own), _) => (own, machine.at.key("ami")),
        (None, Some(shared)) => (shared, Path::from("image.ami")),
        (None, None) => return,
    };
    let Some(found) = ground.image(ami.as_str()) else { return };
    if found.state != "available" {
        sheet.add(&rule::IMAGE_UNFIT, at.clone(), args! { ami: ami, reason: format!("is {}", found.state) });
    }
    if let Some(since) = &found.deprecated {
        sheet.add(&rule::IMAGE_DEPRECATED, at.clone(), args! { ami: ami, since: since });
    }
    if !found.architecture.is_empty() {
        architecture(sheet, cluster, machine, (ami, found), &at);
    }
    if let (Some(needed), Some(size)) = (found.root_gib, machine.root.size_gib)
        && size < needed
    {
        let place = machine.at.key("root_volume").key("size_gib");
        sheet.add(&rule::ROOT_TOO_SMALL, place, args! { ami: ami, needed: needed, size: size });
    }
}

/// The cluster's image serves only nodes of its architecture: for others the vendor's is taken where the file says which
/// one it is.
fn architecture(sheet: &mut Sheet, cluster: &Cluster, machine: &Machine<'_>, image: (&AmiId, &Image), at: &Path) {
    let shared = machine.ami.is_none();
    if shared && let Some(told) = cluster.image.architecture {
        if word(&told) != image.1.architecture {
            let reason = format!("is made for {}, not for {}", image.1.architecture, word(&told));
            sheet.add(&rule::IMAGE_UNFIT, Path::from("image.architecture"), args! { ami: image.0, reason: reason });
        }
        return;
    }
    for name in &machine.types {
        let Some(known) = sheet.instance(name.as_str()) else { continue };
        let wanted = match known.arch {
            Arch::Arm64 | Arch::Arm64Mac => Architecture::Arm64,
            Arch::X86_64 | Arch::X86_64Mac => Architecture::X86_64,
        };
        if word(&wanted) != image.1.architecture {
            let reason = format!("is made for {}, and `{name}` is {}", image.1.architecture, word(&wanted));
            sheet.add(&rule::IMAGE_UNFIT, at.clone(), args! { ami: image.0, reason: reason });
            return;
        }
    }
}

/// Types that nodes want, and the zones in which they may be; no zones: any of the region's.
fn offerings(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let head = cluster.head_node.subnet.as_ref().or(cluster.network.head_node_subnet.as_ref());
    offered(sheet, ground, &cluster.head_node.instance_type, zones(sheet, head), Path::from("head_node.instance_type"));
    for (i, pool) in cluster.login_nodes.iter().enumerate() {
        let at = Path::from("login_nodes").index(i).key("instance_type");
        let subnet = pool.subnet.as_ref().or(cluster.network.head_node_subnet.as_ref());
        offered(sheet, ground, &pool.instance_type, zones(sheet, subnet), at);
    }
    for (queue, pool, at) in pools(cluster) {
        let (subnets, _) = pool_subnets(&cluster.network, queue, pool, &at);
        let mut wanted = zones(sheet, subnets);
        if let Some(create) = &cluster.network.create {
            let zones =
                if queue.in_one_zone(pool) { &create.zones[..create.zones.len().min(1)] } else { &create.zones };
            wanted.extend(zones.iter().map(|zone| zone.to_string()));
        }
        for (k, name) in pool.instance_types.iter().enumerate() {
            offered(sheet, ground, name, wanted.clone(), at.key("instance_types").index(k));
        }
    }
}

fn pools(cluster: &Cluster) -> impl Iterator<Item = (&Queue, &Pool, Path)> {
    cluster.queues.iter().enumerate().flat_map(|(i, queue)| {
        let at = Path::from("queues").index(i).key("pools");
        queue.pools.iter().enumerate().map(move |(j, pool)| (queue, pool, at.index(j)))
    })
}

fn zones<'c>(sheet: &Sheet, subnets: impl IntoIterator<Item = &'c SubnetId>) -> BTreeSet<String> {
    subnets.into_iter().filter_map(|subnet| sheet.zone(subnet)).map(str::to_owned).collect()
}

fn offered(sheet: &mut Sheet, ground: &Ground, name: &InstanceTypeName, wanted: BTreeSet<String>, at: Path) {
    let Some(known) = &ground.offerings else { return };
    let offered = known.get(name.as_str());
    let without: Vec<&String> = wanted.iter().filter(|zone| offered.is_none_or(|all| !all.contains(*zone))).collect();
    if offered.is_none() || (!wanted.is_empty() && without.len() == wanted.len()) {
        let words = match offered {
            Some(all) => format!("{} do", all.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
            None => "none of the region does".to_owned(),
        };
        sheet.add(&rule::NOT_OFFERED, at, args! { type: name, offered: words });
    } else if !without.is_empty() {
        sheet.add(&rule::NOT_OFFERED_EVERYWHERE, at, args! { type: name, zones: list(without) });
    }
}

/// Whether the subnets that pools share have an address for every node of them.
fn addresses(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let Some(known) = &ground.subnets else { return };
    let mut wanted: BTreeMap<Vec<&str>, (u64, Path)> = BTreeMap::new();
    for (queue, pool, at) in pools(cluster) {
        let (subnets, place) = pool_subnets(&cluster.network, queue, pool, &at);
        let mut ids: Vec<&str> = subnets.iter().map(SubnetId::as_str).collect();
        ids.sort_unstable();
        let entry = wanted.entry(ids).or_insert((0, place));
        entry.0 += u64::from(pool.max);
    }
    for (ids, (nodes, place)) in wanted {
        let found: Vec<u32> = ids.iter().filter_map(|id| Some(known.get(*id)?.free)).collect();
        let free: u64 = found.iter().map(|free| u64::from(*free)).sum::<u64>() + ground.running;
        if !found.is_empty() && found.len() == ids.len() && free < nodes {
            sheet.add(&rule::SUBNET_FULL, place, args! { subnets: list(ids), free: free, nodes: nodes });
        }
    }
}

/// What all pools together may want of a family, held against its quota.
fn quotas(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let mut wanted: BTreeMap<(&str, &str), (u64, Path)> = BTreeMap::new();
    for (_, pool, at) in pools(cluster) {
        let spot = pool.purchase == Purchase::Spot;
        // Reservations are counted when they are made, capacity blocks not at all.
        if !matches!(pool.purchase, Purchase::Spot | Purchase::OnDemand) {
            continue;
        }
        // A pool is all of one type at the most: the one that wants most of a family counts.
        let mut most: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for name in &pool.instance_types {
            let quota = catalog::vcpu_quota(name.as_str(), spot);
            let (Some(known), Some(quota)) = (sheet.instance(name.as_str()), quota) else { continue };
            let vcpus = most.entry(quota).or_default();
            *vcpus = u64::from(known.vcpus).max(*vcpus);
        }
        for (quota, vcpus) in most {
            wanted.entry(quota).or_insert((0, at.key("max"))).0 += vcpus * u64::from(pool.max);
        }
    }
    for ((code, what), (vcpus, place)) in wanted {
        if let Some(quota) = ground.quotas.get(code).filter(|quota| vcpus as f64 > **quota) {
            sheet.add(&rule::QUOTA_BELOW_MAX, place, args! { what: what, wanted: vcpus, quota: quota, code: code });
        }
    }
}
