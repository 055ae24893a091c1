//! AWS Fault Injection Service: spot interruptions on purpose.

use crate::cloud::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Fault Injection Service, with the role that it needs.
#[async_trait]
pub trait Experiments: Send + Sync {
    /// Makes sure of the role that FIS takes on (its trust and the policy that spot interruptions need); gives
    /// its ARN. The role is the account's, named and tagged as hpcctl's, and may be used by all clusters.
    async fn role(&self) -> Result<String>;
    /// Makes an experiment template that interrupts these spot instances and starts it; gives the experiment.
    async fn interrupt(&self, input: &InterruptInput) -> Result<ExperimentState>;
    /// The experiment with this id.
    async fn experiment(&self, id: &str) -> Result<Option<ExperimentState>>;
    /// Deletes the template of an experiment.
    async fn forget(&self, template: &str) -> Result<()>;
}

/// What to interrupt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptInput {
    /// The cluster.
    pub cluster: String,
    /// ARNs of the instances.
    pub instances: Vec<String>,
    /// The role's ARN.
    pub role: String,
    /// Minutes from the recommendation to the interruption, 2 to 15. EC2 gives the notice two minutes before it.
    pub minutes: u32,
    /// The client token.
    pub token: String,
}

/// An experiment as FIS describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentState {
    /// Id.
    pub id: String,
    /// Its template's id.
    pub template: String,
    /// `pending`, `initiating`, `running`, `completed`, `stopping`, `stopped`, `failed`, `cancelled`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
}
