//! REHEARSAL: the sandbox's instances as machines that run: a real slurmctld, a real slurmd for each launched node.
//!
//! In: the sandbox's account, and what this Linux machine has installed. Out: one tree of processes in namespaces of
//! its own that is the VPC ([`run`]): a bridge, the metadata service, database servers, volumes, and for each instance that the
//! account has a machine that boots the instance's user data. Programs on the machines reach AWS through the sandbox's
//! state file, with this very hpcctl. [`start`] and [`stop`] are for commands, [`Place`] says what runs where.
//!
//! Machine image and boot are shell scripts that a Slurm administrator can read: `templates/rehearsal/`.
//!
//! Never: AWS itself, a word on stdout or stderr (but for a tree's own log), a process outside the namespaces.

mod calls;
mod database;
mod disks;
mod error;
mod file_server;
mod http;
mod hypervisor;
mod image;
mod life;
mod machine;
mod metadata;
mod needs;
#[doc(hidden)]
pub mod parsers;
mod place;
mod secret;

pub use calls::call;
pub use error::RehearsalError;
pub use hypervisor::{Vpc, run};
pub use life::{Started, entry, head_is_up, start, stop};
pub use needs::{Needs, check};
pub use place::Place;
