//! OBSERVE: ports in, a [`Live`] snapshot out: stacks with their templates and outputs, node files, file
//! systems with their last export, instances, drift. It decides nothing.

mod ground;
mod live;
mod slurm_report;
mod snapshot;

pub use ground::{Questions, ground};
pub use live::*;
pub use slurm_report::*;
pub use snapshot::{ObserveError, Wanted, observe};
