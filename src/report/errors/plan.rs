//! Failures of a look and of planning.

use super::{Failure, exit};
use crate::{
    model::BOOTSTRAP_STACK,
    observe::ObserveError,
    plan::{Obstacle, PlanError},
    report::words,
};

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Cloud(error) => error.into(),
            ObserveError::Archive { key, message } => Failure::new(
                "HPC2006",
                format!("failed to read the archive: `{key}`: {message}"),
                "restore the object's last good version",
                exit::ERROR,
            ),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Busy { stacks } => {
                let details = stacks.iter().map(|(name, status)| format!("{name}  {status}")).collect();
                Failure::new(
                    "HPC2003",
                    "failed to plan: CloudFormation is at work",
                    "wait for it, or run `apply`, which waits",
                    exit::LOCKED,
                )
                .with(details)
            }
            PlanError::Held { held } => {
                let details = held.iter().map(|held| {
                    let users: Vec<String> = held.users.iter().map(ToString::to_string).collect();
                    let line = held.line.map(|line| format!(" (line {line})")).unwrap_or_default();
                    format!("{}{line}: used by {}", held.address, users.join(", "))
                });
                Failure::new(
                    "HPC2131",
                    "failed to plan: what other stacks use would be replaced",
                    "leave it as it is, or destroy the cluster and apply it anew",
                    exit::REFUSED,
                )
                .with(details.collect())
            }
            PlanError::Attached { attached } => {
                let details = attached.iter().map(|one| {
                    let who = match &one.head {
                        Some(state) => format!("the head node {}, which is {state},", one.instance),
                        None => one.instance.clone(),
                    };
                    format!("{}: {who} has {}", one.address, one.volume)
                });
                Failure::new(
                    "HPC2132",
                    "failed to plan: a volume would go while an instance that cannot let go of it has it attached",
                    "a head node lets go of its volumes while it runs: start it, and plan again; from another instance, \
                    detach it first",
                    exit::REFUSED,
                )
                .with(details.collect())
            }
            PlanError::UnmanagedBucket { bucket } => Failure::new(
                "HPC2171",
                format!("failed to plan: the bucket `{bucket}` is there, and the stack `{BOOTSTRAP_STACK}` is not"),
                "import the bucket into that stack, or delete it if nothing in it is needed",
                exit::REFUSED,
            ),
            PlanError::Obstacles { obstacles } => refusal(&obstacles),
            PlanError::Refused { file, refusals } => crate::report::refusals::failure(&file, &refusals),
        }
    }
}

/// What refuses to go. Where stacks alone do, one key of the cluster file switches that off.
fn refusal(obstacles: &[Obstacle]) -> Failure {
    let details = obstacles.iter().map(words::obstacle).collect();
    let stacks = obstacles.iter().all(|one| matches!(one, Obstacle::Stack { .. }));
    let soon = |one: &Obstacle| matches!(one, Obstacle::TooSoon { .. } | Obstacle::Changing { .. });
    let failure = if obstacles.iter().all(soon) {
        Failure::new(
            "HPC2191",
            "a change of size comes too soon after another",
            "nothing was begun; run the command again later, or take the change out of the cluster file",
            exit::REFUSED,
        )
    } else if stacks {
        Failure::new(
            "HPC2042",
            "the cluster is protected against deletion",
            "set `deletion_protection: false`, apply, and run the command again",
            exit::REFUSED,
        )
    } else {
        Failure::new(
            "HPC2151",
            "what must go refuses it; nothing was done",
            "mend each of these, and run the command again",
            exit::REFUSED,
        )
    };
    failure.with(details)
}
