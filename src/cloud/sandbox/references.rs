//! What a value refers to.

use serde_json::Value;
use std::collections::BTreeSet;

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference {
    /// A parameter, a resource, or a pseudo parameter.
    Name(String),
    /// A resource's attribute.
    Attribute(String, String),
}

impl Reference {
    pub fn into_name(self) -> String {
        match self {
            Self::Name(name) | Self::Attribute(name, _) => name,
        }
    }

    /// What stands in `${...}`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((name, attribute)) => Self::Attribute(name.to_owned(), attribute.to_owned()),
            None => Self::Name(text.to_owned()),
        }
    }
}

/// All references in a value.
pub(super) fn of(value: &Value) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<Reference>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => match single(value) {
            Some(("Ref", Value::String(name))) => {
                found.insert(Reference::Name(name.clone()));
            }
            Some(("Fn::GetAtt", argument)) => found.extend(attribute(argument)),
            Some(("Fn::Sub", argument)) => collect_sub(argument, found),
            _ => members.values().for_each(|member| collect(member, found)),
        },
        _ => {}
    }
}

fn collect_sub(argument: &Value, found: &mut BTreeSet<Reference>) {
    let (text, own) = match argument {
        Value::Array(parts) => (parts.first().and_then(Value::as_str), parts.get(1)),
        other => (other.as_str(), None),
    };
    if let Some(own) = own {
        collect(own, found);
    }
    for part in pieces(text.unwrap_or_default()) {
        if let Piece::Variable(name) = part
            && own.and_then(|o| o.get(name)).is_none()
        {
            found.insert(Reference::parse(name));
        }
    }
}

/// The argument of `Fn::GetAtt` in either form.
pub(super) fn attribute(argument: &Value) -> Option<Reference> {
    match argument {
        Value::String(text) => Some(Reference::parse(text)),
        Value::Array(parts) => {
            let name = parts.first()?.as_str()?;
            let rest: Vec<&str> = parts.iter().skip(1).filter_map(Value::as_str).collect();
            Some(Reference::Attribute(name.to_owned(), rest.join(".")))
        }
        _ => None,
    }
}

/// The name and argument of an object with one member.
pub(super) fn single(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|m| m.len() == 1)?;
    members.iter().next().map(|(name, argument)| (name.as_str(), argument))
}

/// A piece of a text with `${...}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
    /// `${!Name}`, which stands for `${Name}`.
    Escaped(&'a str),
}

/// The pieces of a text with `${...}`.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        found.push(Piece::Text(before));
        found.push(name.strip_prefix('!').map_or(Piece::Variable(name.trim()), Piece::Escaped));
        rest = behind;
    }
    found.push(Piece::Text(rest));
    found
}
