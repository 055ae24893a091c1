//! What can go wrong.

use crate::cloud::CloudError;
use std::{io, path::Path};

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RehearsalError {
    /// The account's file cannot be used.
    Cloud(CloudError),
    /// Namespaces need root, and what is in them belongs to root.
    NotRoot,
    /// Programs are missing.
    Missing {
        /// The programs.
        programs: Vec<String>,
        /// Debian's packages with them.
        packages: Vec<String>,
    },
    /// The Slurm of this machine is not the one that the cluster's image has.
    OtherSlurm {
        /// This machine's version, such as `22.05`.
        here: String,
        /// The image's.
        wanted: String,
    },
    /// It did not come up.
    Start {
        /// What.
        what: String,
        /// The end of its log.
        log: Vec<String>,
        /// Where the log is.
        path: String,
    },
    /// None runs.
    NotRunning,
    /// A machine does not run.
    NoMachine {
        /// Its instance.
        instance: String,
    },
    /// A file cannot be used, or a program failed.
    Failed {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// The AWS CLI of a machine does not know this.
    UnknownCall {
        /// What it was given.
        words: String,
    },
}

impl From<CloudError> for RehearsalError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

/// A failure with a file or a program.
pub(super) fn failed(what: impl AsRef<Path>, why: &io::Error) -> RehearsalError {
    RehearsalError::Failed { what: what.as_ref().display().to_string(), why: why.to_string() }
}
