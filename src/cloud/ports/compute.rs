//! EC2.

use super::{Fleet, FleetInput, ROLE_TAG};
use crate::cloud::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An instance type as the region offers it.
pub type OfferedType = crate::catalog::InstanceType;

/// EC2.
#[async_trait]
pub trait Compute: Send + Sync {
    /// All instances that carry the cluster's tag and are not terminated, by id.
    async fn instances_of(&self, cluster: &str) -> Result<Vec<InstanceState>>;
    /// The instances with these ids, by id. Those that EC2 does not know, or does not know yet, are left out;
    /// those that were terminated less than an hour ago may be among them.
    async fn instances(&self, ids: &[String]) -> Result<Vec<InstanceState>>;
    /// All instances with the tag `hpcctl:launch` of a launch, terminated ones too, by id. EC2 may need seconds to
    /// show what it has just launched.
    async fn launched(&self, launch: &str) -> Result<Vec<InstanceState>>;
    /// Launches instances at once (`CreateFleet` of type `instant`): those that came, and why others did not.
    async fn create_fleet(&self, input: &FleetInput) -> Result<Fleet>;
    /// Puts tags on instances.
    async fn tag(&self, ids: &[String], tags: &BTreeMap<String, String>) -> Result<()>;
    /// What EC2 itself knows of the health of instances; those in order are left out.
    async fn ailing(&self, ids: &[String]) -> Result<Vec<InstanceHealth>>;
    /// Those of these instances that are protected against termination (`DisableApiTermination`).
    async fn termination_protected(&self, ids: &[String]) -> Result<Vec<String>>;
    /// The end of what an instance wrote to its console, as text; `None`: EC2 shows nothing yet.
    async fn console(&self, id: &str) -> Result<Option<String>>;
    /// Begins to terminate instances. Those that are gone already do not count as failures.
    async fn terminate(&self, ids: &[String]) -> Result<()>;
    /// Begins to stop an instance; one that is stopped already stays so. The disks stay, the volumes stay attached.
    async fn stop(&self, id: &str) -> Result<()>;
    /// Begins to start an instance that is stopped.
    async fn start(&self, id: &str) -> Result<()>;
    /// Switches the protection of an instance against termination on or off.
    async fn protect_instance(&self, id: &str, protected: bool) -> Result<()>;
    /// The volumes that carry the cluster's tag, by id; those of instances are among them.
    async fn volumes_of(&self, cluster: &str) -> Result<Vec<VolumeState>>;
    /// The volumes with these ids, by id. Those that EC2 does not know are left out.
    async fn volumes(&self, ids: &[String]) -> Result<Vec<VolumeState>>;
    /// The account's own snapshots of these volumes, by volume and id; the volumes may be gone.
    async fn snapshots_of(&self, volumes: &[String]) -> Result<Vec<SnapshotState>>;
    /// The last change of size, type or speed of each of these volumes that had one.
    async fn modifications(&self, volumes: &[String]) -> Result<Vec<VolumeModification>>;
    /// Begins to attach a volume to an instance that runs or is stopped, under a device name such as `/dev/sdf`. EC2 refuses
    /// with `VolumeInUse` while another instance has it.
    async fn attach_volume(&self, volume: &str, instance: &str, device: &str) -> Result<()>;
    /// Begins to detach a volume; one that is attached to nothing stays so.
    async fn detach_volume(&self, volume: &str) -> Result<()>;
    /// The first network interface of an instance; `None`: there is no such instance.
    async fn interface_of(&self, instance: &str) -> Result<Option<InterfaceState>>;
    /// Gives an interface a further private address: this one, which its present holder loses, or any free one of the subnet.
    /// Gives the address.
    async fn assign_address(&self, interface: &str, address: Option<&str>) -> Result<String>;
    /// The subnets with these ids.
    async fn subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>>;
    /// The newest image of an owner whose name matches a pattern (with `*`).
    async fn newest_image(&self, query: &ImageQuery) -> Result<Option<ImageState>>;
    /// The names of instance types that the region offers.
    async fn instance_types(&self) -> Result<Vec<OfferedType>>;
    /// Ids of everything in EC2 that carries the cluster's tag: volumes, security groups, templates ...
    /// EC2 may show tags for a while after what carried them is gone.
    async fn tagged(&self, cluster: &str) -> Result<Vec<TaggedResource>>;
    /// Those of these resources that are still there; kinds other than `launch-template`, `placement-group`,
    /// `security-group`, `subnet`, `volume` and `vpc` are taken to be.
    async fn still_there(&self, resources: Vec<TaggedResource>) -> Result<Vec<TaggedResource>>;
}

