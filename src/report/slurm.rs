//! What the head node says of Slurm, as text.

use super::{paint::Paint, words};
use crate::{
    cloud::Timestamp,
    observe::{HeldReport, HeldWhy, NodeReport, PoolReport, QueueReport, SlurmReport},
};
use std::fmt::Write;

/// The head node writes every five minutes at least: after so many seconds without a word it may be in trouble.
const SILENT: i64 = 600;
/// Nodes that cannot be used, and jobs that are held, are named up to so many.
const FAILING: usize = 5;

/// Adds the lines.
pub fn text(report: &SlurmReport, now: Timestamp, paint: Paint, out: &mut String) {
    let age = now.0 - report.at.0;
    let silent =
        if age > SILENT { format!("  {}", paint.yellow("the head node is silent since")) } else { String::new() };
    let _ = writeln!(out, "  Slurm  revision {}, as of {}{silent}", report.revision, report.at);
    if let Some(failed) = &report.set_up_failed {
        let _ = writeln!(out, "    {} the newest configuration: {failed}", paint.red("failed to set up"));
    }
    for queue in &report.queues {
        self::queue(queue, paint, out);
    }
}

fn queue(queue: &QueueReport, paint: Paint, out: &mut String) {
    let count = |number: u32, one: &str| words::count(number as usize, one);
    let state = if queue.state == "up" { paint.green(&queue.state) } else { paint.yellow(&queue.state) };
    let jobs = format!(
        "{} on {}, {} pending",
        count(queue.running, "job"),
        count(queue.busy_nodes, "node"),
        words::thousands(u64::from(queue.pending)),
    );
    let _ = writeln!(out, "    queue {:<22} {state}  {jobs}", queue.name);
    if let Some(held) = &queue.held {
        let _ = writeln!(out, "      {} {}", paint.yellow("!"), self::held(held, queue));
    }
    for pool in &queue.pools {
        let _ = writeln!(out, "      pool {:<21} {}", pool.name, self::pool(pool));
    }
    for start in &queue.last_failed_starts {
        let words = start.words.as_deref().unwrap_or("its instance died while it booted");
        let _ = writeln!(out, "      {} {} failed to start at {}: {words}", paint.red("!"), start.node, start.at);
    }
    for job in queue.held_jobs.iter().take(FAILING) {
        let held = format!("job {} is held ({})", job.id, job.reason);
        let _ = writeln!(out, "      {} {held}: `scontrol release {}` lets it go", paint.yellow("!"), job.id);
    }
    if queue.held_jobs.len() > FAILING {
        let _ = writeln!(out, "        and {} more", queue.held_jobs.len() - FAILING);
    }
    for node in queue.failing.iter().take(FAILING) {
        let _ = writeln!(out, "      {} {}: {}", paint.red("!"), node.name, node.reason);
    }
    if queue.failing.len() > FAILING {
        let _ = writeln!(out, "        and {} more", queue.failing.len() - FAILING);
    }
}

fn held(held: &HeldReport, queue: &QueueReport) -> String {
    let since = held.since;
    match held.why {
        HeldWhy::Protected => format!(
            "protected since {since}: {} node starts in a row failed; `hpcctl queue resume` opens it",
            queue.failed_starts
        ),
        HeldWhy::Drained => format!("drained since {since}; `hpcctl queue resume` opens it"),
        HeldWhy::Storage => {
            format!(
                "held since {since} because a file system goes or the head node moves; the apply that began it opens it, or the next one"
            )
        }
        HeldWhy::Stopped => format!("stopped since {since}; `hpcctl fleet start` opens it"),
    }
}

fn pool(pool: &PoolReport) -> String {
    let mut parts: Vec<String> =
        pool.nodes.iter().map(|(state, count)| format!("{count} {}", state_words(*state))).collect();
    parts.extend(pool.rest.as_ref().map(|rest| format!("rests until {} ({})", rest.until, rest.code)));
    parts.join(", ")
}

fn state_words(state: NodeReport) -> &'static str {
    match state {
        NodeReport::Allocated => "allocated",
        NodeReport::Idle => "idle",
        NodeReport::Starting => "starting",
        NodeReport::Stopping => "stopping",
        NodeReport::Drained => "drained",
        NodeReport::Down => "down",
        NodeReport::PoweredDown => "powered down",
    }
}
