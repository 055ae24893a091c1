//! A data-repository task: its whole course is known when it begins.

use crate::cloud::{TaskInput, TaskLifecycle, TaskState, Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds from request to begin.
const PENDING: i64 = 45;
/// Seconds that every task executes, and more per file.
const EXECUTING: (i64, i64) = (120, 4);
/// Seconds from the wish to cancel to the end.
const CANCELING: i64 = 20;

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Task {
    pub id: String,
    pub input: TaskInput,
    pub created: Timestamp,
    /// Files to treat.
    pub files: Vec<String>,
    /// Those that fail, with the report's code.
    pub failing: Vec<(String, String)>,
    /// The bucket that FSx does not come to: the whole task fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    pub canceled: Option<Timestamp>,
    /// Its effects (objects, report) have been written.
    pub settled: bool,
}

impl Task {
    fn begins(&self) -> Timestamp {
        self.created.plus(PENDING)
    }

    /// When it ends.
    pub fn ends(&self) -> Timestamp {
        let files = i64::try_from(self.files.len()).unwrap_or(i64::MAX / 8);
        let end = self.begins().plus(EXECUTING.0 + EXECUTING.1 * files);
        self.canceled.map_or(end, |at| at.plus(CANCELING))
    }

    /// How far it is.
    pub fn lifecycle(&self, now: Timestamp) -> TaskLifecycle {
        match self.canceled {
            Some(_) if now >= self.ends() => TaskLifecycle::Canceled,
            Some(_) => TaskLifecycle::Canceling,
            None if now < self.begins() => TaskLifecycle::Pending,
            None if now < self.ends() => TaskLifecycle::Executing,
            None if self.failing.is_empty() && self.unreachable.is_none() => TaskLifecycle::Succeeded,
            None => TaskLifecycle::Failed,
        }
    }

    /// Files that have been treated so far.
    pub fn treated(&self, now: Timestamp) -> &[String] {
        if self.unreachable.is_some() {
            return &[];
        }
        let until = self.canceled.unwrap_or(now).min(now);
        let elapsed = (until.0 - self.begins().0).max(0);
        let whole = EXECUTING.0 + EXECUTING.1 * i64::try_from(self.files.len()).unwrap_or(i64::MAX / 8);
        let share = elapsed.min(whole) as f64 / whole as f64;
        let count = (share * self.files.len() as f64) as usize;
        &self.files[..count.min(self.files.len())]
    }

    /// Whether a file fails.
    pub fn fails(&self, file: &str) -> bool {
        self.failing.iter().any(|(failing, _)| failing == file)
    }

    /// As the port shows it.
    pub fn view(&self, now: Timestamp) -> TaskState {
        let lifecycle = self.lifecycle(now);
        let treated = self.treated(now);
        let failed = treated.iter().filter(|file| self.fails(file)).count() as u64;
        TaskState {
            id: self.id.clone(),
            file_system: self.input.file_system.clone(),
            kind: self.input.kind,
            lifecycle,
            total: if lifecycle == TaskLifecycle::Pending { 0 } else { self.files.len() as u64 },
            succeeded: treated.len() as u64 - failed,
            failed,
            failure: (lifecycle == TaskLifecycle::Failed).then(|| self.failure()),
            paths: self.input.paths.clone(),
            report: self.input.report.clone(),
            created: self.created,
            ended: lifecycle.ended().then(|| self.ends()),
        }
    }

    fn failure(&self) -> String {
        if let Some(bucket) = &self.unreachable {
            return format!("The bucket {bucket} does not exist or cannot be accessed");
        }
        let count = self.failing.len();
        format!("{count} of {} files failed; see the task completion report for their names", self.files.len())
    }

    /// The completion report: `FilePath,FileStatus,ErrorCode` without a heading, as in
    /// <https://docs.aws.amazon.com/fsx/latest/LustreGuide/task-completion-report.html>.
    pub fn report(&self) -> String {
        let line = |(file, code): &(String, String)| format!("{},failed,{code}\n", encoded(file));
        self.failing.iter().map(line).collect()
    }
}

/// A path as FSx's report writes it.
fn encoded(path: &str) -> String {
    if path.starts_with(['@', '+', '-', '=']) {
        return format!("\"\"\"{path}\"\"\"");
    }
    if path.contains(['"', ',']) {
        return format!("\"{}\"", path.replace('"', "\"\""));
    }
    path.to_owned()
}
