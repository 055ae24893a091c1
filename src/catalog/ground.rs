//! What one account has in one region, of the things that a cluster file names: the ground that a cluster stands on.
//!
//! `cloud` asks for it, `observe` gathers it, `check` holds the file against it, `model` builds on it. Everything is
//! `None` or absent until somebody has asked: a fact that nobody knows switches its rules off.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of the account and the region.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ground {
    /// Subnets, by id.
    pub subnets: Option<BTreeMap<String, Subnet>>,
    /// All VPCs of the region.
    pub vpcs: Option<BTreeSet<String>>,
    /// Security groups and their VPCs, by id.
    pub security_groups: Option<BTreeMap<String, String>>,
    /// Key pairs, by name.
    pub key_pairs: Option<BTreeSet<String>>,
    /// Images, by id.
    pub images: Option<BTreeMap<String, Image>>,
    /// Name patterns of vendors' images for which there is none.
    pub images_missing: BTreeSet<String>,
    /// Buckets that were looked for, and whether they are there.
    pub buckets: BTreeMap<String, bool>,
    /// The zones that offer an instance type, by type; a type that no zone offers is not in it.
    pub offerings: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Capacity reservations, by id.
    pub reservations: Option<BTreeMap<String, Reservation>>,
    /// Groups of capacity reservations, by ARN, with how many reservations each has.
    pub reservation_groups: Option<BTreeMap<String, usize>>,
    /// KMS keys, by ARN, with their states: `Enabled`, `Disabled`, `PendingDeletion` ...
    pub keys: Option<BTreeMap<String, String>>,
    /// Secrets, by ARN, and whether they are about to be deleted.
    pub secrets: Option<BTreeMap<String, bool>>,
    /// What the account has of FSx for Lustre, by deployment type.
    pub lustre_use: Option<BTreeMap<String, LustreUse>>,
    /// File systems of FSx for Lustre that exist, by id, with their mount names.
    pub lustre: Option<BTreeMap<String, String>>,
    /// Quotas, by code.
    pub quotas: BTreeMap<String, f64>,
    /// The log group of the cluster's name, when it exists and no stack of the cluster made it.
    pub log_group: Option<LogGroup>,
    /// Elastic IP addresses that the account has.
    pub addresses: Option<usize>,
    /// The ARN of the caller.
    pub caller: Option<String>,
    /// What the caller may not do, of what `apply` does.
    pub denied: Option<BTreeSet<String>>,
    /// Stacks with names of the cluster's that are not hpcctl's.
    pub foreign_stacks: BTreeSet<String>,
    /// Where resources of the storage stack lie, by logical id: their subnets.
    pub lies_in: BTreeMap<String, String>,
    /// How many compute nodes of the cluster run, with addresses that are not free but its own.
    pub running: u64,
    /// Whether the cluster's stacks exist already.
    pub standing: bool,
    /// How many calls it took.
    pub calls: usize,
    /// What could not be asked: what, and why not.
    pub skipped: BTreeMap<&'static str, String>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its VPC.
    pub vpc: String,
    /// Its zone.
    pub zone: String,
    /// How many addresses are free.
    pub free: u32,
}

/// A capacity reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reservation {
    /// Its instance type, where it is known.
    pub instance_type: String,
    /// The name of the cluster placement group that it was made in.
    pub placement_group: Option<String>,
}

/// File systems of one deployment type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LustreUse {
    /// How many there are.
    pub file_systems: usize,
    /// Their capacity in GiB, of SSD.
    pub gib: u64,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `available`, `pending`, `failed` ...
    pub state: String,
    /// The name of its root device, such as `/dev/xvda`.
    pub root_device: Option<String>,
    /// The size of its root volume in GiB.
    pub root_gib: Option<u32>,
    /// Since when it is deprecated, when it is.
    pub deprecated: Option<String>,
}

/// A log group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// For how many days it keeps its entries; none: for ever.
    pub days: Option<u32>,
}

