//! Failures of carrying a plan out.

use super::{Failure, exit, interrupted};
use crate::{
    apply::{Applied, ApplyError, FailedResource, TransferFailure},
    model::BOOTSTRAP_STACK,
    observe::{FoundLock, ObserveError},
    operate::OperateError,
    plan::Moved,
    report::{head, paint::Paint, words},
};
use std::fmt::Write;

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Cloud(error) => error.into(),
            ApplyError::Archive { key, message } => ObserveError::Archive { key, message }.into(),
            ApplyError::OfflinePlan => Failure::new(
                "HPC2012",
                "failed to apply: the plan was made offline",
                "make it without --offline",
                exit::REFUSED,
            ),
            ApplyError::EditedPlan => {
                Failure::new("HPC2011", "failed to apply: the plan file was edited", "make a new plan", exit::REFUSED)
            }
            ApplyError::OtherAccount { planned, caller } => Failure::new(
                "HPC2013",
                format!("failed to apply: the plan is for account {planned}, the caller's is {caller}"),
                "use the right profile",
                exit::REFUSED,
            ),
            ApplyError::Stale { moved } => stale(&moved),
            ApplyError::JobsEnd { queues } => Failure::new(
                "HPC2190",
                format!("jobs of {} would end, and the plan was made before there were any", queues.join(", ")),
                "let them end, or make a new plan and approve the loss",
                exit::STALE,
            ),
            ApplyError::Locked { lock } => locked(&lock),
            ApplyError::LockLost => Failure::new(
                "HPC2021",
                "the lock was lost",
                "see who works on it with `hpcctl lock show FILE`, then run the same command again",
                exit::LOCKED,
            ),
            ApplyError::LeaseEnded { cause } => Failure::new(
                "HPC2185",
                "the lock could not be renewed: somebody else may take it over",
                "mend the cause, then run the same command again: it goes on from there",
                exit::ERROR,
            )
            .with(vec![cause]),
            ApplyError::Stack { stack, status, reason, resources } => {
                stack_failed(&stack.to_string(), &status, reason, &resources)
            }
            ApplyError::Bootstrap { status, reason, resources } => {
                stack_failed(BOOTSTRAP_STACK, &status, reason, &resources)
            }
            ApplyError::NotDeleted { stack, resources } => {
                let details = resources.iter().map(|left| {
                    let id = left.physical_id.as_deref().unwrap_or_default();
                    format!("{}  {}  {id}  {}", left.address, left.resource_type, left.reason)
                });
                Failure::new(
                    "HPC2130",
                    format!("stack {stack} is updated, but something that left it was not deleted"),
                    "it still exists, costs money and is in no stack: mend the cause, delete it, and run the same command again",
                    exit::ERROR,
                )
                .with(details.collect())
            }
            ApplyError::MissingOutput { stack, parameter } => Failure::new(
                "HPC2031",
                format!("stack {stack} needs `{parameter}`, which no stack gives"),
                "apply again; if it stays, the stack before it was changed by hand",
                exit::ERROR,
            ),
            ApplyError::Unresolved { parameter } => Failure::new(
                "HPC2032",
                format!("AWS had no value for `{parameter}` when the plan was made"),
                "for an image: name one with `image.ami`; for a zone: see that the subnet exists; for the role of a profile: see \
                 that the instance profile exists and has a role",
                exit::ERROR,
            ),
            ApplyError::Transfer(failure) => {
                let TransferFailure { storage, task, lifecycle, message, files, report } = *failure;
                let mut details: Vec<String> = message.into_iter().collect();
                details.extend(files.iter().map(|file| format!("{}  {}", file.path, file.message)));
                details.extend(report.map(|report| format!("report: {report}")));
                Failure::new(
                    "HPC2050",
                    format!("transfer {task} of `{storage}` ended in {lifecycle}"),
                    "mend what the report names, and run the same command again: it goes on from here, and nothing is deleted \
                     before all is exported",
                    exit::ERROR,
                )
                .with(details)
            }
            ApplyError::TaskUnseen { storage, task } => {
                let message = match &task {
                    Some(task) => format!("FSx does not show task {task} of `{storage}` any more"),
                    None => format!("FSx says that a task of `{storage}` runs, and shows none"),
                };
                let look = "see `aws fsx describe-data-repository-tasks`, and run the command again when none runs";
                Failure::new("HPC2152", message, look, exit::ERROR)
            }
            ApplyError::TransferGoesOn { storage, task } => Failure::new(
                "HPC2090",
                format!("interrupted: task {task} of `{storage}` goes on in FSx"),
                format!(
                    "run the same command again to follow it, or end it with \
                     `aws fsx cancel-data-repository-task --task-id {task}`"
                ),
                exit::INTERRUPTED,
            ),
            ApplyError::StillUsed { left, minutes } => Failure::new(
                "HPC2150",
                format!("{} still run jobs after {minutes} min", words::count(left, "compute instance")),
                "run the same command again when they have ended, or give them more time with `--wait-for-jobs MINUTES`",
                exit::ERROR,
            ),
            ApplyError::Order(error) => OperateError::from(error).into(),
            ApplyError::ExportsItself { storage, paths } => Failure::new(
                "HPC2155",
                format!("`{storage}` exports {} by itself, and FSx takes no export task beside that", paths.join(", ")),
                "nothing has to be done; to export by hand, apply without `auto_export`",
                exit::ERROR,
            ),
            ApplyError::AutoExport { storage, associations } => Failure::new(
                "HPC2154",
                format!("automatic export of `{storage}` does not go off: {}", associations.join(", ")),
                "see `aws fsx describe-data-repository-associations`, and run the command again",
                exit::ERROR,
            ),
            ApplyError::NotLinked { storage, path, linked } => Failure::new(
                "HPC2153",
                format!("`{path}` of `{storage}` lies in no directory that is linked with S3"),
                format!("name a path within {}, relative to the mount", linked.join(", ")),
                exit::ERROR,
            ),
            ApplyError::NoRepository { storage } => Failure::new(
                "HPC2051",
                format!("file system `{storage}` has no link with S3"),
                "give it `data_repository` or `data_repository_associations`",
                exit::ERROR,
            ),
            ApplyError::NotAvailable { storage, lifecycle } => Failure::new(
                "HPC2052",
                format!("file system `{storage}` is {}", lifecycle.to_lowercase()),
                "wait until it is available",
                exit::ERROR,
            ),
            ApplyError::HeadNode { instance, state } => Failure::new(
                "HPC2120",
                format!("the head node {instance} does not let its volumes go: {state}"),
                "see what holds it, or stop it by force in EC2, then run the same command again",
                exit::ERROR,
            ),
            ApplyError::Leftovers { left } => {
                let details = left.iter().map(|leftover| format!("{}  {}", leftover.kind, leftover.id)).collect();
                Failure::new("HPC2060", "something is left", "look at each, and run `destroy` again", exit::ERROR)
                    .with(details)
            }
            ApplyError::NotAsPlanned { gaps } => Failure::new(
                "HPC2061",
                "every step is done, and the cluster is not as planned",
                "somebody else may work on it: make a new plan, which shows what is left to do",
                exit::ERROR,
            )
            .with(gaps.iter().map(words::gap).collect()),
            ApplyError::Interrupted => interrupted(),
            ApplyError::StoppedWaiting { revision } => head::stopped(revision),
            ApplyError::HeadFailed { revision, instance, failure } => head::failed(revision, &instance, &failure),
            ApplyError::HeadSilent(silence) => head::silent(&silence),
        }
    }
}

