//! The ports: what hpcctl needs of a cloud, and nothing else.
//!
//! All calls are idempotent where the cloud allows it (client tokens), page to the end by themselves, and
//! retry throttling and passing failures before they give a [`CloudError`](super::CloudError).

use super::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The tag that every resource of a cluster carries; its value is the cluster's name.
pub const CLUSTER_TAG: &str = "hpcctl:cluster";
/// The tag with a resource's part in the cluster: `head`, `compute`, `login`, `storage` ...
pub const ROLE_TAG: &str = "hpcctl:role";
/// The tag with the queue of a compute node.
pub const QUEUE_TAG: &str = "hpcctl:queue";
/// The tag with the pool of a compute node.
pub const POOL_TAG: &str = "hpcctl:pool";
/// The tag with the Slurm node name of a compute node.
pub const NODE_TAG: &str = "hpcctl:node";

/// A cloud: one implementation of every port.
#[derive(Clone)]
pub struct Cloud {
    /// `aws` or `sandbox`.
    pub kind: CloudKind,
    /// The region that the ports speak to.
    pub region: String,
    /// CloudFormation.
    pub stacks: Arc<dyn Stacks>,
    /// S3.
    pub objects: Arc<dyn Objects>,
    /// FSx.
    pub file_systems: Arc<dyn FileSystems>,
    /// EC2.
    pub compute: Arc<dyn Compute>,
    /// STS and IAM.
    pub identity: Arc<dyn Identity>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Which cloud it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloudKind {
    /// Amazon Web Services, or an emulator at `AWS_ENDPOINT_URL`.
    Aws,
    /// The in-process sandbox.
    Sandbox,
}

// ------------------------------------------------------------------------------------------ stacks

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
}

/// A resource that is not as its template says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

// ----------------------------------------------------------------------------------------- objects

/// S3.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Whether the bucket exists and can be reached.
    async fn bucket_exists(&self, bucket: &str) -> Result<bool>;
    /// Writes an object; gives its entity tag. A condition that does not hold is `PreconditionFailed`.
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>, condition: PutCondition) -> Result<String>;
    /// Reads an object and its entity tag; `None` when it does not exist.
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>>;
    /// The objects whose keys begin with `prefix`, by key.
    async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>>;
    /// Deletes one object (in a versioned bucket: puts a delete marker on it).
    async fn delete(&self, bucket: &str, key: &str) -> Result<()>;
    /// Deletes every version of every object whose key begins with `prefix`; gives how many.
    async fn purge(&self, bucket: &str, prefix: &str) -> Result<usize>;
}

/// A condition on writing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutCondition {
    /// None.
    Always,
    /// Only when there is no such object.
    IfAbsent,
    /// Only when the object has this entity tag.
    IfMatch(String),
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

// ------------------------------------------------------------------------------------ file systems

/// FSx.
#[async_trait]
pub trait FileSystems: Send + Sync {
    /// The file system with this id.
    async fn file_system(&self, id: &str) -> Result<Option<FileSystemState>>;
    /// All file systems that carry the cluster's tag.
    async fn file_systems_of(&self, cluster: &str) -> Result<Vec<FileSystemState>>;
    /// Begins a data-repository task; gives it.
    async fn start_task(&self, input: &TaskInput) -> Result<TaskState>;
    /// The task with this id.
    async fn task(&self, id: &str) -> Result<Option<TaskState>>;
    /// All tasks of a file system, newest first.
    async fn tasks_of(&self, file_system: &str) -> Result<Vec<TaskState>>;
    /// Begins to cancel a task.
    async fn cancel_task(&self, id: &str) -> Result<()>;
}

/// A file system as FSx describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileSystemState {
    /// Id.
    pub id: String,
    /// `CREATING`, `AVAILABLE`, `DELETING`, `FAILED`, `MISCONFIGURED`, `UPDATING` ...
    pub lifecycle: String,
    /// Capacity in GiB.
    pub capacity_gib: u32,
    /// `SCRATCH_2` and so on.
    pub deployment: Option<String>,
    /// DNS name.
    pub dns_name: Option<String>,
    /// Lustre mount name.
    pub mount_name: Option<String>,
    /// The links with S3: of the file system itself (path `/`) and of its associations.
    pub repositories: Vec<Repository>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Timestamp,
}

