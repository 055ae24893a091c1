//! A plan as markdown, for a comment on a pull request: the summary first, the rest folded.

use super::{
    paint::Paint,
    plan_text::{self, PlanView},
    words,
};
use crate::plan::{Action, Plan};
use std::fmt::Write;

/// The plan as markdown.
pub fn plan_markdown(plan: &Plan) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "### hpcctl plan `{}`: {} in {}\n", plan.id(), plan.cluster, plan.region);
    if plan.is_empty() {
        let _ = writeln!(out, "No changes.");
        return out;
    }
    let _ = writeln!(out, "**{}**\n", plan_text::summary(plan));
    for change in plan.losses() {
        let Some(data) = &change.data else { continue };
        let _ = writeln!(out, "> [!CAUTION]\n> `{}`: {} (HPC2041)\n", change.address, words::data(data));
    }
    let _ = writeln!(out, "{}\n", plan_text::impact(plan));
    let _ = writeln!(out, "| | resource | action | from |\n|---|---|---|---|");
    for change in &plan.changes {
        let place = plan_text::place(plan, change.cause.as_ref());
        let action = match change.action {
            Action::Replace | Action::Delete => format!("**{}**", words::action(change.action)),
            action => words::action(action).to_owned(),
        };
        let _ = writeln!(out, "| `{}` | `{}` | {action} | {place} |", words::symbol(change.action), change.address);
    }
    let text = plan_text::plan_text(plan, PlanView { paint: Paint::PLAIN, verbose: true });
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let _ = writeln!(out, "\n<details><summary>the whole plan</summary>\n\n{fence}\n{text}{fence}\n\n</details>");
    out
}

/// The longest run of backticks, so that a fence can be longer.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}
