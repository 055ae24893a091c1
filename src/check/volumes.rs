//! EBS volumes: sizes, IOPS and throughput of each type.

use super::{
    rules::volumes as rule,
    sheet::{Sheet, args, word},
};
use crate::spec::{Path, RootVolume, VolumeType};

/// What is asked of a volume.
pub(super) struct Sizes {
    pub(super) kind: VolumeType,
    /// GiB; `None` where nobody knows it.
    pub(super) size: Option<u32>,
    pub(super) iops: Option<u32>,
    /// MiB/s.
    pub(super) throughput: Option<u32>,
}

/// What a volume type can do: <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>.
struct Limits {
    /// GiB.
    size: (u32, u32),
    /// The range, and the most for each GiB.
    iops: Option<(u32, u32, u32)>,
}

fn limits(kind: VolumeType) -> Limits {
    let (size, iops) = match kind {
        VolumeType::Gp3 => ((1, 65_536), Some((3_000, 80_000, 500))),
        VolumeType::Gp2 => ((1, 16_384), None),
        VolumeType::Io1 => ((4, 16_384), Some((100, 64_000, 50))),
        VolumeType::Io2 => ((4, 65_536), Some((100, 256_000, 1_000))),
        VolumeType::St1 | VolumeType::Sc1 => ((125, 16_384), None),
        VolumeType::Standard => ((1, 1_024), None),
    };
    Limits { size, iops }
}

/// The IOPS that a gp3 volume always has.
const BASELINE: u32 = 3_000;

/// What a vendor's image gets without a size in the file, in GiB.
const VENDOR_ROOT: u32 = 40;

/// Checks a root volume; `own_image`: that of an image whose size only AWS knows.
pub(super) fn root(sheet: &mut Sheet, volume: &RootVolume, own_image: bool, at: &Path) {
    if matches!(volume.volume_type, VolumeType::St1 | VolumeType::Sc1) {
        let args = args! { type: word(&volume.volume_type) };
        sheet.add(&rule::ROOT_VOLUME_TYPE, at.key("volume_type"), args);
        return;
    }
    let size = volume.size_gib.or((!own_image).then_some(VENDOR_ROOT));
    let sizes = Sizes { kind: volume.volume_type, size, iops: volume.iops, throughput: volume.throughput_mib };
    check(sheet, &sizes, at);
}

/// Checks a volume.
pub(super) fn check(sheet: &mut Sheet, volume: &Sizes, at: &Path) {
    if !sheet.is_given(&at.key("volume_type")) {
        return;
    }
    let kind = word(&volume.kind);
    let limits = limits(volume.kind);
    let (least, most) = limits.size;
    if let Some(size) = volume.size.filter(|size| !(least..=most).contains(size)) {
        let at = if sheet.doc.gives(&at.key("size_gib")) { at.key("size_gib") } else { at.key("volume_type") };
        sheet.add(&rule::VOLUME_SIZE, at, args! { type: kind, min: least, max: most, size: size });
    }
    iops(sheet, volume, &limits, &kind, at);
    let Some(throughput) = volume.throughput else { return };
    let at = at.key("throughput_mib");
    if volume.kind != VolumeType::Gp3 {
        sheet.add_key(&rule::THROUGHPUT_NOT_ALLOWED, at, args! { type: kind });
        return;
    }
    let iops = volume.iops.unwrap_or(BASELINE);
    let wanted = throughput.saturating_mul(4);
    if wanted > iops && sheet.is_given(&at.parent().key("iops")) {
        sheet.add(&rule::THROUGHPUT_RATIO, at, args! { throughput: throughput, wanted: wanted, iops: iops });
    }
}

fn iops(sheet: &mut Sheet, volume: &Sizes, limits: &Limits, kind: &str, at: &Path) {
    let size_given = sheet.is_given(&at.key("size_gib"));
    let at = at.key("iops");
    match (volume.iops, limits.iops) {
        (None, Some(_)) if matches!(volume.kind, VolumeType::Io1 | VolumeType::Io2) => {
            if sheet.is_given(&at) {
                sheet.add(&rule::IOPS_MISSING, at.parent().key("volume_type"), args! { type: kind });
            }
        }
        (Some(_), None) => sheet.add_key(&rule::IOPS_NOT_ALLOWED, at, args! { type: kind }),
        (Some(iops), Some((min, max, per_gib))) => {
            if !(min..=max).contains(&iops) {
                sheet.add(&rule::IOPS_RANGE, at, args! { type: kind, min: min, max: max, iops: iops });
                return;
            }
            let Some(size) = volume.size.filter(|_| size_given) else { return };
            let most = size.saturating_mul(per_gib).max(if volume.kind == VolumeType::Gp3 { BASELINE } else { 100 });
            if iops > most {
                sheet.add(&rule::IOPS_RATIO, at, args! { type: kind, size: size, max: most });
            }
        }
        (None, _) => {}
    }
}
