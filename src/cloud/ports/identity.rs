//! STS and IAM.

use crate::cloud::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// STS and IAM.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Who calls.
    async fn caller(&self) -> Result<Caller>;
    /// The ARN of the role in an instance profile; `None` when there is no such profile, or no role in it.
    async fn role_of_profile(&self, profile: &str) -> Result<Option<String>>;
    /// The ARN of a role, which has its path; `None` when there is no such role.
    async fn role_arn(&self, role: &str) -> Result<Option<String>>;
    /// The roles below a path such as `/hpcctl/NAME/`, by name. IAM is one for all regions.
    async fn roles(&self, path: &str) -> Result<Vec<RoleState>>;
}

/// A role as IAM describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleState {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// The ARN of the user or role.
    pub arn: String,
}
