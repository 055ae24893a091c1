//! A plan as markdown, for a comment on a pull request: the summary first, the rest folded.

use super::{
    findings,
    paint::Paint,
    plan_text::{self, PlanView},
    values, words,
};
use crate::{
    check::Finding,
    plan::{Action, Change, Plan},
};
use std::fmt::Write;

/// The plan as markdown, with what was found in the cluster file.
pub fn plan_markdown(plan: &Plan, findings: &[Finding]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "### hpcctl plan `{}`: {} in {}\n", plan.id(), plan.cluster, plan.region);
    if plan.is_empty() {
        let _ = writeln!(out, "No changes.");
        list(plan, findings, &mut out);
        if !plan.drift.is_empty() || !plan.outside.is_empty() {
            whole(plan, &mut out);
        }
        return out;
    }
    let _ = writeln!(out, "**{}**\n", plan_text::summary(plan));
    for change in plan.losses() {
        let Some(data) = &change.data else { continue };
        let _ = writeln!(out, "> [!CAUTION]\n> `{}`: {} (HPC2041)\n", change.address, words::data(data));
    }
    let _ = writeln!(out, "{}\n", plan_text::impact(plan));
    list(plan, findings, &mut out);
    opened(plan, &mut out);
    let _ = writeln!(out, "| | resource | action | from |\n|---|---|---|---|");
    for change in &plan.changes {
        let place = plan_text::place(plan, change.cause.as_ref());
        let action = match change.action {
            Action::Replace | Action::Delete => format!("**{}**", words::action(change.action)),
            action => words::action(action).to_owned(),
        };
        let _ = writeln!(out, "| `{}` | `{}` | {action} | {place} |", words::symbol(change.action), change.address);
    }
    whole(plan, &mut out);
    out
}

fn whole(plan: &Plan, out: &mut String) {
    let text = plan_text::plan_text(plan, PlanView { paint: Paint::PLAIN, verbose: true });
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let _ = writeln!(out, "\n<details><summary>the whole plan</summary>\n\n{fence}\n{text}{fence}\n\n</details>");
}

/// What was found in the cluster file, each with its line.
fn list(plan: &Plan, findings: &[Finding], out: &mut String) {
    let name = plan.source.name.rsplit('/').next().unwrap_or_default();
    for finding in findings {
        let (message, remedy) = (findings::message(finding), findings::remedy(finding));
        let _ = writeln!(out, "- **{}** {name}:{}: {message}; {remedy}", finding.rule.id(), finding.span.line.max(1));
    }
    if !findings.is_empty() {
        let _ = writeln!(out);
    }
}

/// Changes of what may reach the cluster and of what it may do, which nobody should have to unfold.
fn opened(plan: &Plan, out: &mut String) {
    let of_people = |change: &&Change| {
        change.resource_type.starts_with("AWS::IAM::") || change.resource_type.starts_with("AWS::EC2::SecurityGroup")
    };
    let mut lines = String::new();
    for change in plan.changes.iter().filter(of_people) {
        for property in &change.properties {
            let (before, after) = values::change(property.before.as_ref(), &property.after, true);
            let cell = |text: String| text.replace('|', "\\|").replace('`', "'");
            let _ = writeln!(
                lines,
                "| `{}` | {} | `{}` | `{}` |",
                change.address,
                property.path,
                cell(before),
                cell(after)
            );
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "| access | | before | after |\n|---|---|---|---|\n{lines}");
    }
}

/// The longest run of backticks, so that a fence can be longer.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}
