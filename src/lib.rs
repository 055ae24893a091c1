//! hpcctl

pub mod catalog;
