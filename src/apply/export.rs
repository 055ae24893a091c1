//! Data-repository tasks: start, follow to the end, read the report.

use super::{
    ApplyError, Event, Listener, Stop, TransferFailure, context::Pace, task_paths::task_paths,
    task_report::failed_files,
};
use crate::cloud::{Cloud, ErrorKind, FileSystemState, TaskInput, TaskKind, TaskLifecycle, TaskState};
use std::collections::BTreeMap;

/// How often FSx may say that a task runs while it shows none, and how often a task may be away.
const LOOKS: u32 = 60;

/// Which way data travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// From the file system to S3.
    Export,
    /// Names and attributes from S3 to the file system.
    Import,
}

/// What to export or import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// The file system's name in the cluster file.
    pub storage: String,
    /// Its id.
    pub file_system: String,
    /// Which way.
    pub kind: TransferKind,
    /// Directories and files relative to the mount, in both directions; none: all.
    pub paths: Vec<String>,
    /// The client request token.
    pub token: String,
    /// Tags of the task.
    pub tags: BTreeMap<String, String>,
    /// Whether a task counts that somebody else began: never before a deletion, because what was written after it
    /// began is not in it.
    pub may_join: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportResult {
    /// The task at its end.
    pub task: TaskState,
    /// Whether it ran already when we came.
    pub joined: bool,
    /// The directories that are linked with S3: nothing outside them travels.
    pub linked: Vec<String>,
}

/// A file that was not exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFile {
    /// Its path.
    pub path: String,
    /// FSx's words.
    pub message: String,
}

/// Runs a task to its end. One that runs already is waited for, because a file system does one task at a time; when
/// it does the same and the request allows it, it is joined.
pub async fn transfer(
    cloud: &Cloud,
    request: &ExportRequest,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<ExportResult, ApplyError> {
    let state = available(cloud, request).await?;
    let kind = match request.kind {
        TransferKind::Export => TaskKind::ExportToRepository,
        TransferKind::Import => TaskKind::ImportMetadataFromRepository,
    };
    let paths = by_itself(&state);
    if request.kind == TransferKind::Export && !paths.is_empty() {
        return Err(ApplyError::ExportsItself { storage: request.storage.clone(), paths });
    }
    let not_linked = |path| {
        let (storage, linked) = (request.storage.clone(), state.linked());
        ApplyError::NotLinked { storage, path, linked }
    };
    let report = report_path(&state).ok_or_else(|| ApplyError::NoRepository { storage: request.storage.clone() })?;
    let input = TaskInput {
        file_system: request.file_system.clone(),
        kind,
        paths: task_paths(&state, request).map_err(not_linked)?,
        report: Some(report),
        token: request.token.clone(),
        tags: request.tags.clone(),
    };
    let (task, joined) = start(cloud, request, &input, listener, stop).await?;
    let task = follow(cloud, request, task, listener, stop).await?;
    if task.lifecycle == TaskLifecycle::Succeeded && task.failed == 0 {
        return Ok(ExportResult { task, joined, linked: state.linked() });
    }
    Err(ApplyError::Transfer(Box::new(TransferFailure {
        storage: request.storage.clone(),
        lifecycle: lifecycle_word(task.lifecycle).to_owned(),
        message: task.failure.clone(),
        files: failed_files(cloud, &task).await,
        report: task.report.clone(),
        task: task.id,
    })))
}

async fn available(cloud: &Cloud, request: &ExportRequest) -> Result<FileSystemState, ApplyError> {
    let state = cloud.file_systems.file_system(&request.file_system).await?;
    let refuse = |lifecycle: &str| ApplyError::NotAvailable {
        storage: request.storage.clone(),
        lifecycle: lifecycle.to_owned(),
    };
    match state {
        None => Err(refuse("gone")),
        Some(state) if matches!(state.lifecycle.as_str(), "AVAILABLE" | "UPDATING") => Ok(state),
        Some(state) => Err(refuse(&state.lifecycle)),
    }
}

/// The directories that are exported automatically: FSx takes no export task beside that.
fn by_itself(state: &FileSystemState) -> Vec<String> {
    state.repositories.iter().filter(|link| !link.auto_export.is_empty()).map(|link| link.path.clone()).collect()
}

/// FSx takes reports only below a path that it exports to.
fn report_path(state: &FileSystemState) -> Option<String> {
    let export =
        state.repositories.iter().find_map(|repository| repository.export.as_ref().or(repository.import.as_ref()))?;
    Some(format!("{}/.hpcctl-reports", export.trim_end_matches('/')))
}

async fn start(
    cloud: &Cloud,
    request: &ExportRequest,
    input: &TaskInput,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<(TaskState, bool), ApplyError> {
    let (mut pace, mut unseen) = (Pace::new(), 0);
    loop {
        match cloud.file_systems.start_task(input).await {
            Ok(task) => return Ok((task, false)),
            Err(error) if error.kind == ErrorKind::Busy => {}
            Err(error) => return Err(error.into()),
        }
        let tasks = cloud.file_systems.tasks_of(&input.file_system).await?;
        let Some(running) = tasks.into_iter().find(|task| !task.lifecycle.ended()) else {
            // It has ended in between, or the listing lags behind.
            unseen += 1;
            if unseen > LOOKS {
                return Err(ApplyError::TaskUnseen { storage: request.storage.clone(), task: None });
            }
            wait(cloud, &mut pace, stop).await?;
            continue;
        };
        if request.may_join && running.kind == input.kind && running.paths == input.paths {
            return Ok((running, true));
        }
        follow(cloud, request, running, listener, stop).await?;
    }
}

async fn follow(
    cloud: &Cloud,
    request: &ExportRequest,
    mut task: TaskState,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<TaskState, ApplyError> {
    let mut pace = Pace::new();
    let mut told: Option<(TaskLifecycle, u64)> = None;
    let mut away = 0;
    loop {
        let now = (task.lifecycle, tenths(&task));
        if told != Some(now) {
            let event = Event::Task { storage: request.storage.clone(), task: task.clone() };
            listener.event(cloud.clock.now(), &event);
            told = Some(now);
        }
        if task.lifecycle.ended() {
            return Ok(task);
        }
        if stop.is_set() {
            return Err(ApplyError::TransferGoesOn { storage: request.storage.clone(), task: task.id });
        }
        cloud.clock.sleep(pace.next_pause()).await;
        match cloud.file_systems.task(&task.id).await? {
            Some(state) => (task, away) = (state, 0),
            None => away += 1,
        }
        if away > LOOKS {
            return Err(ApplyError::TaskUnseen { storage: request.storage.clone(), task: Some(task.id) });
        }
    }
}

async fn wait(cloud: &Cloud, pace: &mut Pace, stop: &Stop) -> Result<(), ApplyError> {
    if stop.is_set() {
        return Err(ApplyError::Interrupted);
    }
    cloud.clock.sleep(pace.next_pause()).await;
    Ok(())
}

/// How many tenths of the files are done: often enough to be told.
fn tenths(task: &TaskState) -> u64 {
    (task.succeeded * 10).checked_div(task.total).unwrap_or(0)
}

fn lifecycle_word(lifecycle: TaskLifecycle) -> &'static str {
    match lifecycle {
        TaskLifecycle::Pending => "PENDING",
        TaskLifecycle::Executing => "EXECUTING",
        TaskLifecycle::Succeeded => "SUCCEEDED",
        TaskLifecycle::Failed => "FAILED",
        TaskLifecycle::Canceling => "CANCELING",
        TaskLifecycle::Canceled => "CANCELED",
    }
}
