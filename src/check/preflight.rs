//! What the file names, held against what the account has; and, without a cloud, what nobody has told.

use super::{
    preflight_nodes, preflight_things,
    rules::preflight as rule,
    sheet::{Args, Sheet, args, list},
};
use crate::{
    catalog::{self, Ground},
    spec::{Cluster, Named, NamedKind, Path, SubnetId, named, subnets_with_nodes, walk::closest},
};
use std::collections::BTreeMap;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    untold(sheet, cluster);
    let Some(ground) = sheet.facts.ground else { return };
    let things = named(cluster);
    for thing in &things {
        there(sheet, cluster, ground, thing);
        vpc(sheet, cluster, ground, thing);
        preflight_things::usable(sheet, ground, thing);
    }
    zones(sheet, cluster, ground);
    lustre(sheet, cluster, ground);
    preflight_things::reservations(sheet, cluster, ground);
    preflight_things::lustre_quotas(sheet, cluster, ground);
    logs(sheet, cluster, ground);
    account(sheet, cluster, ground);
    preflight_nodes::check(sheet, cluster, ground);
}

/// What only AWS knows, and nobody has asked it.
fn untold(sheet: &mut Sheet, cluster: &Cluster) {
    for (i, storage) in cluster.storage.iter().enumerate() {
        let at = Path::from("storage").index(i);
        if storage.efs.as_ref().is_some_and(|efs| efs.file_system_id.is_none()) {
            zones_untold(sheet, cluster, subnets_with_nodes(cluster), at.key("efs"), "EFS");
        }
        let Some(lustre) = &storage.fsx_lustre else { continue };
        let asked = sheet.facts.ground.is_some_and(|ground| ground.lustre.is_some());
        if let (Some(id), None, false) = (&lustre.file_system_id, &lustre.mount_name, asked) {
            sheet.add(&rule::MOUNT_NAME_UNTOLD, at.key("fsx_lustre").key("file_system_id"), args! { id: id });
        }
    }
    if let Some(rds) = cluster.accounting.as_ref().and_then(|accounting| accounting.rds.as_ref()) {
        let subnets = if rds.subnets.is_empty() { &cluster.network.compute_subnets } else { &rds.subnets };
        zones_untold(sheet, cluster, subnets.iter().collect(), Path::from("accounting.rds"), "the database");
    }
}

fn zones_untold(sheet: &mut Sheet, cluster: &Cluster, subnets: Vec<&SubnetId>, at: Path, what: &str) {
    let untold: Vec<&SubnetId> = subnets.iter().copied().filter(|subnet| sheet.zone(subnet).is_none()).collect();
    let whole = sheet.is_whole(&Path::from("network")) && sheet.is_whole(&Path::from("queues"));
    if cluster.network.create.is_none() && subnets.len() > 1 && !untold.is_empty() && whole {
        sheet.add_key(&rule::ZONES_UNTOLD, at, args! { subnets: list(untold), what: what });
    }
}

/// Says that a thing is not there, with the name that was most likely meant.
fn there(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground, thing: &Named) {
    let (what, among): (_, Option<Vec<&str>>) = match thing.kind {
        NamedKind::Vpc => ("VPC", ground.vpcs.as_ref().map(|all| all.iter().map(String::as_str).collect())),
        NamedKind::Subnet => ("subnet", keys(ground.subnets.as_ref())),
        NamedKind::SecurityGroup => ("security group", keys(ground.security_groups.as_ref())),
        NamedKind::KeyPair => {
            ("key pair", ground.key_pairs.as_ref().map(|all| all.iter().map(String::as_str).collect()))
        }
        NamedKind::Image => ("image", keys(ground.images.as_ref())),
        NamedKind::Reservation => ("capacity reservation", keys(ground.reservations.as_ref())),
        NamedKind::ReservationGroup => return,
        NamedKind::Key => ("KMS key", keys(ground.keys.as_ref())),
        NamedKind::Secret => ("secret", keys(ground.secrets.as_ref())),
        NamedKind::Lustre => ("FSx for Lustre file system", keys(ground.lustre.as_ref())),
        NamedKind::Bucket => {
            let missing = ground.buckets.get(&thing.id) == Some(&false);
            ("bucket", missing.then(Vec::new))
        }
    };
    let Some(among) = among.filter(|among| !among.contains(&thing.id.as_str())) else { return };
    let mut args = args! { what: what, id: thing.id, region: cluster.region };
    args.extend(closest(&thing.id, among.into_iter()).map(|near| ("suggestion", near.to_owned())));
    sheet.add(&rule::NOT_THERE, thing.at.clone(), args);
}

