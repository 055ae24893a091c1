//! SPEC: text in, a typed [`Cluster`] with its places and its JSON schema out.
//!
//! * [`tree`] reads YAML into a tree in which every key and value knows its span.
//! * The types ([`Cluster`] and what hangs below it) are the cluster file. [`schema`] generates
//!   `schemas/cluster.schema.json` from them.
//! * [`walk`] holds the tree against that schema and reports every [`Problem`] at once; what is wrong
//!   is left out or replaced by a stand-in and remembered as poisoned, so that the rest can still be
//!   typed and checked.
//! * [`document`] puts the three together.
//!
//! This room never looks at AWS, never formats text for people, and decides no other room's defaults.

mod accounting;
mod cluster;
pub mod document;
mod monitoring;
mod named;
mod network;
mod nodes;
mod path;
mod queue;
pub mod schema;
mod slurm;
mod storage;
pub mod tree;
mod values;
pub mod walk;

pub use accounting::*;
pub use cluster::*;
pub use document::{Document, read};
pub use monitoring::*;
pub use named::{Named, NamedKind, named};
pub use network::*;
pub use nodes::*;
pub use path::{Path, Seg};
pub use queue::*;
pub use slurm::*;
pub use storage::*;
pub use tree::{Node, NodeKind, Span};
pub use values::*;
pub use walk::{Problem, ProblemKind};
