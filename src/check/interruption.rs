//! Spot: price, allocation, interruption, checkpoints.

use super::{
    mounts,
    rules::capacity as rule,
    sheet::{Sheet, args, list, word},
};
use crate::spec::{Allocation, Checkpoint, Cluster, OnInterruption, Path, Pool, Purchase};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster, pool: &Pool, at: &Path) {
    if !sheet.is_given(&at.key("purchase")) {
        return;
    }
    let spot = pool.purchase == Purchase::Spot;
    let purchase = word(&pool.purchase);
    if !spot && pool.spot_price.is_some() {
        sheet.add_key(&rule::PRICE_NOT_SPOT, at.key("spot_price"), args! { purchase: purchase });
    }
    let asks = pool.on_interruption.is_some_and(|action| action != OnInterruption::None);
    for (key, _) in [("on_interruption", asks), ("checkpoint", pool.checkpoint.is_some())].iter().filter(|(_, on)| *on)
    {
        if !spot {
            sheet.add_key(&rule::INTERRUPTION_NOT_SPOT, at.key(*key), args! { key: key, purchase: purchase });
        }
    }
    allocation(sheet, pool, at);
    if spot {
        checkpoint(sheet, cluster, pool, at);
    }
}

fn allocation(sheet: &mut Sheet, pool: &Pool, at: &Path) {
    let Some(allocation) = pool.allocation else { return };
    let allowed: &[Allocation] = match pool.purchase {
        Purchase::OnDemand => &[Allocation::LowestPrice, Allocation::Prioritized],
        Purchase::Spot => &[
            Allocation::PriceCapacityOptimized,
            Allocation::CapacityOptimized,
            Allocation::CapacityOptimizedPrioritized,
            Allocation::LowestPrice,
        ],
        // Several reservations in a group leave the order of types to choose.
        Purchase::CapacityReservation => &[Allocation::LowestPrice, Allocation::Prioritized],
        Purchase::CapacityBlock => &[],
    };
    if !allowed.contains(&allocation) {
        let mut args = args! { allocation: word(&allocation), purchase: word(&pool.purchase) };
        if !allowed.is_empty() {
            args.push(("allowed", list(allowed.iter().map(word))));
        }
        sheet.add(&rule::ALLOCATION, at.key("allocation"), args);
    }
}

fn checkpoint(sheet: &mut Sheet, cluster: &Cluster, pool: &Pool, at: &Path) {
    let wanted = pool.on_interruption == Some(OnInterruption::Checkpoint);
    match &pool.checkpoint {
        None if wanted => sheet.add_missing(&rule::CHECKPOINT_MISSING, at.key("checkpoint"), args! {}),
        Some(_) if !wanted && sheet.is_given(&at.key("on_interruption")) => {
            sheet.add_key(&rule::CHECKPOINT_UNUSED, at.key("checkpoint"), args! {});
        }
        Some(settings) => shared(sheet, cluster, settings, &at.key("checkpoint").key("directory")),
        None => {}
    }
}

/// The directory must be on a file system that outlives the node.
fn shared(sheet: &mut Sheet, cluster: &Cluster, settings: &Checkpoint, at: &Path) {
    let directory = mounts::plain(settings.directory.as_str());
    let mounts = cluster.storage.iter().map(|storage| mounts::plain(storage.mount.as_str()));
    let mounts: Vec<String> = mounts.collect();
    if mounts.iter().any(|mount| mounts::holds(mount, &directory)) || !sheet.is_whole(&Path::from("storage")) {
        return;
    }
    let mut args = args! { directory: settings.directory };
    if !mounts.is_empty() {
        args.push(("mounts", list(mounts)));
    }
    sheet.add(&rule::CHECKPOINT_NOT_SHARED, at.clone(), args);
}
