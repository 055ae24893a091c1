//! `cluster.json`: what nodes need to know of the stacks, and only the stacks know.

use super::{ApplyError, Context};
use crate::model::{FactSource, NodeFact, StackKey};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The file's text. Facts whose stack does not exist yet are left out.
pub async fn cluster_facts(context: &Context<'_>) -> Result<Vec<u8>, ApplyError> {
    let plan = context.plan;
    let mut outputs: BTreeMap<StackKey, BTreeMap<String, String>> = BTreeMap::new();
    for state in context.cloud.stacks.stacks_of(&plan.cluster).await? {
        if let Some(key) = StackKey::of_stack_name(&plan.cluster, &state.name) {
            outputs.insert(key, state.outputs);
        }
    }
    let mut facts = json!({
        "kind": "hpcctl.cluster-facts",
        "format_version": "1.0",
        "cluster": plan.cluster,
        "region": plan.region,
        "revision": plan.revision,
        "artifact_bucket": context.bucket(),
        "outputs": by_stack(&outputs),
    });
    for fact in &plan.content.facts {
        if let (Some(value), Some(object)) = (value(fact, &outputs), facts.as_object_mut()) {
            insert(object, &fact.path, value);
        }
    }
    let mut text = serde_json::to_vec_pretty(&facts).unwrap_or_default();
    text.push(b'\n');
    Ok(text)
}

/// All outputs as they are, for programs on nodes.
fn by_stack(outputs: &BTreeMap<StackKey, BTreeMap<String, String>>) -> Value {
    let one = |(key, outputs): (&StackKey, &BTreeMap<String, String>)| (key.to_string(), json!(outputs));
    Value::Object(outputs.iter().map(one).collect())
}

fn value(fact: &NodeFact, outputs: &BTreeMap<StackKey, BTreeMap<String, String>>) -> Option<Value> {
    let stack = outputs.get(&fact.stack)?;
    match &fact.from {
        FactSource::Output(name) => stack.get(name).cloned().map(Value::from),
        FactSource::ShortHost(name) => {
            let host = stack.get(name)?;
            Some(Value::from(host.split('.').next().unwrap_or(host)))
        }
        FactSource::Outputs(names) => {
            let values: Vec<Value> =
                names.iter().filter_map(|name| stack.get(name).cloned()).map(Value::from).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
    }
}

fn insert(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}
