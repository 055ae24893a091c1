//! Shared file systems.

use super::{
    AbsolutePath, Arn, BackupId, DailyTime, EfsFileSystemId, FsxFileSystemId, Name, S3Uri, SnapshotId, SubnetId,
    VolumeId, VolumeType, WeeklyTime,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A shared file system, mounted on every node. Exactly one of the kinds is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// The file system's name in plans and commands.
    pub name: Name,
    /// Where nodes mount it.
    pub mount: AbsolutePath,
    /// Amazon FSx for Lustre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fsx_lustre: Option<FsxLustre>,
    /// An EBS volume on the head node, exported by NFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ebs: Option<Ebs>,
    /// Amazon EFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efs: Option<Efs>,
    /// An FSx for OpenZFS volume that exists (not supported yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fsx_openzfs: Option<ExistingVolume>,
    /// An FSx for NetApp ONTAP volume that exists (not supported yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fsx_ontap: Option<ExistingVolume>,
    /// An Amazon File Cache that exists (not supported yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_cache: Option<ExistingVolume>,
}

/// Amazon FSx for Lustre: a file system to create, or one that exists (`file_system_id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FsxLustre {
    /// Use this file system instead of creating one. Nothing else may be given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system_id: Option<FsxFileSystemId>,
    /// The mount name of `file_system_id`. Without it, FSx is asked when a plan is made with a cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "a mount name: 1 to 8 letters or digits", regex(pattern = "^[A-Za-z0-9]{1,8}$"))]
    pub mount_name: Option<String>,
    /// The subnet that the file system lies in. Without it, the one that it is in as long as `compute_subnets` names
    /// it, and the first of them for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// The deployment type.
    #[serde(default)]
    pub deployment: LustreDeployment,
    /// The capacity in GiB: 1200, 2400 and multiples of 2400; of 3600 for SCRATCH_1, and of 6000 or 1800 with HDD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1200))]
    pub capacity_gib: Option<u32>,
    /// SSD or HDD.
    #[serde(default)]
    pub storage_type: LustreStorage,
    /// Throughput in MB/s for each TiB (PERSISTENT only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_per_tib: Option<u32>,
    /// A read cache in front of HDD (PERSISTENT_1 with HDD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drive_cache: Option<DriveCache>,
    /// Compression.
    #[serde(default)]
    pub compression: Compression,
    /// The link with S3 that the file system is born with (SCRATCH_1, SCRATCH_2, PERSISTENT_1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_repository: Option<DataRepository>,
    /// Links with S3 that can be made at any time (SCRATCH_2, PERSISTENT_1 and PERSISTENT_2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub data_repository_associations: Vec<DataRepositoryAssociation>,
    /// Automatic daily backups (PERSISTENT only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<LustreBackups>,
    /// Create the file system from this backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<BackupId>,
    /// When AWS may do its weekly maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<WeeklyTime>,
    /// A KMS key other than the account's FSx key (PERSISTENT only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
    /// The Lustre version.
    #[serde(default)]
    pub lustre_version: LustreVersion,
    /// What `destroy` does with the data, and what an update does that must delete or replace the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_destroy: Option<OnDestroy>,
}

/// Deployment types of FSx for Lustre.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum LustreDeployment {
    /// Short-lived data, 200 MB/s for each TiB.
    #[serde(rename = "SCRATCH_1")]
    Scratch1,
    /// Short-lived data, bursts up to 1,300 MB/s for each TiB.
    #[default]
    #[serde(rename = "SCRATCH_2")]
    Scratch2,
    /// Long-lived data, replicated in one zone.
    #[serde(rename = "PERSISTENT_1")]
    Persistent1,
    /// Long-lived data, newer hardware.
    #[serde(rename = "PERSISTENT_2")]
    Persistent2,
}

impl LustreDeployment {
    /// FSx's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scratch1 => "SCRATCH_1",
            Self::Scratch2 => "SCRATCH_2",
            Self::Persistent1 => "PERSISTENT_1",
            Self::Persistent2 => "PERSISTENT_2",
        }
    }
}

/// Storage types of FSx for Lustre.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LustreStorage {
    /// Solid state.
    #[default]
    Ssd,
    /// Hard disks (PERSISTENT_1 only).
    Hdd,
}

/// A read cache in front of HDD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum DriveCache {
    /// None.
    None,
    /// Read cache.
    Read,
}

/// Compression of FSx for Lustre.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Compression {
    /// LZ4.
    #[default]
    Lz4,
    /// None.
    None,
}

/// Lustre versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum LustreVersion {
    /// 2.15
    #[default]
    #[serde(rename = "2.15")]
    V2_15,
    /// 2.12
    #[serde(rename = "2.12")]
    V2_12,
    /// 2.10
    #[serde(rename = "2.10")]
    V2_10,
}

/// The link with S3 that a file system is born with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRepository {
    /// Where files are read from when first touched.
    pub import: S3Uri,
    /// Where `export-fsx` writes to: in the bucket of `import`. Default: a prefix that FSx makes up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<S3Uri>,
    /// The stripe size of imported files, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 512000))]
    pub chunk_mib: Option<u32>,
    /// Which changes in S3 show up in the file system.
    #[serde(default)]
    pub auto_import: AutoImport,
}

