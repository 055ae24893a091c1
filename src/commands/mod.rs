//! COMMANDS: one short function a command, which wires the rooms together. No logic lives here.

pub mod explain;
pub mod schema;
pub mod validate;
