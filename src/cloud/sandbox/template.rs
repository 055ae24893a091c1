//! A template: read, and checked for what CloudFormation refuses before it makes anything.

use super::references::{self, Reference};
use crate::catalog::ResourceCatalog;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The longest template in S3, in bytes, and the most of each section.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_OBJECT: usize = 1_048_576;
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;

/// A template.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Template {
    pub parameters: BTreeMap<String, Value>,
    pub mappings: Value,
    pub conditions: BTreeMap<String, Value>,
    pub resources: BTreeMap<String, Declared>,
    pub outputs: BTreeMap<String, Value>,
}

/// A resource in a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Declared {
    pub kind: String,
    pub properties: Value,
    pub metadata: Value,
    pub depends_on: Vec<String>,
    pub condition: Option<String>,
    pub deletion: Policy,
    pub replacement: Policy,
}

/// What becomes of a resource that leaves its stack, or is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Policy {
    #[default]
    Delete,
    Retain,
    RetainExceptOnCreate,
    Snapshot,
}

impl Template {
    /// Reads and checks; the error is CloudFormation's `ValidationError` in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_OBJECT {
            return Err(format!("Template may not exceed {MAX_OBJECT} bytes in size."));
        }
        let template = Self::read(text)?;
        template.check_limits()?;
        template.check_types()?;
        template.check_references()?;
        template.order()?;
        Ok(template)
    }

    /// Reads what was checked before.
    pub fn read(text: &str) -> Result<Self, String> {
        let root: Map<String, Value> =
            serde_json::from_str(text).map_err(|e| format!("Template format error: JSON not well-formed. ({e})"))?;
        Ok(Self {
            parameters: section(&root, "Parameters")?,
            mappings: root.get("Mappings").cloned().unwrap_or_default(),
            conditions: section(&root, "Conditions")?,
            resources: resources(&root)?,
            outputs: section(&root, "Outputs")?,
        })
    }

    fn check_limits(&self) -> Result<(), String> {
        let sections = [
            ("resources", self.resources.len(), MAX_RESOURCES),
            ("parameters", self.parameters.len(), MAX_PARAMETERS),
            ("outputs", self.outputs.len(), MAX_OUTPUTS),
        ];
        match sections.iter().find(|(_, count, max)| count > max) {
            Some((name, count, max)) => {
                Err(format!("Template format error: Number of {name}, {count}, is greater than maximum allowed, {max}"))
            }
            None if self.resources.is_empty() => {
                Err("Template format error: At least one Resources member must be defined.".to_owned())
            }
            None => Ok(()),
        }
    }

    fn check_types(&self) -> Result<(), String> {
        let catalog = ResourceCatalog::embedded();
        let kinds: BTreeSet<&str> = self.resources.values().map(|r| r.kind.as_str()).collect();
        let unknown: Vec<&str> =
            kinds.into_iter().filter(|kind| !is_stackless(kind) && catalog.get(kind).is_none()).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(format!("Template format error: Unrecognized resource types: [{}]", unknown.join(", ")))
    }

    fn check_references(&self) -> Result<(), String> {
        for (name, resource) in &self.resources {
            self.resolve_all(&resource.properties, "Resources")?;
            if let Some(missing) = resource.depends_on.iter().find(|d| !self.resources.contains_key(*d)) {
                return Err(unresolved(missing, "Resources"));
            }
            if let Some(condition) = resource.condition.as_ref().filter(|c| !self.conditions.contains_key(*c)) {
                return Err(format!(
                    "Template format error: Unresolved condition dependency {condition} of resource {name}"
                ));
            }
        }
        self.outputs.values().try_for_each(|output| self.resolve_all(output, "Outputs"))
    }

    fn resolve_all(&self, value: &Value, block: &str) -> Result<(), String> {
        references::of(value).iter().try_for_each(|reference| self.resolve(reference, block))
    }

    fn resolve(&self, reference: &Reference, block: &str) -> Result<(), String> {
        match reference {
            Reference::Name(name) if name.starts_with("AWS::") => Ok(()),
            Reference::Name(name) if self.parameters.contains_key(name) || self.resources.contains_key(name) => Ok(()),
            Reference::Name(name) => Err(unresolved(name, block)),
            Reference::Attribute(name, attribute) => match self.resources.get(name) {
                None => Err(format!("Template error: instance of Fn::GetAtt references undefined resource {name}")),
                Some(resource) if has_attribute(&resource.kind, attribute) => Ok(()),
                Some(_) => Err(format!(
                    "Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
                )),
            },
        }
    }

    /// The resources that a resource needs to be there first.
    pub fn needs(&self, logical: &str) -> BTreeSet<String> {
        let Some(declared) = self.resources.get(logical) else { return BTreeSet::new() };
        let referred = references::of(&declared.properties).into_iter().map(Reference::into_name);
        let named = referred.chain(declared.depends_on.iter().cloned());
        named.filter(|name| name != logical && self.resources.contains_key(name)).collect()
    }

    /// The resources in an order in which they can be made.
    pub fn order(&self) -> Result<Vec<String>, String> {
        let mut needs: BTreeMap<&str, BTreeSet<String>> =
            self.resources.keys().map(|name| (name.as_str(), self.needs(name))).collect();
        let mut order: Vec<String> = Vec::with_capacity(needs.len());
        while !needs.is_empty() {
            let free = |(_, wanted): &(&&str, &BTreeSet<String>)| wanted.iter().all(|w| order.contains(w));
            let ready: Vec<&str> = needs.iter().filter(free).map(|(name, _)| *name).collect();
            if ready.is_empty() {
                let names: Vec<&str> = needs.keys().copied().collect();
                return Err(format!("Circular dependency between resources: [{}]", names.join(", ")));
            }
            for name in ready {
                needs.remove(name);
                order.push(name.to_owned());
            }
        }
        Ok(order)
    }
}