/// An instance as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceState {
    /// Id.
    pub id: String,
    /// Type.
    pub instance_type: String,
    /// `pending`, `running`, `shutting-down`, `stopping`, `stopped`.
    pub state: String,
    /// Private address.
    pub private_ip: Option<String>,
    /// Public address.
    pub public_ip: Option<String>,
    /// Zone.
    pub zone: Option<String>,
    /// Whether it is a spot instance.
    pub spot: bool,
    /// When it was launched.
    pub launched: Timestamp,
    /// Why it ended, in EC2's words, where EC2 itself ended it: `Client.InternalError: Client error on launch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl InstanceState {
    /// Whether it boots or runs, and is not on its way out.
    pub fn is_alive(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "running")
    }

    /// Whether it is a node that runs jobs.
    pub fn is_compute(&self) -> bool {
        self.has_role("compute")
    }

    /// Whether it is this kind of node: `head`, `login`, `compute`.
    pub fn has_role(&self, name: &str) -> bool {
        self.tags.get(ROLE_TAG).is_some_and(|role| role == name)
    }
}

/// A volume as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeState {
    /// Id.
    pub id: String,
    /// `creating`, `available`, `in-use`, `deleting`, `error`.
    pub state: String,
    /// Size in GiB.
    pub size_gib: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The instance that has it, has it not yet, or has it no more but for a moment.
    pub attachment: Option<VolumeAttachment>,
}

/// A snapshot of a volume as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotState {
    /// Id.
    pub id: String,
    /// The volume that it was made of.
    pub volume: String,
    /// The size of that, in GiB.
    pub size_gib: u32,
    /// Its tags; AWS's own services write theirs under `aws:`.
    pub tags: BTreeMap<String, String>,
}

impl SnapshotState {
    /// Whether a service for backups made it, and takes it away in its time: AWS Backup and Data Lifecycle Manager tag what
    /// is theirs. <https://docs.aws.amazon.com/ebs/latest/userguide/dlm-elements.html>
    pub fn is_backup(&self) -> bool {
        self.tags.keys().any(|key| ["aws:backup:", "aws:dlm:", "dlm:"].iter().any(|start| key.starts_with(start)))
    }
}

/// A change of a volume's size, type or speed, as EBS works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeModification {
    /// The volume.
    pub volume: String,
    /// `modifying`, `optimizing`, `completed`, `failed`.
    pub state: String,
    /// How much of it is done, in percent.
    pub progress: Option<i64>,
}

/// To what a volume is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeAttachment {
    /// The instance.
    pub instance: String,
    /// The device name that was asked for.
    pub device: String,
    /// `attaching`, `attached`, `detaching`, `busy`.
    pub state: String,
}

impl VolumeState {
    /// Whether an instance has it, and it can be used there.
    pub fn is_attached_to(&self, instance: &str) -> bool {
        self.attachment.as_ref().is_some_and(|one| one.instance == instance && one.state == "attached")
    }
}

/// A network interface as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceState {
    /// Id.
    pub id: String,
    /// Its own address, which is its as long as it exists.
    pub primary: String,
    /// Further addresses, which can move to other interfaces of the subnet.
    pub secondary: Vec<String>,
}

/// A subnet as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetState {
    /// Id.
    pub id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its zone.
    pub zone: String,
    /// Its addresses.
    pub cidr: String,
    /// How many addresses are free.
    pub free_addresses: u32,
}

/// Which image is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageQuery {
    /// The owner's account.
    pub owner: String,
    /// A pattern for its name.
    pub name: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
}

/// An image as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageState {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Something in EC2 that carries a cluster's tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaggedResource {
    /// Id.
    pub id: String,
    /// EC2's word for its kind, such as `volume`.
    pub kind: String,
}

/// An instance that is not, or will not be, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceHealth {
    /// Id.
    pub id: String,
    /// Whether a status check (of the instance or of the system beneath it) has failed.
    pub impaired: bool,
    /// Scheduled events that are still to come, such as `instance-retirement`, with what EC2 says of them.
    pub events: Vec<(String, String)>,
}
