//! FSx: data-repository tasks.

use super::super::{ErrorKind, Result, TaskInput, TaskKind, TaskLifecycle, TaskState};
use super::errors::{failed, own};
use super::values::{maybe, text, time};
use aws_sdk_fsx::{
    Client,
    types::{
        CompletionReport, DataRepositoryTask, DataRepositoryTaskFilter, DataRepositoryTaskFilterName,
        DataRepositoryTaskLifecycle as Lifecycle, DataRepositoryTaskType as Kind, ReportFormat, ReportScope, Tag,
    },
};

/// Begins a task.
pub(super) async fn start(client: &Client, input: &TaskInput) -> Result<TaskState> {
    let call = client
        .create_data_repository_task()
        .file_system_id(&input.file_system)
        .r#type(kind_for_fsx(input.kind))
        .set_paths((!input.paths.is_empty()).then(|| input.paths.clone()))
        .report(report(input.report.as_deref()))
        .client_request_token(&input.token)
        .set_tags((!input.tags.is_empty()).then(|| tags(input)));
    let made = call.send().await.map_err(failed("fsx", "CreateDataRepositoryTask"))?;
    made.data_repository_task().and_then(state).ok_or_else(|| {
        let message = "FSx gave no task of a known kind".to_owned();
        own("fsx", "CreateDataRepositoryTask", ErrorKind::Other, message)
    })
}

/// The task with this id.
pub(super) async fn find(client: &Client, id: &str) -> Result<Option<TaskState>> {
    let call = client.describe_data_repository_tasks().task_ids(id).send().await;
    match call.map_err(failed("fsx", "DescribeDataRepositoryTasks")) {
        Ok(page) => Ok(page.data_repository_tasks().first().and_then(state)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All tasks of a file system, newest first.
pub(super) async fn of(client: &Client, file_system: &str) -> Result<Vec<TaskState>> {
    let filter =
        DataRepositoryTaskFilter::builder().name(DataRepositoryTaskFilterName::FileSystemId).values(file_system);
    let mut pages = client.describe_data_repository_tasks().filters(filter.build()).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("fsx", "DescribeDataRepositoryTasks"))?;
        found.extend(page.data_repository_tasks().iter().filter_map(state));
    }
    found.sort_by(|a: &TaskState, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

/// Begins to cancel a task; one that has ended is left as it is.
pub(super) async fn cancel(client: &Client, id: &str) -> Result<()> {
    let call = client.cancel_data_repository_task().task_id(id).send().await;
    match call.map_err(failed("fsx", "CancelDataRepositoryTask")) {
        Err(error) if error.code.as_deref() == Some("DataRepositoryTaskEnded") => Ok(()),
        other => other.map(drop),
    }
}

/// FSx wants a report's settings even when there is to be none.
fn report(path: Option<&str>) -> CompletionReport {
    let report = CompletionReport::builder().enabled(path.is_some());
    match path {
        Some(path) => {
            report.path(path).format(ReportFormat::ReportCsv20191124).scope(ReportScope::FailedFilesOnly).build()
        }
        None => report.build(),
    }
}

fn tags(input: &TaskInput) -> Vec<Tag> {
    input.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn kind_for_fsx(kind: TaskKind) -> Kind {
    match kind {
        TaskKind::ExportToRepository => Kind::Export,
        TaskKind::ImportMetadataFromRepository => Kind::Import,
        TaskKind::ReleaseDataFromFilesystem | TaskKind::Other => Kind::Eviction,
    }
}

/// A task of a kind that we do not know keeps the file system busy like any other.
fn kind(from: &Kind) -> TaskKind {
    match from {
        Kind::Export => TaskKind::ExportToRepository,
        Kind::Import => TaskKind::ImportMetadataFromRepository,
        Kind::Eviction => TaskKind::ReleaseDataFromFilesystem,
        _ => TaskKind::Other,
    }
}

/// A state that we do not know is not an end.
fn lifecycle(from: &Lifecycle) -> TaskLifecycle {
    match from {
        Lifecycle::Pending => TaskLifecycle::Pending,
        Lifecycle::Succeeded => TaskLifecycle::Succeeded,
        Lifecycle::Failed => TaskLifecycle::Failed,
        Lifecycle::Canceling => TaskLifecycle::Canceling,
        Lifecycle::Canceled => TaskLifecycle::Canceled,
        _ => TaskLifecycle::Executing,
    }
}

/// A task; `None` when FSx does not say what it is or how far.
fn state(from: &DataRepositoryTask) -> Option<TaskState> {
    let status = from.status();
    let number = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
    Some(TaskState {
        id: text(from.task_id()),
        file_system: text(from.file_system_id()),
        kind: kind(from.r#type()?),
        lifecycle: lifecycle(from.lifecycle()?),
        total: number(status.and_then(|status| status.total_count())),
        succeeded: number(status.and_then(|status| status.succeeded_count())),
        failed: number(status.and_then(|status| status.failed_count())),
        failure: from.failure_details().and_then(|details| maybe(details.message())),
        paths: from.paths().to_vec(),
        report: from.report().filter(|report| report.enabled() == Some(true)).and_then(|report| maybe(report.path())),
        created: time(from.creation_time()),
        ended: from.end_time().map(|at| time(Some(at))),
    })
}
