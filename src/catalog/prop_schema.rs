//! What a property may be: the part of a resource provider schema that a check needs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

/// A property's schema, or the name of one that the resource type defines once for several.
#[derive(Debug, Clone, PartialEq)]
pub enum Prop {
    /// A definition of the resource type; see [`super::ResourceType::resolve`].
    Definition(String),
    /// Written in place.
    Inline(Box<PropSchema>),
}

/// What a property may be. An object and a resource as a whole are described alike.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PropSchema {
    /// Any of these; empty when the schema does not say.
    #[serde(rename = "type", deserialize_with = "kinds")]
    pub kinds: Vec<Kind>,
    /// The only values; empty when there is no such list.
    #[serde(rename = "enum")]
    pub allowed: Vec<String>,
    /// The only values, in any case of letters.
    #[serde(rename = "enum_any_case")]
    pub allowed_any_case: Vec<String>,
    /// A regular expression that a string must match somewhere.
    pub pattern: Option<String>,
    /// Least number.
    pub min: Option<f64>,
    /// Greatest number.
    pub max: Option<f64>,
    /// Least length of a string in characters.
    pub min_length: Option<usize>,
    /// Greatest length of a string in characters.
    pub max_length: Option<usize>,
    /// Least number of list elements.
    pub min_items: Option<usize>,
    /// Greatest number of list elements.
    pub max_items: Option<usize>,
    /// The order of the list's elements means nothing.
    pub unordered: bool,
    /// Each element of a list.
    pub items: Option<Prop>,
    /// An object's members by name; empty for a free-form object.
    pub props: BTreeMap<String, Prop>,
    /// Members besides `props` are fine.
    pub open: bool,
    /// Each member of an object with free names (a map).
    pub values: Option<Prop>,
    /// Members that must be there.
    pub required: Vec<String>,
    /// Of these exactly one must be there.
    pub exactly_one: Vec<String>,
    /// Of these at least one must be there.
    pub at_least_one: Vec<String>,
    /// Members that must be there when the named one is.
    pub needs: BTreeMap<String, Vec<String>>,
    /// Members that must not be there together with the named one.
    pub excludes: BTreeMap<String, Vec<String>>,
}

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `null`, which CloudFormation nowhere takes.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// JSON schema's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// What a value is.
    pub fn of(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(n) if n.is_i64() || n.is_u64() => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Self::Boolean,
            Self::Integer,
            Self::Number,
            Self::String,
            Self::Array,
            Self::Object,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// `"string|object"`.
fn kinds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Kind>, D::Error> {
    parse_kinds(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn parse_kinds(text: &str) -> Result<Vec<Kind>, String> {
    let parse = |name| Kind::parse(name).ok_or_else(|| format!("unknown type `{name}`"));
    text.split('|').map(parse).collect()
}

impl<'de> Deserialize<'de> for Prop {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PropVisitor)
    }
}

/// Reads the three forms: `"#Definition"`, `"string"`, `{...}`.
struct PropVisitor;

impl<'de> Visitor<'de> for PropVisitor {
    type Value = Prop;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type's name, `#` and a definition's name, or an object")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Prop, E> {
        if let Some(definition) = text.strip_prefix('#') {
            return Ok(Prop::Definition(definition.to_owned()));
        }
        let kinds = parse_kinds(text).map_err(E::custom)?;
        Ok(Prop::Inline(Box::new(PropSchema {
            kinds,
            ..PropSchema::default()
        })))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Prop, A::Error> {
        PropSchema::deserialize(MapAccessDeserializer::new(map)).map(|s| Prop::Inline(Box::new(s)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Prop {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_three_written_forms() {
        assert_eq!(read("\"#Tag\""), Prop::Definition("Tag".to_owned()));
        let Prop::Inline(short) = read("\"string\"") else {
            unreachable!()
        };
        assert_eq!(short.kinds, [Kind::String]);
        let Prop::Inline(long) = read(r#"{"type":"object|string","min":0.1}"#) else {
            unreachable!()
        };
        assert_eq!(long.kinds, [Kind::Object, Kind::String]);
        assert_eq!(long.min, Some(0.1));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(serde_json::from_str::<Prop>("\"text\"").is_err());
        assert!(serde_json::from_str::<Prop>(r#"{"typ":"string"}"#).is_err());
    }
}
