//! Events of the programs on nodes, as lines of their logs.

use crate::{
    cloud::Timestamp,
    node::{Event, SaveWhy, Told, Unmounted, hostlist},
};
use std::collections::BTreeMap;

/// An event as lines: time, then what happened.
pub fn event_lines(at: Timestamp, event: &Event) -> Vec<String> {
    words(event).into_iter().map(|line| format!("{at} {line}")).collect()
}

fn words(event: &Event) -> Vec<String> {
    match event {
        Event::Unknown { nodes } => vec![format!("no pool has {}", list(nodes))],
        Event::InFlight { nodes } => vec![format!("{} are being launched already", list(nodes))],
        Event::Running { nodes } => vec![format!("{} have instances that run", list(nodes))],
        Event::Resting { pool, code, seconds } => vec![format!("{pool} rests for another {seconds} s ({code})")],
        Event::Launched { pool, launch, nodes } => {
            let line = |(node, instance, address): &(String, String, String)| {
                format!("launched {node} as {instance} at {address} ({pool}, launch {launch})")
            };
            nodes.iter().map(line).collect()
        }
        Event::Short { pool, wanted, got, errors } => {
            let mut lines = vec![format!("{pool}: EC2 gave {got} of {wanted}")];
            let mut codes: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
            for error in errors {
                codes.entry(&error.code).or_insert((0, &error.message)).0 += 1;
            }
            let line = |(code, (times, words)): (&str, (usize, &str))| format!("{pool}: {code} ({times}x): {words}");
            lines.extend(codes.into_iter().map(line));
            lines
        }
        Event::Down { nodes, reason } => vec![format!("down {}: {reason}", list(nodes))],
        Event::Cooling { pool, code, seconds } => vec![format!("{pool} rests for {seconds} s ({code})")],
        Event::Terminated { instances, why } => {
            let shown: Vec<&str> = instances.iter().take(20).map(String::as_str).collect();
            let more = if instances.len() > 20 { format!(" and {} more", instances.len() - 20) } else { String::new() };
            vec![format!("terminated {}{more}: {why}", shown.join(" "))]
        }
        Event::Watching { node } => vec![format!("watching for an interruption of {node}")],
        Event::NotWatched { node } => vec![format!("nothing is to be done when {node} is interrupted")],
        Event::Sees => vec!["the instance metadata answers again".to_owned()],
        Event::Rebalance { since } => vec![format!("EC2 recommends since {since} to move work elsewhere")],
        Event::Drained { node } => vec![format!("drained {node}")],
        Event::Interrupted { action, at } => vec![format!("EC2 will {action} this instance at {at}")],
        Event::Left { seconds, what } => {
            words(what).into_iter().map(|line| format!("[{seconds} s left] {line}")).collect()
        }
        Event::Jobs { jobs } if jobs.is_empty() => vec!["no jobs here".to_owned()],
        Event::Jobs { jobs } => vec![format!("jobs here: {}", numbers(jobs))],
        Event::Saved { job, why } => vec![format!("saved job {job}{}", occasion(*why))],
        Event::NotSaved { job, why, error } => vec![format!("failed to save job {job}{}: {error}", occasion(*why))],
        Event::Told { job, told } => vec![match told {
            Told::Script => format!("TERM to the batch script of job {job}, which has a trap for it"),
            Told::All => format!("TERM to all processes of job {job}"),
            Told::Requeue => format!("put job {job} back into the queue"),
        }],
        Event::NotTold { job, told, error } => vec![match told {
            Told::Script | Told::All => format!("failed to send TERM to job {job}: {error}"),
            Told::Requeue => format!("failed to put job {job} back into the queue: {error}"),
        }],
        Event::JobsEnded { stay } if stay.is_empty() => vec!["no job runs here any more".to_owned()],
        Event::JobsEnded { stay } => vec![format!("going on without waiting for jobs {}", numbers(stay))],
        Event::Unmounted { at, how } => vec![match how {
            Unmounted::Free => format!("unmounted {at}"),
            Unmounted::Ended => format!("unmounted {at} after ending those who used it"),
            Unmounted::Lazily => format!("unmounted {at} lazily: somebody still uses it"),
        }],
        Event::GivenBack { node } => vec![format!("told slurmctld that {node} is gone")],
        Event::PoweringOff => vec!["powering off".to_owned()],
        Event::Failed { step, error } => vec![format!("failed to {step}: {error}")],
    }
}

fn list(nodes: &[String]) -> String {
    hostlist::compress(nodes.iter().map(String::as_str))
}

fn numbers(jobs: &[u64]) -> String {
    jobs.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

fn occasion(why: SaveWhy) -> &'static str {
    match why {
        SaveWhy::Interval => " as every interval",
        SaveWhy::Interruption => "",
    }
}
