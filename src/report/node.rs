//! Events of the programs on nodes, as lines of their logs.

use crate::{
    cloud::Timestamp,
    node::{Event, hostlist},
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
        Event::Failed { step, error } => vec![format!("failed to {step}: {error}")],
    }
}

fn list(nodes: &[String]) -> String {
    hostlist::compress(nodes.iter().map(String::as_str))
}
