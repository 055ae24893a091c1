//! Head node, login nodes, and what every kind of node shares.

use super::{AbsolutePath, AmiId, Arn, Cidr, HeadData, InstanceTypeName, Name, S3Uri, SecurityGroupId, SubnetId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The operating system, or a machine image of one's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The operating system.
    #[serde(default)]
    pub os: Os,
    /// A machine image of one's own that carries this operating system; default: the vendor's latest image at
    /// the time of the apply, through its public SSM parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// The architecture of `ami`; default: that of the node's instance type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// Where Slurm is installed in `ami`; default: the distribution's packages in `/usr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm_prefix: Option<AbsolutePath>,
}

/// The operating systems that nodes can run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Ubuntu 24.04 LTS, Slurm 23.11.
    #[default]
    Ubuntu2404,
    /// Ubuntu 22.04 LTS, Slurm 21.08.
    Ubuntu2204,
    /// Debian 12, Slurm 22.05.
    Debian12,
    /// Amazon Linux 2023; Slurm must come with the image.
    Alinux2023,
    /// Rocky Linux 9; Slurm must come with the image.
    Rocky9,
    /// Red Hat Enterprise Linux 9; Slurm must come with the image.
    Rhel9,
}

impl Os {
    /// Who publishes its images, as `catalog::image_owner` knows them.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::Ubuntu2404 | Self::Ubuntu2204 => "canonical",
            Self::Debian12 => "debian",
            Self::Alinux2023 => "amazon",
            Self::Rocky9 => "rocky",
            Self::Rhel9 => "redhat",
        }
    }
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton.
    Arm64,
}

impl Architecture {
    /// The kernel's word for it, as `uname -m` prints it.
    pub fn machine(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

/// The node that runs slurmctld, and slurmdbd when there is accounting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadNode {
    /// The instance type.
    pub instance_type: InstanceTypeName,
    /// An EC2 key pair. Not needed: Session Manager works without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// Who may reach port 22. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_from: Vec<Cidr>,
    /// An Elastic IP address for the head node.
    #[serde(default)]
    pub elastic_ip: bool,
    /// False: one thread per core.
    #[serde(default = "yes")]
    pub hyperthreading: bool,
    /// The root volume.
    #[serde(default)]
    pub root_volume: RootVolume,
    /// The volume with the head node's lasting data: `/home`, unless a file system is mounted there, and Slurm's state.
    #[serde(default)]
    pub data_volume: HeadData,
    /// A desktop in the browser (Amazon DCV).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dcv: Option<Dcv>,
    /// Another machine image than the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// Another subnet than the network's `head_node_subnet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// Security groups besides the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_security_groups: Vec<SecurityGroupId>,
    /// Scripts of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_actions: Option<CustomActions>,
    /// More rights for the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam: Option<NodeIam>,
}

/// A pool of nodes on which people log in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginPool {
    /// The pool's name.
    pub name: Name,
    /// The instance type.
    pub instance_type: InstanceTypeName,
    /// How many nodes.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 100))]
    pub count: u32,
    /// An EC2 key pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// Who may reach port 22. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_from: Vec<Cidr>,
    /// The root volume.
    #[serde(default)]
    pub root_volume: RootVolume,
    /// A desktop in the browser (Amazon DCV).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dcv: Option<Dcv>,
    /// Another machine image than the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// Another subnet than the network's `head_node_subnet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// Security groups besides the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_security_groups: Vec<SecurityGroupId>,
    /// Minutes that logged-in people get before a node is taken away.
    #[serde(default = "grace")]
    #[schemars(range(min = 3, max = 120))]
    pub grace_minutes: u32,
    /// Scripts of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_actions: Option<CustomActions>,
    /// More rights for the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam: Option<NodeIam>,
}

/// A node's root volume; always encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RootVolume {
    /// Size in GiB. Without it, the size of `ami`, or 40 on the vendor's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8, max = 16384))]
    pub size_gib: Option<u32>,
    /// Volume type.
    pub volume_type: VolumeType,
    /// I/O operations per second (gp3, io1, io2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 256000))]
    pub iops: Option<u32>,
    /// Throughput in MiB/s (gp3).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 125, max = 2000))]
    pub throughput_mib: Option<u32>,
    /// A KMS key other than the account's EBS key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
}

impl Default for RootVolume {
    fn default() -> Self {
        Self { size_gib: None, volume_type: VolumeType::Gp3, iops: None, throughput_mib: None, kms_key: None }
    }
}

/// EBS volume types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VolumeType {
    /// General purpose SSD, third generation.
    #[default]
    Gp3,
    /// General purpose SSD.
    Gp2,
    /// Provisioned IOPS SSD.
    Io1,
    /// Provisioned IOPS SSD, second generation.
    Io2,
    /// Throughput optimised HDD.
    St1,
    /// Cold HDD.
    Sc1,
    /// Magnetic.
    Standard,
}

/// A desktop in the browser (Amazon DCV).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dcv {
    /// The port, TCP and UDP.
    #[serde(default = "dcv_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u32,
    /// Who may reach the port. Default: nobody; Session Manager can forward it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_from: Vec<Cidr>,
}

/// Scripts of one's own that run on nodes, as root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomActions {
    /// Run before anything is set up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_start: Vec<CustomAction>,
    /// Run when the node is configured, before it takes work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_configured: Vec<CustomAction>,
    /// Run after a new configuration reached the node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_updated: Vec<CustomAction>,
}

/// One script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomAction {
    /// The script in S3. The node gets the right to read it.
    pub script: S3Uri,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
}

/// More rights for nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeIam {
    /// Managed policies to attach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 18))]
    pub policies: Vec<Arn>,
    /// Access to S3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub s3_access: Vec<S3Access>,
    /// Use this role instead of making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// Use this instance profile instead of making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_profile: Option<Arn>,
}

/// Access to a place in S3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Access {
    /// The bucket, or bucket and prefix.
    pub uri: S3Uri,
    /// Whether nodes may write there too.
    #[serde(default)]
    pub write: bool,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn grace() -> u32 {
    10
}

fn dcv_port() -> u32 {
    8443
}
