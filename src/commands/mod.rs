//! COMMANDS: the command line. One short function a command, wiring rooms; no logic of its own.

mod apply;
mod approve;
mod catalog;
mod cli;
mod cloud;
mod destroy;
pub mod explain;
mod export;
mod findings;
mod graph;
mod history;
mod init;
mod list;
mod load;
mod node;
mod output;
mod plan;
mod preview;
mod process;
mod programs;
mod render;
pub mod schema;
mod show;
mod status;
mod unlock;
pub mod validate;

pub use cli::{Cli, run};
