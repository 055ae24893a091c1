//! `cluster.json`: what nodes need to know of the stacks, and only the stacks know.

use super::{ApplyError, Context};
use crate::model::StackKey;
use serde_json::{Map, Value, json};

/// The file's text: the outputs of every stack of the cluster, by stack.
pub async fn cluster_facts(context: &Context<'_>) -> Result<Vec<u8>, ApplyError> {
    let plan = context.plan;
    let mut stacks = Map::new();
    for state in context.cloud.stacks.stacks_of(&plan.cluster).await? {
        let Some(key) = StackKey::of_stack_name(&plan.cluster, &state.name) else { continue };
        let outputs: Map<String, Value> = state.outputs.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        stacks.insert(key.to_string(), Value::Object(outputs));
    }
    let facts = json!({
        "kind": "hpcctl.cluster-facts",
        "format_version": "1.0",
        "cluster": plan.cluster,
        "region": plan.region,
        "revision": plan.revision,
        "stacks": stacks,
    });
    let mut text = serde_json::to_vec_pretty(&facts).unwrap_or_default();
    text.push(b'\n');
    Ok(text)
}
