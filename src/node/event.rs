//! What the programs did, for the log.

use super::{NodeError, OrderDocument, SaveWhy, Told, Unmounted, sync::Action};
use crate::cloud::{FleetError, Timestamp};

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
    /// Documents of the state were damaged. They lie beside their places; what they said is found again.
    SetAside {
        /// Their names now.
        files: Vec<String>,
    },
    /// A list in the file of the jobs that wait is none: its nodes are launched each for itself.
    NoList {
        /// Why.
        error: NodeError,
    },
    /// A new configuration is in place.
    Configured {
        /// Its revision.
        revision: u64,
    },
    /// A new hpcctl is in place: this one ends, so that systemd starts it.
    Renewed,
    /// An order was carried out, or was not.
    Ordered {
        /// The order; none: it could not be read.
        order: Option<OrderDocument>,
        /// Why it was not carried out.
        failed: Option<String>,
    },
    /// `sync` did something.
    Did {
        /// What.
        action: Action,
    },
    /// A volume is not free yet.
    VolumeTaken {
        /// Its name in the cluster file.
        name: String,
        /// Its id.
        volume: String,
        /// Who has it, or what it is.
        state: String,
    },
    /// A volume is this node's from now on.
    VolumeAttached {
        /// Its name in the cluster file.
        name: String,
        /// Its id.
        volume: String,
        /// The device name that was asked for.
        device: String,
    },
    /// The address by which nodes know the head node is this node's from now on.
    AddressTaken {
        /// The address.
        address: String,
    },
    /// The address that nodes knew cannot be this node's: it has another one.
    AddressLost {
        /// The address before.
        before: String,
        /// The address from now on.
        address: String,
        /// Why.
        error: NodeError,
    },
    /// The program watches this node.
    Watching {
        /// The node.
        node: String,
    },
    /// Nobody asked for this node to be watched.
    NotWatched {
        /// The node.
        node: String,
    },
    /// The instance metadata answers again.
    Sees,
    /// EC2 recommends to move work elsewhere.
    Rebalance {
        /// Since when.
        since: Timestamp,
    },
    /// The node takes no more jobs.
    Drained {
        /// The node.
        node: String,
    },
    /// EC2 takes the node back.
    Interrupted {
        /// `terminate`, `stop` or `hibernate`.
        action: String,
        /// When.
        at: Timestamp,
    },
    /// Something that happened in the last two minutes of a node.
    Left {
        /// Seconds that are left.
        seconds: i64,
        /// What happened.
        what: Box<Event>,
    },
    /// The jobs that the node has at the notice.
    Jobs {
        /// The jobs.
        jobs: Vec<u64>,
    },
    /// A job was saved.
    Saved {
        /// The job.
        job: u64,
        /// Why.
        why: SaveWhy,
    },
    /// A job could not be saved.
    NotSaved {
        /// The job.
        job: u64,
        /// Why it should have been.
        why: SaveWhy,
        /// Why it was not.
        error: NodeError,
    },
    /// A job was told to end.
    Told {
        /// The job.
        job: u64,
        /// In which way.
        told: Told,
    },
    /// A job could not be told to end.
    NotTold {
        /// The job.
        job: u64,
        /// In which way.
        told: Told,
        /// Why not.
        error: NodeError,
    },
    /// Jobs have ended.
    JobsEnded {
        /// Jobs that have not, for which nobody waits any longer.
        stay: Vec<u64>,
    },
    /// A file system was unmounted.
    Unmounted {
        /// Where it was.
        at: String,
        /// How.
        how: Unmounted,
    },
    /// slurmctld knows that the node is gone.
    GivenBack {
        /// The node.
        node: String,
    },
    /// The node powers off now.
    PoweringOff,
    /// AWS refused; it is asked again.
    Again {
        /// After so many seconds.
        seconds: u64,
        /// What it said.
        error: NodeError,
    },
    /// A step failed; the program went on.
    Failed {
        /// The step.
        step: &'static str,
        /// Why.
        error: NodeError,
    },
}

impl Event {
    /// What came of saving a job.
    pub(super) fn saved(job: u64, why: SaveWhy, result: Result<(), NodeError>) -> Self {
        match result {
            Ok(()) => Self::Saved { job, why },
            Err(error) => Self::NotSaved { job, why, error },
        }
    }
}
