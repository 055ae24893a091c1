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
    /// The region that it is in.
    #[serde(default)]
    pub region: String,
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

    /// Whether it is there, in its stack or outside of it.
    pub fn present_or_kept(&self) -> bool {
        self.present() || self.status == "DELETE_SKIPPED"
    }

    /// Whether somebody in `region` meets it there: it is in that region, or in none.
    pub fn is_in(&self, region: &str) -> bool {
        const GLOBAL: [&str; 3] = ["AWS::Budgets::", "AWS::IAM::", "AWS::S3::Bucket"];
        self.region.is_empty() || self.region == region || GLOBAL.iter().any(|start| self.kind.starts_with(start))
    }

    /// A property at the top, as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name)?.as_str()
    }

    /// The properties as they are: as the template has them, and what was edited by hand since.
    pub fn actual(&self) -> Value {
        let mut actual = self.properties.clone();
        for (path, value) in &self.edits {
            if let Some(place) = actual.pointer_mut(&format!("/{path}")) {
                *place = value.clone();
            }
        }
        actual
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
