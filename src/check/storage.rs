//! File systems: their kind, name, and what exists already.

use super::{
    lustre, mounts, repository,
    rules::{names, storage as rule, unsupported, volumes as volume_rule},
    sheet::{Sheet, args, list, word},
    volumes,
};
use crate::spec::{Cluster, Ebs, Efs, EfsPerformance, EfsThroughput, Path, Storage};
use std::collections::HashMap;

const KINDS: [&str; 6] = ["fsx_lustre", "ebs", "efs", "fsx_openzfs", "fsx_ontap", "file_cache"];

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster) {
    mounts::check(sheet, cluster);
    let mut seen: HashMap<&str, Path> = HashMap::new();
    let mut ids: HashMap<&str, (Path, &str)> = HashMap::new();
    for (i, storage) in cluster.storage.iter().enumerate() {
        let at = Path::from("storage").index(i);
        let name_at = at.key("name");
        if let Some(first) = seen.get(storage.name.as_str()) {
            let args = args! { name: storage.name, line: sheet.line(first) };
            sheet.add_with(&names::DUPLICATE_STORAGE, name_at, vec![(first.clone(), "first used here")], args);
        } else if sheet.is_given(&name_at) {
            seen.insert(storage.name.as_str(), name_at);
        }
        kind(sheet, storage, &at);
        if let Some((id, id_at)) = existing_id(storage, &at) {
            if let Some((first, other)) = ids.get(id) {
                let args = args! { id: id, other: other, line: sheet.line(first) };
                sheet.add_with(&rule::USED_TWICE, id_at, vec![(first.clone(), "first used here")], args);
            } else {
                ids.insert(id, (id_at, storage.name.as_str()));
            }
        }
        if let Some(lustre) = &storage.fsx_lustre {
            lustre::check(sheet, cluster, lustre, &at.key("fsx_lustre"));
            repository::check(sheet, storage.name.as_str(), lustre, &at.key("fsx_lustre"));
        }
        if let Some(volume) = &storage.ebs {
            ebs(sheet, volume, &at.key("ebs"));
        }
        if let Some(file_system) = &storage.efs {
            efs(sheet, file_system, &at.key("efs"));
        }
    }
}

fn kind(sheet: &mut Sheet, storage: &Storage, at: &Path) {
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| sheet.doc.gives(&at.key(*kind))).collect();
    for kind in given.iter().filter(|kind| KINDS[3..].contains(kind)) {
        sheet.add_key(&unsupported::OTHER_FILE_SYSTEM, at.key(*kind), args! { kind: kind });
    }
    match given.as_slice() {
        [] => {
            let args = args! { name: storage.name, kinds: list(&KINDS[..3]) };
            sheet.add_missing(&rule::NO_KIND, at.key("name"), args);
        }
        [first, rest @ ..] => {
            for second in rest {
                let args = args! { name: storage.name, first: first };
                sheet.add_key(&rule::TWO_KINDS, at.key(*second), args);
            }
        }
    }
}

fn existing_id<'c>(storage: &'c Storage, at: &Path) -> Option<(&'c str, Path)> {
    let lustre = storage.fsx_lustre.as_ref().and_then(|lustre| lustre.file_system_id.as_ref());
    let volume = storage.ebs.as_ref().and_then(|volume| volume.volume_id.as_ref());
    let efs = storage.efs.as_ref().and_then(|efs| efs.file_system_id.as_ref());
    lustre
        .map(|id| (id.as_str(), at.key("fsx_lustre").key("file_system_id")))
        .or_else(|| volume.map(|id| (id.as_str(), at.key("ebs").key("volume_id"))))
        .or_else(|| efs.map(|id| (id.as_str(), at.key("efs").key("file_system_id"))))
}

/// Says of every key besides those named that it cannot change what exists.
pub(super) fn nothing_besides(sheet: &mut Sheet, at: &Path, id: &str, allowed: &[&str]) {
    let keys: Vec<String> = sheet.keys(at);
    for key in keys.into_iter().filter(|key| !allowed.contains(&key.as_str())) {
        let place = at.key(&key);
        sheet.add_key(&rule::EXISTING_WITH_OPTIONS, place, args! { key: key, id: id });
    }
}

fn ebs(sheet: &mut Sheet, volume: &Ebs, at: &Path) {
    if let Some(id) = &volume.volume_id {
        nothing_besides(sheet, at, id.as_str(), &["volume_id"]);
        return;
    }
    let sizes = volumes::Sizes {
        kind: volume.volume_type,
        size: Some(volume.size_gib),
        iops: volume.iops,
        throughput: volume.throughput_mib,
    };
    volumes::check(sheet, &sizes, at);
}

fn efs(sheet: &mut Sheet, efs: &Efs, at: &Path) {
    if let Some(id) = &efs.file_system_id {
        nothing_besides(sheet, at, id.as_str(), &["file_system_id"]);
        return;
    }
    let provisioned = efs.throughput == EfsThroughput::Provisioned;
    if provisioned && efs.provisioned_mib.is_none() && sheet.is_given(&at.key("provisioned_mib")) {
        sheet.add(&volume_rule::EFS_RATE_MISSING, at.key("throughput"), args! {});
    }
    if !provisioned && efs.provisioned_mib.is_some() && sheet.is_given(&at.key("throughput")) {
        let args = args! { mode: word(&efs.throughput) };
        sheet.add_key(&volume_rule::EFS_RATE_UNUSED, at.key("provisioned_mib"), args);
    }
    if efs.performance == EfsPerformance::MaxIo
        && efs.throughput == EfsThroughput::Elastic
        && sheet.is_given(&at.key("throughput"))
    {
        sheet.add(&volume_rule::EFS_MAX_IO, at.key("performance"), args! {});
    }
}
