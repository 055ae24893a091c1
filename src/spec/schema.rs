//! The JSON schema of the cluster file, generated from the types.

use super::Cluster;
use schemars::{Schema, generate::SchemaSettings, transform::Transform};
use serde_json::Value;
use std::sync::OnceLock;

/// The schema as a JSON value (draft 2020-12), made once.
pub fn cluster_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let settings = SchemaSettings::draft2020_12().with_transform(WithoutNull);
        let mut schema = settings.into_generator().into_root_schema_for::<Cluster>();
        schema.insert("title".into(), "hpcctl cluster file".into());
        schema.to_value()
    })
}

/// The text of `schemas/cluster.schema.json`.
pub fn cluster_schema_text() -> String {
    let mut text = serde_json::to_string_pretty(cluster_schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// Optional keys are left out, not set to null: a key without a value is a mistake that an editor should see.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        schemars::transform::transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
            if let [only] = choices.as_slice() {
                let only = only.clone();
                object.remove("anyOf");
                if let Value::Object(only) = only {
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
        }
    }
}
