//! OBSERVE: ports in, a [`Live`] snapshot out: stacks with their templates and outputs, node files, file
//! systems with their last export, instances, what the head node says, drift. It decides nothing.

mod ground;
mod head;
mod live;
mod slurm_report;
mod snapshot;

pub use ground::{Questions, ground};
pub use head::*;
pub use live::*;
pub use slurm_report::*;
pub use snapshot::{ObserveError, Wanted, observe};
