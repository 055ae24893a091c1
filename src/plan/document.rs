//! The plan as a document: complete, versioned, with a digest.

use super::{Action, Basis, Change, DataRisk, FileChange, Step};
use crate::render::sha256_json;
use crate::{
    cloud::ResourceDrift,
    model::{NodeFact, ParameterSource, StackKey},
    observe::{Kept, Outside},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The `kind` of a plan document.
pub const PLAN_KIND: &str = "hpcctl.plan";
/// The `format_version` of a plan document: a new minor adds, a new major is not read.
pub const PLAN_FORMAT: &str = "1.0";

/// A plan: everything that apply needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// Always [`PLAN_KIND`].
    pub kind: String,
    /// [`PLAN_FORMAT`] of the program that wrote it.
    pub format_version: String,
    /// SHA-256 over everything else, in hexadecimal.
    pub digest: String,
    /// What it leads to.
    pub goal: Goal,
    /// The cluster's name.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// What it was made against.
    pub basis: Basis,
    /// The revision that it makes.
    pub revision: u64,
    /// The cluster file.
    pub source: Source,
    /// What happens to resources, in the order of stacks.
    pub changes: Vec<Change>,
    /// Stacks in which only outputs, tags or descriptions change.
    pub quiet_stacks: Vec<StackKey>,
    /// What happens to files on nodes.
    pub file_changes: Vec<FileChange>,
    /// How many resources stay as they are.
    pub unchanged: usize,
    /// What is not as its template says.
    pub drift: BTreeMap<String, Vec<ResourceDrift>>,
    /// Whether drift was looked for.
    pub drift_checked: bool,
    /// What CloudFormation's own change sets say otherwise.
    pub disagreements: Vec<Disagreement>,
    /// Whether change sets were asked.
    pub previewed: bool,
    /// Stacks that are updated and whose change CloudFormation was not asked about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unasked: Vec<StackKey>,
    /// What carries the cluster's tag and is in no stack: a deletion failed, or somebody made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<Outside>,
    /// What earlier revisions kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// What happens to people and jobs.
    pub impact: Impact,
    /// Queues that change while jobs run on their nodes, as the head node last said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub busy_queues: Vec<BusyQueue>,
    /// Nodes that run now and are no longer there with the next configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vanishing: Vec<Vanishing>,
    /// What a reviewer must know besides, and nobody can change by the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The head node does not run the newest revision, as far as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_behind: Option<HeadBehind>,
    /// What apply does.
    pub steps: Vec<Step>,
    /// What apply does it with.
    pub content: Content,
}

/// What a plan leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The cluster as its file says.
    Apply,
    /// Nothing.
    Destroy,
}

/// The cluster file that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    /// Its name as the user gave it.
    pub name: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
    /// Its text.
    pub text: String,
}

/// A resource for which CloudFormation predicts something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Disagreement {
    /// The stack.
    pub stack: StackKey,
    /// The resource's logical id.
    pub logical_id: String,
    /// What this plan says.
    pub planned: Option<Action>,
    /// What CloudFormation says: action and replacement.
    pub cloudformation: String,
    /// Whether this plan follows CloudFormation: the resource is planned as replaced.
    #[serde(default, skip_serializing_if = "is_false")]
    pub followed: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What happens to people and jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Impact {
    /// Whether the head node is replaced: log-ins end.
    pub head_node_replaced: bool,
    /// Whether the head node is stopped and started: log-ins end, and its file systems are away for minutes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub head_node_restarts: bool,
    /// Whether its public address, if it has one, changes by that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub head_address_changes: bool,
    /// Whether the lasting data of the head node that exists is still on its root volume.
    #[serde(default)]
    pub head_data_on_root: bool,
    /// Queues whose running instances are terminated.
    pub queues_stopped: Vec<String>,
    /// Queues whose next nodes differ from those that run.
    pub queues_changed: Vec<String>,
    /// File systems that are replaced or deleted.
    pub file_systems_lost: Vec<String>,
    /// Login pools whose next nodes differ from those that run: those stay as they are until somebody replaces them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_pools_changed: Vec<String>,
    /// Login pools that go: log-ins there end when their grace is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_pools_ended: Vec<String>,
    /// Login nodes that keep what goes mounted, and are replaced when it has gone: their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_nodes_stale: Vec<String>,
    /// Running compute instances, when the plan was made.
    pub running_instances: usize,
    /// How long it usually takes, in seconds.
    pub seconds: u32,
}

/// What a reviewer must know besides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Note {
    /// The budget counts by a tag that must be activated for cost allocation, in the account that pays.
    BudgetNeedsTag {
        /// The tag.
        tag: String,
    },
    /// The head node is replaced: its root volume goes.
    HeadStartsAnew,
    /// A file system is replaced, and the one that is there is kept: the new one is empty.
    StartsEmpty {
        /// Its address.
        address: String,
        /// The id of the one that is there.
        id: String,
    },
    /// A volume that the cluster did not make leaves it: the head node lets go of it, and it stays as it is.
    VolumeGivenBack {
        /// Its name in the cluster file.
        name: String,
        /// Its id.
        volume: String,
    },
    /// A file system's automatic backups go with it.
    BackupsGo {
        /// Its address.
        address: String,
    },
    /// `/home` is in another place from now on, without what is in it.
    HomesMove {
        /// Whether the head node's data volume is the new place; else a file system of the cluster is.
        to_head: bool,
    },
    /// A file system is in a stack, and FSx does not know it.
    NotThere {
        /// Its address.
        address: String,
        /// Its id.
        id: String,
    },
    /// The accounting database stops for the change.
    DatabaseAway {
        /// Its address.
        address: String,
    },
    /// Logs are kept for a shorter time: what is older goes.
    LogsExpire {
        /// The log group's address.
        address: String,
        /// The days.
        days: u64,
    },
    /// The image that a stack was made with is gone.
    ImageGone {
        /// The stack.
        stack: String,
        /// The image.
        image: String,
        /// The one that new nodes boot from now on; none: the head node, which runs, keeps what it has.
        instead: Option<String>,
    },
    /// Termination protection of stacks that stay changes.
    Protection {
        /// Whether it is switched on.
        on: bool,
    },
    /// Something goes and something comes that is like it but for the name.
    LooksRenamed {
        /// What goes.
        from: String,
        /// What comes.
        to: String,
    },
    /// Nodes get a newer image of Ubuntu's, for whose kernel FSx may have no Lustre client yet.
    KernelMayLag {
        /// The image.
        image: String,
    },
    /// An apply of the same began this revision and did not come to its end: this plan finishes it.
    FinishesRevision {
        /// Its number.
        revision: u64,
    },
}

