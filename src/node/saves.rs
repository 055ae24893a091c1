//! Saving jobs: the pool's `checkpoint.command`, run for a job as its user.

use super::{Machine, NodeError, machine::Script, processes::Call};
use crate::spec::Checkpoint;
use futures_util::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a job is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveWhy {
    /// Every `interval_minutes`.
    Interval,
    /// Its node goes.
    Interruption,
}

/// A job to save: its number, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned {
    pub job: u64,
    pub uid: u32,
    pub gid: u32,
}

impl Owned {
    /// The job of a batch script.
    pub fn of(job: u64, script: Script) -> Self {
        Self { job, uid: script.uid, gid: script.gid }
    }
}

/// A save that came to its end.
#[derive(Debug)]
pub(super) struct Done {
    pub job: u64,
    pub why: SaveWhy,
    pub result: Result<(), NodeError>,
}

/// Saves under way, one of a job at a time: two would write the same files.
#[derive(Default)]
pub(super) struct Saves<'s> {
    running: FuturesUnordered<LocalBoxFuture<'s, Done>>,
    jobs: BTreeSet<u64>,
}

impl<'s> Saves<'s> {
    pub fn begin(&mut self, job: u64, save: LocalBoxFuture<'s, Done>) {
        self.jobs.insert(job);
        self.running.push(save);
    }

    /// Whether a job is being saved.
    pub fn has(&self, job: u64) -> bool {
        self.jobs.contains(&job)
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The next save that ends; `None` when there is none.
    pub async fn next(&mut self) -> Option<Done> {
        let done = self.running.next().await?;
        self.jobs.remove(&done.job);
        Some(done)
    }
}

/// What saves need to know.
#[derive(Debug, Clone)]
pub(super) struct Saver<'s> {
    pub machine: &'s Machine,
    pub settings: &'s Checkpoint,
    pub node: &'s str,
    pub slurm_bin: &'s str,
    pub slurm_conf: PathBuf,
}

impl<'s> Saver<'s> {
    /// Saves a job within `patience`.
    pub fn save(&self, of: Owned, why: SaveWhy, patience: Duration) -> LocalBoxFuture<'s, Done> {
        let saver = self.clone();
        Box::pin(async move {
            let user = saver.machine.user(of.uid, of.gid).await;
            let environment = saver.environment(of.job, user.known.as_ref(), why, patience);
            let call = Call::shell_as(&user, &saver.settings.command, environment);
            let result = saver.machine.run(&call, patience).await.map(drop);
            Done { job: of.job, why, result }
        })
    }

    /// The command's environment: Slurm's names where Slurm has one.
    fn environment(
        &self,
        job: u64,
        user: Option<&(String, String)>,
        why: SaveWhy,
        patience: Duration,
    ) -> Vec<(String, String)> {
        let path = self.machine.path.clone();
        let path = path.unwrap_or_else(|| format!("{}:/usr/local/bin:/usr/bin:/bin", self.slurm_bin));
        let reason = match why {
            SaveWhy::Interval => "interval",
            SaveWhy::Interruption => "interruption",
        };
        let directory = Path::new(self.settings.directory.as_str()).join(job.to_string());
        let mut all = vec![
            ("PATH", path),
            ("SLURM_CONF", self.slurm_conf.display().to_string()),
            ("SLURM_JOB_ID", job.to_string()),
            ("SLURMD_NODENAME", self.node.to_owned()),
            ("HPCCTL_CHECKPOINT_DIR", directory.display().to_string()),
            ("HPCCTL_CHECKPOINT_REASON", reason.to_owned()),
            ("HPCCTL_SECONDS_LEFT", patience.as_secs().to_string()),
        ];
        if let Some((name, home)) = user {
            all.extend([("USER", name.clone()), ("LOGNAME", name.clone()), ("HOME", home.clone())]);
        }
        all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
