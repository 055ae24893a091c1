//! The sandbox: an AWS control plane in this process, behind the same ports.
//!
//! In: rendered templates and calls of the ports. Out: stacks that are created in dependency order with realistic
//! durations on a virtual clock, checked against the provider schemas, rolled back on failure; buckets, file systems,
//! instances; one account in one file. What goes wrong can be scripted ([`Script`]), see `docs/sandbox.md`.
//!
//! Time is virtual and moves only while everybody waits on the port's clock (module `clock`); no special runtime is
//! needed. Two runs of the same calls give the same bytes.
//!
//! Never: the proof that the AWS adapters work; network; any knowledge of Slurm.

mod apply;
mod attributes;
mod base64;
mod bucket;
mod changes;
mod clock;
mod compute;
mod control;
mod diff;
mod durations;
mod effects;
mod estate;
mod eval;
mod experiments;
mod faults;
mod file_systems;
mod fleet;
mod guards;
mod head;
mod held;
mod holders;
pub mod iam;
mod identity;
mod ids;
mod instance;
mod inventory;
mod logs;
mod metadata;
mod objects;
mod operation;
mod operations;
mod parameters;
#[doc(hidden)]
pub mod parsers;
mod phases;
mod references;
mod rehearsal;
mod requests;
mod resource;
mod rules;
mod scope;
mod sim;
mod stack;
mod stacks;
mod store;
mod task;
mod template;
#[cfg(test)]
mod tests;
mod updates;
mod violations;
mod volumes;
mod world;

pub use compute::Launch;
pub use control::Sandbox;
pub use faults::{
    CallError, CallErrorKind, Crash, Fail, Fault, Files, HandEdit, HeadFault, HeadTrouble, Jobs, NoCapacity, Script,
    Slow, Target, Verb,
};
pub use inventory::ScriptedImage;
pub use rehearsal::{Database, Machine};

use super::{Cloud, Result};
use std::path::Path;

/// The variable with the path of a script of faults.
pub const FAULTS_VARIABLE: &str = "HPCCTL_SANDBOX_FAULTS";
/// The variable with how many virtual seconds pass in a real one; unset: as fast as possible.
pub const PACE_VARIABLE: &str = "HPCCTL_SANDBOX_PACE";
/// The variable with the path of a file to which each call is written, a line each: `SERVICE OPERATION`.
pub const CALLS_VARIABLE: &str = "HPCCTL_SANDBOX_CALLS";
/// The variable with the id of the instance that the program is taken to run on.
pub const INSTANCE_VARIABLE: &str = "HPCCTL_SANDBOX_INSTANCE";

/// The account in this file, with the faults and the pace that the environment asks for.
pub fn open(state_file: &Path, region: &str) -> Result<Cloud> {
    Sandbox::open(state_file, region).map(|sandbox| sandbox.cloud())
}

/// An empty account that is forgotten at the end, without faults.
pub fn in_memory(region: &str) -> Cloud {
    Sandbox::in_memory(region).cloud()
}
