//! The accounting database.

use super::{
    network::zone_count,
    rules::{slurm as rule, unsupported},
    sheet::{Sheet, args, word},
};
use crate::spec::{Cluster, OnDestroyDatabase, Path, Rds, RdsEngine};
use std::collections::BTreeSet;

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    let Some(accounting) = &cluster.accounting else { return };
    let at = Path::from("accounting");
    let kinds = ["rds", "external", "external_slurmdbd"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| sheet.doc.gives(&at.key(*kind))).collect();
    match given.as_slice() {
        [] => sheet.add_missing(&rule::NO_DATABASE, at.key("rds"), args! {}),
        [first, rest @ ..] => {
            for second in rest {
                sheet.add_key(&rule::TWO_DATABASES, at.key(*second), args! { first: first });
            }
        }
    }
    if accounting.external_slurmdbd.is_some() {
        sheet.add_key(&unsupported::EXTERNAL_SLURMDBD, at.key("external_slurmdbd"), args! {});
    }
    if let Some(rds) = &accounting.rds {
        database(sheet, cluster, rds, &at.key("rds"));
    }
}

fn database(sheet: &mut Sheet, cluster: &Cluster, rds: &Rds, at: &Path) {
    if sheet.is_given(&at.key("engine")) {
        engine(sheet, rds, at);
    }
    for (key, acu) in [("min_acu", rds.min_acu), ("max_acu", rds.max_acu)] {
        let Some(acu) = acu.filter(|acu| (acu * 2.0).fract() != 0.0) else { continue };
        let args = args! { acu: acu, lower: (acu * 2.0).floor() / 2.0, upper: (acu * 2.0).ceil() / 2.0 };
        sheet.add(&rule::ACU_STEP, at.key(key), args);
    }
    if let (Some(min), Some(max)) = (rds.min_acu, rds.max_acu)
        && min > max
    {
        let related = vec![(at.key("max_acu"), "the most")];
        sheet.add_with(&rule::ACU_ORDER, at.key("min_acu"), related, args! { min: min, max: max });
    }
    if rds.deletion_protection && rds.on_destroy == OnDestroyDatabase::Discard {
        sheet.add(&rule::DISCARD_PROTECTED, at.key("on_destroy"), args! {});
    }
    subnets(sheet, cluster, rds, at);
}

fn engine(sheet: &mut Sheet, rds: &Rds, at: &Path) {
    let (other, keys) = match rds.engine {
        RdsEngine::Mysql => (
            RdsEngine::AuroraMysqlServerless,
            vec![("min_acu", rds.min_acu.is_some()), ("max_acu", rds.max_acu.is_some())],
        ),
        RdsEngine::AuroraMysqlServerless => (
            RdsEngine::Mysql,
            vec![
                ("instance_class", rds.instance_class.is_some()),
                ("storage_gib", rds.storage_gib.is_some()),
                ("multi_az", rds.multi_az),
            ],
        ),
    };
    for (key, _) in keys.into_iter().filter(|(_, given)| *given) {
        let args = args! { key: key, engine: word(&rds.engine), other: word(&other) };
        sheet.add_key(&rule::OTHER_ENGINE, at.key(key), args);
    }
}

/// A DB subnet group wants two zones.
fn subnets(sheet: &mut Sheet, cluster: &Cluster, rds: &Rds, at: &Path) {
    if let Some(create) = &cluster.network.create {
        if zone_count(create) < 2 && sheet.is_given(&Path::from("network.create")) {
            sheet.add_key(&rule::RDS_SUBNETS, at.clone(), args! { count: "one zone", zones: 2 });
        }
        return;
    }
    let (subnets, subnets_at) = if rds.subnets.is_empty() {
        (&cluster.network.compute_subnets, Path::from("network.compute_subnets"))
    } else {
        (&rds.subnets, at.key("subnets"))
    };
    if subnets.is_empty() && !sheet.doc.gives(&Path::from("network")) || !sheet.is_whole(&subnets_at) {
        return;
    }
    let different: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.as_str()).collect();
    let zones: Option<BTreeSet<&str>> = subnets.iter().map(|subnet| sheet.zone(subnet)).collect();
    let count = match (different.len(), zones) {
        (0, _) => "no subnets",
        (1, _) => "one subnet",
        (_, Some(zones)) if zones.len() < 2 => "subnets of one zone",
        _ => return,
    };
    let place = if rds.subnets.is_empty() { at.clone() } else { subnets_at };
    sheet.add_key(&rule::RDS_SUBNETS, place, args! { count: count });
}
