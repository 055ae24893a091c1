//! NODE: the programs that run on the cluster's own nodes.
//!
//! In: `hpcctl.json`, `cluster.json` and `pool.json` as `apply` published them, what Slurm passes to its programs,
//! and the ports. Out: instances launched and ended, nodes of Slurm updated, and [`Event`]s that say so.
//!
//! [`resume`] is ResumeProgram, [`suspend`] is SuspendProgram. What they began is in the [`Ledger`] before EC2 hears of
//! it, so that nothing that dies in the middle leaves an instance that nobody knows.
//!
//! [`attach`] is what a head node does at boot: it takes its volumes and its address over from the one before it.
//!
//! [`watch`] is the service on spot nodes: it saves and ends jobs, unmounts Lustre and powers off before EC2 does.
//!
//! Never: a plan, an apply, a word on stdout or stderr. Files and processes of the machine are touched in `home`,
//! `ledger`, `slurm` and `processes` alone.

mod address;
mod assign;
mod attach;
mod config;
mod ending;
mod error;
mod event;
mod fleets;
mod home;
pub mod hostlist;
mod interruption;
mod jobs;
mod launch;
mod ledger;
mod machine;
mod objects;
#[doc(hidden)]
pub mod parsers;
mod patience;
mod pools;
mod processes;
mod reasons;
mod resume;
mod saves;
mod slurm;
mod slurm_jobs;
mod suspend;
pub mod sync;
mod timetable;
mod unmount;
mod watch;

pub use address::{HeadAddress, head_address, publish_address};
pub use attach::{Attached, attach, detach};
pub use config::{Cluster, PoolRef};
pub use error::NodeError;
pub use event::{Event, Events};
pub use home::Home;
pub use jobs::{Job, parse_resume_file};
pub use launch::{Launch, LaunchedNode};
pub use ledger::Ledger;
pub use machine::Machine;
pub use pools::{Pools, Rest};
pub use resume::resume;
pub use saves::SaveWhy;
pub use slurm::{Slurm, SlurmJob, SlurmNode};
pub use slurm_jobs::NodeJob;
pub use suspend::{Why, suspend};
pub use timetable::Told;
pub use unmount::Unmounted;
pub use watch::{Watch, watch};

pub use crate::observe::{
    Answer, FleetOrder, ORDER_KIND, ORDER_VERSION, Order, OrderDocument, QueueOrder, StorageOrder, answer_key,
    orders_prefix,
};
