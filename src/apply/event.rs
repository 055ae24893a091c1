//! What happens while a plan is applied.

use crate::{
    cloud::{TaskState, Timestamp},
    model::StackKey,
    plan::StepAction,
};
use serde::Serialize;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A step begins.
    StepStarted {
        /// Its number.
        step: usize,
        /// What it does.
        action: StepAction,
    },
    /// A step is done.
    StepDone {
        /// Its number.
        step: usize,
        /// What it did.
        action: StepAction,
        /// How long it took, in seconds.
        seconds: i64,
        /// Whether there was nothing left to do.
        already: bool,
    },
    /// A step failed.
    StepFailed {
        /// Its number.
        step: usize,
        /// What it should have done.
        action: StepAction,
    },
    /// A resource of a stack changed its status.
    Resource {
        /// The stack.
        stack: StackKey,
        /// The resource's name in the plan, or its logical id.
        address: String,
        /// Its type.
        resource_type: String,
        /// Its status.
        status: String,
        /// CloudFormation's words.
        reason: Option<String>,
    },
    /// A data-repository task went on.
    Task {
        /// The file system's name in the cluster file.
        storage: String,
        /// The task.
        task: TaskState,
    },
    /// Jobs run to their end on compute nodes.
    Draining {
        /// How many compute instances are left.
        left: usize,
    },
    /// Automatic export is on again after a failure.
    AutoExportRestored {
        /// The file system's name in the cluster file.
        storage: String,
        /// Why it is not.
        error: Option<String>,
    },
    /// After a failure the head node opens the queues again.
    QueuesReopened,
    /// After a failure the queues stay held: the next apply opens them.
    QueuesStayHeld,
    /// Instances are being terminated.
    Terminating {
        /// How many are left.
        left: usize,
    },
    /// The head node that was stopped for another one is started again, since that one did not come.
    HeadStarted {
        /// The instance.
        instance: String,
    },
    /// The head node has not yet reported the revision.
    HeadAwaited {
        /// The revision.
        revision: u64,
        /// How long it has been waited for, in seconds.
        seconds: i64,
        /// The revision that it reports; none: it has not reported yet.
        reported: Option<u64>,
    },
    /// The cloud does not answer while the head node is waited for; it is asked again.
    HeadUnseen {
        /// Why.
        error: String,
    },
    /// A lock seems to be silent; it is watched before it is taken over.
    LockWatched {
        /// Whose it is.
        owner: String,
    },
    /// The lock of a dead or silent owner was taken over.
    LockTakenOver {
        /// Whose it was.
        owner: String,
    },
}

/// Takes events as they happen.
pub trait Listener: Send + Sync {
    /// Takes one.
    fn event(&self, at: Timestamp, event: &Event);
}
