//! CloudFormation.

use crate::cloud::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// CloudFormation.
#[async_trait]
pub trait Stacks: Send + Sync {
    /// The stack with this name or id; `None` when there is none (deleted stacks are found by id only).
    async fn stack(&self, name: &str) -> Result<Option<StackState>>;
    /// All stacks that carry the cluster's tag and are not deleted, by name.
    async fn stacks_of(&self, cluster: &str) -> Result<Vec<StackState>>;
    /// All stacks that carry any cluster's tag and are not deleted, by name.
    async fn all_stacks(&self) -> Result<Vec<StackState>>;
    /// The template that the stack was made from, to the letter.
    async fn template(&self, name: &str) -> Result<String>;
    /// The stack's resources.
    async fn resources(&self, name: &str) -> Result<Vec<StackResource>>;
    /// The stack's events after the one with id `after`, oldest first. With `after: None`, all.
    async fn events(&self, name_or_id: &str, after: Option<&str>) -> Result<Vec<StackEvent>>;
    /// Begins to create a stack; gives its id. `OnFailure` is rollback.
    async fn create(&self, input: &StackInput) -> Result<String>;
    /// Begins to update a stack.
    async fn update(&self, input: &StackInput) -> Result<UpdateStart>;
    /// Begins to delete a stack, keeping the resources in `retain` (allowed for a DELETE_FAILED stack).
    async fn delete(&self, name: &str, retain: &[String], token: &str) -> Result<()>;
    /// Goes on with a rollback that failed.
    async fn continue_rollback(&self, name: &str, skip: &[String]) -> Result<()>;
    /// Switches termination protection.
    async fn protect(&self, name: &str, on: bool) -> Result<()>;
    /// What CloudFormation itself would change: a change set, made, read and deleted. Only for stacks that
    /// exist (a change set for a new stack would leave a stack behind).
    async fn preview(&self, input: &StackInput) -> Result<Vec<PreviewChange>>;
    /// Detects drift and gives every resource that is not in sync.
    async fn drift(&self, name: &str) -> Result<Vec<ResourceDrift>>;
    /// Looks at one resource, now; one that is in sync has no differences.
    async fn resource_drift(&self, name: &str, logical_id: &str) -> Result<ResourceDrift>;
}

/// What a stack is made or updated from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackInput {
    /// The stack's name.
    pub name: String,
    /// Where the template is.
    pub template: TemplateSource,
    /// Parameter values; every parameter is given.
    pub parameters: BTreeMap<String, String>,
    /// Tags, passed on to all resources.
    pub tags: BTreeMap<String, String>,
    /// The client request token: the same token twice is the same request.
    pub token: String,
    /// Termination protection.
    pub termination_protection: bool,
}

/// Where a template is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateSource {
    /// In the request: up to 51,200 bytes.
    Body(String),
    /// In S3: up to 1 MiB.
    Object {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
}

/// The longest template that a request can carry, in bytes.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
pub const MAX_TEMPLATE_BODY: usize = 51_200;

/// What came of the wish to update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStart {
    /// It runs.
    Running,
    /// CloudFormation sees nothing to update.
    NoChanges,
}

/// A stack as CloudFormation describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackState {
    /// Name.
    pub name: String,
    /// Id (an ARN).
    pub id: String,
    /// Status.
    pub status: StackStatus,
    /// CloudFormation's words on the status.
    pub reason: Option<String>,
    /// Parameter values.
    pub parameters: BTreeMap<String, String>,
    /// Output values.
    pub outputs: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Timestamp,
    /// When its last update began.
    pub updated: Option<Timestamp>,
    /// Termination protection.
    pub termination_protection: bool,
}

