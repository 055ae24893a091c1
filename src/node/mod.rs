//! NODE: the programs that run on the cluster's own nodes.
//!
//! In: `hpcctl.json`, `cluster.json` and `pool.json` as `apply` published them, what Slurm passes to its programs,
//! and the ports. Out: instances launched and ended, nodes of Slurm updated, and [`Event`]s that say so.
//!
//! [`resume`] is ResumeProgram, [`suspend`] is SuspendProgram. What they began is in the [`Ledger`] before EC2 hears of
//! it, so that nothing that dies in the middle leaves an instance that nobody knows.
//!
//! Never: a plan, an apply, a word on stdout or stderr. Files and processes of the machine are touched in `home`,
//! `ledger` and `slurm` alone.

mod assign;
mod config;
mod error;
mod event;
mod fleets;
mod home;
pub mod hostlist;
mod jobs;
mod launch;
mod ledger;
mod pools;
mod resume;
mod slurm;
mod suspend;
pub mod sync;

pub use config::{Cluster, PoolRef};
pub use error::NodeError;
pub use event::{Event, Events};
pub use home::Home;
pub use jobs::{Job, parse_resume_file};
pub use launch::{Launch, LaunchedNode};
pub use ledger::Ledger;
pub use pools::{Pools, Rest};
pub use resume::resume;
pub use slurm::{Slurm, SlurmJob, SlurmNode};
pub use suspend::{Why, suspend};
