//! A change to one resource.

use crate::{
    catalog::Rule,
    model::{DataHolding, StackKey},
    spec::Path,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// The resource's name in plans, such as `queue.cfd.launch_template.spot`.
    pub address: String,
    /// Its stack.
    pub stack: StackKey,
    /// Its logical id.
    pub logical_id: String,
    /// Its type.
    pub resource_type: String,
    /// Its physical id, when it exists.
    pub physical_id: Option<String>,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The place in the cluster file that it comes from.
    pub cause: Option<Cause>,
    /// The properties that change.
    pub properties: Vec<PropertyChange>,
    /// The data that is lost, or would be.
    pub data: Option<DataRisk>,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It changes and stays.
    Update,
    /// A new one is made and the old one goes.
    Replace,
    /// It goes.
    Delete,
    /// It stays, but no longer belongs to the cluster.
    Forget,
}

/// Why something happens to a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// It does not exist yet.
    New,
    /// Its stack is broken and is made anew.
    StackBroken {
        /// The stack's status.
        status: String,
    },
    /// The cluster file changed.
    Changed,
    /// A resource that it refers to is replaced.
    Follows {
        /// That resource's address.
        address: String,
    },
    /// It takes the place of something of another kind, whose data stays behind.
    StartsEmpty {
        /// The logical id of what goes.
        instead_of: String,
    },
    /// CloudFormation's own change set says that it is replaced.
    Predicted,
    /// The cluster file does not want it any more.
    NotWanted,
    /// The cluster is destroyed.
    Destroyed,
    /// It would go, but something that was kept stands on it.
    Carries {
        /// The id of what was kept.
        kept: String,
    },
}

/// A place in the cluster file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cause {
    /// The path, such as `queues[0].pools[1].max`.
    pub path: Path,
    /// The line, from 1.
    pub line: usize,
}

/// What happens to one property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PropertyChange {
    /// The property, such as `LustreConfiguration/DeploymentType`.
    pub path: String,
    /// What it was; `None`: not set.
    pub before: Option<Value>,
    /// What it will be.
    pub after: After,
    /// What changing it does to the resource.
    pub effect: Effect,
    /// The rule that says so, where it is more than the schema's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Grounds>,
    /// The place in the cluster file that it comes from.
    pub cause: Option<Cause>,
}

/// Why a property's change does what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Grounds {
    /// The rule.
    pub rule: Rule,
    /// The public page that says so.
    pub page: String,
}

/// What a property will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// This.
    Known(Value),
    /// Not set.
    Unset,
    /// Known only when the resource it comes from exists.
    KnownAfterApply,
}

/// What changing a property does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is updated in place.
    InPlace,
    /// It stays, and is stopped and started.
    Restarts,
    /// It may be replaced, depending on what nobody outside knows (CloudFormation calls it conditional). Where data or
    /// the head node is concerned, it counts as replaced.
    MayReplace,
    /// It is replaced.
    Replaces,
    /// The update would fail. No plan holds such a change: it is refused.
    Refused,
}

/// Data at stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DataRisk {
    /// What it is.
    pub holding: DataHolding,
    /// What becomes of it.
    pub fate: DataFate,
    /// When it was last exported, in words of a timestamp.
    pub last_export: Option<String>,
    /// The directories of a file system that are exported; `/`: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<String>,
    /// Where exports go, each directory with its place in S3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<ExportTarget>,
    /// Whether login nodes have it mounted: what people write there after the export has begun is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub login_nodes: bool,
}

/// Where what is exported of a directory goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExportTarget {
    /// The directory in the file system.
    pub path: String,
    /// The place, such as `s3://bucket/prefix`.
    pub uri: String,
}

impl DataRisk {
    /// Whether data is lost that nobody can have back.
    pub fn is_loss(&self) -> bool {
        let lost = matches!(self.fate, DataFate::Lost | DataFate::ExportedInPart) || self.login_nodes;
        lost && self.holding != DataHolding::Logs
    }

    /// Whether an export comes first.
    pub fn is_exported(&self) -> bool {
        matches!(self.fate, DataFate::ExportedFirst | DataFate::ExportedInPart)
    }
}

/// What becomes of data, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataFate {
    /// It stays outside the cluster.
    Kept,
    /// A snapshot of it is made before it goes.
    SnapshotFirst,
    /// It is exported to S3 before it goes; a failed export stops the plan.
    ExportedFirst,
    /// What lies in the linked directories is exported to S3 before it goes; what lies outside is lost.
    ExportedInPart,
    /// It is lost.
    Lost,
}

/// A change to a file on nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileChange {
    /// The file's path below the revision, such as `head/slurm.conf`.
    pub path: String,
    /// What happens.
    pub action: Action,
    /// The text before; `None`: not there.
    pub before: Option<String>,
    /// The text after, where apply makes it from the stacks' outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The place in the cluster file that it mostly comes from.
    pub cause: Option<Cause>,
}
