//! Putting a resource together.

use super::{DataHolding, DeletionPolicy, Resource, Val};
use crate::spec::Path;
use std::collections::BTreeMap;

impl Resource {
    /// A resource without properties.
    pub(super) fn new(kind: &'static str, address: impl Into<String>, cause: Path) -> Self {
        Self {
            kind,
            address: address.into(),
            properties: BTreeMap::new(),
            cause,
            causes: BTreeMap::new(),
            deletion: DeletionPolicy::Delete,
            holds: None,
            depends_on: Vec::new(),
        }
    }

    pub(super) fn set(mut self, key: &str, value: impl Into<Val>) -> Self {
        self.properties.insert(key.to_owned(), value.into());
        self
    }

    /// Sets the property when there is a value.
    pub(super) fn maybe(self, key: &str, value: Option<impl Into<Val>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// Sets the property to a list unless that is empty.
    pub(super) fn some(self, key: &str, items: Vec<Val>) -> Self {
        if items.is_empty() { self } else { self.set(key, items) }
    }

    /// Says that the property (or the path below one) comes from `cause` in the cluster file.
    pub(super) fn because(mut self, property: &str, cause: Path) -> Self {
        self.causes.insert(property.to_owned(), cause);
        self
    }

    /// Says which data it holds and what becomes of it.
    pub(super) fn holding(mut self, holds: DataHolding, deletion: DeletionPolicy) -> Self {
        self.holds = Some(holds);
        self.deletion = deletion;
        self
    }

    /// Says that another resource of the stack must be there first.
    pub(super) fn after(mut self, logical_id: impl Into<String>) -> Self {
        self.depends_on.push(logical_id.into());
        self
    }
}
