//! What `sync` may decide to do.

use crate::node::Launch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Terminate instances and take them out of the ledger.
    Terminate {
        /// Why.
        why: Orphan,
        /// The instances.
        instances: BTreeSet<String>,
    },
    /// Take instances out of the ledger that are gone.
    Forget {
        /// The instances.
        instances: BTreeSet<String>,
    },
    /// Finish what a launch had assigned when its process died: addresses to slurmctld, names to the nodes.
    Adopt {
        /// The launch, with the nodes that have instances, and no node wanted any more.
        launch: Launch,
    },
    /// Tell the nodes of a launch their names: it failed before.
    Tell {
        /// The launch.
        launch: Launch,
    },
    /// Tell slurmctld the addresses of nodes: it has others.
    Address {
        /// Addresses by node.
        nodes: BTreeMap<String, String>,
    },
    /// Close a launch whose process died: nobody will bring what it still wanted.
    Close {
        /// The launch.
        launch: String,
    },
    /// Launch nodes for which ResumeProgram died before it wrote anything down.
    Relaunch {
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Give nodes up, jobs and all: their jobs are requeued at once.
    Replace {
        /// Why.
        cause: Cause,
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Power nodes down on which nothing runs.
    PowerDown {
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Let Slurm use nodes again that are powered down.
    Idle {
        /// The nodes.
        nodes: BTreeSet<String>,
        /// The pools, `QUEUE/POOL`, whose failures these were.
        failed: BTreeSet<String>,
    },
    /// Set nodes down whose pool rests.
    Rest {
        /// EC2's code.
        code: String,
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Forget that pools rest.
    EndRests {
        /// The pools, `QUEUE/POOL`.
        pools: BTreeSet<String>,
    },
    /// Power nodes up that always run.
    PowerUp {
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Let no more jobs onto a node that EC2 will stop.
    Drain {
        /// EC2's code of the event.
        event: String,
        /// The nodes.
        nodes: BTreeSet<String>,
    },
    /// Count failed starts of a queue.
    Count {
        /// The queue.
        queue: String,
        /// The starts, by instance.
        starts: BTreeMap<String, FailedStart>,
    },
    /// Instances have come up as nodes of a queue: what failed before is forgotten.
    Reset {
        /// The queue.
        queue: String,
        /// The pools, `QUEUE/POOL`.
        pools: BTreeSet<String>,
        /// The instances.
        instances: BTreeSet<String>,
    },
    /// Stop launching for a queue: its starts fail.
    Protect {
        /// The queue.
        queue: String,
        /// How many starts in a row failed.
        failures: u32,
    },
    /// Somebody set a partition up: what held it back is forgotten.
    Release {
        /// The queue.
        queue: String,
    },
    /// Set a partition again to what it was before slurmctld was started anew.
    Hold {
        /// The queue.
        queue: String,
        /// Its state: `inactive` or `drain`.
        state: &'static str,
    },
    /// Put a node's name on its instance, for people.
    Tag {
        /// The instance.
        instance: String,
        /// The node.
        node: String,
    },
}

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedStart {
    /// The node.
    pub node: String,
    /// What its set-up said; none: the instance died while it booted.
    pub words: Option<String>,
}

/// Why an instance is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Orphan {
    /// No launch in the ledger is its own.
    Unknown,
    /// The process that launched it died before it became a node.
    CutShort,
    /// It came and no node took it.
    Surplus,
    /// Its node is powered down.
    Asleep,
    /// Its node has a newer one.
    Older,
    /// Slurm has no such node.
    NoNode,
}

/// Why a node is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its instance is gone.
    Gone,
    /// Nobody launches it.
    NotLaunched,
    /// It has hung at the end of a job.
    Stuck,
    /// EC2's status checks fail.
    Impaired,
}