/// The quota of VPCs in a region.
pub const VPCS: &str = "L-F678F1CE";
/// The quota of elastic IP addresses in a region.
pub const ADDRESSES: &str = "L-0263D0A3";

/// The quotas that FSx for Lustre file systems of a deployment type count to: of their number, of their capacity in GiB,
/// and the service's word for the type.
///
/// <https://docs.aws.amazon.com/fsx/latest/LustreGuide/limits.html>; the codes are those of
/// `aws service-quotas list-service-quotas --service-code fsx`.
pub fn lustre_quotas(deployment: &str) -> (&'static str, &'static str, &'static str) {
    match deployment {
        "PERSISTENT_1" => ("L-9AFA1F09", "L-C8640C82", "Persistent_1"),
        "PERSISTENT_2" => ("L-FD6F2F22", "L-8F1B9C74", "Persistent_2"),
        _ => ("L-C48231E5", "L-AD2FC696", "Scratch"),
    }
}

/// The quota of vCPUs that an instance type counts to: its code, and EC2's words for it. Some families can not be had
/// on spot.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html>
pub fn vcpu_quota(instance_type: &str, spot: bool) -> Option<(&'static str, &'static str)> {
    let family = instance_type.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    Some(match (family, spot) {
        ("a" | "c" | "d" | "h" | "i" | "im" | "is" | "m" | "r" | "t" | "z", false) => {
            ("L-1216C47A", "on-demand standard instances")
        }
        ("a" | "c" | "d" | "h" | "i" | "im" | "is" | "m" | "r" | "t" | "z", true) => {
            ("L-34B43A08", "spot standard instances")
        }
        ("f", false) => ("L-74FC7D96", "on-demand F instances"),
        ("f", true) => ("L-88CF9481", "spot F instances"),
        ("g" | "gr" | "vt", false) => ("L-DB2E81BA", "on-demand G and VT instances"),
        ("g" | "gr" | "vt", true) => ("L-3819A6DF", "spot G and VT instances"),
        ("p", false) => ("L-417A185B", "on-demand P instances"),
        ("p", true) => ("L-7212CCBC", "spot P instances"),
        ("inf", false) => ("L-1945791B", "on-demand Inf instances"),
        ("inf", true) => ("L-B5D1601B", "spot Inf instances"),
        ("trn", false) => ("L-2C3B7624", "on-demand Trn instances"),
        ("trn", true) => ("L-6B0D517C", "spot Trn instances"),
        ("x", false) => ("L-7295265B", "on-demand X instances"),
        ("x", true) => ("L-E3A00192", "spot X instances"),
        ("dl", false) => ("L-6E869C2A", "on-demand DL instances"),
        ("dl", true) => ("L-85EED4F7", "spot DL instances"),
        ("hpc", false) => ("L-F7808C92", "on-demand HPC instances"),
        ("u", false) => ("L-43DA4232", "on-demand high-memory instances"),
        _ => return None,
    })
}

static NOWHERE: Ground = Ground::new();

impl Ground {
    const fn new() -> Self {
        Self {
            subnets: None,
            vpcs: None,
            security_groups: None,
            key_pairs: None,
            images: None,
            images_missing: BTreeSet::new(),
            buckets: BTreeMap::new(),
            offerings: None,
            reservations: None,
            reservation_groups: None,
            keys: None,
            secrets: None,
            lustre_use: None,
            lustre: None,
            quotas: BTreeMap::new(),
            log_group: None,
            addresses: None,
            caller: None,
            denied: None,
            foreign_stacks: BTreeSet::new(),
            lies_in: BTreeMap::new(),
            running: 0,
            standing: false,
            calls: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// No ground: nothing is known.
    pub fn nowhere() -> &'static Self {
        &NOWHERE
    }

    /// The zone of a subnet.
    pub fn zone(&self, subnet: &str) -> Option<&str> {
        Some(self.subnets.as_ref()?.get(subnet)?.zone.as_str())
    }

    /// An image.
    pub fn image(&self, id: &str) -> Option<&Image> {
        self.images.as_ref()?.get(id)
    }
}
