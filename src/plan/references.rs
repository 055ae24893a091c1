//! References inside a template's values.

use super::diff::join;
use serde_json::Value;

/// A reference to a parameter, a resource, or a resource's attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The name of the parameter or resource.
    pub name: String,
    /// The attribute; `None`: a plain `Ref`.
    pub attribute: Option<String>,
}

/// All references in a value, with the path of the property that holds each.
pub fn references(value: &Value) -> Vec<(String, Reference)> {
    let mut found = Vec::new();
    walk("", value, &mut found);
    found
}

fn walk(path: &str, value: &Value, found: &mut Vec<(String, Reference)>) {
    match value {
        Value::Object(object) if object.len() == 1 => {
            let Some((key, inner)) = object.iter().next() else { return };
            match key.as_str() {
                "Ref" => push(path, inner.as_str(), None, found),
                "Fn::GetAtt" => attribute(path, inner, found),
                "Fn::Sub" => substitution(path, inner, found),
                key if key.starts_with("Fn::") => walk(path, inner, found),
                key => walk(&join(path, key), inner, found),
            }
        }
        Value::Object(object) => object.iter().for_each(|(key, inner)| walk(&join(path, key), inner, found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            let at =
                if item.is_object() && !path.is_empty() { join(path, &index.to_string()) } else { path.to_owned() };
            walk(&at, item, found);
        }),
        _ => {}
    }
}

fn attribute(path: &str, value: &Value, found: &mut Vec<(String, Reference)>) {
    match value {
        Value::Array(parts) => {
            let attribute = parts.get(1).and_then(Value::as_str);
            push(path, parts.first().and_then(Value::as_str), attribute, found);
        }
        Value::String(text) => {
            let (name, attribute) = text.split_once('.').unwrap_or((text, ""));
            push(path, Some(name), Some(attribute), found);
        }
        _ => {}
    }
}

fn substitution(path: &str, value: &Value, found: &mut Vec<(String, Reference)>) {
    let text = match value {
        Value::String(text) => text,
        Value::Array(parts) => {
            parts.iter().skip(1).for_each(|names| walk(path, names, found));
            match parts.first() {
                Some(Value::String(text)) => text,
                _ => return,
            }
        }
        _ => return,
    };
    for piece in text.split("${").skip(1) {
        let Some((inside, _)) = piece.split_once('}') else { continue };
        if inside.starts_with('!') {
            continue;
        }
        let (name, attribute) = inside.split_once('.').map_or((inside, None), |(name, rest)| (name, Some(rest)));
        push(path, Some(name), attribute, found);
    }
}

fn push(path: &str, name: Option<&str>, attribute: Option<&str>, found: &mut Vec<(String, Reference)>) {
    if let Some(name) = name.filter(|name| !name.starts_with("AWS::")) {
        let reference = Reference { name: name.to_owned(), attribute: attribute.map(str::to_owned) };
        found.push((path.to_owned(), reference));
    }
}