/// Types of CloudFormation itself that make nothing.
fn is_stackless(kind: &str) -> bool {
    matches!(kind, "AWS::CloudFormation::WaitConditionHandle")
}

fn unresolved(name: &str, block: &str) -> String {
    format!("Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template")
}

/// Whether a type has an attribute: what the schema calls read-only, and plain properties, which many types give too.
fn has_attribute(kind: &str, attribute: &str) -> bool {
    let Some(found) = ResourceCatalog::embedded().get(kind) else { return true };
    let top = attribute.split('.').next().unwrap_or_default();
    found.attributes().any(|known| known == attribute || known == top)
        || found.read_only.iter().any(|path| path.top() == top)
        || found.property_names().any(|name| name == top)
}

fn section(root: &Map<String, Value>, name: &str) -> Result<BTreeMap<String, Value>, String> {
    match root.get(name) {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(entries)) => Ok(entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
        Some(_) => Err(format!("Template format error: {name} must be an object.")),
    }
}

fn resources(root: &Map<String, Value>) -> Result<BTreeMap<String, Declared>, String> {
    let read = |(name, value): (String, Value)| declared(&name, &value).map(|found| (name, found));
    section(root, "Resources")?.into_iter().map(read).collect()
}

fn declared(name: &str, value: &Value) -> Result<Declared, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let bad_name = name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric());
    if bad_name {
        return Err(format!("Template format error: Resource name {name} is non alphanumeric."));
    }
    let kind = text("Type").ok_or_else(|| {
        format!("Template format error: [/Resources/{name}] Every Resources object must contain a Type member.")
    })?;
    let policy = |key: &str| match text(key) {
        None => Ok(Policy::Delete),
        Some(word) => Policy::deserialize(Value::from(word))
            .map_err(|_| format!("Template format error: Unrecognized {key} {word} for resource {name}")),
    };
    let (deletion, replacement) = (policy("DeletionPolicy")?, policy("UpdateReplacePolicy")?);
    if (deletion == Policy::Snapshot || replacement == Policy::Snapshot) && !has_snapshots(kind) {
        return Err(format!("Template error: resource type {kind} does not support deletion policy Snapshot"));
    }
    Ok(Declared {
        kind: kind.to_owned(),
        properties: value.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new())),
        metadata: value.get("Metadata").cloned().unwrap_or_default(),
        depends_on: names(value.get("DependsOn")),
        condition: text("Condition").map(str::to_owned),
        deletion,
        replacement,
    })
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
fn has_snapshots(kind: &str) -> bool {
    matches!(kind, "AWS::EC2::Volume" | "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster")
}

fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
