//! hpcctl: infrastructure as code for Slurm clusters on AWS.
//!
//! One cluster file is read ([`spec`]), checked ([`check`]), turned into a graph of stacks and resources
//! ([`model`]) and into templates and node files ([`render`]). [`report`] makes views
//! of what was found, [`catalog`] has the facts, [`cloud`] the ports, and [`commands`] wires the rooms together.

pub mod catalog;
pub mod check;
pub mod cloud;
pub mod commands;
pub mod model;
pub mod render;
pub mod report;
pub mod spec;
