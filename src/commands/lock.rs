//! `lock`: who works on a cluster, and taking the lock of somebody who is gone.

use super::{cli::Global, cloud::on_cloud, load::checked, output::Output, process};
use crate::{
    apply::{self, ApplyError, Stop},
    cloud::{Cloud, Timestamp},
    observe::{self, Live, LockInfo, keys},
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
        /// The cluster file
        file: PathBuf,
        /// How to show it
        #[arg(long, value_enum, default_value_t = LockFormat::Text)]
        format: LockFormat,
    },
    /// Take the lock of somebody who is gone
    Release {
        /// The cluster file
        file: PathBuf,
        /// Take it from somebody who may still be at work, too
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
    let (_, cluster) = checked(file, output)?;
    let (name, region) = (cluster.name.as_str().to_owned(), cluster.region.as_str().to_owned());
    on_cloud(global, Some(&region.clone()), |cloud, _| async move {
        let bucket = keys::bucket_name(&cloud.identity.caller().await?.account, &region);
        let there = cloud.objects.bucket_exists(&bucket).await?;
        let lock = if there { observe::lock(&cloud, &bucket, &name).await? } else { None };
        match command {
            LockCommand::Show { format, .. } => output.data(&shown(&name, lock.as_ref(), *format)),
            LockCommand::Release { force, .. } => output.data(&release(&cloud, &bucket, &name, lock, *force).await?),
        }
        Ok(exit::OK)
    })
}

fn shown(cluster: &str, lock: Option<&LockInfo>, format: LockFormat) -> String {
    match (format, lock) {
        (LockFormat::Json, lock) => {
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

/// Takes a lock away, by force only from who may still be at work: two at once could delete what the other builds.
async fn release(
    cloud: &Cloud,
    bucket: &str,
    cluster: &str,
    lock: Option<LockInfo>,
    force: bool,
) -> Result<String, Failure> {
    let Some(lock) = lock else { return Ok(format!("{cluster} is not locked\n")) };
    if !force && is_held(&lock, cloud) {
        return Err(errors::still_held(&lock));
    }
    apply::unlock(cloud, bucket, cluster).await?;
    let owner = &lock.owner;
    Ok(format!("released {cluster}: {} on {} had it since {}\n", owner.arn, owner.host, lock.since))
}

/// Whether somebody may be at work under a lock: not known to be dead, and renewed within a lease.
fn is_held(lock: &LockInfo, cloud: &Cloud) -> bool {
    !process::is_dead(&lock.owner) && lock.is_fresh(cloud.clock.now())
}

/// How long to wait for others.
#[derive(Debug, Clone, Copy, Args)]
pub struct Patience {
    /// How many minutes to wait for somebody else who works on the cluster
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    lock_timeout: u64,
}

impl Patience {
    /// Until when to wait, beginning now.
    pub fn until(self, now: Timestamp) -> Timestamp {
        now.after(Duration::from_secs(self.lock_timeout.saturating_mul(60)))
    }
}

/// Between two looks at what somebody else does.
pub const LOOK: Duration = Duration::from_secs(5);

/// Looks until nobody else is at work, neither under the lock, for as long as there is patience, nor in CloudFormation.
pub async fn settled<F, L>(
    cloud: &Cloud,
    stop: &Stop,
    output: &Output,
    patience: Patience,
    look: L,
) -> Result<Live, Failure>
where
    F: Future<Output = Result<Live, Failure>>,
    L: Fn() -> F,
{
    let until = patience.until(cloud.clock.now());
    let (mut told, mut waited) = (None, false);
    loop {
        let live = look().await?;
        let held = live.lock.as_ref().filter(|lock| is_held(lock, cloud));
        let busy = live.stacks.values().filter(|stack| stack.state.status.in_progress());
        let busy: Vec<&str> = busy.map(|stack| stack.state.name.as_str()).collect();
        let words = match held {
            Some(lock) if cloud.clock.now() >= until => {
                return Err(ApplyError::Locked { lock: Box::new(lock.clone()) }.into());
            }
            Some(lock) => format!("waiting for {} on {}, who works on the cluster", lock.owner.arn, lock.owner.host),
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
