//! A resource that a stack made.

use super::template::Policy;
use crate::cloud::{DriftDifference, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub kind: String,
    /// Empty while nothing has been made.
    pub physical: String,
    pub status: String,
    /// As the template says, with all references followed.
    pub properties: Value,
    /// What `Fn::GetAtt` gives.
    pub attributes: BTreeMap<String, Value>,
    pub tags: BTreeMap<String, String>,
    pub deletion: Policy,
    pub replacement: Policy,
    /// Logical ids that must be there first.
    pub depends_on: Vec<String>,
    pub created: Timestamp,
    /// When it was first complete.
    pub made: Option<Timestamp>,
    /// Properties that somebody changed by hand, by path with slashes; `null` took one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub edits: BTreeMap<String, Value>,
}

/// The edit under this path means that the whole resource was deleted by hand.
pub(super) const DELETED_BY_HAND: &str = "";

impl Resource {
    /// Whether it is there: made, or being made or unmade.
    pub fn present(&self) -> bool {
        !self.physical.is_empty() && self.status != "DELETE_COMPLETE" && self.status != "DELETE_SKIPPED"
    }

    /// A property at the top, as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name)?.as_str()
    }

    /// A property as it is now, changes by hand and by other calls included.
    pub fn live(&self, path: &str) -> Option<Value> {
        match self.edits.get(path) {
            Some(edited) => Some(edited.clone()).filter(|value| !value.is_null()),
            None => self.properties.pointer(&format!("/{path}")).cloned(),
        }
    }

    /// A call outside CloudFormation changes a property; back at what the template says it is no drift.
    pub fn set_live(&mut self, path: &str, value: Option<Value>) {
        if self.properties.pointer(&format!("/{path}")) == value.as_ref() {
            self.edits.remove(path);
        } else {
            self.edits.insert(path.to_owned(), value.unwrap_or_default());
        }
    }

    /// What the hand edits have made different from the template.
    pub fn differences(&self) -> Vec<DriftDifference> {
        let differs = |(path, actual): (&String, &Value)| self.difference(path, actual);
        self.edits.iter().filter_map(differs).collect()
    }

    fn difference(&self, path: &str, actual: &Value) -> Option<DriftDifference> {
        let path = format!("/{path}");
        let expected = self.properties.pointer(&path);
        let kind = match (expected, actual) {
            (Some(expected), actual) if expected == actual => return None,
            (None, Value::Null) => return None,
            (Some(_), Value::Null) => "REMOVE",
            (None, _) => "ADD",
            (Some(_), _) => "NOT_EQUAL",
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let expected = expected.map(text).unwrap_or_default();
        let actual = if actual.is_null() { String::new() } else { text(actual) };
        Some(DriftDifference { path, expected, actual, kind: kind.to_owned() })
    }
}
