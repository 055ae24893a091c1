//! Failures as text: a code, what happened, and what to do.

use super::{paint::Paint, words};
use crate::{
    apply::{Applied, ApplyError, LockInfo, TransferFailure},
    cloud::{CloudError, ErrorKind, ExperimentStatus},
    model::BOOTSTRAP_STACK,
    node::NodeError,
    observe::ObserveError,
    operate::OperateError,
    plan::{Moved, Obstacle, PlanError},
    rehearsal::RehearsalError,
};
use std::fmt::Write;

/// A failure, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its code, such as `HPC2003`; `hpcctl explain` knows it.
    pub code: &'static str,
    /// What happened, in one line.
    pub message: String,
    /// More lines about it.
    pub details: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// The exit code.
    pub exit: u8,
}

/// Exit codes.
pub mod exit {
    /// Nothing to do, or done.
    pub const OK: u8 = 0;
    /// An error.
    pub const ERROR: u8 = 1;
    /// Changes are pending (`--detailed-exitcode`).
    pub const CHANGES: u8 = 2;
    /// Refused: approval is missing.
    pub const REFUSED: u8 = 3;
    /// The plan is stale.
    pub const STALE: u8 = 4;
    /// Somebody else works on the cluster.
    pub const LOCKED: u8 = 5;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

impl Failure {
    /// The failure as text.
    pub fn text(&self, paint: Paint) -> String {
        let mut out = format!("{} {}: {}\n", paint.red("error"), paint.bold(self.code), self.message);
        for detail in &self.details {
            let _ = writeln!(out, "  {detail}");
        }
        if !self.remedy.is_empty() {
            let _ = writeln!(out, "  {} {}", paint.bold("help:"), self.remedy);
        }
        out
    }

    /// A failure of this process's own files.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(
            "HPC2005",
            format!("failed to use `{}`: {error}", path.display()),
            "check the path and its rights",
            exit::ERROR,
        )
    }

    /// A failure from its parts.
    pub fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>, exit: u8) -> Self {
        Self { code, message: message.into(), details: Vec::new(), remedy: remedy.into(), exit }
    }

    fn with(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        let request = error.request_id.iter().map(|id| format!("request id {id}")).collect();
        let (code, remedy) = match error.kind {
            ErrorKind::AccessDenied if error.operation == "HeadBucket" => (
                "HPC2170",
                "ask for `s3:ListBucket` on the artifact bucket; if you have it, the bucket belongs to another account: \
                 do not use it, and tell AWS",
            ),
            ErrorKind::Credentials => {
                ("HPC2002", "set AWS_PROFILE or --profile, or log in; `--cloud sandbox` needs no account")
            }
            ErrorKind::AccessDenied => ("HPC2004", "ask for the action named above"),
            ErrorKind::Network => {
                ("HPC2001", "check the network, the region and AWS_ENDPOINT_URL, then run the command again")
            }
            ErrorKind::Throttled | ErrorKind::Unavailable => ("HPC2001", "run the command again in a few minutes"),
            ErrorKind::Quota => ("HPC2001", "ask AWS for a higher quota"),
            _ => ("HPC2001", "every command can be run again"),
        };
        Failure::new(code, format!("failed to call {error}"), remedy, exit::ERROR).with(request)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Cloud(error) => error.into(),
            error => Failure::new(
                "HPC2070",
                error.to_string(),
                "`hpcctl node` is for the nodes of a cluster; see /var/log/hpcctl there",
                exit::ERROR,
            ),
        }
    }
}

