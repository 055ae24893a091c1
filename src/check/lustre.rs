//! FSx for Lustre: sizes, throughput, and what each deployment can do.

use super::{
    rules::storage as rule,
    sheet::{Sheet, args, list, word},
    storage::nothing_besides,
};
use crate::spec::{Cluster, DriveCache, FsxLustre, LustreDeployment, LustreStorage, LustreVersion, Os, Path};

pub(super) fn check(sheet: &mut Sheet, cluster: &Cluster, lustre: &FsxLustre, at: &Path) {
    if cluster.image.os == Os::Debian12 && cluster.image.ami.is_none() && sheet.is_given(&Path::from("image")) {
        sheet.add_key(&rule::NO_LUSTRE_CLIENT, at.clone(), args! { os: word(&cluster.image.os) });
    }
    if let Some(id) = &lustre.file_system_id {
        nothing_besides(sheet, at, id.as_str(), &["file_system_id", "mount_name"]);
        return;
    }
    if lustre.mount_name.is_some() && sheet.is_given(&at.key("file_system_id")) {
        sheet.add_key(&rule::MOUNT_NAME_ALONE, at.key("mount_name"), args! {});
    }
    if !sheet.is_given(&at.key("deployment")) || !sheet.is_given(&at.key("storage_type")) {
        return;
    }
    let hdd = lustre.storage_type == LustreStorage::Hdd;
    if hdd && lustre.deployment != LustreDeployment::Persistent1 {
        let args = args! { deployment: word(&lustre.deployment) };
        sheet.add(&rule::HDD, at.key("storage_type"), args);
        return;
    }
    persistent_only(sheet, lustre, at);
    throughput(sheet, lustre, at);
    drive_cache(sheet, lustre, at, hdd);
    capacity(sheet, lustre, at);
    if lustre.lustre_version == LustreVersion::V2_10 && lustre.deployment == LustreDeployment::Persistent2 {
        let args = args! { version: "2.10", deployment: word(&lustre.deployment), allowed: "2.15\n2.12" };
        sheet.add(&rule::LUSTRE_VERSION, at.key("lustre_version"), args);
    }
}

fn is_persistent(lustre: &FsxLustre) -> bool {
    matches!(lustre.deployment, LustreDeployment::Persistent1 | LustreDeployment::Persistent2)
}

fn persistent_only(sheet: &mut Sheet, lustre: &FsxLustre, at: &Path) {
    if is_persistent(lustre) {
        return;
    }
    let keys = [
        ("throughput_per_tib", lustre.throughput_per_tib.is_some()),
        ("drive_cache", lustre.drive_cache.is_some()),
        ("backups", lustre.backups.is_some()),
        ("backup_id", lustre.backup_id.is_some()),
        ("kms_key", lustre.kms_key.is_some()),
    ];
    for (key, _) in keys.into_iter().filter(|(_, given)| *given) {
        let args = args! { key: key, deployment: word(&lustre.deployment) };
        sheet.add_key(&rule::PERSISTENT_ONLY, at.key(key), args);
    }
}

/// The throughput classes in MB/s for each TiB, and what they are classes of.
fn classes(lustre: &FsxLustre) -> (&'static [u32], &'static str) {
    match (lustre.deployment, lustre.storage_type) {
        (LustreDeployment::Persistent1, LustreStorage::Ssd) => (&[50, 100, 200], "PERSISTENT_1 with SSD"),
        (LustreDeployment::Persistent1, LustreStorage::Hdd) => (&[12, 40], "PERSISTENT_1 with HDD"),
        (LustreDeployment::Persistent2, _) => (&[125, 250, 500, 1000], "PERSISTENT_2"),
        _ => (&[], ""),
    }
}

fn throughput(sheet: &mut Sheet, lustre: &FsxLustre, at: &Path) {
    let at = at.key("throughput_per_tib");
    let (allowed, kind) = classes(lustre);
    if allowed.is_empty() {
        return;
    }
    match lustre.throughput_per_tib {
        None => sheet.add_missing(&rule::THROUGHPUT_MISSING, at, args! { allowed: list(allowed) }),
        Some(found) if !allowed.contains(&found) => {
            sheet.add(&rule::THROUGHPUT_VALUE, at, args! { found: found, kind: kind, allowed: list(allowed) });
        }
        Some(_) => {}
    }
}

