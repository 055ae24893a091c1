//! Evaluates values: parameters, conditions, intrinsic functions.

use super::{
    references::{self, Piece, Reference},
    template::Template,
    world::ACCOUNT,
};
use crate::catalog;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A resource as far as a reference to it goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    pub physical: String,
    pub attributes: BTreeMap<String, Value>,
    pub properties: Value,
    /// Not made yet (in a preview): its attributes have made-up values.
    pub unknown: bool,
}

/// Stands in a preview for what is known only after the change.
pub(super) const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// What a value is evaluated in.
pub(super) struct Scope<'a> {
    pub template: &'a Template,
    pub parameters: &'a BTreeMap<String, String>,
    pub resources: BTreeMap<String, Known>,
    pub region: &'a str,
    pub stack_name: &'a str,
    pub stack_id: &'a str,
}

/// `None` is `AWS::NoValue`.
type Evaluated = Result<Option<Value>, String>;

impl Scope<'_> {
    /// The value with all functions evaluated.
    pub fn eval(&self, value: &Value) -> Evaluated {
        match value {
            Value::Array(items) => Ok(Some(Value::Array(self.list(items)?))),
            Value::Object(members) => match references::single(value) {
                Some((name, argument)) if name == "Ref" || name.starts_with("Fn::") => self.function(name, argument),
                _ => Ok(Some(Value::Object(self.members(members)?))),
            },
            other => Ok(Some(other.clone())),
        }
    }

    fn list(&self, items: &[Value]) -> Result<Vec<Value>, String> {
        items.iter().filter_map(|item| self.eval(item).transpose()).collect()
    }

    fn members(&self, members: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut found = Map::new();
        for (name, value) in members {
            if let Some(value) = self.eval(value)? {
                found.insert(name.clone(), value);
            }
        }
        Ok(found)
    }

    fn function(&self, name: &str, argument: &Value) -> Evaluated {
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default()),
            "Fn::GetAtt" => match references::attribute(argument) {
                Some(Reference::Attribute(name, attribute)) => self.attribute(&name, &attribute).map(Some),
                _ => Err(bad(name)),
            },
            "Fn::If" => self.choose(argument),
            "Fn::Sub" => self.substitute(argument).map(|text| Some(Value::from(text))),
            "Fn::Join" => self.join(argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument),
            "Fn::FindInMap" => self.find(argument),
            "Fn::GetAZs" => Ok(Some(Value::from(zones(self.region)))),
            "Fn::Base64" => Ok(Some(Value::from(super::base64::encode(self.text(argument)?.as_bytes())))),
            "Fn::ImportValue" => Err("No export is known here: Fn::ImportValue is not supported".to_owned()),
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => Ok(Some(Value::from(
                self.truth(&Value::Object(Map::from_iter([(name.to_owned(), argument.clone())])))?,
            ))),
            other => Err(format!("Template error: function {other} is not supported")),
        }
    }

    fn reference(&self, name: &str) -> Evaluated {
        if let Some(value) = self.pseudo(name) {
            return Ok(value);
        }
        if let Some(parameter) = self.template.parameters.get(name) {
            let text = self.parameters.get(name).cloned();
            let default = || parameter.get("Default").map(plain);
            let text = text.or_else(default).ok_or_else(|| format!("Parameters: [{name}] must have values"))?;
            return Ok(Some(typed(parameter, &text)));
        }
        let known = self.resources.get(name).ok_or_else(|| format!("Unresolved resource dependencies [{name}]"))?;
        Ok(Some(Value::from(known.physical.clone())))
    }

    fn pseudo(&self, name: &str) -> Option<Option<Value>> {
        let text = match name {
            "AWS::NoValue" => return Some(None),
            "AWS::NotificationARNs" => return Some(Some(Value::Array(Vec::new()))),
            "AWS::AccountId" => ACCOUNT,
            "AWS::Region" => self.region,
            "AWS::StackName" => self.stack_name,
            "AWS::StackId" => self.stack_id,
            "AWS::Partition" => catalog::region(self.region).map_or("aws", |known| known.partition.name()),
            "AWS::URLSuffix" => catalog::region(self.region).map_or("amazonaws.com", |known| known.dns_suffix),
            _ => return None,
        };
        Some(Some(Value::from(text)))
    }

    fn attribute(&self, name: &str, attribute: &str) -> Result<Value, String> {
        let known = self.resources.get(name).ok_or_else(|| format!("Unresolved resource dependencies [{name}]"))?;
        if known.unknown {
            return Ok(Value::from(format!("{UNKNOWN}{name}.{attribute}")));
        }
        let property = || attribute.split('.').try_fold(&known.properties, |value, part| value.get(part));
        let found = known.attributes.get(attribute).or_else(property).cloned();
        found.ok_or_else(|| format!("Attribute {attribute} of resource {name} has no value"))
    }

    fn choose(&self, argument: &Value) -> Evaluated {
        let [Value::String(condition), yes, no] = parts(argument) else { return Err(bad("Fn::If")) };
        self.eval(if self.condition(condition)? { yes } else { no })
    }

    /// Whether a condition of the template holds.
    pub fn condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.template.conditions.get(name);
        self.truth(condition.ok_or_else(|| format!("Template error: unresolved condition {name}"))?)
    }

    fn truth(&self, value: &Value) -> Result<bool, String> {
        let Some((name, argument)) = references::single(value) else { return Err(bad("Conditions")) };
        let all = parts(argument);
        match (name, all) {
            ("Condition", _) => self.condition(argument.as_str().unwrap_or_default()),
            ("Fn::Not", [one]) => Ok(!self.truth(one)?),
            ("Fn::And", _) => all.iter().try_fold(true, |held, one| Ok(self.truth(one)? && held)),
            ("Fn::Or", _) => all.iter().try_fold(false, |held, one| Ok(self.truth(one)? || held)),
            ("Fn::Equals", [left, right]) => {
                Ok(self.eval(left)?.map(|v| plain(&v)) == self.eval(right)?.map(|v| plain(&v)))
            }
            _ => Err(bad(name)),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, own) = match argument {
            Value::Array(parts) => (parts.first().and_then(Value::as_str), parts.get(1)),
            other => (other.as_str(), None),
        };
        let mut result = String::new();
        for piece in references::pieces(text.ok_or_else(|| bad("Fn::Sub"))?) {
            match piece {
                Piece::Text(text) => result.push_str(text),
                Piece::Escaped(name) => result.push_str(&format!("${{{name}}}")),
                Piece::Variable(name) => result.push_str(&self.variable(name, own)?),
            }
        }
        Ok(result)
    }

    fn variable(&self, name: &str, own: Option<&Value>) -> Result<String, String> {
        if let Some(value) = own.and_then(|own| own.get(name)) {
            return self.text(value);
        }
        let value = match Reference::parse(name) {
            Reference::Name(name) => self.reference(&name)?,
            Reference::Attribute(name, attribute) => Some(self.attribute(&name, &attribute)?),
        };
        Ok(value.map(|v| plain(&v)).unwrap_or_default())
    }

    fn join(&self, argument: &Value) -> Evaluated {
        let [Value::String(separator), items] = parts(argument) else { return Err(bad("Fn::Join")) };
        let Some(Value::Array(items)) = self.eval(items)? else { return Err(bad("Fn::Join")) };
        let texts: Vec<String> = items.iter().map(plain).collect();
        Ok(Some(Value::from(texts.join(separator))))
    }

    fn select(&self, argument: &Value) -> Evaluated {
        let [index, items] = parts(argument) else { return Err(bad("Fn::Select")) };
        let index: usize = self.text(index)?.parse().map_err(|_| bad("Fn::Select"))?;
        let Some(Value::Array(items)) = self.eval(items)? else { return Err(bad("Fn::Select")) };
        let found = items.get(index).cloned();
        found
            .map(Some)
            .ok_or_else(|| format!("Template error: Fn::Select cannot select nonexistent value at index {index}"))
    }

    fn split(&self, argument: &Value) -> Evaluated {
        let [Value::String(separator), text] = parts(argument) else { return Err(bad("Fn::Split")) };
        let text = self.text(text)?;
        Ok(Some(Value::from(text.split(separator.as_str()).collect::<Vec<_>>())))
    }

    fn find(&self, argument: &Value) -> Evaluated {
        let [map, first, second] = parts(argument) else { return Err(bad("Fn::FindInMap")) };
        let keys = [self.text(map)?, self.text(first)?, self.text(second)?];
        let found = keys.iter().try_fold(&self.template.mappings, |value, key| value.get(key));
        found.cloned().map(Some).ok_or_else(|| format!("Template error: Unable to get mapping for {}", keys.join("::")))
    }

    fn text(&self, value: &Value) -> Result<String, String> {
        Ok(self.eval(value)?.map(|v| plain(&v)).unwrap_or_default())
    }
}

/// The zones of a region that the sandbox has.
pub(super) fn zones(region: &str) -> Vec<String> {
    ["a", "b", "c"].iter().map(|letter| format!("{region}{letter}")).collect()
}

/// A parameter's value in its type.
fn typed(parameter: &Value, text: &str) -> Value {
    let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or("String");
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        return Value::from(text.split(',').map(str::trim).collect::<Vec<_>>());
    }
    Value::from(text)
}

/// A scalar as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn parts(argument: &Value) -> &[Value] {
    argument.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn bad(function: &str) -> String {
    format!("Template error: every {function} object must have the arguments that it takes")
}
