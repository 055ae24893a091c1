//! hpcctl: infrastructure as code for Slurm clusters on AWS.
//!
//! One cluster file is read ([`spec`]), checked ([`check`]), turned into a graph of stacks and resources
//! ([`model`]) and into templates and node files ([`render`]). [`catalog`] has the facts, [`cloud`] the ports.

pub mod catalog;
pub mod check;
pub mod cloud;
pub mod model;
pub mod observe;
pub mod plan;
pub mod render;
pub mod spec;
