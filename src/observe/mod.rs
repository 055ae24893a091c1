//! OBSERVE: ports in, a [`Live`] snapshot out: stacks with their templates and outputs, node files, file
//! systems with their last export, instances, what the head node says, drift. It decides nothing. The documents that
//! travel between people and the head node are here, too.

mod ground;
mod guards;
mod head;
mod held;
mod history;
mod kept;
mod live;
mod lock;
mod login;
mod orders;
mod outside;
#[doc(hidden)]
pub mod parsers;
mod slurm_report;
mod snapshot;

pub use ground::{Questions, ground};
pub use guards::{Going, Guards, guards};
pub use head::*;
pub use held::{HELD_FORMAT, HELD_KIND, HeldQueues};
pub use history::{Past, PastState, history, revision_file};
pub use kept::KeptList;
pub use live::*;
pub use lock::*;
pub use login::{LoginFailure, failure as login_failure, login_failures};
pub use orders::*;
pub use outside::VOLUME_SNAPSHOT;
pub use slurm_report::*;
pub use snapshot::{ObserveError, Wanted, observe};
