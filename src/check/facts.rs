//! What checks may know besides the file.

use crate::{
    catalog::{Ground, InstanceCatalog},
    spec::Path,
};

/// Facts that the file is held against. A fact that is not there switches its rules off.
#[derive(Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The instance types that exist.
    pub catalog: Option<&'a InstanceCatalog>,
    /// What the account has; `None` without a cloud.
    pub ground: Option<&'a Ground>,
    /// How long the inline policies of roles become, where somebody has rendered them.
    pub roles: &'a [RoleSize],
}

/// The inline policies of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSize {
    /// The place in the file that they grow with.
    pub at: Path,
    /// Their characters, as IAM counts.
    pub characters: usize,
}

impl Facts<'static> {
    /// The facts that the program carries.
    pub fn embedded() -> Self {
        Self { catalog: Some(InstanceCatalog::embedded()), ground: None, roles: &[] }
    }
}
