//! Template values in one line, as a person reads them.

use crate::plan::After;
use serde_json::Value;

/// The longest value shown in one line.
const LIMIT: usize = 96;

/// A value in one line.
pub fn value(value: &Value) -> String {
    let text = plain(value);
    if text.chars().count() <= LIMIT {
        return text;
    }
    let head: String = text.chars().take(LIMIT - 1).collect();
    format!("{head}…")
}

/// A value that was, or nothing.
pub fn before(before: Option<&Value>) -> String {
    before.map_or_else(|| "(not set)".to_owned(), value)
}

/// A value to be.
pub fn after(after: &After) -> String {
    match after {
        After::Known(known) => value(known),
        After::Unset => "(not set)".to_owned(),
        After::KnownAfterApply => "(known after apply)".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\n', "⏎"),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((key, inner)) => intrinsic(key, inner).unwrap_or_else(|| value.to_string()),
            None => String::new(),
        },
        other => other.to_string(),
    }
}

fn intrinsic(key: &str, inner: &Value) -> Option<String> {
    match key {
        "Ref" => Some(format!("<{}>", inner.as_str()?)),
        "Fn::GetAtt" => {
            let parts: Vec<String> = match inner {
                Value::Array(parts) => parts.iter().map(plain).collect(),
                other => vec![plain(other)],
            };
            Some(format!("<{}>", parts.join(".")))
        }
        "Fn::Sub" => Some(plain(inner.get(0).unwrap_or(inner))),
        "Fn::Base64" => Some(plain(inner)),
        _ => None,
    }
}