impl From<OperateError> for Failure {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::Cloud(error) => error.into(),
            OperateError::NoNode { wanted, there } => {
                Failure::new("HPC2080", format!("there is no node `{wanted}`"), "name one of these", exit::ERROR)
                    .with(there)
            }
            OperateError::NoSpotNode { wanted, there } => Failure::new(
                "HPC2081",
                format!("the queue has no {wanted}"),
                "submit a job that waits for a spot node, or name another pool; above is what the queue has",
                exit::ERROR,
            )
            .with(if there.is_empty() { vec!["the queue has no nodes now".to_owned()] } else { there }),
            OperateError::TooMany { chosen, most } => Failure::new(
                "HPC2081",
                format!("{chosen} nodes are too many for one experiment"),
                format!("choose at most {most} with --count"),
                exit::ERROR,
            ),
            OperateError::Experiment { id, status, reason } => {
                let words = match status {
                    ExperimentStatus::Running => "did not end in time",
                    ExperimentStatus::Stopped => "was stopped",
                    ExperimentStatus::Failed | ExperimentStatus::Completed => "failed",
                };
                Failure::new(
                    "HPC2082",
                    format!("experiment {id} {words}"),
                    format!("`aws fis get-experiment --id {id}` has the details"),
                    exit::ERROR,
                )
                .with(reason.into_iter().collect())
            }
            OperateError::StillThere { nodes } => Failure::new(
                "HPC2082",
                "the experiment completed, but nodes are still there",
                "see them with `hpcctl status FILE`; `hpcctl interrupt` can be run again",
                exit::ERROR,
            )
            .with(nodes),
            OperateError::NotApplied { cluster } => Failure::new(
                "HPC2007",
                format!("cluster {cluster} was never applied here"),
                "apply it first, or check account and region",
                exit::ERROR,
            ),
            OperateError::Refused { words } => Failure::new(
                "HPC2083",
                format!("the head node did not carry the order out: {words}"),
                "mend what it says and give the order again",
                exit::ERROR,
            ),
            OperateError::Unanswered { id, seconds } => Failure::new(
                "HPC2084",
                format!("the head node did not answer order {id} within {seconds} s"),
                "see `hpcctl ssh FILE -- systemctl status hpcctl-sync`; the order stays and will be carried out",
                exit::ERROR,
            ),
            OperateError::Interrupted => Failure::new(
                "HPC2090",
                "interrupted: what was begun goes on in the cloud",
                "look with `hpcctl status FILE`",
                exit::INTERRUPTED,
            ),
        }
    }
}

