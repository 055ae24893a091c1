//! The adapters for AWS against the test cloud, over HTTP and through the judging proxy.
//!
//! `tests/cloud/start DIR` starts it, `DIR/env` has the variables; `tests/aws_adapters/run` does it all. Without
//! it the tests say that they did not run; with `HPCCTL_TEST_CLOUD=required` that is a failure.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod compute;
mod errors;
mod experiments;
mod file_systems;
mod fleet;
mod hands;
mod identity;
mod instance_types;
mod inventory;
mod lab;
mod logs;
mod metadata;
mod objects;
mod protections;
mod stack_failures;
mod stacks;
mod templates;
mod tls;
