//! The sandbox as its callers see it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod help;
mod stacks;
