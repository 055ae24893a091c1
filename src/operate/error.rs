//! What can go wrong.

use crate::cloud::{CloudError, ExperimentStatus};

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperateError {
    /// A call failed.
    Cloud(CloudError),
    /// No node has this name.
    NoNode {
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// A queue has no running spot node, or not those that were named.
    NoSpotNode {
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// More nodes than one experiment takes.
    TooMany {
        /// How many were chosen.
        chosen: usize,
        /// How many it takes.
        most: usize,
    },
    /// An experiment ended otherwise than it should.
    Experiment {
        /// Its id.
        id: String,
        /// How it ended; `Running`: it did not end in time.
        status: ExperimentStatus,
        /// FIS's own words.
        reason: Option<String>,
    },
    /// Nodes that were interrupted are still there.
    StillThere {
        /// Their names.
        nodes: Vec<String>,
    },
    /// The cluster has no artifact bucket: it was never applied.
    NotApplied {
        /// The cluster.
        cluster: String,
    },
    /// The head node could not carry an order out.
    Refused {
        /// The head node's words.
        words: String,
    },
    /// The head node has not answered.
    Unanswered {
        /// The order's id.
        id: String,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// Somebody asked to stop.
    Interrupted,
}

impl From<CloudError> for OperateError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}
