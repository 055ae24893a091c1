//! A mistake, as data.

use super::rules::Rule;
use crate::spec::{Path, Span};

/// A mistake in a cluster file.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// Where in the tree.
    pub at: Path,
    /// Where in the text.
    pub span: Span,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// What fills the `{named}` gaps of the rule's words.
    pub args: Vec<(&'static str, String)>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Where in the tree.
    pub at: Path,
    /// Where in the text.
    pub span: Span,
    /// What it has to do with it, in two or three words.
    pub label: &'static str,
}
