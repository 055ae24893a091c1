//! CloudFormation templates.
//!
//! A template is written straight from the graph, key by key in their order: a large cluster's templates
//! are tens of megabytes, and a tree of JSON values in between would cost more than everything else.

use super::wire::{Mapping, Wire, entries};
use crate::model::{Bootstrap, DataHolding, DeletionPolicy, Parameter, Resource, Stack, Val};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The key of a resource's address in its `Metadata`.
pub const ADDRESS: &str = "hpcctl:address";
/// The key of the data that a resource holds, in its `Metadata`.
pub const HOLDS: &str = "hpcctl:holds";
/// The key that changes with the policies of a resource, in its `Metadata`.
pub const DELETION: &str = "hpcctl:deletion";
/// Keeps what leaves its stack, unless it leaves because its very creation is rolled back: then it is new and empty.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
pub const RETAIN: &str = "RetainExceptOnCreate";
/// The version of what hpcctl writes into `Metadata`.
const FORMAT: u32 = 1;
/// Types that say what becomes of them even when they hold nothing of the user's: the defaults of
/// CloudFormation differ among them.
const STATEFUL: &[&str] = &["AWS::RDS::DBInstance", "AWS::SecretsManager::Secret"];

/// The template of a cluster's stack.
pub fn template(stack: &Stack) -> Value {
    serde_json::to_value(Template::of(stack)).unwrap_or_default()
}

/// The parts of a template; as JSON it has its keys in order.
pub(super) struct Template<'g> {
    description: &'g str,
    parameters: Option<&'g BTreeMap<String, Parameter>>,
    resources: &'g BTreeMap<String, Resource>,
    outputs: &'g BTreeMap<String, Val>,
}

impl<'g> Template<'g> {
    pub(super) fn of(stack: &'g Stack) -> Self {
        Self {
            description: &stack.description,
            parameters: Some(&stack.parameters),
            resources: &stack.resources,
            outputs: &stack.outputs,
        }
    }

    pub(super) fn of_bootstrap(bootstrap: &'g Bootstrap) -> Self {
        Self {
            description: &bootstrap.description,
            parameters: None,
            resources: &bootstrap.resources,
            outputs: &bootstrap.outputs,
        }
    }
}

impl Serialize for Template<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("AWSTemplateFormatVersion", "2010-09-09")?;
        out.serialize_entry("Description", self.description)?;
        out.serialize_entry("Metadata", &json!({ "hpcctl": { "format": FORMAT } }))?;
        if !self.outputs.is_empty() {
            out.serialize_entry("Outputs", &entries(self.outputs, |value| Mapping([("Value", Wire(value))])))?;
        }
        if let Some(parameters) = self.parameters.filter(|all| !all.is_empty()) {
            out.serialize_entry("Parameters", &entries(parameters, |one| Mapping([("Type", one.kind)])))?;
        }
        out.serialize_entry("Resources", &entries(self.resources, One))?;
        out.end()
    }
}

/// A resource as it stands in a template.
struct One<'g>(&'g Resource);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let resource = self.0;
        let policy = deletion(resource);
        let mut out = serializer.serialize_map(None)?;
        if let Some(policy) = policy {
            out.serialize_entry("DeletionPolicy", policy)?;
        }
        if !resource.depends_on.is_empty() {
            out.serialize_entry("DependsOn", &resource.depends_on)?;
        }
        out.serialize_entry("Metadata", &metadata(resource))?;
        if !resource.properties.is_empty() {
            out.serialize_entry("Properties", &entries(&resource.properties, Wire))?;
        }
        out.serialize_entry("Type", resource.kind)?;
        if let Some(policy) = policy {
            // Only a creation can be taken back: a replacement policy knows no exception from keeping.
            let policy = if policy == RETAIN { "Retain" } else { policy };
            out.serialize_entry("UpdateReplacePolicy", policy)?;
        }
        out.end()
    }
}

/// Some types have other defaults than `Delete`, so what holds data says it in any case.
fn deletion(resource: &Resource) -> Option<&'static str> {
    let precious = resource.holds.is_some() || STATEFUL.contains(&resource.kind);
    match resource.deletion {
        DeletionPolicy::Delete => precious.then_some("Delete"),
        DeletionPolicy::Retain => Some(RETAIN),
        DeletionPolicy::Snapshot => Some("Snapshot"),
    }
}

/// What a plan must know of a resource that the cluster file does not have any more.
fn metadata(resource: &Resource) -> Value {
    let mut out = Map::new();
    out.insert(ADDRESS.to_owned(), json!(resource.address));
    if let Some(holds) = &resource.holds {
        out.insert(HOLDS.to_owned(), holding(holds));
    }
    // CloudFormation takes a change of policies for none, unless the metadata changes with them.
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html>
    if let Some(policy) = deletion(resource) {
        out.insert(DELETION.to_owned(), json!(policy));
    }
    if matches!(resource.properties.get("AvailabilityZone"), Some(Val::Str(_))) {
        // cfn-lint would rather see a parameter; the zone is the user's own word in the cluster file.
        out.insert("cfn-lint".to_owned(), json!({ "config": { "ignore_checks": ["W3010"] } }));
    }
    Value::Object(out)
}

/// The data as it is read back; templates know no `null`.
fn holding(holds: &DataHolding) -> Value {
    let mut value = serde_json::to_value(holds).unwrap_or_default();
    for inner in value.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        inner.retain(|_, entry| !entry.is_null());
    }
    value
}

/// A value, with references as intrinsic functions.
pub fn value(val: &Val) -> Value {
    serde_json::to_value(Wire(val)).unwrap_or_default()
}
