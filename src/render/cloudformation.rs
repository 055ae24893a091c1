//! CloudFormation templates.

use crate::model::{Bootstrap, DataHolding, DeletionPolicy, Parameter, Resource, Stack, Val};
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeMap;

/// The key of a resource's address in its `Metadata`.
pub const ADDRESS: &str = "hpcctl:address";
/// The key of the data that a resource holds, in its `Metadata`.
pub const HOLDS: &str = "hpcctl:holds";
/// The version of what hpcctl writes into `Metadata`.
const FORMAT: u32 = 1;
/// Types that say what becomes of them even when they hold nothing of the user's: the defaults of
/// CloudFormation differ among them.
const STATEFUL: &[&str] = &["AWS::RDS::DBInstance", "AWS::SecretsManager::Secret"];

/// The template of a cluster's stack.
pub fn template(stack: &Stack) -> Value {
    assemble(&stack.description, &stack.parameters, &stack.resources, &stack.outputs)
}

/// The template of the stack of account and region.
pub fn bootstrap_template(bootstrap: &Bootstrap) -> Value {
    assemble(&bootstrap.description, &BTreeMap::new(), &bootstrap.resources, &bootstrap.outputs)
}

fn assemble(
    description: &str,
    parameters: &BTreeMap<String, Parameter>,
    resources: &BTreeMap<String, Resource>,
    outputs: &BTreeMap<String, Val>,
) -> Value {
    let mut out = Map::new();
    out.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
    out.insert("Description".to_owned(), json!(description));
    out.insert("Metadata".to_owned(), json!({ "hpcctl": { "format": FORMAT } }));
    if !parameters.is_empty() {
        let one = |(name, parameter): (&String, &Parameter)| (name.clone(), json!({ "Type": parameter.kind }));
        out.insert("Parameters".to_owned(), Value::Object(parameters.iter().map(one).collect()));
    }
    let one = |(id, resource): (&String, &Resource)| (id.clone(), self::resource(resource));
    out.insert("Resources".to_owned(), Value::Object(resources.iter().map(one).collect()));
    if !outputs.is_empty() {
        let one = |(name, value): (&String, &Val)| (name.clone(), json!({ "Value": self::value(value) }));
        out.insert("Outputs".to_owned(), Value::Object(outputs.iter().map(one).collect()));
    }
    Value::Object(out)
}

fn resource(resource: &Resource) -> Value {
    let mut out = Map::new();
    out.insert("Type".to_owned(), json!(resource.kind));
    out.insert("Metadata".to_owned(), metadata(resource));
    if !resource.depends_on.is_empty() {
        out.insert("DependsOn".to_owned(), json!(resource.depends_on));
    }
    // Some types have other defaults than `Delete`, so what holds data says it in any case.
    let precious = resource.holds.is_some() || STATEFUL.contains(&resource.kind);
    if precious || resource.deletion != DeletionPolicy::Delete {
        let word = match resource.deletion {
            DeletionPolicy::Delete => "Delete",
            DeletionPolicy::Retain => "Retain",
            DeletionPolicy::Snapshot => "Snapshot",
        };
        out.insert("DeletionPolicy".to_owned(), json!(word));
        out.insert("UpdateReplacePolicy".to_owned(), json!(word));
    }
    if !resource.properties.is_empty() {
        out.insert("Properties".to_owned(), mapping(&resource.properties));
    }
    Value::Object(out)
}

/// What a plan must know of a resource that the cluster file does not have any more.
fn metadata(resource: &Resource) -> Value {
    let mut out = Map::new();
    out.insert(ADDRESS.to_owned(), json!(resource.address));
    if let Some(holds) = &resource.holds {
        out.insert(HOLDS.to_owned(), holding(holds));
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

fn mapping(entries: &BTreeMap<String, Val>) -> Value {
    Value::Object(entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect())
}

/// A value, with references as intrinsic functions.
pub fn value(val: &Val) -> Value {
    match val {
        Val::Bool(flag) => Value::Bool(*flag),
        Val::Int(number) => Value::from(*number),
        Val::Num(number) => plain(*number),
        Val::Str(text) => Value::String(text.clone()),
        Val::List(items) => Value::Array(items.iter().map(value).collect()),
        Val::Map(entries) => mapping(entries),
        Val::Ref(name) => json!({ "Ref": name }),
        Val::Att(resource, attribute) => json!({ "Fn::GetAtt": [resource, attribute] }),
        Val::Sub(text) => json!({ "Fn::Sub": text }),
        Val::Join(between, parts) => json!({ "Fn::Join": [between, parts.iter().map(value).collect::<Vec<_>>()] }),
        Val::Select(index, list) => json!({ "Fn::Select": [index, value(list)] }),
        Val::Split(at, text) => json!({ "Fn::Split": [at, value(text)] }),
        Val::Zones => json!({ "Fn::GetAZs": { "Ref": "AWS::Region" } }),
        Val::Base64(inner) => json!({ "Fn::Base64": value(inner) }),
    }
}

/// A number; a whole one without a fraction, so that 4 and 4.0 give the same bytes.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
