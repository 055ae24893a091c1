//! The table of rules.

/// A rule that a cluster file must keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code, printed as `HPC1034`.
    pub code: u16,
    /// Its short name, such as `efa-unsupported`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The rule in one line.
    pub title: &'static str,
    /// What is wrong, with `{named}` gaps.
    pub message: &'static str,
    /// What to do, with `{named}` gaps.
    pub remedy: &'static str,
    /// Why the rule is there, and where it comes from; markdown.
    pub explanation: &'static str,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The cluster cannot be built like this.
    Error,
    /// It can, but it is probably not meant.
    Warning,
}