fn drive_cache(sheet: &mut Sheet, lustre: &FsxLustre, at: &Path, hdd: bool) {
    let at = at.key("drive_cache");
    match lustre.drive_cache {
        None if hdd => sheet.add_missing(&rule::DRIVE_CACHE_MISSING, at, args! {}),
        Some(DriveCache::None | DriveCache::Read) if !hdd && is_persistent(lustre) => {
            sheet.add_key(&rule::DRIVE_CACHE, at, args! {});
        }
        _ => {}
    }
}

/// The sizes of a kind of file system: some small ones, then the multiples of a step.
struct Sizes {
    small: &'static [u32],
    step: u32,
}

fn sizes(lustre: &FsxLustre) -> Sizes {
    match (lustre.deployment, lustre.storage_type, lustre.throughput_per_tib) {
        (LustreDeployment::Scratch1, ..) => Sizes { small: &[1200, 2400], step: 3600 },
        (LustreDeployment::Persistent1, LustreStorage::Hdd, Some(40)) => Sizes { small: &[], step: 1800 },
        (LustreDeployment::Persistent1, LustreStorage::Hdd, _) => Sizes { small: &[], step: 6000 },
        _ => Sizes { small: &[1200], step: 2400 },
    }
}

impl Sizes {
    fn holds(&self, capacity: u32) -> bool {
        self.small.contains(&capacity) || (capacity > 0 && capacity.is_multiple_of(self.step))
    }

    /// The sizes next to one that does not exist.
    fn nearest(&self, capacity: u32) -> Vec<u32> {
        let below = capacity / self.step * self.step;
        let above = below.saturating_add(self.step);
        let mut all: Vec<u32> = self.small.iter().copied().chain([below, above]).filter(|size| *size > 0).collect();
        all.sort_unstable();
        all.dedup();
        let split = all.partition_point(|size| *size < capacity);
        all[split.saturating_sub(1)..all.len().min(split + 1)].to_vec()
    }

    fn words(&self) -> String {
        let small: Vec<String> = self.small.iter().map(u32::to_string).collect();
        let and = if small.is_empty() { "" } else { " and " };
        format!("{}{and}multiples of {}", small.join(", "), self.step)
    }
}

fn capacity(sheet: &mut Sheet, lustre: &FsxLustre, at: &Path) {
    let sizes = sizes(lustre);
    let at = at.key("capacity_gib");
    match lustre.capacity_gib {
        None if lustre.backup_id.is_none() => {
            let smallest = sizes.small.first().copied().unwrap_or(sizes.step);
            sheet.add_missing(&rule::CAPACITY_MISSING, at, args! { smallest: smallest });
        }
        Some(capacity) if !sizes.holds(capacity) => {
            let hdd = if lustre.storage_type == LustreStorage::Hdd { " with HDD" } else { "" };
            let args = args! {
                capacity: capacity, deployment: format!("{}{hdd}", word(&lustre.deployment)),
                nearest: list(sizes.nearest(capacity)), sizes: sizes.words(),
            };
            sheet.add(&rule::CAPACITY_STEP, at, args);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    #[test]
    fn the_nearest_sizes_are_the_one_below_and_the_one_above() {
        let scratch_2 = Sizes { small: &[1200], step: 2400 };
        assert_eq!(scratch_2.nearest(1500), [1200, 2400]);
        assert_eq!(scratch_2.nearest(3600), [2400, 4800]);
        let scratch_1 = Sizes { small: &[1200, 2400], step: 3600 };
        assert_eq!(scratch_1.nearest(3000), [2400, 3600]);
        assert_eq!(scratch_1.nearest(5000), [3600, 7200]);
        let hdd = Sizes { small: &[], step: 6000 };
        assert_eq!(hdd.nearest(1200), [6000]);
    }
}
