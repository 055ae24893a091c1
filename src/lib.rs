//! hpcctl

pub mod apply;
pub mod catalog;
