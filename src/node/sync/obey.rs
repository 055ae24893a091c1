//! Doing what was decided. A step that fails is an event; the next pass decides anew.

use super::{Action, Cause, Hold, HoldWhy, Memory};
use crate::{
    cloud::{Cloud, NODE_TAG},
    node::{
        Cluster, Event, Events, Home, Job, Launch, Ledger, NodeError, Pools, Slurm,
        reasons::{EVENT, NOT_LAUNCHED, no_capacity},
        resume::{publish, resume},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// EC2 allows an account about ten `CreateTags` a second, and others tag, too.
const TAG_PAUSE: Duration = Duration::from_millis(200);
/// Failed starts of a queue that are remembered for people.
const STARTS: usize = 5;
/// Names that are put on instances in one pass.
const TAGS: usize = 25;

/// With what actions are done.
pub(super) struct Hands<'h> {
    pub cloud: &'h Cloud,
    pub cluster: &'h Cluster,
    pub home: &'h Home,
    pub slurm: Slurm,
}

impl Hands<'_> {
    /// Does everything.
    pub async fn obey(&self, actions: Vec<Action>, memory: &mut Memory, events: Events<'_>) {
        let mut tags = 0;
        for action in actions {
            if matches!(action, Action::Tag { .. }) {
                tags += 1;
                if tags > TAGS {
                    continue;
                }
            }
            let result = self.one(&action, memory, events).await;
            match result {
                Ok(()) if is_news(&action) => events(Event::Did { action }),
                Ok(()) => {}
                Err(error) => events(Event::Failed { step: step(&action), error }),
            }
        }
    }

    async fn one(&self, action: &Action, memory: &mut Memory, events: Events<'_>) -> Result<(), NodeError> {
        let ledger = Ledger::new(self.home);
        match action {
            Action::Terminate { instances, .. } => {
                let ids: Vec<String> = instances.iter().cloned().collect();
                self.cloud.compute.terminate(&ids).await?;
                ledger.hold()?.end(instances)
            }
            Action::Forget { instances } => ledger.hold()?.end(instances),
            Action::Adopt { launch } => {
                let addresses: Vec<(String, String)> =
                    launch.nodes.values().map(|node| (node.name.clone(), node.address.clone())).collect();
                publish(self.cloud, self.cluster, launch).await?;
                self.slurm.set_addresses(&addresses).await
            }
            Action::Tell { launch } => {
                publish(self.cloud, self.cluster, launch).await?;
                told(&ledger, &launch.launch)
            }
            Action::Address { nodes } => {
                let nodes: Vec<(String, String)> = nodes.clone().into_iter().collect();
                self.slurm.set_addresses(&nodes).await
            }
            Action::Close { launch } => close(&ledger, launch),
            Action::Relaunch { nodes } => self.relaunch(nodes, memory, events).await,
            Action::Replace { cause, nodes } => {
                self.update(nodes, &["state=down", &format!("reason={}", reason(*cause))]).await?;
                self.update(nodes, &["state=power_down_force"]).await
            }
            Action::PowerDown { nodes } => self.update(nodes, &["state=power_down_force"]).await,
            Action::Idle { nodes, failed } => {
                for pool in failed {
                    *memory.repeats.entry(pool.clone()).or_default() += 1;
                }
                self.update(nodes, &["state=idle"]).await
            }
            Action::Rest { code, nodes } => {
                self.update(nodes, &["state=down", &format!("reason={}", no_capacity(code))]).await
            }
            Action::EndRests { pools } => {
                let now = self.cloud.clock.now();
                Pools::change(self.home, |all| {
                    all.resting.retain(|pool, rest| !(pools.contains(pool) && rest.until <= now));
                })
            }
            Action::PowerUp { nodes } => self.update(nodes, &["state=power_up"]).await,
            Action::Drain { event, nodes } => {
                self.update(nodes, &["state=drain", &format!("reason={EVENT} {event}")]).await
            }
            Action::Count { queue, starts } => {
                let count = u32::try_from(starts.len()).unwrap_or(u32::MAX);
                Pools::change(self.home, |pools| {
                    let failures = pools.failures.entry(queue.clone()).or_default();
                    *failures = failures.saturating_add(count);
                })?;
                memory.counted.extend(starts.keys().cloned());
                let (now, kept) = (self.cloud.clock.now(), memory.failed_starts.entry(queue.clone()).or_default());
                kept.extend(starts.values().map(|start| (now, start.clone())));
                kept.drain(..kept.len().saturating_sub(STARTS));
                Ok(())
            }
            Action::Reset { queue, pools, instances } => {
                Pools::change(self.home, |all| all.failures.remove(queue))?;
                memory.repeats.retain(|pool, _| !pools.contains(pool));
                memory.failed_starts.remove(queue);
                memory.came_up.extend(instances.iter().cloned());
                Ok(())
            }
            Action::Protect { queue, failures } => {
                self.slurm.update_partition(queue, "inactive").await?;
                let hold = Hold { since: self.cloud.clock.now(), why: HoldWhy::Protected(*failures) };
                memory.holds.insert(queue.clone(), hold);
                Ok(())
            }
            Action::Release { queue } => {
                memory.holds.remove(queue);
                Pools::change(self.home, |all| all.failures.remove(queue)).map(drop)
            }
            Action::Hold { queue, state } => self.slurm.update_partition(queue, state).await,
            Action::Tag { instance, node } => {
                let name = format!("{} {node}", self.cluster.config.cluster);
                let tags = BTreeMap::from([(NODE_TAG.to_owned(), node.clone()), ("Name".to_owned(), name)]);
                self.cloud.compute.tag(std::slice::from_ref(instance), &tags).await?;
                self.cloud.clock.sleep(TAG_PAUSE).await;
                Ok(())
            }
        }
    }

    /// Launches nodes as ResumeProgram would have, with the jobs that wait for them.
    async fn relaunch(
        &self,
        nodes: &BTreeSet<String>,
        memory: &mut Memory,
        events: Events<'_>,
    ) -> Result<(), NodeError> {
        let now = self.cloud.clock.now();
        memory.relaunched.extend(nodes.iter().map(|node| (node.clone(), now)));
        let (mut jobs, mut left) = (Vec::new(), nodes.clone());
        for job in self.slurm.jobs().await? {
            let waits: Vec<String> = job.nodes.into_iter().filter(|node| left.remove(node)).collect();
            if !waits.is_empty() {
                jobs.push(Job { id: job.id, nodes: waits });
            }
        }
        jobs.extend(left.into_iter().map(|node| Job { id: 0, nodes: vec![node] }));
        resume(self.cloud, self.cluster, self.home, jobs, events).await.map(drop)
    }

    /// Changes nodes; when slurmctld refuses them together, each for itself.
    async fn update(&self, nodes: &BTreeSet<String>, change: &[&str]) -> Result<(), NodeError> {
        let all: Vec<String> = nodes.iter().cloned().collect();
        let Err(error) = self.slurm.update_nodes(&all, change).await else { return Ok(()) };
        if all.len() == 1 {
            return Err(error);
        }
        let mut result = Ok(());
        for node in all {
            let one = self.slurm.update_nodes(&[node], change).await;
            result = result.and(one);
        }
        result
    }
}

