//! APPLY: a plan in, its steps carried out through the ports, events out.
//!
//! Steps run side by side where the plan allows it. Every step can be repeated: what is done already is seen
//! and left alone, so a plan that was interrupted goes on where it stopped. One lock in the artifact bucket
//! keeps two people from applying to one cluster at the same time. Nothing here re-plans.

mod archive;
mod auto_export;
mod await_head;
mod context;
mod error;
mod event;
mod execute;
mod export;
mod guard;
mod guard_machines;
mod head;
mod instances;
mod kept;
mod lease;
mod lock;
mod orders;
#[doc(hidden)]
pub mod parsers;
mod programs;
mod rest;
mod stack;
mod task_paths;
mod task_report;
mod undo;
mod verify;

pub use archive::bootstrap;
pub use await_head::{HeadWait, await_head};
pub use context::{Context, Stop};
pub use error::{ApplyError, Console, FailedResource, HeadSilence, TransferFailure};
pub use event::{Event, Listener};
pub use execute::{Applied, StepFailure, execute, finish};
pub use export::{ExportRequest, ExportResult, FailedFile, TransferKind, transfer};
pub use guard::guarded;
pub use kept::{keeps, leaves_something};
pub use lease::{Care, Lock};
pub use lock::{Claim, LockOutcome, Released, bury, unlock};
pub use orders::{OrderError, OrderOutcome, order};
pub use programs::{NodeProgram, OLDEST_GLIBC};
pub use verify::{Leftover, leftovers};
