//! Keys, secrets, reservations and quotas of file systems, held against what the account has.

use super::{
    rules::preflight as rule,
    sheet::{Sheet, args},
};
use crate::{
    catalog::{self, Ground, LustreUse},
    spec::{Cluster, LustreStorage, Named, NamedKind, Path},
};
use std::collections::BTreeMap;

/// Whether what is there can be used.
pub(super) fn usable(sheet: &mut Sheet, ground: &Ground, thing: &Named) {
    let (what, state) = match thing.kind {
        NamedKind::Key => {
            let state = ground.keys.as_ref().and_then(|keys| keys.get(&thing.id));
            ("KMS key", state.filter(|state| *state != "Enabled").cloned())
        }
        NamedKind::Secret => {
            let leaving = ground.secrets.as_ref().is_some_and(|all| all.get(&thing.id) == Some(&true));
            ("secret", leaving.then(|| "about to be deleted".to_owned()))
        }
        NamedKind::ReservationGroup => {
            let empty = ground.reservation_groups.as_ref().is_some_and(|all| all.get(&thing.id) == Some(&0));
            if empty {
                sheet.add(&rule::GROUP_EMPTY, thing.at.clone(), args! { id: thing.id });
            }
            return;
        }
        _ => return,
    };
    if let Some(state) = state {
        sheet.add(&rule::UNUSABLE, thing.at.clone(), args! { what: what, id: thing.id, state: state });
    }
}

/// A reservation that was made in a placement group serves what is launched into that group.
pub(super) fn reservations(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let Some(known) = &ground.reservations else { return };
    for (i, queue) in cluster.queues.iter().enumerate() {
        for (j, pool) in queue.pools.iter().enumerate() {
            let id = pool.capacity_reservation.as_ref().and_then(|target| target.id.as_ref());
            let group = id.and_then(|id| known.get(id.as_str())?.placement_group.as_ref());
            let (Some(id), Some(group)) = (id, group) else { continue };
            if queue.existing_placement_group.as_ref() == Some(group) {
                continue;
            }
            let at = Path::from("queues").index(i);
            let place = match &queue.existing_placement_group {
                Some(_) => at.key("existing_placement_group"),
                None => at.key("pools").index(j).key("capacity_reservation").key("id"),
            };
            sheet.add(&rule::RESERVATION_IN_GROUP, place, args! { id: id, group: group, queue: queue.name });
        }
    }
}

/// File systems of FSx for Lustre that are to be made, held against the quotas of their number and capacity.
pub(super) fn lustre_quotas(sheet: &mut Sheet, cluster: &Cluster, ground: &Ground) {
    let Some(known) = ground.lustre_use.as_ref().filter(|_| !ground.standing) else { return };
    let mut wanted: BTreeMap<(&str, &str, &str), (LustreUse, Path)> = BTreeMap::new();
    for (i, storage) in cluster.storage.iter().enumerate() {
        let Some(lustre) = storage.fsx_lustre.as_ref().filter(|one| one.file_system_id.is_none()) else { continue };
        let ssd = lustre.storage_type == LustreStorage::Ssd;
        let at = Path::from("storage").index(i).key("fsx_lustre");
        let entry = wanted.entry(catalog::lustre_quotas(lustre.deployment.word()));
        let (sum, _) = entry.or_insert((LustreUse::default(), at));
        sum.file_systems += 1;
        sum.gib += if ssd { u64::from(lustre.capacity_gib.unwrap_or_default()) } else { 0 };
    }
    for ((number, capacity, word), (more, at)) in wanted {
        let of_class = known.iter().filter(|(deployment, _)| catalog::lustre_quotas(deployment).0 == number);
        let used = of_class.fold(LustreUse::default(), |sum, (_, one)| LustreUse {
            file_systems: sum.file_systems + one.file_systems,
            gib: sum.gib + one.gib,
        });
        let rows = [
            (number, used.file_systems as u64, more.file_systems as u64, "file systems"),
            (capacity, used.gib, more.gib, "GiB of file systems"),
        ];
        for (code, used, more, unit) in rows {
            let Some(quota) = ground.quotas.get(code).filter(|quota| (used + more) as f64 > **quota) else { continue };
            let args =
                args! { more: more, used: used, what: format!("Lustre {word} {unit}"), quota: quota, code: code };
            sheet.add_key(&rule::FSX_QUOTA, at.clone(), args);
        }
    }
}
