//! RENDER: a graph in, CloudFormation templates, node files and their digests out.
//!
//! The same graph gives the same bytes, on every machine and at every time. This room does no I/O: the
//! templates of node files are part of the program.

pub mod files;

pub use files::{RenderError, node_files};

use crate::{model::StackKey, spec::Path};
use std::collections::BTreeMap;

/// Everything that a cluster file is turned into.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The template of every stack.
    pub templates: BTreeMap<StackKey, Template>,
    /// The files for the nodes, by their path below the revision, such as `head/slurm.conf`.
    pub files: BTreeMap<String, NodeFile>,
    /// SHA-256 over all of it, in hexadecimal.
    pub digest: String,
}

/// A CloudFormation template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The template, compact JSON with sorted keys.
    pub body: String,
    /// SHA-256 of the body, in hexadecimal.
    pub sha256: String,
}

/// A file for nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFile {
    /// The text.
    pub content: String,
    /// Unix mode, such as 0o644.
    pub mode: u32,
    /// The path in the cluster file that it mostly comes from.
    pub cause: Path,
}
