//! PLAN: what should be, and what is, in; the complete list of what to do out.
//!
//! [`plan`] holds the rendered graph against a [`Live`](crate::observe::Live) snapshot, stack by stack and
//! property by property, follows replacements through references and outputs, and orders the steps. What AWS would
//! refuse makes no plan; [`agreed`] is the plan that follows CloudFormation's own change sets where they say more.
//! [`destroy`] is the plan to nothing. A [`Plan`] is complete: apply needs nothing else, and chooses nothing.
//! This room does no I/O, and its reasons are data.

mod agreement;
mod basis;
mod build;
mod carried;
mod change;
mod destroy;
mod diff;
mod document;
mod duration;
mod effects;
mod facts;
mod head;
mod held;
mod images;
mod inherited;
mod jobs;
mod notes;
mod obstacles;
mod proof;
mod references;
mod refusals;
mod rest;
mod schema;
mod settled;
mod slurm_step;
mod stack_diff;
mod step;
mod steps;
mod unfinished;

#[cfg(test)]
mod tests;

pub use agreement::{Predictions, agreed};
pub use basis::{Basis, Moved};
pub use build::{Desired, PlanError, Predicted, plan, plan_predicted};
pub use change::*;
pub use destroy::{DestroyOptions, destroy};
pub use document::*;
pub use duration::HEAD_BOOT_LIMIT;
pub use facts::{CLUSTER_FACTS, Outputs};
pub use head::{HEAD_INSTANCE, data_on_root, head_id, moves as head_moves};
pub use held::{AttachedVolume, HeldReplacement};
pub use jobs::unforeseen;
pub use obstacles::{Obstacle, going, obstacles};
pub use proof::Gap;
pub use refusals::{Refusal, Refused};
pub use schema::plan_schema_text;
pub use step::*;
