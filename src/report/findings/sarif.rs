//! Findings for code scanning: SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use super::{Checked, FOR_PROGRAMS, fill};
use crate::{
    check::{Finding, RULES, Rule, Severity},
    spec::Span,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All findings of all files as one run; `version` is the program's.
pub fn sarif(all: &[Checked], version: &str) -> Value {
    let index: BTreeMap<u16, usize> = RULES.iter().enumerate().map(|(i, rule)| (rule.code, i)).collect();
    let results = all.iter().flat_map(|checked| {
        let index = &index;
        let shown = checked.shown(FOR_PROGRAMS).0;
        shown.into_iter().map(move |finding| result(checked, finding, index[&finding.rule.code]))
    });
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "hpcctl",
                "semanticVersion": version,
                "rules": RULES.iter().map(|rule| describe(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn describe(rule: &Rule) -> Value {
    let Rule { code: _, name, severity, title, message: _, remedy: _, explanation } = rule;
    json!({
        "id": rule.id(),
        "name": name,
        "shortDescription": { "text": title },
        "help": { "text": explanation, "markdown": explanation },
        "defaultConfiguration": { "level": level(*severity) },
    })
}

fn result(checked: &Checked, finding: &Finding, index: usize) -> Value {
    let text = format!("{}\n{}", fill::message(finding), fill::remedy(finding));
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|other| {
            let mut place = location(checked, other.span);
            place["message"] = json!({ "text": other.label });
            place
        })
        .collect();
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": index,
        "level": level(finding.rule.severity),
        "message": { "text": text },
        "locations": [location(checked, finding.span)],
        "relatedLocations": related,
        "partialFingerprints": { "path/v1": format!("{}:{}", finding.rule.code, finding.at) },
    })
}

fn location(checked: &Checked, span: Span) -> Value {
    let (end_line, end_column) = end(checked.text, span);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": checked.file.replace('\\', "/").replace(' ', "%20") },
        "region": {
            "startLine": span.line.max(1), "startColumn": span.column.max(1),
            "endLine": end_line, "endColumn": end_column,
        },
    }})
}

/// Line and column (from 1) of the character after a span.
fn end(text: &str, span: Span) -> (usize, usize) {
    let inside = text.get(span.start..span.end).unwrap_or("");
    match inside.rsplit_once('\n') {
        None => (span.line.max(1), span.column.max(1) + inside.chars().count()),
        Some((before, last)) => (span.line + before.matches('\n').count() + 1, last.chars().count() + 1),
    }
}
