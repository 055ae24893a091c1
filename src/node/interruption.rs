//! The last two minutes of a node.
//!
//! Every step can be taken twice, fails without stopping the next one, and ends when its time is up: whatever slurmctld, a
//! job, or a file server does or does not do, the node lets go of Lustre and powers off.

use super::{
    Event, NodeError, Slurm,
    ending::Here,
    processes::Call,
    reasons::INTERRUPTION,
    saves::{Done, Owned, SaveWhy, Saves},
    timetable::{Timetable, patience},
    watch::{Memory, Watch},
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};

/// What a command needs to be killed in.
const KILLING: Duration = Duration::from_secs(2);

/// An interruption under way.
pub(super) struct Interrupted<'w, 'e> {
    pub watch: &'w Watch<'w>,
    pub memory: Memory,
    pub events: &'e mut dyn FnMut(Event),
}

impl<'w> Interrupted<'w, '_> {
    /// Does all that is to be done, in order.
    ///
    /// # Errors
    /// When the node cannot be powered off.
    pub async fn run(mut self, saves: Saves<'w>) -> Result<(), NodeError> {
        let saving = self.watch.saved_by().map(|settings| settings.budget_seconds);
        let table = Timetable::of(self.left(), saving);
        let jobs = self.drain(&table).await;
        if saving.is_some() {
            self.save(&table, &jobs, saves).await;
        }
        self.end(&table, jobs).await;
        self.unmount(&table).await;
        self.give_back(&table).await;
        self.power_off().await
    }

    /// Seconds that are left.
    pub(super) fn left(&self) -> i64 {
        self.memory.ends.0 - self.watch.cloud.clock.now().0
    }

    pub(super) fn say(&mut self, what: Event) {
        let seconds = self.left();
        (self.events)(Event::Left { seconds, what: Box::new(what) });
    }

    pub(super) fn failed(&mut self, step: &'static str, error: NodeError) {
        self.say(Event::Failed { step, error });
    }

    /// Slurm's commands; they answer before a mark, and within so many seconds, or not at all.
    pub(super) fn slurm(&self, mark: i64, most: u64) -> Slurm {
        self.watch.slurm().within(patience(self.left(), mark, most))
    }

    fn until(&self, mark: i64) -> Duration {
        patience(self.left(), mark, 120)
    }

    /// No new jobs; gives those that are here, by what slurmctld says and by what runs.
    async fn drain(&mut self, table: &Timetable) -> BTreeMap<u64, Here> {
        let slurm = self.slurm(table.jobs, 8);
        let reason = format!("reason={INTERRUPTION}");
        let change = ["state=drain", reason.as_str()];
        let nodes = [self.watch.node.to_owned()];
        let (drained, listed) = tokio::join!(slurm.update_nodes(&nodes, &change), slurm.jobs_on(self.watch.node));
        match drained {
            Ok(()) => self.say(Event::Drained { node: self.watch.node.to_owned() }),
            Err(error) => self.failed("drain the node", error),
        }
        let processes = self.watch.machine.processes();
        let mut jobs: BTreeMap<u64, Here> = processes.jobs().into_iter().map(|job| (job, Here::unknown())).collect();
        match listed {
            Ok(listed) => jobs.extend(listed.into_iter().map(|job| (job.id, Here::listed(job)))),
            Err(error) => self.failed("list the node's jobs", error),
        }
        for (job, here) in &mut jobs {
            here.script = processes.script(*job);
        }
        jobs.retain(|_, here| !here.completing());
        self.say(Event::Jobs { jobs: jobs.keys().copied().collect() });
        jobs
    }

    /// Saves all jobs at once. One that is being saved anyway is saved again when that has ended.
    async fn save(&mut self, table: &Timetable, jobs: &BTreeMap<u64, Here>, mut saves: Saves<'w>) {
        let Some(saver) = self.watch.saver() else { return };
        let due = jobs.iter().filter(|(job, _)| !self.memory.saved.contains(job));
        let mut due: BTreeMap<u64, Owned> = due.filter_map(|(job, here)| Some((*job, here.owned(*job)?))).collect();
        let first: BTreeMap<u64, Owned> = due.extract_if(.., |job, _| !saves.has(*job)).collect();
        for (job, of) in first {
            saves.begin(job, saver.save(of, SaveWhy::Interruption, self.until(table.save)));
        }
        // A save that began before the notice may take longer: time is up for it all the same.
        while let Ok(Some(done)) = tokio::time::timeout(self.until(table.save) + KILLING, saves.next()).await {
            let again = due.remove(&done.job).filter(|_| self.left() > table.save);
            if let Some(of) = again {
                saves.begin(done.job, saver.save(of, SaveWhy::Interruption, self.until(table.save)));
            }
            self.saved(done);
        }
    }

    fn saved(&mut self, done: Done) {
        let Done { job, why, result } = done;
        if result.is_ok() && why == SaveWhy::Interruption {
            self.memory.saved.insert(job);
            self.remember();
        }
        self.say(Event::saved(job, why, result));
    }

    fn remember(&mut self) {
        if let Err(error) = self.watch.remember(&self.memory) {
            self.failed("remember how far it got", error);
        }
    }

    async fn unmount(&mut self, table: &Timetable) {
        let Watch { machine, cloud, pool, .. } = self.watch;
        let within = self.until(table.unmount);
        let all = machine.lustre(&pool.lustre_mounts).into_iter().map(|at| async move {
            let result = machine.unmount(&*cloud.clock, &at, within).await;
            (at, result)
        });
        for (at, result) in join_all(all).await {
            match result {
                Ok(how) => self.say(Event::Unmounted { at, how }),
                Err(error) => self.failed("unmount", error),
            }
        }
    }

    /// Tells slurmctld that the node is gone: what is left of its jobs starts elsewhere at once, and not only when the
    /// node has not answered for `SlurmdTimeout`.
    async fn give_back(&mut self, table: &Timetable) {
        // Not powered down: SuspendProgram would end the instance while it still powers off. `sync` does it when it is gone.
        let (nodes, reason) = ([self.watch.node.to_owned()], format!("reason={INTERRUPTION}"));
        let slurm = self.slurm(table.report, 4);
        if let Err(error) = slurm.update_nodes(&nodes, &["state=down", &reason]).await {
            return self.failed("tell slurmctld that the node goes", error);
        }
        self.say(Event::GivenBack { node: self.watch.node.to_owned() });
    }

    async fn power_off(&mut self) -> Result<(), NodeError> {
        self.say(Event::PoweringOff);
        let call = |options: &[&str]| Call::new("systemctl", ["poweroff"].iter().chain(options).copied());
        if let Err(error) = self.watch.machine.run(&call(&[]), Duration::from_secs(10)).await {
            self.failed("power off", error);
            self.watch.machine.run(&call(&["--force"]), Duration::from_secs(10)).await?;
        }
        Ok(())
    }
}
