//! What people do with a cluster that runs, in words.

use super::words;
use crate::{
    cloud::{LogEvent, Timestamp},
    node::{FleetOrder, Order, QueueOrder, StorageOrder},
    operate::{Chosen, Grant, InterruptEvent, Outcome},
};

/// What happens in an interruption, as a line.
pub fn interrupt_event(event: &InterruptEvent) -> String {
    match event {
        InterruptEvent::RoleMade { arn } => format!("made role {arn}"),
        InterruptEvent::Started { experiment, minutes } => {
            format!("experiment {experiment} runs: EC2 takes the nodes back in {minutes} min, with two minutes' notice")
        }
        InterruptEvent::Completed { experiment } => format!("experiment {experiment} completed"),
        InterruptEvent::Gone { node } => format!("{node} is gone"),
        InterruptEvent::RoleRemoved => "deleted the role".to_owned(),
        InterruptEvent::RoleStays { before: true } => "the role stays: it was there before".to_owned(),
        InterruptEvent::RoleStays { before: false } => "the role stays".to_owned(),
    }
}

/// The nodes that will be interrupted.
pub fn chosen(chosen: &[Chosen]) -> String {
    let names: Vec<String> = chosen.iter().map(|one| format!("{} ({})", one.name, one.instance)).collect();
    format!("interrupting {}: {}", words::count(names.len(), "node"), names.join(", "))
}

/// A line of a log: when, where, what.
pub fn log_line(event: &LogEvent) -> String {
    let (seconds, millis) = (event.millis.div_euclid(1000), event.millis.rem_euclid(1000));
    let at = Timestamp(seconds).to_string();
    let message = event.message.trim_end();
    format!("{}.{millis:03}Z  {}  {message}\n", at.trim_end_matches('Z'), event.stream)
}

/// What became of an order.
pub fn outcome(order: &Order, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) => format!("{} at {}\n", done(order), answer.done),
        Outcome::Given { id } => format!("order {id} is given; the head node carries it out within a minute\n"),
    }
}

fn done(order: &Order) -> String {
    match order {
        Order::Queue { name, state: QueueOrder::Drain } => {
            format!("queue {name} drains: running jobs end, no new ones start")
        }
        Order::Queue { name, state: QueueOrder::Resume } => format!("queue {name} is open"),
        Order::Fleet(FleetOrder::Start) => "the fleet is started: nodes come when jobs want them".to_owned(),
        Order::Storage(StorageOrder::Hold) => "all queues are held: jobs that run end, the others wait".to_owned(),
        Order::Storage(StorageOrder::Release { file_systems, volumes }) => {
            let all: Vec<&str> = file_systems.iter().chain(volumes).map(String::as_str).collect();
            format!("{} is unmounted on the head node", all.join(", "))
        }
        Order::Storage(StorageOrder::Open { .. }) => "the queues are open again".to_owned(),
        Order::Fleet(FleetOrder::Stop) => "the fleet is stopped: no compute node runs or starts".to_owned(),
    }
}

/// A grant with what its reader must know.
pub fn grant(grant: &Grant<'_>) -> String {
    let server = grant.server;
    format!(
        "-- To be run on {}:{} by an administrator of the database.\n\
         -- The password is in the secret {}:\n\
         --   aws secretsmanager get-secret-value --secret-id {} --query SecretString --output text\n{}",
        server.host,
        server.port,
        server.password_secret,
        server.password_secret,
        grant.sql()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_have_milliseconds() {
        let event = LogEvent {
            stream: "head/i-1/slurmctld".to_owned(),
            millis: 1_767_225_600_007,
            message: "started\n".to_owned(),
            id: "1".to_owned(),
        };
        assert_eq!(log_line(&event), "2026-01-01T00:00:00.007Z  head/i-1/slurmctld  started\n");
    }
}
