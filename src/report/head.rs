//! The head node in words: what it runs, and why it is not waited for any longer.

use super::{
    errors::{Failure, exit},
    events::duration,
};
use crate::{
    apply::{Console, HeadSilence},
    cloud::Timestamp,
    observe::{HeadFailure, HeadNode, failing_line},
    plan::HeadBehind,
};

/// Lines of a set-up's log that are shown.
const LINES: usize = 20;

/// What the head node runs, when that is not the revision that is published.
pub fn state(head: &HeadNode, published: Option<u64>, now: Timestamp) -> Option<String> {
    if let Some(failed) = &head.failed {
        return Some(format!("set-up of revision {} failed: {}", failed.revision, failed.line));
    }
    match (head.reported, published) {
        (Some(reported), Some(published)) if reported < published => {
            Some(format!("runs revision {reported}, {published} is published"))
        }
        (Some(_), _) => None,
        (None, _) => {
            let since = head.launched.map(|at| format!(", created {} ago", ago(now.0 - at.0)));
            Some(format!("has not reported yet{}", since.unwrap_or_default()))
        }
    }
}

/// The same, as a plan knows it.
pub fn behind(behind: &HeadBehind) -> String {
    let HeadBehind { published, reported, failed } = behind;
    let runs = reported.map_or_else(String::new, |reported| format!("; it runs revision {reported}"));
    match failed {
        Some(line) => format!("the head node failed to set revision {published} up: {line}"),
        None => format!("the head node has not reported revision {published} yet{runs}"),
    }
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Nobody waits any longer.
pub(super) fn stopped(revision: u64) -> Failure {
    let message = format!(
        "no longer waiting: the cluster goes on by itself, its head node has not reported revision {revision} yet"
    );
    Failure::new("HPC2090", message, "`hpcctl status FILE --wait` waits for it again", exit::INTERRUPTED)
}

/// It did not report in time.
pub(super) fn silent(silence: &HeadSilence) -> Failure {
    let HeadSilence { revision, instance, seconds, reported, state, console } = silence;
    let mut details: Vec<String> = instance.iter().map(|id| format!("instance {id}")).collect();
    details.extend(reported.map(|reported| format!("it runs revision {reported}")));
    details.extend(self::console(console));
    let message = match (instance, state) {
        (None, _) => "the cluster has no head node that could report".to_owned(),
        (_, Some(state)) => format!("the head node is {state}: it does not report revision {revision}"),
        _ => format!("the head node has not reported revision {revision} within {}", duration(*seconds)),
    };
    let remedy = "see /var/log/hpcctl-boot.log there (`hpcctl ssh FILE`); `hpcctl status FILE --wait` waits again";
    Failure { details, ..Failure::new("HPC2141", message, remedy, exit::ERROR) }
}

/// It could not set the revision up.
pub(super) fn failed(revision: u64, instance: &str, failure: &HeadFailure) -> Failure {
    let mut details = vec![format!("instance {instance}")];
    details.extend(failure.log[failure.log.len().saturating_sub(LINES)..].iter().map(|line| format!("| {line}")));
    let remedy = if failure.tries_again {
        "mend the cause; the head node tries again by itself, `hpcctl status FILE --wait` waits for it"
    } else {
        "mend the cause, run `sudo bash /opt/hpcctl/node/setup.sh start` there (`hpcctl ssh FILE`), and apply again"
    };
    let message = format!("the head node failed to set revision {revision} up: {}", failure.line);
    Failure { details, ..Failure::new("HPC2140", message, remedy, exit::ERROR) }
}

fn console(console: &Console) -> Vec<String> {
    match console {
        Console::Lines(lines) => {
            let last = failing_line(lines).map(|line| format!("its console says last: {line}"));
            last.into_iter().chain(lines.iter().map(|line| format!("| {line}"))).collect()
        }
        Console::Empty => vec!["its console shows nothing".to_owned()],
        Console::Unknown(error) => vec![format!("its console cannot be read: {error}")],
    }
}
