//! What checks may know besides the file.

use crate::catalog::{Ground, InstanceCatalog};

/// Facts that the file is held against. A fact that is not there switches its rules off.
#[derive(Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The instance types that exist.
    pub catalog: Option<&'a InstanceCatalog>,
    /// What the account has; `None` without a cloud.
    pub ground: Option<&'a Ground>,
}

impl Facts<'static> {
    /// The facts that the program carries.
    pub fn embedded() -> Self {
        Self { catalog: Some(InstanceCatalog::embedded()), ground: None }
    }
}
