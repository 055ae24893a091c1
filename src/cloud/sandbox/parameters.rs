//! Whether parameter values are what a template's parameters take.

use super::{eval::plain, template::Template};
use serde_json::Value;
use std::collections::BTreeMap;

/// The error is CloudFormation's `ValidationError` in words.
pub(super) fn check(template: &Template, values: &BTreeMap<String, String>) -> Result<(), String> {
    let unknown: Vec<&str> =
        values.keys().filter(|name| !template.parameters.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(format!("Parameters: [{}] do not exist in the template", unknown.join(", ")));
    }
    let given = |name: &String, parameter: &Value| values.contains_key(name) || parameter.get("Default").is_some();
    let missing: Vec<&str> =
        template.parameters.iter().filter(|(name, p)| !given(name, p)).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        return Err(format!("Parameters: [{}] must have values", missing.join(", ")));
    }
    values.iter().try_for_each(|(name, value)| check_one(name, &template.parameters[name], value))
}

/// The values, and the defaults of what has none.
pub(super) fn with_defaults(template: &Template, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let defaults = template.parameters.iter().filter_map(|(name, p)| Some((name.clone(), plain(p.get("Default")?))));
    let mut all: BTreeMap<String, String> = defaults.collect();
    all.extend(values.clone());
    all
}

fn check_one(name: &str, parameter: &Value, value: &str) -> Result<(), String> {
    if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_array)
        && !allowed.iter().any(|a| plain(a) == value)
    {
        let allowed: Vec<String> = allowed.iter().map(plain).collect();
        return Err(format!("Parameter '{name}' must be one of AllowedValues: [{}]", allowed.join(", ")));
    }
    if let Some(pattern) = parameter.get("AllowedPattern").and_then(Value::as_str)
        && regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| !regex.is_match(value))
    {
        return Err(format!("Parameter '{name}' must match pattern {pattern}"));
    }
    let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or("String");
    if kind == "Number" && value.parse::<f64>().is_err() {
        return Err(format!("Parameter '{name}' must be a number."));
    }
    check_shape(name, kind, value)
}

/// Whether everything is there that a parameter of EC2's types names: CloudFormation looks, also when nothing else changes.
pub(super) fn there(template: &Template, values: &BTreeMap<String, String>, absent: &[String]) -> Result<(), String> {
    for (name, value) in values {
        let kind = template.parameters.get(name).and_then(|one| one.get("Type")?.as_str()).unwrap_or_default();
        let looked_up = kind.trim_start_matches("List<").starts_with("AWS::EC2::");
        let gone = value.split(',').map(str::trim).find(|one| absent.iter().any(|name| name == one));
        if let Some(one) = gone.filter(|_| looked_up) {
            return Err(unknown(one, name));
        }
    }
    Ok(())
}

fn unknown(value: &str, name: &str) -> String {
    format!("Parameter validation failed: parameter value {value} for parameter name {name} does not exist")
}

/// Types that AWS looks up.
fn check_shape(name: &str, kind: &str, value: &str) -> Result<(), String> {
    let prefix = match kind {
        "AWS::EC2::Subnet::Id" | "List<AWS::EC2::Subnet::Id>" => "subnet-",
        "AWS::EC2::SecurityGroup::Id" | "List<AWS::EC2::SecurityGroup::Id>" => "sg-",
        "AWS::EC2::VPC::Id" => "vpc-",
        "AWS::EC2::Image::Id" => "ami-",
        _ => return Ok(()),
    };
    match value.split(',').find(|one| !one.trim().starts_with(prefix)) {
        None => Ok(()),
        Some(one) => Err(unknown(one, name)),
    }
}
