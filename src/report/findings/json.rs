//! Findings for programs.

use super::{Checked, FOR_PROGRAMS, fill};
use crate::check::{Finding, Severity};
use serde_json::{Map, Value, json};

/// All findings of all files, as a document of kind `hpcctl.findings`.
pub fn json(all: &[Checked]) -> Value {
    let count = |severity| all.iter().map(|checked| checked.count(severity)).sum::<usize>();
    json!({
        "kind": "hpcctl.findings",
        "format_version": "1.0",
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "files": all.iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(checked: &Checked) -> Value {
    let (shown, more) = checked.shown(FOR_PROGRAMS);
    let mut file = json!({
        "file": checked.file,
        "errors": checked.count(Severity::Error),
        "warnings": checked.count(Severity::Warning),
        "findings": shown.into_iter().map(finding).collect::<Vec<_>>(),
    });
    if more > 0 {
        file["left_out"] = more.into();
    }
    file
}

fn finding(finding: &Finding) -> Value {
    // Destructured, so that a new field is decided upon here.
    let Finding { rule, at, span, related, args } = finding;
    let related: Vec<Value> =
        related.iter().map(|other| json!({ "path": other.at, "span": other.span, "label": other.label })).collect();
    let args: Map<String, Value> =
        args.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    json!({
        "code": rule.id(),
        "name": rule.name,
        "severity": rule.severity,
        "message": fill::message(finding),
        "remedy": fill::remedy(finding),
        "path": at,
        "span": span,
        "related": related,
        "args": args,
    })
}
