//! `cluster.json`: what nodes need to know of the stacks, and only the stacks know.

use super::Plan;
use crate::{
    model::{FactSource, NodeFact, StackKey},
    observe::Live,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Path of the file that apply writes itself, from the stacks' outputs.
pub const CLUSTER_FACTS: &str = "cluster.json";

/// The outputs of stacks, by name.
pub type Outputs = BTreeMap<StackKey, BTreeMap<String, String>>;

/// What the file is made of.
pub struct Facts<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// Its region.
    pub region: &'a str,
    /// The revision that the file belongs to.
    pub revision: u64,
    /// The artifact bucket.
    pub bucket: &'a str,
    /// What else stands in it, beside the outputs.
    pub facts: &'a [NodeFact],
    /// The templates of the stacks that the cluster has: outputs that they do not name are on their way out, and a
    /// file with them would be another as soon as they are gone.
    pub templates: &'a BTreeMap<StackKey, String>,
}

impl Facts<'_> {
    /// The file's text. Facts whose stack does not exist yet are left out.
    pub fn text(&self, outputs: &Outputs) -> String {
        let outputs = self.lasting(outputs);
        let mut file = json!({
            "kind": "hpcctl.cluster-facts",
            "format_version": "1.0",
            "cluster": self.cluster,
            "region": self.region,
            "revision": self.revision,
            "artifact_bucket": self.bucket,
            "outputs": by_stack(&outputs),
        });
        for fact in self.facts {
            if let (Some(value), Some(object)) = (value(fact, &outputs), file.as_object_mut()) {
                insert(object, &fact.path, value);
            }
        }
        format!("{file:#}\n")
    }

    /// The outputs that the templates name.
    fn lasting(&self, outputs: &Outputs) -> Outputs {
        let one = |(key, values): (&StackKey, &BTreeMap<String, String>)| {
            let template: Value = serde_json::from_str(self.templates.get(key)?).ok()?;
            let named = template.get("Outputs")?.as_object()?;
            let stay = values.iter().filter(|(name, _)| named.contains_key(*name));
            Some((key.clone(), stay.map(|(name, value)| (name.clone(), value.clone())).collect()))
        };
        outputs.iter().filter_map(one).collect()
    }
}

impl Plan {
    /// `cluster.json` as this plan would have it.
    pub fn cluster_facts(&self, bucket: &str, outputs: &Outputs) -> String {
        let facts = Facts {
            cluster: &self.cluster,
            region: &self.region,
            revision: self.revision,
            bucket,
            facts: &self.content.facts,
            templates: &self.content.templates,
        };
        facts.text(outputs)
    }
}

/// Whether the published `cluster.json` says the same as this one.
pub(super) fn same(live: &Live, facts: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    live.files.get(CLUSTER_FACTS).is_some_and(|published| parsed(published) == parsed(facts))
}

/// The outputs of the stacks that exist.
pub fn outputs(live: &Live) -> Outputs {
    live.stacks.iter().map(|(key, stack)| (key.clone(), stack.state.outputs.clone())).collect()
}

/// All outputs as they are, for programs on nodes.
fn by_stack(outputs: &Outputs) -> Value {
    let one = |(key, outputs): (&StackKey, &BTreeMap<String, String>)| (key.to_string(), json!(outputs));
    Value::Object(outputs.iter().map(one).collect())
}

fn value(fact: &NodeFact, outputs: &Outputs) -> Option<Value> {
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
