//! Findings as GitHub workflow commands, which show beside the lines of a pull request.

use super::{Checked, FOR_PEOPLE, fill};
use crate::check::Severity;
use std::fmt::Write;

/// One command a finding
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).
pub fn github(all: &[Checked]) -> String {
    let mut out = String::new();
    for checked in all {
        let (shown, more) = checked.shown(FOR_PEOPLE);
        for finding in shown {
            let command = match finding.rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let text = format!("{}\n{}", fill::message(finding), fill::remedy(finding));
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "::{command} file={},line={},col={},title={}::{}",
                property(checked.file),
                finding.span.line.max(1),
                finding.span.column.max(1),
                property(&finding.rule.id()),
                data(&text),
            );
        }
        if more > 0 {
            let _ = writeln!(out, "::error file={}::and {more} more", property(checked.file));
        }
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
