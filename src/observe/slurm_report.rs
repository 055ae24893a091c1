//! What the head node reports of Slurm: `clusters/NAME/status/slurm.json`.
//!
//! `hpcctl node sync` writes it; `status`, `plan` and whoever else reads it. It is a view for people, minutes old at
//! worst: nothing may be decided by it.

use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `kind` of a report.
pub const SLURM_REPORT_KIND: &str = "hpcctl/slurm-report";
/// Its `format_version`: a new minor adds, a new major is not read.
pub const SLURM_REPORT_FORMAT: &str = "1.1";

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmReport {
    /// [`SLURM_REPORT_KIND`].
    pub kind: String,
    /// [`SLURM_REPORT_FORMAT`] of the program that wrote it.
    pub format_version: String,
    /// The cluster.
    pub cluster: String,
    /// The revision that is in place on the head node.
    pub revision: u64,
    /// The instance that reports; none: an older hpcctl wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// When the head node last looked.
    pub at: Timestamp,
    /// Why the newest configuration is not in place, when its set-up failed.
    pub set_up_failed: Option<String>,
    /// The queues, in the order of the cluster file.
    pub queues: Vec<QueueReport>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReport {
    /// Its name.
    pub name: String,
    /// The partition's state: `up`, `down`, `drain`, `inactive`.
    pub state: String,
    /// Why hpcctl holds it back.
    pub held: Option<HeldReport>,
    /// Node starts in a row that failed.
    pub failed_starts: u32,
    /// Jobs that run.
    pub running: u32,
    /// Jobs that wait.
    pub pending: u32,
    /// Of these, jobs that wait until somebody releases them, the oldest first. Since 1.1.
    #[serde(default)]
    pub held_jobs: Vec<HeldJob>,
    /// Nodes on which jobs run.
    pub busy_nodes: u32,
    /// The pools, in the order of the cluster file.
    pub pools: Vec<PoolReport>,
    /// The newest of these starts.
    pub last_failed_starts: Vec<FailedStartReport>,
    /// Nodes that are down or drained and should not be, with the reason.
    pub failing: Vec<FailingNode>,
}

/// A job that waits until somebody releases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldJob {
    /// Its number.
    pub id: u64,
    /// Slurm's reason.
    pub reason: String,
}

/// Why a queue is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReport {
    /// Why.
    pub why: HeldWhy,
    /// Since when.
    pub since: Timestamp,
}

/// Why a queue is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldWhy {
    /// Its node starts fail.
    Protected,
    /// `hpcctl queue drain`.
    Drained,
    /// `hpcctl fleet stop`.
    Stopped,
    /// `hpcctl apply` replaces or removes a file system.
    Storage,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolReport {
    /// Its name.
    pub name: String,
    /// How many nodes are in which state; states without nodes are left out.
    pub nodes: BTreeMap<NodeReport, u32>,
    /// The rest after a lack of capacity, when it has one.
    pub rest: Option<RestReport>,
}

/// The state of a node, as far as it matters to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeReport {
    /// It has jobs.
    Allocated,
    /// It runs and waits for jobs.
    Idle,
    /// It is being launched.
    Starting,
    /// It is being given back.
    Stopping,
    /// It takes no more jobs.
    Drained,
    /// It cannot be used.
    Down,
    /// It has no instance and can be launched.
    PoweredDown,
}

/// A pool's rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestReport {
    /// Until when.
    pub until: Timestamp,
    /// EC2's code.
    pub code: String,
}

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedStartReport {
    /// The node.
    pub node: String,
    /// When.
    pub at: Timestamp,
    /// What its set-up said; none: the instance died while it booted.
    pub words: Option<String>,
}

/// A node that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingNode {
    /// Its name.
    pub name: String,
    /// Slurm's reason.
    pub reason: String,
}

impl SlurmReport {
    /// Reads a report; `None` when it is none, or of a format that is not known here.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let report: Self = serde_json::from_slice(text).ok()?;
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        let known = report.kind == SLURM_REPORT_KIND && major(&report.format_version) == major(SLURM_REPORT_FORMAT);
        known.then_some(report)
    }

    /// The queue with this name.
    pub fn queue(&self, name: &str) -> Option<&QueueReport> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// How many nodes of all queues are in a state.
    pub fn nodes(&self, state: NodeReport) -> u32 {
        let pools = self.queues.iter().flat_map(|queue| &queue.pools);
        pools.filter_map(|pool| pool.nodes.get(&state)).sum()
    }
}