/// A head node that does not run the newest revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeadBehind {
    /// The revision that is published.
    pub published: u64,
    /// The revision that it reports; none: it has not reported yet.
    pub reported: Option<u64>,
    /// Why its set-up failed, when it did.
    pub failed: Option<String>,
}

/// Nodes that run and go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Vanishing {
    /// The queue.
    pub queue: String,
    /// The pool.
    pub pool: String,
    /// Their names in Slurm.
    pub nodes: Vec<String>,
}

/// A queue with jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BusyQueue {
    /// The queue.
    pub queue: String,
    /// Jobs that run.
    pub jobs: u32,
    /// Jobs that wait.
    #[serde(default)]
    pub waiting: u32,
    /// The nodes that they run on.
    pub nodes: u32,
    /// When the head node said so.
    pub at: crate::cloud::Timestamp,
}

/// What apply works with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Content {
    /// The artifact bucket.
    pub bucket: Option<String>,
    /// Templates.
    pub templates: BTreeMap<StackKey, String>,
    /// Templates of stacks between what they are and what they are to be, while others still use what leaves them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub between: BTreeMap<StackKey, BetweenStack>,
    /// Where each stack's parameters come from.
    pub parameters: BTreeMap<StackKey, BTreeMap<String, PlannedParameter>>,
    /// Tags of the cluster, from which each stack has its own.
    pub tags: BTreeMap<String, String>,
    /// Termination protection of all stacks.
    pub termination_protection: bool,
    /// IAM paths below which nothing of the cluster may be left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_paths: Vec<String>,
    /// Node files.
    pub files: BTreeMap<String, PlannedFile>,
    /// SHA-256 over templates and node files, in hexadecimal.
    pub rendered_digest: String,
    /// What goes into `cluster.json` from the stacks' outputs.
    pub facts: Vec<NodeFact>,
    /// The processors for which nodes need hpcctl itself: `x86_64`, `aarch64`.
    #[serde(default)]
    pub programs: BTreeSet<String>,
}

/// A stack between what it is and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BetweenStack {
    /// The template.
    pub template: String,
    /// Values of the parameters that the template to be does not have.
    pub parameters: BTreeMap<String, String>,
}

/// A parameter's value, or where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlannedParameter {
    /// Known now.
    Value(String),
    /// Known when the stack before it is done.
    From(ParameterSource),
}

/// A node file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedFile {
    /// The text.
    pub content: String,
    /// Unix mode.
    pub mode: u32,
}

/// A plan's short name: the first twelve digits of its digest.
pub(super) fn short_id(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl Plan {
    /// The plan's short name: the first twelve digits of its digest.
    pub fn id(&self) -> &str {
        short_id(&self.digest)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it changes nothing: there is only a head node to wait for.
    pub fn only_waits(&self) -> bool {
        !self.is_empty() && self.steps.iter().all(|step| !step.action.needs_lock())
    }

    /// Whether the head node is waited for at the end.
    pub fn awaits_head(&self) -> bool {
        self.steps.iter().any(|step| !step.action.needs_lock())
    }

    /// How many resources an action hits.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// Changes whose data is lost without export or snapshot, and that need an approval of their own. Logs
    /// have a lifetime in any case, and go without one.
    pub fn losses(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.data.as_ref().is_some_and(DataRisk::is_loss))
    }

    /// The plan with its digest computed. What is only said beside the plan (drift, CloudFormation's own
    /// prediction, running jobs, what the head node says) is no part of it: the same plan has the same digest, whether or not somebody looked.
    pub fn sealed(mut self) -> Self {
        let said = (
            std::mem::take(&mut self.drift),
            std::mem::take(&mut self.drift_checked),
            std::mem::take(&mut self.disagreements),
            std::mem::take(&mut self.previewed),
            std::mem::take(&mut self.unasked),
            std::mem::take(&mut self.busy_queues),
            std::mem::take(&mut self.vanishing),
            std::mem::take(&mut self.head_behind),
            std::mem::take(&mut self.outside),
            std::mem::take(&mut self.kept),
        );
        self.digest = String::new();
        self.digest = sha256_json(&self);
        (
            self.drift,
            self.drift_checked,
            self.disagreements,
            self.previewed,
            self.unasked,
            self.busy_queues,
            self.vanishing,
            self.head_behind,
            self.outside,
            self.kept,
        ) = said;
        self
    }

    /// Whether the digest fits the content.
    pub fn is_intact(&self) -> bool {
        self.clone().sealed().digest == self.digest
    }
}
