//! A plan as JSON: the plan document itself.

use crate::plan::Plan;

/// The plan document, indented.
pub fn plan_json(plan: &Plan) -> String {
    let mut text = serde_json::to_string_pretty(plan).unwrap_or_default();
    text.push('\n');
    text
}