/// Nobody brings any more what a launch still wanted.
fn close(ledger: &Ledger, id: &str) -> Result<(), NodeError> {
    change(ledger, id, |launch| launch.wanted.clear())
}

/// The nodes of a launch know their names.
fn told(ledger: &Ledger, id: &str) -> Result<(), NodeError> {
    change(ledger, id, |launch| launch.untold = false)
}

/// Changes a launch on which no process works.
fn change(ledger: &Ledger, id: &str, change: impl FnOnce(&mut Launch)) -> Result<(), NodeError> {
    let held = ledger.hold()?;
    if ledger.is_at_work(id)? {
        return Ok(());
    }
    match held.launches.iter().find(|launch| launch.launch == id).cloned() {
        Some(mut launch) => {
            change(&mut launch);
            ledger.record(&launch)
        }
        None => Ok(()),
    }
}

fn reason(cause: Cause) -> &'static str {
    match cause {
        Cause::Gone => "hpcctl: its instance is gone",
        Cause::NotLaunched => NOT_LAUNCHED,
        Cause::Stuck => "hpcctl: it hangs at the end of a job",
        Cause::Impaired => "hpcctl: EC2 status checks fail",
    }
}

/// Whether people want to read of it.
fn is_news(action: &Action) -> bool {
    !matches!(action, Action::Reset { .. } | Action::Tag { .. } | Action::Forget { .. })
}

fn step(action: &Action) -> &'static str {
    match action {
        Action::Terminate { .. } => "terminate instances that are nobody's",
        Action::Forget { .. } => "clear the ledger",
        Action::Adopt { .. } => "finish a launch that was cut short",
        Action::Tell { .. } => "tell nodes their names",
        Action::Address { .. } => "set addresses",
        Action::Close { .. } => "close a launch that was cut short",
        Action::Relaunch { .. } => "launch nodes again",
        Action::Replace { .. } => "give nodes up",
        Action::PowerDown { .. } => "power nodes down",
        Action::Idle { .. } => "bring nodes back",
        Action::Rest { .. } => "let nodes rest",
        Action::EndRests { .. } => "end rests",
        Action::PowerUp { .. } => "power nodes up",
        Action::Drain { .. } => "drain nodes",
        Action::Count { .. } | Action::Reset { .. } => "count failed starts",
        Action::Protect { .. } => "protect a queue",
        Action::Release { .. } => "release a queue",
        Action::Hold { .. } => "hold a queue back",
        Action::Tag { .. } => "put names on instances",
    }
}