/// A link of a file system with S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The directory in the file system.
    pub path: String,
    /// Where imports come from.
    pub import: Option<String>,
    /// Where exports go to.
    pub export: Option<String>,
    /// The association's id; `None` for the link that the file system was born with.
    pub association: Option<String>,
}

/// What a data-repository task is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInput {
    /// The file system.
    pub file_system: String,
    /// The kind.
    pub kind: TaskKind,
    /// Directories and files, relative to the mount; none: all.
    pub paths: Vec<String>,
    /// Where the report goes, such as `s3://bucket/prefix`; none: no report.
    pub report: Option<String>,
    /// The client request token.
    pub token: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Kinds of data-repository tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskKind {
    /// From the file system to S3.
    ExportToRepository,
    /// Names and attributes from S3 to the file system.
    ImportMetadataFromRepository,
    /// Frees the space of files that S3 has.
    ReleaseDataFromFilesystem,
}

/// A data-repository task as FSx describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// Id.
    pub id: String,
    /// The file system.
    pub file_system: String,
    /// The kind.
    pub kind: TaskKind,
    /// How far it is.
    pub lifecycle: TaskLifecycle,
    /// Files to treat, as far as known.
    pub total: u64,
    /// Files done.
    pub succeeded: u64,
    /// Files that failed.
    pub failed: u64,
    /// Why it failed.
    pub failure: Option<String>,
    /// Directories and files.
    pub paths: Vec<String>,
    /// Where its report is.
    pub report: Option<String>,
    /// When it was begun.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// How far a data-repository task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum TaskLifecycle {
    Pending,
    Executing,
    Succeeded,
    Failed,
    Canceling,
    Canceled,
}

impl TaskLifecycle {
    /// Whether the task has ended.
    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

// ----------------------------------------------------------------------------------------- compute

/// EC2.
#[async_trait]
pub trait Compute: Send + Sync {
    /// All instances that carry the cluster's tag and are not terminated, by id.
    async fn instances_of(&self, cluster: &str) -> Result<Vec<InstanceState>>;
    /// Begins to terminate instances. Those that are gone already do not count as failures.
    async fn terminate(&self, ids: &[String]) -> Result<()>;
    /// The subnets with these ids.
    async fn subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>>;
    /// The newest image of an owner whose name matches a pattern (with `*`).
    async fn newest_image(&self, query: &ImageQuery) -> Result<Option<ImageState>>;
    /// The names of instance types that the region offers.
    async fn instance_types(&self) -> Result<Vec<crate::catalog::InstanceType>>;
    /// Ids of everything in EC2 that carries the cluster's tag: volumes, security groups, templates ...
    async fn tagged(&self, cluster: &str) -> Result<Vec<TaggedResource>>;
}

/// An instance as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceState {
    /// Id.
    pub id: String,
    /// Type.
    pub instance_type: String,
    /// `pending`, `running`, `shutting-down`, `stopping`, `stopped`.
    pub state: String,
    /// Private address.
    pub private_ip: Option<String>,
    /// Public address.
    pub public_ip: Option<String>,
    /// Zone.
    pub zone: Option<String>,
    /// Whether it is a spot instance.
    pub spot: bool,
    /// When it was launched.
    pub launched: Timestamp,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A subnet as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetState {
    /// Id.
    pub id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its zone.
    pub zone: String,
    /// Its addresses.
    pub cidr: String,
    /// How many addresses are free.
    pub free_addresses: u32,
}

/// Which image is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageQuery {
    /// The owner's account.
    pub owner: String,
    /// A pattern for its name.
    pub name: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
}

/// An image as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageState {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Something in EC2 that carries a cluster's tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaggedResource {
    /// Id.
    pub id: String,
    /// EC2's word for its kind, such as `volume`.
    pub kind: String,
}

// ---------------------------------------------------------------------------------------- identity

/// STS and IAM.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Who calls.
    async fn caller(&self) -> Result<Caller>;
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

// -------------------------------------------------------------------------------------------- time

/// Time: real for AWS, virtual in the sandbox.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
