//! What a stack's values are evaluated in, and what a resource is asked to be.

use super::{
    eval::{Known, Scope, plain},
    resource::Resource,
    stack::{Asked, Stack},
    template::{Declared, Template},
};
use crate::catalog::ResourceCatalog;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a resource is asked to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Desired {
    pub declared: Declared,
    pub properties: Value,
    pub tags: BTreeMap<String, String>,
    pub depends_on: Vec<String>,
}

impl Stack {
    /// The scope of the stack as it is, for what it is asked to be.
    pub fn scope<'a>(&'a self, template: &'a Template, asked: &'a Asked) -> Scope<'a> {
        let known = self.resources.iter().filter(|(_, resource)| resource.present());
        Scope {
            template,
            parameters: &asked.parameters,
            resources: known.map(|(logical, resource)| (logical.clone(), Known::of(resource))).collect(),
            region: &self.region,
            stack_name: &self.name,
            stack_id: &self.id,
        }
    }
}

impl Known {
    fn of(resource: &Resource) -> Self {
        Self {
            physical: resource.physical.clone(),
            attributes: resource.attributes.clone(),
            properties: resource.properties.clone(),
            unknown: false,
        }
    }
}

impl Scope<'_> {
    /// Whether the template asks for this resource.
    pub fn wants(&self, logical: &str) -> Result<bool, String> {
        let declared = self.template.resources.get(logical);
        declared.map_or(Ok(false), |d| d.condition.as_ref().map_or(Ok(true), |name| self.condition(name)))
    }

    /// What the template asks of a resource.
    pub fn desired(&self, logical: &str, stack_tags: &BTreeMap<String, String>) -> Result<Desired, String> {
        let declared = self.template.resources.get(logical).cloned().ok_or_else(|| format!("no resource {logical}"))?;
        let properties = self.eval(&declared.properties)?.unwrap_or_default();
        let mut tags = stack_tags.clone();
        tags.extend(own_tags(&properties));
        let depends_on = self.template.needs(logical).into_iter().collect();
        Ok(Desired { declared, properties, tags, depends_on })
    }

    /// The values of the outputs.
    pub fn outputs(&self) -> Result<BTreeMap<String, String>, String> {
        let mut values = BTreeMap::new();
        for (name, output) in &self.template.outputs {
            let wanted = output.get("Condition").and_then(Value::as_str).map_or(Ok(true), |c| self.condition(c))?;
            if let (true, Some(value)) = (wanted, self.eval(&output["Value"])?) {
                values.insert(name.clone(), plain(&value));
            }
        }
        Ok(values)
    }
}

impl Desired {
    /// Whether a resource differs from this, and where; stack tags count as `Tags`.
    pub fn changes(&self, resource: &Resource) -> Vec<String> {
        let mut paths = super::diff::paths(&resource.properties, &self.properties);
        let tags = resource.tags != self.tags && !paths.iter().any(|p| p.starts_with("Tags"));
        if tags && taggable(&self.declared.kind) {
            paths.push("Tags".to_owned());
        }
        paths
    }
}

/// Whether CloudFormation passes a stack's tags on to a resource of this type.
fn taggable(kind: &str) -> bool {
    let found = ResourceCatalog::embedded().get(kind);
    found.is_some_and(|found| found.tags_property().is_some())
}

/// The tags in a resource's own properties, in either form.
fn own_tags(properties: &Value) -> BTreeMap<String, String> {
    match properties.get("Tags") {
        Some(Value::Array(tags)) => {
            let pair = |tag: &Value| Some((tag.get("Key")?.as_str()?.to_owned(), plain(tag.get("Value")?)));
            tags.iter().filter_map(pair).collect()
        }
        Some(Value::Object(tags)) => tags.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        _ => BTreeMap::new(),
    }
}
