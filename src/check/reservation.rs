//! Capacity reservations and blocks, and how types can be bought.

use super::{
    pool::Found,
    rules::capacity as rule,
    sheet::{Sheet, args, list, word},
};
use crate::{
    catalog::InstanceType,
    spec::{Path, Pool, Purchase},
};

pub(super) fn check(sheet: &mut Sheet, pool: &Pool, at: &Path) {
    let purchase_at = at.key("purchase");
    if !sheet.is_given(&purchase_at) {
        return;
    }
    let reserved = matches!(pool.purchase, Purchase::CapacityReservation | Purchase::CapacityBlock);
    let purchase = word(&pool.purchase);
    let at = at.key("capacity_reservation");
    match &pool.capacity_reservation {
        None if reserved && sheet.is_given(&at) => {
            sheet.add(&rule::RESERVATION_MISSING, purchase_at.clone(), args! { purchase: purchase });
        }
        Some(_) if !reserved => sheet.add_key(&rule::RESERVATION_UNUSED, at, args! { purchase: purchase }),
        Some(target) => match (&target.id, &target.resource_group) {
            (Some(_), Some(_)) => sheet.add_key(&rule::RESERVATION_TWICE, at.key("resource_group"), args! {}),
            (None, None) => sheet.add_missing(&rule::RESERVATION_EMPTY, at.key("id"), args! {}),
            _ => {}
        },
        None => {}
    }
    let count = pool.instance_types.len();
    if pool.purchase == Purchase::CapacityBlock && count > 1 {
        let at = purchase_at.parent().key("instance_types");
        sheet.add(&rule::BLOCK_SEVERAL_TYPES, at, args! { count: count });
    }
}

/// Whether EC2 sells the types of a pool in the way the pool wants to buy them.
pub(super) fn purchase(sheet: &mut Sheet, pool: &Pool, found: &[Found]) {
    for one in found {
        if !sells(&one.facts, pool.purchase) && sheet.is_given(&one.at.parent().parent().key("purchase")) {
            let all = [Purchase::OnDemand, Purchase::Spot, Purchase::CapacityBlock];
            let allowed = all.into_iter().filter(|purchase| sells(&one.facts, *purchase));
            let allowed = list(allowed.map(|purchase| word(&purchase)));
            let args = args! { type: one.facts.name, purchase: word(&pool.purchase), allowed: allowed };
            sheet.add(&rule::PURCHASE_UNSUPPORTED, one.at.clone(), args);
        }
    }
}

fn sells(facts: &InstanceType, purchase: Purchase) -> bool {
    match purchase {
        Purchase::OnDemand | Purchase::CapacityReservation => facts.on_demand,
        Purchase::Spot => facts.spot,
        Purchase::CapacityBlock => facts.capacity_block,
    }
}
