//! FSx.

use crate::cloud::{Result, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Begins to change which events an association exports by itself (`NEW`, `CHANGED`, `DELETED`; none: it exports
    /// nothing by itself). What it imports by itself stays as it is.
    async fn set_auto_export(&self, association: &str, events: &[String]) -> Result<()>;
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
    /// When its last growth was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grown: Option<Timestamp>,
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
    /// The events that it exports by itself: `NEW`, `CHANGED`, `DELETED`.
    pub auto_export: Vec<String>,
    /// `AVAILABLE`, `UPDATING`, `MISCONFIGURED` ...; empty when FSx does not say.
    pub lifecycle: String,
}

impl Repository {
    /// Whether a path of the file system (without a slash in front) lies in its directory.
    pub fn holds(&self, path: &str) -> bool {
        let root = self.path.trim_matches('/');
        root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether it is the whole file system's.
    pub fn is_whole(&self) -> bool {
        self.path.trim_matches('/').is_empty()
    }
}

impl FileSystemState {
    /// The directories that are linked with S3: nothing outside them is ever exported. `/`: everything is.
    pub fn linked(&self) -> Vec<String> {
        if self.repositories.iter().any(Repository::is_whole) {
            return vec!["/".to_owned()];
        }
        let directory = |one: &Repository| format!("/{}", one.path.trim_matches('/'));
        let mut all: Vec<String> = self.repositories.iter().map(directory).collect();
        all.sort();
        all
    }
}

/// What a data-repository task is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInput {
    /// The file system.
    pub file_system: String,
    /// The kind.
    pub kind: TaskKind,
    /// Directories and files relative to the mount, or `s3://bucket/prefix` for an import; none: all.
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
    /// Something else that keeps the file system busy.
    Other,
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