/// Which changes in S3 show up in a file system with `data_repository`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AutoImport {
    /// None after creation.
    #[default]
    None,
    /// New objects.
    New,
    /// New and changed objects.
    NewChanged,
    /// New, changed and deleted objects.
    NewChangedDeleted,
}

/// A link with S3 that can be made at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRepositoryAssociation {
    /// The association's name in plans.
    pub name: Name,
    /// The directory in the file system.
    pub path: AbsolutePath,
    /// The place in S3.
    pub s3: S3Uri,
    /// Which changes in S3 show up in the file system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub auto_import: Vec<RepositoryEvent>,
    /// Which changes in the file system are written to S3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub auto_export: Vec<RepositoryEvent>,
    /// The stripe size of imported files, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 512000))]
    pub chunk_mib: Option<u32>,
    /// Read the names of all objects when the association is made.
    #[serde(default)]
    pub import_metadata: bool,
}

/// Changes that travel between S3 and a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepositoryEvent {
    /// New files.
    New,
    /// Changed files.
    Changed,
    /// Deleted files.
    Deleted,
}

/// Automatic daily backups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LustreBackups {
    /// Days that a backup is kept.
    #[schemars(range(min = 1, max = 90))]
    pub days: u32,
    /// When the backup starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DailyTime>,
    /// Put the file system's tags on its backups.
    #[serde(default)]
    pub copy_tags: bool,
}

/// What happens to the data of a file system when it must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDestroy {
    /// Export to S3 first, and delete only when that succeeded.
    Export,
    /// Keep the file system outside the cluster.
    Keep,
    /// Delete it with its data.
    Discard,
}

/// The volume with the head node's lasting data. It belongs to the cluster, not to the instance: a new head node takes
/// it over, with all home directories and jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadData {
    /// Size in GiB; default: 100, or 10 when a file system is mounted at `/home`. It can grow in place, never shrink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65536))]
    pub size_gib: Option<u32>,
    /// Volume type.
    #[serde(default)]
    pub volume_type: VolumeType,
    /// I/O operations per second (gp3, io1, io2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 256000))]
    pub iops: Option<u32>,
    /// Throughput in MiB/s (gp3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 125, max = 2000))]
    pub throughput_mib: Option<u32>,
    /// A KMS key other than the account's EBS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
    /// Create the volume from this snapshot, such as the one that `destroy` left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// What happens to the volume when it must go. Default: a snapshot is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_destroy: Option<OnDestroyVolume>,
}

/// An EBS volume on the head node, exported by NFS: one to create, or one that exists (`volume_id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ebs {
    /// Use this volume instead of creating one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<VolumeId>,
    /// Size in GiB.
    #[serde(default = "ebs_size")]
    #[schemars(range(min = 1, max = 65536))]
    pub size_gib: u32,
    /// Volume type.
    #[serde(default)]
    pub volume_type: VolumeType,
    /// I/O operations per second (gp3, io1, io2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 256000))]
    pub iops: Option<u32>,
    /// Throughput in MiB/s (gp3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 125, max = 2000))]
    pub throughput_mib: Option<u32>,
    /// Create the volume from this snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<SnapshotId>,
    /// A KMS key other than the account's EBS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
    /// What happens to the volume when it must go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_destroy: Option<OnDestroyVolume>,
}

/// What happens to a volume when it must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDestroyVolume {
    /// Make a snapshot first.
    Snapshot,
    /// Keep the volume outside the cluster.
    Keep,
    /// Delete it with its data.
    Discard,
}

fn yes() -> bool {
    true
}

/// Amazon EFS: a file system to create, or one that exists (`file_system_id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Efs {
    /// Use this file system instead of creating one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system_id: Option<EfsFileSystemId>,
    /// Performance mode.
    #[serde(default)]
    pub performance: EfsPerformance,
    /// Throughput mode.
    #[serde(default)]
    pub throughput: EfsThroughput,
    /// MiB/s, with `throughput: provisioned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3414))]
    pub provisioned_mib: Option<u32>,
    /// A KMS key other than the account's EFS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
    /// Automatic backups with AWS Backup.
    #[serde(default)]
    pub backups: bool,
    /// Nodes reach it through TLS; a node that cannot do so fails to set itself up. `false`: in clear.
    #[serde(default = "yes")]
    pub encryption_in_transit: bool,
    /// What happens to the file system when it must go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_destroy: Option<OnDestroyKeep>,
}

/// What happens to a file system when it must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDestroyKeep {
    /// Keep it outside the cluster.
    Keep,
    /// Delete it with its data.
    Discard,
}

/// EFS performance modes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EfsPerformance {
    /// Lowest latency.
    #[default]
    GeneralPurpose,
    /// Highest aggregate throughput.
    MaxIo,
}

/// EFS throughput modes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EfsThroughput {
    /// Grows and shrinks with the load.
    #[default]
    Elastic,
    /// Grows with the stored data.
    Bursting,
    /// Fixed.
    Provisioned,
}

/// A volume or cache that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingVolume {
    /// Its id.
    #[schemars(length(min = 1))]
    pub id: String,
}

fn ebs_size() -> u32 {
    35
}
