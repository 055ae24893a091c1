//! A mapping of properties, put together one after the other.

use super::Val;
use std::collections::BTreeMap;

/// Properties of a resource or of a part of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Props(BTreeMap<String, Val>);

impl Props {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn set(mut self, key: &str, value: impl Into<Val>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Sets the property when there is a value.
    pub(super) fn maybe(self, key: &str, value: Option<impl Into<Val>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }
}

impl From<Props> for Val {
    fn from(props: Props) -> Self {
        Val::Map(props.0)
    }
}
