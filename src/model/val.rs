//! Property values: plain data and references.

use std::collections::BTreeMap;

/// A property value. `render` writes the references as CloudFormation intrinsics.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Num(f64),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Val>),
    /// A mapping.
    Map(BTreeMap<String, Val>),
    /// The physical id of a resource, the value of a parameter, or a pseudo parameter (`AWS::Region`).
    Ref(String),
    /// An attribute of a resource.
    Att(String, String),
    /// Text with `${...}` references.
    Sub(String),
    /// Values joined by a separator.
    Join(String, Vec<Val>),
    /// The n-th of a list.
    Select(usize, Box<Val>),
    /// A text's parts.
    Split(String, Box<Val>),
    /// The region's Availability Zones.
    Zones,
    /// Text in base 64.
    Base64(Box<Val>),
}

impl Val {
    /// A reference to a resource or parameter.
    pub fn reference(name: impl Into<String>) -> Self {
        Self::Ref(name.into())
    }

    /// An attribute of a resource.
    pub fn att(resource: impl Into<String>, attribute: impl Into<String>) -> Self {
        Self::Att(resource.into(), attribute.into())
    }

    /// Text with `${...}` references.
    pub fn sub(text: impl Into<String>) -> Self {
        Self::Sub(text.into())
    }

    /// A list of anything that becomes a value.
    pub fn list<T: Into<Val>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The items of a list; any other value is a list of itself.
    pub fn into_items(self) -> Vec<Val> {
        match self {
            Self::List(items) => items,
            other => vec![other],
        }
    }

    /// A mapping of anything that becomes a value.
    pub fn map<K: Into<String>, V: Into<Val>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Val {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Self {
        Self::Num(value)
    }
}

impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl<T: Into<Val>> From<Vec<T>> for Val {
    fn from(items: Vec<T>) -> Self {
        Self::list(items)
    }
}
