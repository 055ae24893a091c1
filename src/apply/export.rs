//! Data-repository tasks: start, follow to the end, read the report.

use super::{ApplyError, Event, Listener, Stop, context::Pace};
use crate::{
    cloud::{Cloud, ErrorKind, FileSystemState, TaskInput, TaskKind, TaskLifecycle, TaskState},
    spec::S3Uri,
};
use std::collections::BTreeMap;

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
    /// Directories and files, relative to the mount; none: all.
    pub paths: Vec<String>,
    /// The client request token.
    pub token: String,
    /// Tags of the task.
    pub tags: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportResult {
    /// The task at its end.
    pub task: TaskState,
    /// Whether it ran already when we came.
    pub joined: bool,
}

/// A file that was not exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFile {
    /// Its path.
    pub path: String,
    /// FSx's words.
    pub message: String,
}

/// Runs a task to its end. A task of the same kind and paths that runs already is joined; one of another kind
/// is waited for, because a file system does one task at a time.
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
    let report = report_path(&state).ok_or_else(|| ApplyError::NoRepository { storage: request.storage.clone() })?;
    let input = TaskInput {
        file_system: request.file_system.clone(),
        kind,
        paths: request.paths.clone(),
        report: Some(report),
        token: request.token.clone(),
        tags: request.tags.clone(),
    };
    let (task, joined) = start(cloud, request, &input, listener, stop).await?;
    let task = follow(cloud, request, task, listener, stop).await?;
    if task.lifecycle == TaskLifecycle::Succeeded && task.failed == 0 {
        return Ok(ExportResult { task, joined });
    }
    Err(ApplyError::Transfer {
        storage: request.storage.clone(),
        lifecycle: lifecycle_word(task.lifecycle).to_owned(),
        message: task.failure.clone(),
        files: failed_files(cloud, &task).await,
        report: task.report.clone(),
        task: task.id,
    })
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
    loop {
        match cloud.file_systems.start_task(input).await {
            Ok(task) => return Ok((task, false)),
            Err(error) if error.kind == ErrorKind::Busy => {}
            Err(error) => return Err(error.into()),
        }
        let tasks = cloud.file_systems.tasks_of(&input.file_system).await?;
        let Some(running) = tasks.into_iter().find(|task| !task.lifecycle.ended()) else { continue };
        if running.kind == input.kind && running.paths == input.paths {
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
            return Err(ApplyError::Interrupted);
        }
        cloud.clock.sleep(pace.next_pause()).await;
        if let Some(state) = cloud.file_systems.task(&task.id).await? {
            task = state;
        }
    }
}

/// How many tenths of the files are done: often enough to be told.
fn tenths(task: &TaskState) -> u64 {
    (task.succeeded * 10).checked_div(task.total).unwrap_or(0)
}

/// The files that the report names as failed; none when there is no report or it cannot be read.
async fn failed_files(cloud: &Cloud, task: &TaskState) -> Vec<FailedFile> {
    let Some(report) = &task.report else { return Vec::new() };
    let uri = S3Uri(report.clone());
    let prefix = format!("{}/task-", uri.prefix());
    let Ok(objects) = cloud.objects.list(uri.bucket(), &prefix).await else { return Vec::new() };
    let mut files = Vec::new();
    for object in objects.iter().filter(|object| object.key.contains(&task.id) && object.key.ends_with(".csv")) {
        if let Ok(Some((body, _))) = cloud.objects.get(uri.bucket(), &object.key).await {
            files.extend(parse_report(&String::from_utf8_lossy(&body)));
        }
    }
    files
}

/// Reads a failure report: comma-separated, the path first and the words last.
fn parse_report(text: &str) -> Vec<FailedFile> {
    let fields = |line: &str| -> Vec<String> {
        line.split(',').map(|field| field.trim().trim_matches('"').to_owned()).collect()
    };
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.to_ascii_lowercase().starts_with("filepath"))
        .map(fields)
        .filter_map(|fields| {
            let path = fields.first()?.clone();
            Some(FailedFile { path, message: fields.last().cloned().unwrap_or_default() })
        })
        .collect()
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
