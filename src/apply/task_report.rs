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

/// Reads a failure report: comma-separated, the path first and the words last. A path that holds commas without being
/// quoted has more fields than the heading names: all but the heading's other columns are the path's.
pub(super) fn parse(text: &str) -> Vec<FailedFile> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut others = 1;
    let mut files = Vec::new();
    for record in reader.records().flatten() {
        let fields: Vec<&str> = record.iter().collect();
        if fields.first().is_some_and(|first| first.eq_ignore_ascii_case("filepath")) {
            others = fields.len() - 1;
            continue;
        }
        let path = fields[..fields.len().saturating_sub(others).max(1)].join(",");
        let message = fields.last().filter(|_| fields.len() > 1).map(|words| (*words).to_owned()).unwrap_or_default();
        if !path.is_empty() {
            files.push(FailedFile { path, message });
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_commas_and_quotes() {
        let said = |text: &str| parse(text).into_iter().map(|file| (file.path, file.message)).collect::<Vec<_>>();
        let file = |path: &str, words: &str| (path.to_owned(), words.to_owned());
        let text = "FilePath,FailureReason\r\n/a/b.dat,no permission\r\n\r\n\"/a/b,c \"\"x\"\".dat\",\"too large, by far\"\r\n/a/d,e.dat,gone\r\n";
        assert_eq!(
            said(text),
            [
                file("/a/b.dat", "no permission"),
                file("/a/b,c \"x\".dat", "too large, by far"),
                file("/a/d,e.dat", "gone")
            ]
        );
        assert_eq!(said("FilePath,Status,Reason\n/a,b,FAILED,gone\n"), [file("/a,b", "gone")]);
        assert_eq!(said("/alone.dat\n/a.dat,gone\n"), [file("/alone.dat", ""), file("/a.dat", "gone")]);
        assert_eq!(said(""), []);
    }
}
