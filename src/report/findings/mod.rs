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

/// People are shown so many findings of a file.
const FOR_PEOPLE: usize = 100;
/// Programs are given so many: what code scanning shows of one run.
/// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
const FOR_PROGRAMS: usize = 5000;

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

    /// Findings up to so many, in the order of the file, and how many more there are: errors go before warnings.
    fn shown(&self, most: usize) -> (Vec<&Finding>, usize) {
        let errors = self.count(Severity::Error);
        let (mut errors, mut warnings) = (errors.min(most), most.saturating_sub(errors));
        let mut shown = Vec::new();
        for finding in self.findings {
            let left = if finding.rule.severity == Severity::Error { &mut errors } else { &mut warnings };
            if *left > 0 {
                *left -= 1;
                shown.push(finding);
            }
        }
        let more = self.findings.len() - shown.len();
        (shown, more)
    }
}
