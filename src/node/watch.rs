//! `hpcctl node watch`: looks out for EC2's notices on a spot node.
//!
//! Facts: the notice comes two minutes before the end, and EC2 advises to look every 5 seconds
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>); a rebalance
//! recommendation may come earlier, or not at all.

use super::{
    Event, Events, Home, Machine, NodeError, Slurm,
    interruption::Interrupted,
    reasons::REBALANCE,
    saves::{Done, Owned, SaveWhy, Saver, Saves},
};
use crate::{
    cloud::{Cloud, Interruption, Timestamp},
    render::PoolConfig,
    spec::{Checkpoint, OnInterruption},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

/// Between looks for the notice.
const LOOK: Duration = Duration::from_secs(5);
/// Everything else is looked at so much less often: every 30 seconds.
const RARELY: u32 = 6;
/// The longest notice that EC2 gives, in seconds: a node whose clock is wrong does not count on more.
const NOTICE: i64 = 120;
/// Where the program remembers how far it got.
const MEMORY: &str = "watch.json";

/// A node to watch.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// The ports.
    pub cloud: &'w Cloud,
    /// hpcctl's files.
    pub home: &'w Home,
    /// The machine.
    pub machine: &'w Machine,
    /// The node's pool.
    pub pool: &'w PoolConfig,
    /// The node's name in Slurm.
    pub node: &'w str,
    /// The head node's address, for the time before slurmd has fetched a slurm.conf.
    pub head: Option<&'w str>,
}

/// What outlives a restart of the program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The notice that is being dealt with.
    notice: Option<Interruption>,
    /// When the node goes, by its own clock.
    pub ends: Timestamp,
    /// Jobs that were saved since.
    pub saved: BTreeSet<u64>,
    /// The rebalance recommendation for which the node was drained: once, since people may resume it.
    rebalance: Option<Timestamp>,
}

/// Watches until EC2 takes the node back and all is done that can be; then the node powers off.
///
/// # Errors
/// When the node cannot be powered off. Everything else is an event, and goes on.
pub async fn watch(of: &Watch<'_>, events: Events<'_>) -> Result<(), NodeError> {
    let Watch { pool, node, .. } = of;
    if !pool.watch {
        events(Event::NotWatched { node: (*node).to_owned() });
        return Ok(());
    }
    events(Event::Watching { node: (*node).to_owned() });
    let mut memory: Memory = of.home.remembered(MEMORY).ok().flatten().unwrap_or_default();
    let (mut saves, mut last_saves, mut blind) = (Saves::default(), BTreeMap::new(), false);
    for look in 0u32.. {
        match of.cloud.metadata.interruption().await {
            Ok(Some(notice)) => return of.interrupted(notice, memory, saves, events).await,
            // Said once, not every five seconds.
            Ok(None) if blind => {
                blind = false;
                events(Event::Sees);
            }
            Err(error) if !blind => {
                blind = true;
                events(Event::Failed { step: "ask the instance metadata", error: error.into() });
            }
            Ok(None) | Err(_) => {}
        }
        if look.is_multiple_of(RARELY) {
            of.rebalance(&mut memory, events).await;
            of.save_due(&mut last_saves, &mut saves);
        }
        of.pause(&mut saves, events).await;
    }
    Ok(())
}

impl<'w> Watch<'w> {
    async fn interrupted(
        &'w self,
        notice: Interruption,
        mut memory: Memory,
        saves: Saves<'w>,
        events: Events<'_>,
    ) -> Result<(), NodeError> {
        if memory.notice.as_ref() != Some(&notice) {
            let ends = notice.at.min(self.cloud.clock.now().plus(NOTICE));
            memory = Memory { ends, saved: BTreeSet::new(), notice: Some(notice.clone()), ..memory };
        }
        if let Err(error) = self.remember(&memory) {
            events(Event::Failed { step: "remember the notice", error });
        }
        let mut interrupted = Interrupted { watch: self, memory, events };
        interrupted.say(Event::Interrupted { action: notice.action, at: notice.at });
        interrupted.run(saves).await
    }

    /// Drains the node when EC2 recommends to move: its jobs run on, new ones start where the capacity is better.
    async fn rebalance(&self, memory: &mut Memory, events: Events<'_>) {
        // A failure shows at the look for the notice, which asks the same service.
        let Ok(Some(since)) = self.cloud.metadata.rebalance().await else { return };
        if memory.rebalance == Some(since) || self.pool.on_interruption == OnInterruption::None {
            return;
        }
        events(Event::Rebalance { since });
        let reason = format!("reason={REBALANCE}");
        let change = ["state=drain", reason.as_str()];
        let slurm = self.slurm().within(LOOK);
        match slurm.update_nodes(&[self.node.to_owned()], &change).await {
            Ok(()) => events(Event::Drained { node: self.node.to_owned() }),
            Err(error) => return events(Event::Failed { step: "drain the node", error }),
        }
        memory.rebalance = Some(since);
        if let Err(error) = self.remember(memory) {
            events(Event::Failed { step: "remember the recommendation", error });
        }
    }

    /// Begins to save the jobs whose `interval_minutes` have passed: those whose batch script runs here, so that a job of
    /// many nodes is saved once.
    fn save_due(&'w self, last: &mut BTreeMap<u64, Timestamp>, saves: &mut Saves<'w>) {
        let Some(minutes) = self.saved_by().and_then(|settings| settings.interval_minutes) else { return };
        let Some(saver) = self.saver() else { return };
        let (now, every) = (self.cloud.clock.now(), i64::from(minutes) * 60);
        let processes = self.machine.processes();
        let jobs = processes.jobs();
        last.retain(|job, _| jobs.contains(job));
        for job in jobs {
            let Some(script) = processes.script(job) else { continue };
            let before = last.entry(job).or_insert(now);
            if now.0 - before.0 >= every && !saves.has(job) {
                *before = now;
                let within = Duration::from_secs(u64::from(minutes) * 60);
                saves.begin(job, saver.save(Owned::of(job, script), SaveWhy::Interval, within));
            }
        }
    }

    /// Waits for the next look, and hears of saves that end meanwhile.
    async fn pause(&self, saves: &mut Saves<'_>, events: Events<'_>) {
        let mut sleep = pin!(self.cloud.clock.sleep(LOOK));
        loop {
            tokio::select! {
                () = &mut sleep => return,
                Some(Done { job, why, result }) = saves.next(), if !saves.is_empty() => {
                    events(Event::saved(job, why, result));
                }
            }
        }
    }

    /// How jobs are saved, when they are.
    pub(super) fn saved_by(&self) -> Option<&'w Checkpoint> {
        self.pool.checkpoint.as_ref().filter(|_| self.pool.on_interruption == OnInterruption::Checkpoint)
    }

    pub(super) fn saver(&self) -> Option<Saver<'w>> {
        let Self { machine, node, pool, .. } = *self;
        let settings = self.saved_by()?;
        Some(Saver { machine, settings, node, slurm_bin: &pool.slurm_bin, slurm_conf: self.conf() })
    }

    /// Slurm's commands here.
    pub(super) fn slurm(&self) -> Slurm {
        Slurm::new(&self.pool.slurm_bin, self.conf())
    }

    fn conf(&self) -> PathBuf {
        let fetched = &self.machine.fetched_conf;
        self.home.slurm_conf(fetched, &self.pool.cluster, self.head).unwrap_or_else(|_| fetched.clone())
    }

    pub(super) fn remember(&self, memory: &Memory) -> Result<(), NodeError> {
        self.home.remember(MEMORY, memory)
    }
}
