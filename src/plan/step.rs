//! A step of a plan.

use crate::model::StackKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that apply does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// Its number, from 1.
    pub number: usize,
    /// What it does.
    pub action: StepAction,
    /// The steps that must be done first.
    pub after: Vec<usize>,
    /// How long it usually takes, in seconds.
    pub seconds: u32,
}

impl StepAction {
    /// Whether nobody else may apply meanwhile.
    pub fn needs_lock(&self) -> bool {
        !matches!(self, Self::AwaitHead { .. })
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum StepAction {
    /// Makes the artifact bucket of account and region.
    Bootstrap,
    /// Writes templates, node files, cluster file and plan into the archive.
    Archive,
    /// Lets the head node hold queues: what runs ends, what waits goes on waiting; waits until no compute node is left.
    HoldQueues {
        /// The queues.
        queues: Vec<String>,
    },
    /// Lets the head node unmount file systems, and give volumes back.
    Release {
        /// The ids of file systems.
        file_systems: Vec<String>,
        /// The ids of volumes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        volumes: Vec<String>,
    },
    /// Lets the head node open the queues that were held.
    OpenQueues,
    /// Switches automatic export off: FSx takes no export task beside it.
    StopAutoExport {
        /// The file system's name in the cluster file.
        storage: String,
        /// Its id.
        file_system: String,
        /// The associations that export by themselves, and which events.
        associations: BTreeMap<String, Vec<String>>,
    },
    /// Switches automatic export on again, where it should be on.
    StartAutoExport {
        /// The associations, and which events.
        associations: BTreeMap<String, Vec<String>>,
    },
    /// Exports a file system to S3 and waits for the end.
    Export {
        /// Its name in the cluster file.
        storage: String,
        /// Its id.
        file_system: String,
    },
    /// Goes on with a rollback that failed.
    ContinueRollback {
        /// The stack.
        stack: StackKey,
    },
    /// Makes a stack.
    CreateStack {
        /// The stack.
        stack: StackKey,
    },
    /// Updates a stack, but keeps what is to leave it: others still use that.
    PrepareStack {
        /// The stack.
        stack: StackKey,
    },
    /// Updates a stack.
    UpdateStack {
        /// The stack.
        stack: StackKey,
    },
    /// Deletes a stack.
    DeleteStack {
        /// The stack.
        stack: StackKey,
        /// Whether it goes because it is broken and is made anew.
        broken: bool,
        /// What stays of one whose deletion has failed before: CloudFormation takes such a list for no other.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        retain: Vec<String>,
    },
    /// Writes into a stack's template what is to stay when the stack is deleted.
    MarkKept {
        /// The stack.
        stack: StackKey,
    },
    /// Stops the head node and takes its volumes from it, so that the next one can have them. When a later step fails, it is
    /// started again.
    StopHead {
        /// The instance.
        instance: String,
        /// Its volumes besides its root volume.
        volumes: Vec<String>,
        /// Whether its protection against termination is lifted, without which its stack could not end it.
        protected: bool,
    },
    /// Starts the head node again, which was stopped for its update.
    StartHead {
        /// The instance.
        instance: String,
    },
    /// Terminates the compute instances that Slurm launched: all, those of one queue, or those of one of its pools.
    Terminate {
        /// The queue.
        queue: Option<String>,
        /// The pool of the queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<String>,
    },
    /// Terminates login nodes that have something mounted which has gone: their groups make others, which take the new
    /// files.
    ReplaceLogins {
        /// The instances.
        instances: Vec<String>,
    },
    /// Puts node files where nodes fetch them.
    Publish {
        /// False: before the head node is first made, with what is known by then.
        last: bool,
    },
    /// Waits until the head node reports that it runs this revision. It needs no lock: the head node goes on by
    /// itself, whether or not somebody waits.
    AwaitHead {
        /// For how many seconds at most.
        limit: u32,
    },
    /// Deletes the cluster's archive from the artifact bucket.
    Purge,
    /// Proves that nothing with the cluster's tag is left.
    Verify,
}