macro_rules! statuses {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        /// A stack's status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[allow(missing_docs)]
        pub enum StackStatus { $($variant),+ }

        impl StackStatus {
            /// CloudFormation's word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The status with this word.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

statuses! {
    CreateInProgress = "CREATE_IN_PROGRESS",
    CreateComplete = "CREATE_COMPLETE",
    CreateFailed = "CREATE_FAILED",
    RollbackInProgress = "ROLLBACK_IN_PROGRESS",
    RollbackComplete = "ROLLBACK_COMPLETE",
    RollbackFailed = "ROLLBACK_FAILED",
    UpdateInProgress = "UPDATE_IN_PROGRESS",
    UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateComplete = "UPDATE_COMPLETE",
    UpdateFailed = "UPDATE_FAILED",
    UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
    UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
    UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
    DeleteInProgress = "DELETE_IN_PROGRESS",
    DeleteComplete = "DELETE_COMPLETE",
    DeleteFailed = "DELETE_FAILED",
    ReviewInProgress = "REVIEW_IN_PROGRESS",
    ImportInProgress = "IMPORT_IN_PROGRESS",
    ImportComplete = "IMPORT_COMPLETE",
    ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
    ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
    ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
}

impl StackStatus {
    /// Whether something still runs.
    pub fn in_progress(self) -> bool {
        self.as_str().ends_with("IN_PROGRESS") && self != Self::ReviewInProgress
    }

    /// Whether the last operation did what was asked.
    pub fn succeeded(self) -> bool {
        use StackStatus::*;
        matches!(self, CreateComplete | UpdateComplete | DeleteComplete | ImportComplete)
    }

    /// Whether the stack can be updated as it is.
    pub fn can_update(self) -> bool {
        use StackStatus::*;
        matches!(
            self,
            CreateComplete | UpdateComplete | UpdateRollbackComplete | ImportComplete | ImportRollbackComplete
        )
    }

    /// Whether the stack holds nothing and must be deleted before it can be made (anew).
    pub fn must_be_recreated(self) -> bool {
        use StackStatus::*;
        matches!(self, CreateFailed | RollbackComplete | RollbackFailed | ReviewInProgress | DeleteFailed)
    }
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackResource {
    /// Logical id.
    pub logical_id: String,
    /// Physical id.
    pub physical_id: String,
    /// Type, such as `AWS::FSx::FileSystem`.
    pub resource_type: String,
    /// Status, such as `CREATE_COMPLETE`.
    pub status: String,
}

impl StackResource {
    /// Whether the stack still has it: it is neither deleted nor given up (`DELETE_SKIPPED`, as its policy says). What
    /// could not be deleted (`DELETE_FAILED`) is there.
    pub fn is_there(&self) -> bool {
        !matches!(self.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
    }
}

/// An event of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// The event's id.
    pub id: String,
    /// Logical id; that of the stack itself is the stack's name.
    pub logical_id: String,
    /// Physical id.
    pub physical_id: Option<String>,
    /// Type; that of the stack itself is `AWS::CloudFormation::Stack`.
    pub resource_type: String,
    /// Status, such as `CREATE_IN_PROGRESS`.
    pub status: String,
    /// CloudFormation's words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The client request token of the operation it belongs to.
    pub token: Option<String>,
}

/// A change that CloudFormation itself predicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewChange {
    /// Logical id.
    pub logical_id: String,
    /// Type.
    pub resource_type: String,
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
    pub action: String,
    /// `True`, `False` or `Conditional`.
    pub replacement: Option<String>,
    /// What of it changes.
    pub details: Vec<PreviewDetail>,
}

/// A part of a resource that CloudFormation changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewDetail {
    /// The property at the top, such as `BlockDeviceMappings`; `Tags` for tags.
    pub property: String,
    /// `Never`, `Conditionally` or `Always`.
    pub recreation: String,
    /// Whether it hangs on what another resource's change brings.
    pub dynamic: bool,
}

/// A resource that is not as its template says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResourceDrift {
    /// Logical id.
    pub logical_id: String,
    /// Type.
    pub resource_type: String,
    /// `MODIFIED` or `DELETED`.
    pub status: String,
    /// What differs.
    pub differences: Vec<DriftDifference>,
}

/// One property that is not as its template says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DriftDifference {
    /// The property, such as `/SecurityGroupIngress/0`.
    pub path: String,
    /// The template's value.
    pub expected: String,
    /// The value that is there.
    pub actual: String,
    /// `ADD`, `REMOVE` or `NOT_EQUAL`.
    pub kind: String,
}