fn stale(moved: &[Moved]) -> Failure {
    let none = || "not there".to_owned();
    let details = moved.iter().map(|moved| {
        format!(
            "{}: {} -> {}",
            moved.item,
            moved.then.clone().unwrap_or_else(none),
            moved.now.clone().unwrap_or_else(none)
        )
    });
    Failure::new("HPC2010", "failed to apply: the plan is stale", "make a new plan", exit::STALE)
        .with(details.collect())
}

fn stack_failed(stack: &str, status: &str, reason: Option<String>, resources: &[FailedResource]) -> Failure {
    let mut details: Vec<String> =
        resources.iter().map(|failed| format!("{}  {}  {}", failed.address, failed.status, failed.reason)).collect();
    details.extend(reason.filter(|_| resources.is_empty()));
    Failure::new(
        "HPC2030",
        format!("stack {stack} ended in {status}"),
        "mend the cause, and run the same command again",
        exit::ERROR,
    )
    .with(details)
}

fn locked(lock: &FoundLock) -> Failure {
    Failure::new(
        "HPC2020",
        "the cluster is locked",
        "wait for it with `--lock-timeout MINUTES`; when you know that nobody is at work, `hpcctl lock release FILE`",
        exit::LOCKED,
    )
    .with(words::lock(lock))
}

/// A lock that is not released without force.
pub fn still_held(lock: &FoundLock) -> Failure {
    Failure::new(
        "HPC2022",
        "the lock was renewed while it was watched: its owner is at work",
        "see what it does, on the machine below; `--force` releases it all the same, and two who work at once can undo \
         each other's work",
        exit::REFUSED,
    )
    .with(words::lock(lock))
}

/// A lock that somebody else took while it was to be released.
pub fn passed_on(lock: &FoundLock) -> Failure {
    Failure::new(
        "HPC2181",
        "the lock that was to be released is gone, and there is another one",
        "see whose it is, and release it, too, if that is what you want",
        exit::REFUSED,
    )
    .with(words::lock(lock))
}

/// All failures of an apply, one after the other, and what was not begun; more is known of the first.
pub fn applied_text(applied: &Applied, first: &Failure, paint: Paint) -> String {
    let mut out = String::new();
    for (index, failure) in applied.failed.iter().enumerate() {
        let as_failure = if index == 0 { first.clone() } else { failure.error.clone().into() };
        if failure.step > 0 {
            let _ = writeln!(out, "step {} ({}) did not succeed", failure.step, words::step(&failure.action));
        }
        out.push_str(&as_failure.text(paint));
    }
    if !applied.not_begun.is_empty() {
        let _ = writeln!(out, "{} not begun", words::count(applied.not_begun.len(), "step"));
    }
    out
}
