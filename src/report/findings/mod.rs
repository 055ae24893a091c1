//! Views of findings: for terminals, programs, code-scanning and pull requests.

mod explain;
mod fill;
mod github;
mod json;
mod sarif;
mod source;
mod text;

pub use explain::{codes_page, rule_page};
pub use fill::{fill, gaps, message, remedy};
pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use text::{summary, text};

use crate::check::{Finding, Severity};

/// A file and what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The file's name, as the user gave it.
    pub file: &'a str,
    /// Its text; empty when it could not be read.
    pub text: &'a str,
    /// What was found, in the order of the file.
    pub findings: &'a [Finding],
}

impl Checked<'_> {
    /// How many findings are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }
}
