//! CATALOG: facts about instance types and resource types.

/// An instance type's facts.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceType {
    /// Name.
    pub name: String,
}
