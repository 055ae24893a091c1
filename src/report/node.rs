//! Events of the programs on nodes, as lines of their logs.

use crate::{
    cloud::Timestamp,
    node::{
        Event, FleetOrder, Order, OrderDocument, QueueOrder, SaveWhy, StorageOrder, Told, Unmounted, hostlist,
        sync::{Action, Cause, FailedStart, Orphan},
    },
};
use std::collections::{BTreeMap, BTreeSet};

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
            let keyless = codes.contains_key("Client.InternalError");
            lines.extend(codes.into_iter().map(line));
            if keyless {
                lines.push(format!(
                    "{pool}: EC2 cannot use the KMS key of the disks in this role's name: `hpcctl explain HPC2172`"
                ));
            }
            lines
        }
        Event::Down { nodes, reason } => vec![format!("down {}: {reason}", list(nodes))],
        Event::Cooling { pool, code, seconds } => vec![format!("{pool} rests for {seconds} s ({code})")],
        Event::Terminated { instances, why } => {
            let ids: Vec<&str> = instances.iter().map(String::as_str).collect();
            vec![format!("terminated {}: {why}", some(&ids))]
        }
        Event::ReadBack { launch, nodes } => vec![format!("launch {launch} was lost and read back: {}", list(nodes))],
        Event::SetAside { files } => {
            vec![format!("damaged and set aside, what was in it is looked for: {}", files.join(", "))]
        }
        Event::NoList { error } => vec![format!("the file of waiting jobs: {error}; launching its nodes one by one")],
        Event::Configured { revision } => vec![format!("revision {revision} is in place")],
        Event::Renewed => vec!["a new hpcctl is in place: starting it".to_owned()],
        Event::Ordered { order, failed } => vec![ordered(order.as_ref(), failed.as_deref())],
        Event::Did { action } => vec![did(action)],
        Event::VolumeTaken { name, volume, state } => vec![format!("waiting for {volume} of {name}: {state}")],
        Event::VolumeAttached { name, volume, device } => vec![format!("attached {volume} of {name} as {device}")],
        Event::AddressTaken { address } => vec![format!("nodes find this head node at {address}")],
        Event::AddressLost { before, address, error } => vec![
            format!("{before} cannot be taken over: {error}"),
            format!("nodes find this head node at {address}; those that run look for it at {before}"),
        ],
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
        Event::Again { seconds, error } => vec![format!("{error}; asking again in {seconds} s")],
        Event::Failed { step, error } => vec![format!("failed to {step}: {error}")],
    }
}

fn did(action: &Action) -> String {
    match action {
        Action::Terminate { why, instances } => format!("terminated {}: {}", set(instances), orphan(*why)),
        Action::Forget { instances } => format!("forgot {}: gone", set(instances)),
        Action::Adopt { launch } => {
            let nodes = launch.nodes.values().map(|node| node.name.as_str());
            format!("finished launch {} for its program, which died: {}", launch.launch, hostlist::compress(nodes))
        }
        Action::Tell { launch } => {
            let nodes = launch.nodes.values().map(|node| node.name.as_str());
            format!("told {} their names, which had failed", hostlist::compress(nodes))
        }
        Action::Address { nodes } => {
            let all: Vec<String> = nodes.keys().cloned().collect();
            format!("slurmctld had other addresses for {}", list(&all))
        }
        Action::Close { launch } => format!("closed launch {launch}, whose program died"),
        Action::Relaunch { nodes } => format!("launched {} again: nobody had", of(nodes)),
        Action::Replace { cause, nodes } => format!("gave {} up: {}", of(nodes), given_up(*cause)),
        Action::PowerDown { nodes } => format!("powering {} down", of(nodes)),
        Action::Idle { nodes, .. } => format!("{} can be used again", of(nodes)),
        Action::Rest { code, nodes } => format!("{} rest with their pool ({code})", of(nodes)),
        Action::EndRests { pools } => format!("{} have rested", pools.iter().cloned().collect::<Vec<_>>().join(", ")),
        Action::PowerUp { nodes } => format!("powering {} up: they always run", of(nodes)),
        Action::Drain { event, nodes } => format!("draining {}: EC2 plans {event}", of(nodes)),
        Action::Count { queue, starts } => {
            let words = |start: &FailedStart| start.words.clone().unwrap_or_else(|| "died while it booted".to_owned());
            let one =
                |(instance, start): (&String, &FailedStart)| format!("{} as {instance} ({})", start.node, words(start));
            let all: Vec<String> = starts.iter().map(one).collect();
            format!("starts for queue {queue} failed: {}", all.join(", "))
        }
        Action::Reset { queue, instances, .. } => format!("nodes of queue {queue} came up: {}", set(instances)),
        Action::Protect { queue, failures } => {
            format!(
                "queue {queue} is protected: {failures} starts in a row failed; `hpcctl queue resume` opens it again"
            )
        }
        Action::Release { queue } => format!("queue {queue} was opened again"),
        Action::Hold { queue, state } => format!("queue {queue} is {state} again after a start of slurmctld"),
        Action::Tag { instance, node } => format!("{instance} is called {node}"),
    }
}

fn ordered(document: Option<&OrderDocument>, failed: Option<&str>) -> String {
    let what = document.map(|document| match &document.order {
        Order::Queue { name, state: QueueOrder::Drain } => format!("drain queue {name}, by {}", document.by),
        Order::Queue { name, state: QueueOrder::Resume } => format!("resume queue {name}, by {}", document.by),
        Order::Fleet(FleetOrder::Start) => format!("start the fleet, by {}", document.by),
        Order::Fleet(FleetOrder::Stop) => format!("stop the fleet, by {}", document.by),
        Order::Storage(StorageOrder::Hold) => format!("hold all queues, by {}", document.by),
        Order::Storage(StorageOrder::Release { file_systems, volumes }) => {
            let all: Vec<&str> = file_systems.iter().chain(volumes).map(String::as_str).collect();
            format!("unmount {}, by {}", all.join(", "), document.by)
        }
        Order::Storage(StorageOrder::Open { .. }) => format!("open the queues that were held, by {}", document.by),
    });
    let what = what.unwrap_or_else(|| "one that is none".to_owned());
    match failed {
        Some(words) => format!("failed to carry out an order ({what}): {words}"),
        None => format!("carried out an order ({what})"),
    }
}

fn orphan(why: Orphan) -> &'static str {
    match why {
        Orphan::Unknown => "no launch knows them",
        Orphan::CutShort => "the program that launched them died",
        Orphan::Surplus => "no node took them",
        Orphan::Asleep => "their nodes are powered down",
        Orphan::Older => "their nodes have newer ones",
        Orphan::NoNode => "Slurm has no such nodes",
    }
}

fn given_up(cause: Cause) -> &'static str {
    match cause {
        Cause::Gone => "the instance is gone",
        Cause::NotLaunched => "nobody launches it",
        Cause::Stuck => "it hangs at the end of a job",
        Cause::Impaired => "EC2's status checks fail",
    }
}

fn list(nodes: &[String]) -> String {
    hostlist::compress(nodes.iter().map(String::as_str))
}

fn of(nodes: &BTreeSet<String>) -> String {
    hostlist::compress(nodes.iter().map(String::as_str))
}

fn set(ids: &BTreeSet<String>) -> String {
    some(&ids.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The first twenty.
fn some(ids: &[&str]) -> String {
    let more = if ids.len() > 20 { format!(" and {} more", ids.len() - 20) } else { String::new() };
    format!("{}{more}", ids.iter().take(20).copied().collect::<Vec<_>>().join(" "))
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