impl From<RehearsalError> for Failure {
    fn from(error: RehearsalError) -> Self {
        const BEGIN: &str = "`hpcctl apply FILE --cloud sandbox --with-slurm` starts a rehearsal";
        match error {
            RehearsalError::Cloud(error) => error.into(),
            RehearsalError::NotRoot => Failure::new(
                "HPC2095",
                "a rehearsal and its account belong to root",
                "run the command as root, such as with sudo",
                exit::ERROR,
            ),
            RehearsalError::Missing { programs, packages } => Failure::new(
                "HPC2095",
                format!("a rehearsal needs {} on this machine", programs.join(", ")),
                format!("apt-get install --no-install-recommends {}", packages.join(" ")),
                exit::ERROR,
            ),
            RehearsalError::OtherSlurm { here, wanted } => Failure::new(
                "HPC2096",
                format!("this machine has Slurm {here}, the cluster's image has {wanted}"),
                match here.as_str() {
                    "22.05" => "rehearse a copy of the file with `image: {os: debian12}`",
                    "23.11" => "rehearse a copy of the file with `image: {os: ubuntu2404}`",
                    "21.08" => "rehearse a copy of the file with `image: {os: ubuntu2204}`",
                    _ => "rehearse on a machine with the image's system",
                },
                exit::ERROR,
            ),
            RehearsalError::Start { what, log, path } => {
                Failure::new("HPC2097", format!("{what} did not come up"), format!("see {path}"), exit::ERROR).with(log)
            }
            RehearsalError::NotRunning => Failure::new("HPC2098", "no rehearsal runs", BEGIN, exit::ERROR),
            RehearsalError::NoMachine { instance } => Failure::new(
                "HPC2098",
                format!("the machine of {instance} does not run"),
                "it boots a second after its launch; `hpcctl rehearsal status` lists what runs",
                exit::ERROR,
            ),
            RehearsalError::Failed { what, why } => Failure::new(
                "HPC2099",
                format!("failed to use `{what}`: {why}"),
                "`hpcctl rehearsal stop` ends what runs",
                exit::ERROR,
            ),
            RehearsalError::UnknownCall { words } => Failure::new(
                "HPC2099",
                format!("`aws {words}` is not known in a rehearsal"),
                "it knows the calls of hpcctl's own scripts",
                exit::ERROR,
            ),
        }
    }
}

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
            PlanError::Refused { file, refusals } => super::refusals::failure(&file, &refusals),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Cloud(error) => error.into(),
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
            ApplyError::Locked { lock } => locked(&lock),
            ApplyError::LockLost => Failure::new(
                "HPC2021",
                "the lock was lost",
                "see who applies with `hpcctl status`, then apply again",
                exit::LOCKED,
            ),
            ApplyError::Stack { stack, status, reason, resources } => {
                let mut details: Vec<String> = resources
                    .iter()
                    .map(|failed| format!("{}  {}  {}", failed.address, failed.status, failed.reason))
                    .collect();
                details.extend(reason.filter(|_| resources.is_empty()));
                Failure::new(
                    "HPC2030",
                    format!("stack {stack} ended in {status}"),
                    "mend the cause and apply again",
                    exit::ERROR,
                )
                .with(details)
            }
            ApplyError::NotDeleted { stack, resources } => {
                let details = resources.iter().map(|left| {
                    let id = left.physical_id.as_deref().unwrap_or_default();
                    format!("{}  {}  {id}  {}", left.address, left.resource_type, left.reason)
                });
                Failure::new(
                    "HPC2130",
                    format!("stack {stack} is updated, but something that left it was not deleted"),
                    "it still exists, costs money and is in no stack: mend the cause, delete it, and apply again",
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
                    "mend what the report names and run the command again",
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
            ApplyError::StillUsed { left, minutes } => Failure::new(
                "HPC2150",
                format!("{} still run jobs after {minutes} min", words::count(left, "compute instance")),
                "apply again when they have ended, or give them more time with `--wait-for-jobs MINUTES`",
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
                "see what holds it, or stop it by force in EC2, then apply again",
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
            ApplyError::StoppedWaiting { revision } => super::head::stopped(revision),
            ApplyError::HeadFailed { revision, instance, failure } => {
                super::head::failed(revision, &instance, &failure)
            }
            ApplyError::HeadSilent(silence) => super::head::silent(&silence),
        }
    }
}

/// What refuses to go. Where stacks alone do, one key of the cluster file switches that off.
fn refusal(obstacles: &[Obstacle]) -> Failure {
    let details = obstacles.iter().map(words::obstacle).collect();
    let stacks = obstacles.iter().all(|one| matches!(one, Obstacle::Stack { .. }));
    let failure = if stacks {
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

/// The interruption.
pub fn interrupted() -> Failure {
    Failure::new("HPC2090", "interrupted: nothing new was begun", "apply again to go on from there", exit::INTERRUPTED)
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

fn locked(lock: &LockInfo) -> Failure {
    let details = vec![
        format!("by {} on {} (process {})", lock.owner.arn, lock.owner.host, lock.owner.pid),
        format!("plan {}, since {}, last renewed {}", lock.plan, lock.since, lock.renewed),
    ];
    Failure::new(
        "HPC2020",
        "the cluster is locked",
        "wait, or `hpcctl unlock FILE` when you know that nobody applies",
        exit::LOCKED,
    )
    .with(details)
}

/// All failures of an apply, one after the other, and what was not begun.
pub fn applied_text(applied: &Applied, paint: Paint) -> String {
    let mut out = String::new();
    for failure in &applied.failed {
        let as_failure: Failure = failure.error.clone().into();
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