fn keys<V>(map: Option<&BTreeMap<String, V>>) -> Option<Vec<&str>> {
    map.map(|map| map.keys().map(String::as_str).collect())
}

/// Subnets and groups lie in the cluster's VPC.
fn vpc(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground, thing: &Named) {
    let Some(wanted) = &cluster.network.vpc_id else { return };
    let (what, vpc) = match thing.kind {
        NamedKind::Subnet => ("subnet", ground.subnets.as_ref().and_then(|all| Some(&all.get(&thing.id)?.vpc))),
        NamedKind::SecurityGroup => {
            ("security group", ground.security_groups.as_ref().and_then(|all| all.get(&thing.id)))
        }
        _ => return,
    };
    if let Some(vpc) = vpc.filter(|vpc| *vpc != wanted.as_str()) {
        let related = vec![(Path::from("network.vpc_id"), "the cluster's VPC")];
        let args = args! { what: what, id: thing.id, vpc: vpc, wanted: wanted };
        sheet.add_with(&rule::OTHER_VPC, thing.at.clone(), related, args);
    }
}

fn zones(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    for (i, entry) in cluster.network.subnet_zones.iter().enumerate() {
        if let Some(zone) = ground.zone(entry.subnet.as_str()).filter(|zone| *zone != entry.zone.as_str()) {
            let at = Path::from("network.subnet_zones").index(i).key("zone");
            sheet.add(&rule::ZONE_DIFFERS, at, args! { subnet: entry.subnet, zone: zone });
        }
    }
}

fn lustre(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let Some(known) = &ground.lustre else { return };
    for (i, storage) in cluster.storage.iter().enumerate() {
        let Some(lustre) = &storage.fsx_lustre else { continue };
        let (Some(id), Some(told)) = (&lustre.file_system_id, &lustre.mount_name) else { continue };
        if let Some(name) = known.get(id.as_str()).filter(|name| *name != told) {
            let at = Path::from("storage").index(i).key("fsx_lustre").key("mount_name");
            sheet.add(&rule::MOUNT_NAME_DIFFERS, at, args! { id: id, name: name });
        }
    }
}

/// A log group that exists already goes on, with what it has.
fn logs(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let Some(group) = &ground.log_group else { return };
    let (name, wanted) = (&group.name, cluster.monitoring.logs.retention_days);
    if group.days != Some(wanted) {
        let is = group.days.map_or("for ever".to_owned(), |days| format!("for {days} days"));
        let at = Path::from("monitoring.logs.retention_days");
        sheet.add_key(&rule::RETENTION_DIFFERS, at, args! { group: name, is: is, wanted: wanted });
    } else if !ground.standing {
        sheet.add_key(&rule::LOG_GROUP_GOES_ON, Path::from("monitoring.logs"), args! { group: name });
    }
}

/// Stacks, quotas of things, and the caller's rights.
fn account(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    for stack in &ground.foreign_stacks {
        sheet.add(&rule::FOREIGN_STACK, Path::from("name"), args! { stack: stack });
    }
    if let Some(denied) = ground.denied.as_ref().filter(|denied| !denied.is_empty()) {
        let caller = ground.caller.as_deref().unwrap_or("the caller");
        sheet.add(&rule::MISSING_RIGHTS, Path::from("name"), args! { caller: caller, actions: list(denied) });
    }
    if ground.standing {
        return;
    }
    let create = cluster.network.create.as_ref();
    let vpcs = ground.vpcs.as_ref().filter(|_| create.is_some()).map(|all| (all.len(), 1, "VPCs", catalog::VPCS));
    let nat = create.map_or(0, super::network::nat_gateways);
    let wanted = nat + usize::from(cluster.head_node.elastic_ip);
    let addresses = ground.addresses.filter(|_| wanted > 0);
    let addresses = addresses.map(|used| (used, wanted, "elastic IP addresses", catalog::ADDRESSES));
    for (used, wanted, what, code) in [vpcs, addresses].into_iter().flatten() {
        let Some(quota) = ground.quotas.get(code).filter(|quota| (used + wanted) as f64 > **quota) else { continue };
        let at = if create.is_some() { "network.create" } else { "head_node.elastic_ip" };
        let args: Args = args! { used: used, what: what, region: cluster.region, quota: quota, code: code };
        sheet.add_key(&rule::QUOTA_USED_UP, Path::from(at), args);
    }
}
