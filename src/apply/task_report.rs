//! The completion report of a data-repository task.

use super::FailedFile;
use crate::{
    cloud::{Cloud, TaskState},
    spec::S3Uri,
};

/// The files that the report names as failed; none when there is no report or it cannot be read.
pub(super) async fn failed_files(cloud: &Cloud, task: &TaskState) -> Vec<FailedFile> {
    let Some(report) = &task.report else { return Vec::new() };
    let uri = S3Uri(report.clone());
    let prefix = format!("{}/task-", uri.prefix());
    let Ok(objects) = cloud.objects.list(uri.bucket(), &prefix).await else { return Vec::new() };
    let mut files = Vec::new();
    for object in objects.iter().filter(|object| object.key.contains(&task.id) && object.key.ends_with(".csv")) {
        if let Ok(Some((body, _))) = cloud.objects.get(uri.bucket(), &object.key).await {
            files.extend(parse(&String::from_utf8_lossy(&body)));
        }
    }
    files
}

/// Reads a failure report: comma-separated, the path first and the words last.
pub(super) fn parse(text: &str) -> Vec<FailedFile> {
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
