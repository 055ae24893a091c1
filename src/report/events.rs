//! Events as lines: text for people, JSON for programs.

use super::{paint::Paint, words};
use crate::{
    apply::Event,
    cloud::{TaskKind, TaskState, Timestamp},
};

/// An event as one line of text; `None`: not worth a line.
pub fn event_text(at: Timestamp, event: &Event, paint: Paint) -> Option<String> {
    let clock = at.to_string();
    let clock = paint.dim(clock.get(11..19).unwrap_or(&clock));
    let line = match event {
        Event::StepStarted { step, action } => format!("{step:>3}  {} …", words::step(action)),
        Event::StepDone { step, action, seconds, already } => {
            let took = if *already { "nothing left to do".to_owned() } else { duration(*seconds) };
            format!("{step:>3}  {} {}", words::step(action), paint.green(&format!("done ({took})")))
        }
        Event::StepFailed { step, action } => format!("{step:>3}  {} {}", words::step(action), paint.red("failed")),
        Event::Resource { address, resource_type, status, reason, .. } => {
            let status_word = match status.rsplit('_').next() {
                Some("FAILED") => paint.red(status),
                Some("COMPLETE") => paint.green(status),
                _ => status.clone(),
            };
            let reason = match reason {
                Some(reason) if status.ends_with("_FAILED") => format!("  {reason}"),
                _ => String::new(),
            };
            format!("     {address}  {}  {status_word}{reason}", paint.dim(resource_type))
        }
        Event::Task { storage, task } => format!("     {}", task_text(storage, task)),
        Event::Draining { left } => {
            format!("     {} left: their jobs run to their end", words::count(*left, "compute instance"))
        }
        Event::AutoExportRestored { storage, error: None } => {
            format!("     {storage} exports by itself again: it stays as it was")
        }
        Event::AutoExportRestored { storage, error: Some(error) } => {
            format!("     {storage} does not export by itself any more, and that could not be taken back: {error}")
        }
        Event::QueuesReopened => "     the head node opens the queues again: nothing was deleted".to_owned(),
        Event::QueuesStayHeld => "     the queues stay held: apply again, which opens them at its end".to_owned(),
        Event::Terminating { left } => format!("     {} to terminate", words::count(*left, "instance")),
        Event::HeadStarted { instance } => format!("     the head node {instance} is started again"),
        Event::HeadAwaited { revision, seconds, reported } => {
            let before = reported.map_or_else(String::new, |before| format!("; it runs revision {before}"));
            format!("     the head node has not reported revision {revision} yet ({}){before}", duration(*seconds))
        }
        Event::HeadUnseen { error } => format!("     cannot look at the head node, trying again: {error}"),
        Event::LockWatched { owner } => {
            format!("     waiting for the lock of {owner}: it is taken over when nobody renews it for 10 min")
        }
        Event::LockTakenOver { owner } => {
            format!("     took over the lock of {owner}, who has ended or does not renew it")
        }
    };
    Some(format!("{clock} {line}"))
}

/// An event as one line of JSON.
pub fn event_json(at: Timestamp, event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("at".to_owned(), at.to_string().into());
    }
    value.to_string()
}

/// A data-repository task in one line.
pub fn task_text(storage: &str, task: &TaskState) -> String {
    let kind = match task.kind {
        TaskKind::ExportToRepository => "export",
        TaskKind::ImportMetadataFromRepository => "import",
        TaskKind::ReleaseDataFromFilesystem => "release",
        TaskKind::Other => "task",
    };
    let lifecycle = serde_json::to_value(task.lifecycle).ok();
    let lifecycle = lifecycle.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let mut line = format!("{storage}  {kind} {}  {lifecycle}", task.id);
    if task.total > 0 {
        line.push_str(&format!("  {} of {} files", words::thousands(task.succeeded), words::thousands(task.total)));
    }
    if task.failed > 0 {
        line.push_str(&format!(", {} failed", words::thousands(task.failed)));
    }
    line
}

/// A duration in words.
pub fn duration(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
