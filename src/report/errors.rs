//! Failures as text: a code, what happened, and what to do.

use super::{paint::Paint, words};
use crate::{
    apply::{Applied, ApplyError, LockInfo},
    cloud::{CloudError, ErrorKind, ExperimentStatus},
    node::NodeError,
    observe::ObserveError,
    operate::OperateError,
    plan::{Moved, PlanError},
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

/// The codes of failures, with a title and a page each. Findings about cluster files have their own table.
pub static CODES: &[(&str, &str, &str)] = &[
    (
        "HPC1000",
        "the cluster file has mistakes",
        "Every mistake was listed with a code and a place of its own; nothing was done.",
    ),
    (
        "HPC2001",
        "a call to the cloud failed",
        "The service answered with an error after the retries that such an error deserves. The message is the service's own; the request id helps AWS support.",
    ),
    (
        "HPC2002",
        "no credentials",
        "hpcctl finds credentials as the AWS CLI does: environment, profile, SSO, instance role. Without an account, `--cloud sandbox` runs everything in this process.",
    ),
    (
        "HPC2003",
        "a stack is busy",
        "CloudFormation works on a stack of the cluster. A plan made now would be stale at once. `apply` and `destroy` wait; `plan` refuses.",
    ),
    (
        "HPC2004",
        "access denied",
        "The credentials do not allow the call. The message names the action and the resource.",
    ),
    ("HPC2005", "a file cannot be read or written", "The path, or the rights on it, are wrong."),
    (
        "HPC2006",
        "the archive cannot be read",
        "The newest revision in the artifact bucket is damaged. Versions of the object are kept: restore the one before.",
    ),
    ("HPC2007", "something was not found", "The name does not fit anything that exists; the message lists what does."),
    (
        "HPC2010",
        "the plan is stale",
        "What the plan was made against has moved: each thing that moved is listed with its state then and now. Make a new plan. States that the plan itself led to, in an apply that was interrupted, do not count.",
    ),
    (
        "HPC2011",
        "the plan file was edited",
        "The digest in the plan does not fit its content. A plan is applied as it was reviewed, or not at all.",
    ),
    (
        "HPC2012",
        "the plan was made offline",
        "It was compared with nothing, so it cannot say what exists. Make a plan with a cloud to apply it.",
    ),
    (
        "HPC2013",
        "the plan is for another account",
        "The caller's account is not the one that the plan was made against.",
    ),
    ("HPC2014", "the plan file cannot be used", "It is not a plan, or its format has another major version."),
    (
        "HPC2020",
        "the cluster is locked",
        "Somebody applies to this cluster. The lock is a lease: it is renewed every minute and may be taken over ten minutes after the last renewal, or at once when its owner was a process of this machine that has died. `hpcctl unlock` takes it away.",
    ),
    (
        "HPC2021",
        "the lock was lost",
        "Somebody took the lock away while the plan was applied. Nothing new was begun; what ran was followed to its end.",
    ),
    (
        "HPC2030",
        "a stack failed",
        "CloudFormation could not do what the template asks. The first resource that failed is the cause; CloudFormation rolls the stack back by itself. Mend the cause and apply again: a stack that could not be made is cleared and made anew.",
    ),
    ("HPC2031", "a value between stacks is missing", "A stack needs an output that the stack before it does not have."),
    (
        "HPC2032",
        "a value from AWS is missing",
        "The vendor has no image for operating system and architecture in this region (name one with `image.ami`), or a subnet that the cluster file names does not exist.",
    ),
    (
        "HPC2034",
        "there is no hpcctl for the nodes",
        "Nodes run the very hpcctl that made their files: `apply` puts it into the artifact bucket. For nodes with another processor than this machine's, `hpcctl-x86_64` or `hpcctl-aarch64` must lie beside hpcctl or in the folder that HPCCTL_NODE_PROGRAMS names; `tools/release` builds both.",
    ),
    (
        "HPC2035",
        "hpcctl is too new for the nodes",
        "It was built against a newer C library than the oldest of the supported operating systems has. `tools/release` builds one that runs on all of them.",
    ),
    (
        "HPC2040",
        "approval is missing",
        "Nobody was there to ask. `--auto-approve` approves everything that loses no data.",
    ),
    (
        "HPC2041",
        "data would be lost",
        "A file system, volume or database goes without export or snapshot. Approve each by its address with `--approve-data-loss ADDRESS`, or choose `on_destroy: export`, `snapshot` or `keep`.",
    ),
    (
        "HPC2042",
        "the cluster is protected against deletion",
        "`deletion_protection: true` switches on CloudFormation's termination protection of every stack. Destroying begins with an apply that switches it off, which is a change that a reviewer sees.",
    ),
    (
        "HPC2050",
        "a data transfer failed",
        "The data-repository task ended without success, or some files failed. The report in S3 names each file. The command can be run again: what is in S3 already is not written twice.",
    ),
    (
        "HPC2051",
        "the file system has no link with S3",
        "A transfer needs `data_repository` or a `data_repository_associations` entry.",
    ),
    ("HPC2052", "the file system is not available", "It does not exist, or it is being made, changed or deleted."),
    (
        "HPC2060",
        "something is left",
        "After the destroy, things with the cluster's tag or name still exist. Each is listed.",
    ),
    (
        "HPC2070",
        "a program of a node failed",
        "`hpcctl node ...` runs on the cluster's nodes, called by Slurm and systemd. Its files are in /opt/hpcctl/etc and /var/lib/hpcctl, its logs in /var/log/hpcctl. What it left undone, `hpcctl node sync` does within a minute.",
    ),
    (
        "HPC2080",
        "no such node",
        "A node is known by its name in Slurm, by `head`, `login` or `login-POOL`, or by its instance's id. Only what runs has a name: compute nodes come and go with their jobs.",
    ),
    (
        "HPC2081",
        "no spot node to interrupt",
        "`interrupt` takes spot nodes that run: no other can be interrupted. The message lists what the queue has.",
    ),
    (
        "HPC2082",
        "an experiment failed",
        "Fault Injection Service could not interrupt the nodes, or not all of them, or somebody stopped it. The reason is the service's own. Its template is deleted; run the command again to try again.",
    ),
    (
        "HPC2083",
        "the head node did not carry an order out",
        "Orders are written to the artifact bucket and carried out by `hpcctl node sync` on the head node, which says what went wrong. /var/log/slurm/slurmctld.log on the head node often knows more.",
    ),
    (
        "HPC2084",
        "the head node does not answer",
        "The order is in the artifact bucket and is carried out when the head node reads it, even if nobody waits any more. `hpcctl ssh FILE -- systemctl status hpcctl-sync` shows whether it does.",
    ),
    (
        "HPC2085",
        "a program is missing",
        "`ssh` and `dcv` run programs of this machine: the AWS CLI, the Session Manager plugin, an SSH client.",
    ),
    (
        "HPC2086",
        "there is no such way to the node",
        "A public address can be used only where the node has one and the cluster file opens it (`ssh_from`, `dcv.allowed_from`); Session Manager works without both. The sandbox has machines only while a rehearsal runs.",
    ),
    (
        "HPC2087",
        "there is no desktop",
        "A desktop needs `dcv` in the cluster file, and the node's set-up must be done. /var/log/hpcctl-boot.log on the node says how far it is.",
    ),
    (
        "HPC2090",
        "interrupted",
        "Nothing new was begun. CloudFormation goes on with what runs; apply again to go on from there.",
    ),
    (
        "HPC2095",
        "this machine cannot rehearse",
        "`--with-slurm` runs Slurm's daemons in namespaces of this machine: it needs Linux, root, and the packages that the message lists.",
    ),
    (
        "HPC2096",
        "this machine has another Slurm than the image",
        "A rehearsal runs this machine's Slurm with the configuration that was written for the image's. They must be of one version: Debian 12 has 22.05, Ubuntu 24.04 23.11, Ubuntu 22.04 21.08. Rehearse a copy of the file that names this machine's system in `image.os`.",
    ),
    (
        "HPC2097",
        "the rehearsal did not come up",
        "The namespaces could not be made, or the head node's set-up failed. The end of the log is in the message; the whole log is in the file that it names.",
    ),
    (
        "HPC2098",
        "no such machine runs",
        "No rehearsal runs for this state file, or the node's machine has ended. `hpcctl apply FILE --cloud sandbox --with-slurm` starts a rehearsal.",
    ),
    (
        "HPC2099",
        "the rehearsal failed",
        "A file could not be used or a program failed. `hpcctl rehearsal stop` ends what runs; everything else of it is in its directory beside the sandbox's state file.",
    ),
];

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
            PlanError::Protected { stacks } => Failure::new(
                "HPC2042",
                "the cluster is protected against deletion",
                "set `deletion_protection: false`, apply, and destroy again",
                exit::REFUSED,
            )
            .with(stacks),
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
            ApplyError::MissingOutput { stack, parameter } => Failure::new(
                "HPC2031",
                format!("stack {stack} needs `{parameter}`, which no stack gives"),
                "apply again; if it stays, the stack before it was changed by hand",
                exit::ERROR,
            ),
            ApplyError::Unresolved { parameter } => Failure::new(
                "HPC2032",
                format!("AWS had no value for `{parameter}` when the plan was made"),
                "for an image: name one with `image.ami`; for a zone: see that the subnet exists",
                exit::ERROR,
            ),
            ApplyError::Transfer { storage, task, lifecycle, message, files, report } => {
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
            ApplyError::Leftovers { left } => {
                let details = left.iter().map(|leftover| format!("{}  {}", leftover.kind, leftover.id)).collect();
                Failure::new("HPC2060", "something is left", "look at each, and run `destroy` again", exit::ERROR)
                    .with(details)
            }
            ApplyError::Interrupted => interrupted(),
        }
    }
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
