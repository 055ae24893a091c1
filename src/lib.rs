//! hpcctl: infrastructure as code for Slurm clusters on AWS.
//!
//! One cluster file is read ([`spec`]), checked ([`check`]), turned into a graph of stacks and resources
//! ([`model`]) and into templates and node files ([`render`]). Held against what exists ([`observe`]) it
//! becomes a [`plan`], which [`apply`] obeys through the ports of [`cloud`]. [`node`] runs on the cluster's own nodes.
//! [`operate`] is what people do with a cluster that runs. [`catalog`] has the facts, [`rehearsal`] runs the sandbox's instances as
//! machines with real Slurm daemons, [`report`] makes views of everything, and [`commands`] wires the rooms to the command line.

pub mod apply;
pub mod catalog;
pub mod check;
pub mod cloud;
pub mod commands;
pub mod model;
pub mod node;
pub mod observe;
pub mod operate;
pub mod plan;
pub mod rehearsal;
pub mod render;
pub mod report;
pub mod spec;
