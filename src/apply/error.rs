//! Why a step failed.

use super::{FailedFile, Leftover, OrderError};
use crate::{
    cloud::{CloudError, ErrorKind},
    model::StackKey,
    observe::{FoundLock, HeadFailure, ObserveError},
    plan::{Gap, Moved},
};

/// Why a plan, or a step of it, was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum ApplyError {
    /// A call failed.
    Cloud(CloudError),
    /// Something in the archive cannot be read.
    Archive {
        /// The object's key.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// The plan was made without a cloud.
    OfflinePlan,
    /// The plan's digest does not fit its content: somebody edited it.
    EditedPlan,
    /// The plan is for another account.
    OtherAccount {
        /// The plan's account.
        planned: String,
        /// The caller's account.
        caller: String,
    },
    /// Things moved since the plan was made.
    Stale {
        /// What moved.
        moved: Vec<Moved>,
    },
    /// Jobs would end that the plan did not know of.
    JobsEnd {
        /// The queues.
        queues: Vec<String>,
    },
    /// All steps are done, and the cluster is not as planned.
    NotAsPlanned {
        /// What is not.
        gaps: Vec<Gap>,
    },
    /// Somebody else applies.
    Locked {
        /// Who.
        lock: Box<FoundLock>,
    },
    /// The lock was lost while the plan was applied.
    LockLost,
    /// The lock could not be renewed.
    LeaseEnded {
        /// Why.
        cause: String,
    },
    /// A stack did not reach what was asked.
    Stack {
        /// The stack.
        stack: StackKey,
        /// Its status.
        status: String,
        /// CloudFormation's words on the status.
        reason: Option<String>,
        /// The resources that failed, the first cause first.
        resources: Vec<FailedResource>,
    },
    /// The stack of the account's artifact bucket did not come to be.
    Bootstrap {
        /// Its status.
        status: String,
        /// CloudFormation's words on the status.
        reason: Option<String>,
        /// The resources that failed, by logical id, the first cause first.
        resources: Vec<FailedResource>,
    },
    /// A stack is as it should be, but what left it could not be deleted: it is still there, in no stack.
    NotDeleted {
        /// The stack.
        stack: StackKey,
        /// What is left.
        resources: Vec<FailedResource>,
    },
    /// A parameter's source has no value.
    MissingOutput {
        /// The stack that needs it.
        stack: StackKey,
        /// The parameter.
        parameter: String,
    },
    /// The cloud had no value for a parameter when the plan was made: no such image, no such subnet.
    Unresolved {
        /// The parameter.
        parameter: String,
    },
    /// A data-repository task did not succeed.
    Transfer(Box<TransferFailure>),
    /// A data-repository task cannot be followed: FSx does not show it, or shows none while it says that one runs.
    TaskUnseen {
        /// The file system's name.
        storage: String,
        /// The task's id; `None`: FSx names none.
        task: Option<String>,
    },
    /// Jobs still run on compute nodes, so a file system cannot go.
    StillUsed {
        /// Compute instances that are left.
        left: usize,
        /// Minutes that were waited.
        minutes: u64,
    },
    /// An order to the head node was not carried out.
    Order(OrderError),
    /// The file system exports by itself: FSx takes no export task beside that.
    ExportsItself {
        /// The file system's name.
        storage: String,
        /// The directories that are exported so.
        paths: Vec<String>,
    },
    /// Automatic export does not go off.
    AutoExport {
        /// The file system's name.
        storage: String,
        /// The associations.
        associations: Vec<String>,
    },
    /// A path lies in no directory that is linked with S3.
    NotLinked {
        /// The file system's name.
        storage: String,
        /// The path.
        path: String,
        /// The linked directories.
        linked: Vec<String>,
    },
    /// The file system has no link with S3.
    NoRepository {
        /// The file system's name.
        storage: String,
    },
    /// The file system does not exist or cannot be used now.
    NotAvailable {
        /// The file system's name.
        storage: String,
        /// Its state.
        lifecycle: String,
    },
    /// The head node does not stop, or does not let a volume go.
    HeadNode {
        /// The instance.
        instance: String,
        /// What it is.
        state: String,
    },
    /// Things are left that should be gone.
    Leftovers {
        /// Which.
        left: Vec<Leftover>,
    },
    /// Interrupted while a transfer ran, which goes on.
    TransferGoesOn {
        /// The file system's name in the cluster file.
        storage: String,
        /// The task's id.
        task: String,
    },
    /// The user interrupted.
    Interrupted,
    /// The user does not want to wait for the head node any longer.
    StoppedWaiting {
        /// The revision that it did not report yet.
        revision: u64,
    },
    /// The head node could not set a revision up.
    HeadFailed {
        /// The revision.
        revision: u64,
        /// Its instance.
        instance: String,
        /// What failed.
        failure: HeadFailure,
    },
    /// The head node did not report in time.
    HeadSilent(Box<HeadSilence>),
}

/// A data-repository task that did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferFailure {
    /// The file system's name.
    pub storage: String,
    /// The task's id.
    pub task: String,
    /// Where it ended.
    pub lifecycle: String,
    /// FSx's words.
    pub message: Option<String>,
    /// Files that failed, as far as the report tells.
    pub files: Vec<FailedFile>,
    /// Where the report is.
    pub report: Option<String>,
}

impl From<ObserveError> for ApplyError {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Cloud(error) => Self::Cloud(error),
            ObserveError::Archive { key, message } => Self::Archive { key, message },
        }
    }
}

impl From<CloudError> for ApplyError {
    fn from(error: CloudError) -> Self {
        match error.kind {
            ErrorKind::LockLost => Self::LockLost,
            ErrorKind::LeaseEnded => Self::LeaseEnded { cause: error.message },
            _ => Self::Cloud(error),
        }
    }
}

impl From<OrderError> for ApplyError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Cloud(error) if matches!(error.kind, ErrorKind::LockLost | ErrorKind::LeaseEnded) => {
                error.into()
            }
            error => Self::Order(error),
        }
    }
}

/// A head node that did not report in time.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadSilence {
    /// The revision.
    pub revision: u64,
    /// Its instance; none: there is none.
    pub instance: Option<String>,
    /// How long it was waited for, in seconds.
    pub seconds: i64,
    /// The revision that it reports; none: it has not reported at all.
    pub reported: Option<u64>,
    /// EC2's word for its state, when it does not run.
    pub state: Option<String>,
    /// What it wrote to its console.
    pub console: Console,
}

/// What an instance wrote to its console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Console {
    /// The end of it.
    Lines(Vec<String>),
    /// Nothing that EC2 shows.
    Empty,
    /// EC2 did not say.
    Unknown(CloudError),
}

/// A resource that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedResource {
    /// Its name in the plan, or its logical id.
    pub address: String,
    /// Its type.
    pub resource_type: String,
    /// Its physical id, as far as it has one.
    pub physical_id: Option<String>,
    /// Its status.
    pub status: String,
    /// CloudFormation's words.
    pub reason: String,
}
