//! AWS Fault Injection Service: spot interruptions on purpose.

use crate::cloud::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The role that FIS takes on: one for all clusters of an account.
pub const EXPERIMENT_ROLE: &str = "hpcctl-interrupt";

/// The most spot instances of one experiment: twenty targets of five instances each.
/// <https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html>
pub const MOST_INTERRUPTED: usize = 100;

/// Fault Injection Service, with the role that it needs.
#[async_trait]
pub trait Experiments: Send + Sync {
    /// Makes sure of the role that FIS takes on: its trust, and the policy that AWS documents for EC2's actions.
    async fn make_role(&self, input: &RoleInput) -> Result<ExperimentRole>;
    /// Deletes the role; one that is gone does not count as a failure.
    async fn remove_role(&self) -> Result<()>;
    /// Makes an experiment template that interrupts these spot instances and starts it; gives the experiment.
    async fn interrupt(&self, input: &InterruptInput) -> Result<ExperimentState>;
    /// The experiment with this id.
    async fn experiment(&self, id: &str) -> Result<Option<ExperimentState>>;
    /// Deletes the template of an experiment; the experiment itself goes on.
    async fn forget(&self, template: &str) -> Result<()>;
}

/// Whose role it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleInput {
    /// The account: FIS takes the role on for experiments of this account alone.
    pub account: String,
    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The IAM path.
    pub path: String,
    /// The policy that bounds it.
    pub boundary: Option<String>,
}

/// The role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentRole {
    /// Its ARN.
    pub arn: String,
    /// Whether this call made it. IAM needs seconds to tell FIS of a new role.
    pub made: bool,
}

/// What to interrupt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptInput {
    /// The cluster.
    pub cluster: String,
    /// ARNs of the instances, at most [`MOST_INTERRUPTED`].
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
    /// How far it is.
    pub status: ExperimentStatus,
    /// Why.
    pub reason: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
}

/// How far an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExperimentStatus {
    /// It has not begun, or it runs, or it is being stopped.
    Running,
    /// It has done what it was to do.
    Completed,
    /// It could not do it, or not all of it.
    Failed,
    /// Somebody stopped it.
    Stopped,
}
