//! STS and IAM.

use crate::cloud::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// STS and IAM.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Who calls.
    async fn caller(&self) -> Result<Caller>;
    /// The ARN of the role in an instance profile; `None` when there is no such profile, or no role in it.
    async fn role_of_profile(&self, profile: &str) -> Result<Option<String>>;
    /// The names of roles that begin with `prefix`.
    async fn roles(&self, prefix: &str) -> Result<Vec<String>>;
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account's number.
    pub account: String,
    /// The ARN of the user or role.
    pub arn: String,
}
