//! Pages about rules.

use crate::check::{RULES, Rule, Severity};
use crate::report::codes::CODES;
use std::fmt::Write;

/// The page of one rule, in markdown.
pub fn rule_page(rule: &Rule) -> String {
    let severity = match rule.severity {
        Severity::Error => "an error",
        Severity::Warning => "a warning",
    };
    format!(
        "{} {} ({severity})\n\n{}.\n\n{}\n\n  says     {}\n  advises  {}\n",
        rule.id(),
        rule.name,
        upper(rule.title),
        rule.explanation,
        rule.message.replace(" || ", "\n           "),
        rule.remedy.replace(" || ", "\n           "),
    )
}

/// The page of all rules, in markdown: `docs/codes.md`.
pub fn codes_page() -> String {
    let mut out = String::from(
        "# Codes\n\nWritten from the table of rules; do not edit. `hpcctl explain CODE` shows one of them.\n\n\
         An error keeps the cluster from being built; a warning does not. Words in braces are filled with what was\n\
         found; where several sentences are given, the first one that can be filled is shown.\n",
    );
    let mut hundred = 0;
    for rule in RULES {
        if rule.code / 100 != hundred {
            hundred = rule.code / 100;
            let _ = write!(out, "\n## HPC{hundred}xx: {}\n", about(hundred));
        }
        let severity = if rule.severity == Severity::Error { "error" } else { "warning" };
        let _ = write!(
            out,
            "\n### {} `{}`\n\n{}. *({severity})*\n\n{}\n{}\n{}\n",
            rule.id(),
            rule.name,
            upper(rule.title),
            sentences("says", rule.message),
            sentences("advises", rule.remedy),
            format_args!("\n{}", rule.explanation),
        );
    }
    let _ = write!(out, "\n## HPC2xxx: commands and clouds\n");
    for (code, title, page) in CODES {
        let _ = write!(out, "\n### {code}\n\n{}.\n\n{page}\n", upper(title));
    }
    out
}

fn about(hundred: u16) -> &'static str {
    match hundred {
        10 => "text, keys and types",
        11 => "names, references, tags and rights",
        12 => "network and security",
        13 => "nodes, queues and pools",
        14 => "storage",
        15 => "accounting and Slurm",
        16 => "monitoring and budget",
        _ => "not supported yet",
    }
}

fn sentences(word: &str, template: &str) -> String {
    template.split(" || ").map(|part| format!("- {word}: {part}")).collect::<Vec<_>>().join("\n")
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
