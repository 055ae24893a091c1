//! MODEL: a cluster in, the graph of stacks and resources that it should be out.
//!
//! Every resource knows its cause, the path in the cluster file that it comes from; properties can know
//! their own. Edges are data: a stack's parameters name the outputs of other stacks that feed them.
//! [`build`] is total: it gives a graph for every cluster that has the right types, also for one with
//! instance types that nobody knows. This room does no I/O and emits no CloudFormation text; it builds
//! values ([`Val`]) that `render` writes.

mod accounting;
mod bootstrap;
mod build;
mod cidr;
mod completed;
mod dashboard;
mod ebs;
mod efs;
mod facts;
mod flow_logs;
mod graph;
mod head;
mod head_role;
mod iam;
mod login;
mod lustre;
mod machine;
mod monitoring;
pub mod names;
mod network;
mod node_role;
mod policy;
mod pool;
mod props;
mod queue;
mod resource;
mod retention;
mod security;
mod site;
mod stack;
mod storage;
mod tags;
mod unused;
mod val;

pub use bootstrap::{BOOTSTRAP_STACK, Bootstrap, bootstrap};
pub use build::{build, build_on};
pub use completed::completed;
pub use ebs::{HEAD_DATA, volume_id};
pub use facts::{FactSource, NodeFact, file_system_id};
pub use graph::*;
pub use lustre::on_destroy as lustre_on_destroy;
pub use machine::{VENDOR_ROOT_GIB, architecture, image_user};
pub use pool::{PoolTemplate, pool_templates};
pub use tags::of_stack as stack_tags;
pub use val::Val;
