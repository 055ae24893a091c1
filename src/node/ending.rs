//! Ending jobs so that none is lost: each ends by itself as far as time allows, and goes back into the queue.

use super::{
    Event, NodeError, NodeJob, Slurm,
    interruption::Interrupted,
    machine::{Machine, Processes, Script},
    saves::Owned,
    timetable::{Ends, Timetable, Told},
};
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Between looks at what still runs.
const LOOK: Duration = Duration::from_secs(1);
/// slurmctld is asked at every third look only: each question costs it a lock.
const ASK: u32 = 3;
/// Seconds after which something that slurmctld refused is asked again.
const AGAIN: i64 = 10;

/// A job of this node.
#[derive(Debug, Clone)]
pub(super) struct Here {
    /// What slurmctld last said of it; `None`: nothing.
    slurm: Option<NodeJob>,
    /// Its batch script, when that runs here.
    pub script: Option<Script>,
    /// Slurm counts it among the node's jobs.
    held: bool,
    told: Option<Told>,
    /// Not to be told anything before so many seconds are left.
    rest: i64,
}

impl Here {
    /// A job of which only processes are seen.
    pub fn unknown() -> Self {
        Self { slurm: None, script: None, held: false, told: None, rest: i64::MAX }
    }

    /// A job that slurmctld knows.
    pub fn listed(job: NodeJob) -> Self {
        Self { held: true, slurm: Some(job), ..Self::unknown() }
    }

    /// Whether Slurm is ending it already.
    pub fn completing(&self) -> bool {
        self.slurm.as_ref().is_some_and(|job| job.completing)
    }

    /// Whose it is.
    pub fn owned(&self, job: u64) -> Option<Owned> {
        let listed = self.slurm.as_ref().map(|of| Owned { job, uid: of.uid, gid: of.gid });
        listed.or(self.script.map(|script| Owned::of(job, script)))
    }

    fn ends(&self) -> Ends {
        let traps = self.script.is_some_and(|script| script.catches_term);
        // Of a job that nobody described it is tried: slurmctld refuses what must not be.
        Ends { traps, requeue: self.slurm.as_ref().is_none_or(|job| job.batch && job.requeue) }
    }
}

impl Interrupted<'_, '_> {
    /// Ends the jobs of this node and waits for their processes.
    pub(super) async fn end(&mut self, table: &Timetable, mut jobs: BTreeMap<u64, Here>) {
        let ending = table.ending(self.left());
        for look in 1u32.. {
            let processes = self.watch.machine.processes();
            // slurmstepd itself stays as long as it cannot tell slurmctld: that is not waited for.
            jobs.retain(|job, here| here.held || !processes.of(*job).is_empty());
            let left = self.left();
            let due = jobs.iter().filter(|(_, here)| left <= here.rest);
            let due = due.filter_map(|(job, here)| Some((*job, ending.next(here.ends(), here.told, left)?)));
            let due: Vec<(u64, Told)> = due.collect();
            self.tell(&mut jobs, due, &processes, ending.over).await;
            if jobs.is_empty() || self.left() <= ending.over {
                break;
            }
            self.watch.cloud.clock.sleep(LOOK).await;
            if look.is_multiple_of(ASK) {
                self.ask(&mut jobs, ending.over).await;
            }
        }
        self.say(Event::JobsEnded { stay: jobs.keys().copied().collect() });
    }

    /// Tells jobs what they are to be told, all at once: slurmctld may need seconds for an answer.
    async fn tell(&mut self, jobs: &mut BTreeMap<u64, Here>, due: Vec<(u64, Told)>, here: &Processes, over: i64) {
        let (slurm, machine) = (self.slurm(over, 5), self.watch.machine);
        let all = due.into_iter().map(|(job, told)| tell(&slurm, machine, here, job, told));
        for (job, told, result) in join_all(all).await {
            let left = self.left();
            if let Some(one) = jobs.get_mut(&job) {
                match (&result, told) {
                    (Err(_), Told::Requeue) => one.rest = left - AGAIN,
                    _ => one.told = Some(told),
                }
            }
            self.say(match result {
                Ok(()) => Event::Told { job, told },
                Err(error) => Event::NotTold { job, told, error },
            });
        }
    }

    /// Asks which jobs Slurm still counts among the node's.
    async fn ask(&mut self, jobs: &mut BTreeMap<u64, Here>, over: i64) {
        // While slurmctld is away, what runs here is all that is known.
        let listed = self.slurm(over, 4).jobs_on(self.watch.node).await.unwrap_or_default();
        let held: BTreeMap<u64, NodeJob> = listed.into_iter().map(|job| (job.id, job)).collect();
        for (id, job) in &held {
            // One that was on its way when the node was drained.
            jobs.entry(*id).or_insert_with(|| Here::listed(job.clone()));
        }
        for (id, here) in jobs {
            here.held = held.get(id).is_some_and(|job| !job.completing);
        }
    }
}

/// Tells a job; TERM comes from here when slurmctld does not pass it on. A job is never requeued but by slurmctld: without
/// it a job that would fail of TERM is left alone, and is requeued when slurmctld finds that the node is gone.
async fn tell(
    slurm: &Slurm,
    machine: &Machine,
    here: &Processes,
    job: u64,
    told: Told,
) -> (u64, Told, Result<(), NodeError>) {
    let result = match told {
        Told::Script => slurm.term_script(job).await,
        Told::All => slurm.term_all(job).await,
        Told::Requeue => slurm.requeue(job).await,
    };
    let pids = match told {
        Told::Script => here.script(job).map(|script| script.pid).into_iter().collect(),
        Told::All => here.of(job),
        Told::Requeue => BTreeSet::new(),
    };
    if result.is_err() && !pids.is_empty() {
        return (job, told, machine.term(&pids).await);
    }
    (job, told, result)
}
