//! The graph: stacks, their resources, and what flows between them.

use super::{NodeFact, Val};
use crate::spec::{Architecture, Os, Path};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The stacks of a cluster in an order in which they can be made: no stack before those that feed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The cluster's name.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// Tags of the cluster, its own tag among them; [`stack_tags`](super::stack_tags) are those of a stack.
    pub tags: BTreeMap<String, String>,
    /// Termination protection of every stack.
    pub termination_protection: bool,
    /// The stacks.
    pub stacks: Vec<Stack>,
    /// What nodes must know of the stacks.
    pub facts: Vec<NodeFact>,
    /// The processors that nodes have: hpcctl runs on them, too.
    pub architectures: BTreeSet<Architecture>,
}

/// A stack's part in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackKey {
    /// VPC and subnets, when they are created.
    Network,
    /// Security groups, file systems.
    Storage,
    /// The accounting database.
    Accounting,
    /// Head node and login nodes.
    Head,
    /// One queue.
    Queue(String),
    /// Dashboard, alarms, budget.
    Monitoring,
}

/// When a stack goes, as all of the cluster goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teardown {
    /// Before the compute nodes end: what launches them, and what would raise alarms. The last stack first.
    BeforeNodes,
    /// When the compute nodes have ended; all at the same time.
    AfterNodes,
    /// What the others use, when they are gone and data is exported. The last stack first.
    Last,
}

impl StackKey {
    /// When the stack goes as all of the cluster goes.
    pub fn teardown(&self) -> Teardown {
        match self {
            Self::Head | Self::Monitoring => Teardown::BeforeNodes,
            Self::Accounting | Self::Queue(_) => Teardown::AfterNodes,
            Self::Network | Self::Storage => Teardown::Last,
        }
    }

    /// The stack's name in CloudFormation.
    pub fn stack_name(&self, cluster: &str) -> String {
        match self {
            Self::Queue(queue) => format!("{cluster}-queue-{queue}"),
            other => format!("{cluster}-{other}"),
        }
    }

    /// The key of the stack with this name.
    pub fn of_stack_name(cluster: &str, name: &str) -> Option<Self> {
        let rest = name.strip_prefix(cluster)?.strip_prefix('-')?;
        Self::parse(&rest.replacen("queue-", "queue.", 1))
    }

    /// Reads what `Display` writes: `storage`, `queue.cfd`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "network" => Some(Self::Network),
            "storage" => Some(Self::Storage),
            "accounting" => Some(Self::Accounting),
            "head" => Some(Self::Head),
            "monitoring" => Some(Self::Monitoring),
            other => other.strip_prefix("queue.").map(|queue| Self::Queue(queue.to_owned())),
        }
    }
}

impl fmt::Display for StackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network => f.write_str("network"),
            Self::Storage => f.write_str("storage"),
            Self::Accounting => f.write_str("accounting"),
            Self::Head => f.write_str("head"),
            Self::Queue(queue) => write!(f, "queue.{queue}"),
            Self::Monitoring => f.write_str("monitoring"),
        }
    }
}

impl Serialize for StackKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StackKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("unknown stack `{text}`")))
    }
}

/// One stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its part in the cluster.
    pub key: StackKey,
    /// What it is for, in CloudFormation's description.
    pub description: String,
    /// The path in the cluster file that it comes from.
    pub cause: Path,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// Its resources, by logical id.
    pub resources: BTreeMap<String, Resource>,
    /// Its outputs, by name.
    pub outputs: BTreeMap<String, Val>,
    /// Stacks that must be there first although no output flows.
    pub after: Vec<StackKey>,
}

/// A parameter of a stack and where its value comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// CloudFormation's type, such as `String` or `AWS::EC2::Subnet::Id`.
    pub kind: &'static str,
    /// Where the value comes from.
    pub source: ParameterSource,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterSource {
    /// An output of another stack.
    Output {
        /// The stack.
        stack: StackKey,
        /// The output's name.
        output: String,
    },
    /// The vendor's newest image when the stack is first made; kept from then on.
    Image {
        /// Operating system.
        os: Os,
        /// Architecture.
        architecture: Architecture,
    },
    /// The name of the artifact bucket of account and region.
    ArtifactBucket,
    /// The Availability Zone of a subnet that exists and whose zone the cluster file does not say.
    SubnetZone {
        /// The subnet.
        subnet: String,
    },
    /// The role in an instance profile of the user's: neither name nor path of the one tells the other's.
    ProfileRole {
        /// The profile's name.
        profile: String,
    },
}

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// CloudFormation's type.
    pub kind: &'static str,
    /// Its name in plans, such as `queue.cfd.launch_template.spot`.
    pub address: String,
    /// Its properties.
    pub properties: BTreeMap<String, Val>,
    /// The path in the cluster file that it comes from.
    pub cause: Path,
    /// The paths that single properties come from; the longest property path that fits wins.
    pub causes: BTreeMap<String, Path>,
    /// What becomes of it when it leaves its stack.
    pub deletion: DeletionPolicy,
    /// The data that it holds.
    pub holds: Option<DataHolding>,
    /// Logical ids that must be there first although no reference says so.
    pub depends_on: Vec<String>,
}

/// What becomes of a resource when it leaves its stack or is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionPolicy {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays, outside the stack.
    Retain,
    /// A snapshot is made, then it is deleted.
    Snapshot,
}

/// Data that would be lost with a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataHolding {
    /// A file system.
    FileSystem {
        /// Its name in the cluster file.
        name: String,
        /// Its capacity in GiB, where it has one.
        capacity_gib: Option<u32>,
        /// Whether it can be exported to S3 first.
        exportable: bool,
    },
    /// A database.
    Database,
    /// A volume.
    Volume {
        /// Its name in the cluster file.
        name: String,
        /// Its size in GiB.
        size_gib: u32,
    },
    /// The volume with the head node's lasting data.
    HeadData {
        /// Its size in GiB.
        size_gib: u32,
        /// Whether home directories are on it, besides Slurm's state.
        home: bool,
    },
    /// A head node whose lasting data is still on its root volume.
    HeadNode {
        /// Whether home directories are on it, besides Slurm's state.
        home: bool,
    },
    /// The jobs that Slurm knows, when the next Slurm does not read what this one keeps.
    Queue {
        /// The Slurm that is there.
        from: String,
        /// The Slurm that comes.
        to: String,
    },
    /// Jobs that end with their queue or pool.
    Jobs {
        /// The queues.
        queues: Vec<String>,
    },
    /// Logs.
    Logs,
}

impl schemars::JsonSchema for StackKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StackKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A stack: `network`, `storage`, `accounting`, `head`, `queue.NAME` or `monitoring`." })
    }
}
