//! COMMANDS: the command line. One short function a command, wiring rooms; no logic of its own.

mod about;
mod accounting;
mod apply;
mod approve;
mod await_head;
mod catalog;
mod cli;
mod cloud;
mod dcv;
mod destroy;
pub mod explain;
mod export;
mod external;
mod findings;
mod graph;
mod history;
mod iam;
mod init;
mod interrupt;
mod list;
mod load;
mod lock;
mod logs;
mod node;
mod node_programs;
mod obstacles;
mod orders;
mod output;
#[doc(hidden)]
pub mod parsers;
mod plan;
mod preflight;
mod preview;
mod process;
mod rehearsal;
mod render;
mod saved;
pub mod schema;
mod show;
mod signals;
mod ssh;
mod status;
pub mod validate;

pub use cli::{Cli, run};
pub use signals::Signals;
