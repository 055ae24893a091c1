//! What the programs did, for the log.

use super::{NodeError, sync::Action};
use crate::cloud::FleetError;

/// Takes events.
pub type Events<'e> = &'e mut dyn FnMut(Event);

/// Something that a program did or found.
#[derive(Debug)]
pub enum Event {
    /// Nodes that no pool has.
    Unknown {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// Nodes that another ResumeProgram launches at this moment.
    InFlight {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// Nodes whose instances run already.
    Running {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// A pool rests: nothing was asked of EC2.
    Resting {
        /// `QUEUE/POOL`.
        pool: String,
        /// EC2's code of the last attempt.
        code: String,
        /// Seconds that are left.
        seconds: i64,
    },
    /// Nodes have instances.
    Launched {
        /// `QUEUE/POOL`.
        pool: String,
        /// The launch.
        launch: String,
        /// Node, instance, address.
        nodes: Vec<(String, String, String)>,
    },
    /// EC2 did not give all that was asked for.
    Short {
        /// `QUEUE/POOL`.
        pool: String,
        /// How many were asked for.
        wanted: usize,
        /// How many came.
        got: usize,
        /// Why others did not.
        errors: Vec<FleetError>,
    },
    /// Nodes were set down, so that Slurm takes their jobs elsewhere.
    Down {
        /// The nodes.
        nodes: Vec<String>,
        /// The reason that `scontrol show node` gives.
        reason: String,
    },
    /// A pool rests from now on.
    Cooling {
        /// `QUEUE/POOL`.
        pool: String,
        /// EC2's code.
        code: String,
        /// Seconds.
        seconds: u32,
    },
    /// Instances were told to terminate.
    Terminated {
        /// The instances.
        instances: Vec<String>,
        /// Why.
        why: &'static str,
    },
    /// A launch that the ledger had lost was read back.
    ReadBack {
        /// The launch.
        launch: String,
        /// Its nodes.
        nodes: Vec<String>,
    },
    /// `sync` did something.
    Did {
        /// What.
        action: Action,
    },
    /// A step failed; the program went on.
    Failed {
        /// The step.
        step: &'static str,
        /// Why.
        error: NodeError,
    },
}
