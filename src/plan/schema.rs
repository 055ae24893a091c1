//! The JSON schema of the plan document, generated from the types.

use super::Plan;
use schemars::generate::SchemaSettings;

/// The text of `schemas/plan.schema.json` (draft 2020-12).
///
/// Programs that read plans may meet further keys: a new minor of the format adds some.
pub fn plan_schema_text() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Plan>();
    schema.insert("title".into(), "hpcctl plan".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
