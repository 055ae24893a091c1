//! What can go wrong on a node.

use crate::cloud::CloudError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A call to the cloud failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// One of Slurm's commands failed.
    #[error("`{command}`: {words}")]
    Slurm {
        /// The command with its first arguments.
        command: String,
        /// What it said, or why it did not start.
        words: String,
    },
    /// A program of this machine failed.
    #[error("`{command}`: {words}")]
    Program {
        /// The program with its first arguments.
        command: String,
        /// What it said, or why it did not start or not end.
        words: String,
    },
    /// A file of the node cannot be read or written.
    #[error("{path}: {words}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        words: String,
    },
    /// A host list that is none.
    #[error("`{list}` is no host list: {words}")]
    HostList {
        /// The text.
        list: String,
        /// What is wrong.
        words: &'static str,
    },
    /// A volume did not become this node's.
    #[error("{volume} of {name} is not here after {minutes} min: {state}")]
    Volume {
        /// Its name in the cluster file.
        name: String,
        /// Its id.
        volume: String,
        /// How long was waited.
        minutes: u64,
        /// Who has it, or what it is.
        state: String,
    },
    /// `cluster.json` lacks something that the stacks should have said.
    #[error("cluster.json does not say {0}")]
    Missing(String),
}
