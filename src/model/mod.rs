//! MODEL: a cluster in, the graph of stacks and resources that it should be out.
//!
//! Every resource knows its cause, the path in the cluster file that it comes from; properties can know
//! their own. Edges are data: a stack's parameters name the outputs of other stacks that feed them.
//! This room does no I/O and emits no CloudFormation text; it builds values ([`Val`]) that `render` writes.

mod graph;
mod val;

pub use graph::*;
pub use val::Val;
