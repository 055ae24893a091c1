//! The sandbox as its callers see it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod faults;
mod files;
mod help;
mod instances;
mod mount_targets;
mod stacks;
mod templates;
mod trouble;
