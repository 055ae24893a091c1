//! `lock`: who works on a cluster, and taking the lock of somebody who is gone.

use super::{
    cli::Global,
    cloud::on_cloud,
    load::{Target, target},
    output::Output,
    process,
};
use crate::{
    apply::{self, ApplyError, Released, Stop},
    cloud::Cloud,
    observe::{self, FoundLock, LEASE, Live, Watch, keys},
    report::{
        errors::{self, Failure, exit},
        words,
    },
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// `lock` and what it does.
#[derive(Debug, Subcommand)]
pub enum LockCommand {
    /// Show who works on a cluster
    Show {
        /// The cluster file, or the cluster's name with --region
        file: PathBuf,
        /// How to show it
        #[arg(long, value_enum, default_value_t = LockFormat::Text)]
        format: LockFormat,
    },
    /// Take the lock of somebody who is gone
    Release {
        /// The cluster file, or the cluster's name with --region
        file: PathBuf,
        /// Take it at once, without looking whether its owner is at work
        #[arg(long)]
        force: bool,
    },
}

/// How to show a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LockFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Shows or releases a lock.
pub fn lock(command: &LockCommand, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let (LockCommand::Show { file, .. } | LockCommand::Release { file, .. }) = command;
    let Target { name, region, .. } = target(file, global, output)?;
    on_cloud(global, Some(&region.clone()), |cloud, stop| async move {
        let bucket = keys::bucket_name(&cloud.identity.caller().await?.account, &region);
        let there = cloud.objects.bucket_exists(&bucket).await?;
        let lock = if there { observe::lock(&cloud, &bucket, &name).await? } else { None };
        match command {
            LockCommand::Show { format, .. } => output.data(&shown(&name, lock.as_ref(), *format)),
            LockCommand::Release { force, .. } => {
                let Some(lock) = lock else {
                    output.data(&format!("{name} is not locked\n"));
                    return Ok(exit::OK);
                };
                let forced = *force || is_dead(&lock);
                if !forced {
                    output.note(&format!(
                        "watching the lock of {} for {} min: it is released when nobody renews it; `--force` does not wait",
                        words::whose(&lock),
                        LEASE.as_secs() / 60
                    ));
                }
                let waits = || !stop.is_set();
                let released = apply::unlock(&cloud, &bucket, &name, lock.clone(), forced, &waits).await?;
                output.data(&told(&name, &lock, released)?);
            }
        }
        Ok(exit::OK)
    })
}

fn shown(cluster: &str, lock: Option<&FoundLock>, format: LockFormat) -> String {
    match (format, lock) {
        (LockFormat::Json, lock) => {
            let lock = words::lock_json(lock);
            let value = json!({"kind": "hpcctl.lock", "format_version": "1.0", "cluster": cluster, "lock": lock});
            format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())
        }
        (LockFormat::Text, None) => format!("{cluster} is not locked\n"),
        (LockFormat::Text, Some(lock)) => {
            let lines: Vec<String> = words::lock(lock).into_iter().map(|line| format!("  {line}\n")).collect();
            format!("{cluster} is locked\n{}", lines.concat())
        }
    }
}

/// What came of a release.
fn told(cluster: &str, lock: &FoundLock, released: Released) -> Result<String, Failure> {
    match released {
        Released::Done => {
            let since = lock.info.as_ref().map_or_else(String::new, |info| format!(" since {}", info.since));
            Ok(format!("released {cluster}: {} had it{since}\n", words::whose(lock)))
        }
        Released::Gone => Ok(format!("{cluster} is not locked any more\n")),
        Released::Renewed(now) => Err(errors::still_held(&now)),
        Released::Passed(now) => Err(errors::passed_on(&now)),
        Released::Unknown => Err(errors::interrupted()),
    }
}

/// Whether the owner of a lock is known to have died.
fn is_dead(lock: &FoundLock) -> bool {
    lock.info.as_ref().is_some_and(|info| process::is_dead(&info.owner))
}

/// Whether somebody seems to be at work under a lock.
fn is_held(lock: &FoundLock, cloud: &Cloud) -> bool {
    !is_dead(lock) && !lock.seems_silent(cloud.clock.now())
}

/// A failure with the name of who works on the cluster, when somebody else does: it may come of what he does.
pub async fn with_owner(cloud: &Cloud, cluster: &str, mut failure: Failure) -> Failure {
    const OTHERS_MAY: [&str; 7] = ["HPC2001", "HPC2003", "HPC2010", "HPC2021", "HPC2030", "HPC2061", "HPC2151"];
    if !OTHERS_MAY.contains(&failure.code) {
        return failure;
    }
    let Ok(caller) = cloud.identity.caller().await else { return failure };
    let bucket = keys::bucket_name(&caller.account, &cloud.region);
    // What fails here changes nothing about the failure.
    if let Ok(Some(lock)) = observe::lock(cloud, &bucket, cluster).await
        && !is_dead(&lock)
    {
        failure.details.push(format!("somebody works on the cluster: {}", words::lock(&lock).join("; ")));
    }
    failure
}

/// How long to wait for others.
#[derive(Debug, Clone, Copy, Args)]
pub struct Patience {
    /// How many minutes to wait for somebody else who works on the cluster [default: none, or 10 for a lock that nobody
    /// seems to renew]
    #[arg(long, value_name = "MINUTES")]
    lock_timeout: Option<u64>,
}

/// How others are waited for, from the first look on.
#[derive(Debug, Clone, Default)]
pub struct Wait {
    /// Until when, by the clock that nobody sets; `None`: nobody said.
    pub until: Option<Duration>,
    /// How long their lock has stood still.
    pub watch: Watch,
}

impl Patience {
    /// The wait that begins now.
    pub fn begins(self, cloud: &Cloud) -> Wait {
        let minutes =
            |minutes: u64| cloud.clock.elapsed().saturating_add(Duration::from_secs(minutes.saturating_mul(60)));
        Wait { until: self.lock_timeout.map(minutes), watch: Watch::default() }
    }
}

/// Between two looks at what somebody else does.
pub const LOOK: Duration = Duration::from_secs(5);

/// Looks until nobody else is at work, neither under the lock, for as long as there is patience, nor in CloudFormation.
pub async fn settled<F, L>(
    cloud: &Cloud,
    stop: &Stop,
    output: &Output,
    wait: &mut Wait,
    look: L,
) -> Result<Live, Failure>
where
    F: Future<Output = Result<Live, Failure>>,
    L: Fn() -> F,
{
    let Wait { until, watch } = wait;
    let (mut told, mut waited) = (None, false);
    loop {
        let live = look().await?;
        let still = |lock: &FoundLock| watch.look(&lock.etag, cloud.clock.elapsed()) >= LEASE;
        let silent = live.lock.as_ref().is_some_and(still);
        let held = live.lock.as_ref().filter(|lock| is_held(lock, cloud) && !silent);
        let busy = live.stacks.values().filter(|stack| stack.state.status.in_progress());
        let busy: Vec<&str> = busy.map(|stack| stack.state.name.as_str()).collect();
        let words = match held {
            Some(lock) if until.is_none_or(|until| cloud.clock.elapsed() >= until) => {
                return Err(ApplyError::Locked { lock: Box::new(lock.clone()) }.into());
            }
            Some(lock) => format!("waiting for {}, who works on the cluster", words::whose(lock)),
            // What was seen while others were at work may be halfway: one more look, when they have ended.
            None if busy.is_empty() && !std::mem::take(&mut waited) => return Ok(live),
            None if busy.is_empty() => continue,
            None => format!("waiting for CloudFormation to finish with {}", busy.join(", ")),
        };
        if stop.is_set() {
            return Err(errors::interrupted());
        }
        if told.as_ref() != Some(&words) {
            output.note(&words);
            told = Some(words);
        }
        waited = true;
        cloud.clock.sleep(LOOK).await;
    }
}

/// Tells who reads only that somebody is at work: what is shown may be halfway.
pub fn tell(live: &Live, cloud: &Cloud, output: &Output) {
    if let Some(lock) = live.lock.as_ref().filter(|lock| is_held(lock, cloud)) {
        output.note(&format!(
            "somebody works on the cluster, what is shown may be halfway: {}",
            words::lock(lock).join("; ")
        ));
    }
}
