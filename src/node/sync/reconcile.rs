//! The rules: what is to be done so that ledger, EC2 and Slurm agree.
//!
//! A pure function of one look and of what earlier looks saw. Slurm's part was tried with slurmctld 22.05:
//!
//! - `state=idle` on a DOWN or DRAIN node that is POWERED_DOWN makes it usable at once and clears its reason; `resume` and
//!   `undrain` leave NOT_RESPONDING on it, and `undrain` does not end DOWN. Such a node is still launched: `IDLE~*` is in order.
//! - `state=idle` on DOWN+POWERING_UP waits for ResumeTimeout, as if somebody launched it; `power_down_force` ends it.
//! - ResumeTimeout calls ResumeFailProgram for DOWN+POWERING_UP too, and writes its own reason over ours.
//! - `power_down_force` requeues the jobs, goes through POWERING_DOWN for SuspendTimeout, which nothing shortens, and ends
//!   as IDLE (`idle_on_node_suspend`), with the old reason still there: only a DOWN or DRAIN node's reason means something.

use super::{
    Action, Cause, FailedStart, HoldWhy, KnownLaunch, Memory, Orphan, World,
    decided::Decided,
    world::{Life, Owned},
};
use crate::node::{
    PoolRef, SlurmNode,
    reasons::{EVENT, INTERRUPTION, JOB_LACKS, NO_CAPACITY, OURS, REBALANCE, SET_UP},
};
use std::collections::{BTreeMap, BTreeSet};

/// ResumeProgram has so many seconds to write down what it begins.
const RISING: i64 = 30;
/// A node that was launched once more has so many.
const RELAUNCHED: i64 = 60;
/// A node whose set-up failed has so many to send its log.
const SET_UP_LOG: i64 = 45;
/// SuspendProgram has so many to terminate.
const SINKING: i64 = 60;
/// A node of the ledger that Slurm does not know may be in a configuration that slurmctld is about to read.
const UNKNOWN: i64 = 120;
/// A node that does not answer and has no instance.
const SILENT: i64 = 60;
/// The end of a job takes as long as UnkillableStepTimeout at most.
const COMPLETING: i64 = 300;
/// A status check may fail for a while.
const IMPAIRED: i64 = 180;
/// The first pause before a node that failed comes back; it doubles up to the longest.
const FIRST_PAUSE: i64 = 15;
const LONGEST_PAUSE: i64 = 600;
/// Seconds that a node has to power off after EC2's notice, once its jobs have ended.
const POWERING_OFF: i64 = 60;
/// What slurmctld itself writes on nodes that were lost (`set_node_down` and `_do_power_work` of 22.05 to 25.11).
const LOST: [&str; 4] =
    ["Not responding", "ResumeTimeout reached", "Node unexpectedly rebooted", "Node not responding"];

/// What is to be done now.
///
/// [`World::notice`] must have looked before.
pub fn reconcile(world: &World<'_>, memory: &Memory) -> Vec<Action> {
    // A slurmctld that lists no nodes says nothing about them.
    if world.nodes.is_empty() {
        return Vec::new();
    }
    let mut rules =
        Rules { world, memory, owned: world.owned(), in_flight: world.in_flight(), out: Decided::default() };
    rules.cut_short();
    rules.untold();
    rules.instances();
    rules.failures();
    for node in world.nodes.values() {
        rules.node(node);
    }
    rules.ledger();
    rules.queues();
    rules.tags();
    rules.out.actions()
}

struct Rules<'w> {
    world: &'w World<'w>,
    memory: &'w Memory,
    owned: BTreeMap<&'w str, Owned<'w>>,
    in_flight: BTreeSet<&'w str>,
    out: Decided,
}

impl<'w> Rules<'w> {
    /// Launches whose process died: what became a node is told again, the rest is nobody's.
    fn cut_short(&mut self) {
        for KnownLaunch { launch, at_work } in &self.world.launches {
            if *at_work || launch.wanted.is_empty() {
                continue;
            }
            let mut kept = launch.clone();
            kept.wanted.clear();
            kept.nodes.retain(|instance, node| {
                let owner = self.owned.get(node.name.as_str());
                owner.is_some_and(|owner| owner.instance == instance)
                    && self.world.life(instance, launch.at) != Life::Gone
                    && self.world.nodes.get(&node.name).is_some_and(|node| node.is_rising() || node.is_up())
            });
            if !kept.nodes.is_empty() {
                self.out.adopt.push(Action::Adopt { launch: kept });
            }
            self.out.close.push(Action::Close { launch: launch.launch.clone() });
        }
    }

    /// What failed after a launch: names that its nodes were not told, addresses that slurmctld was not told. slurmctld
    /// learns addresses from nobody else: `cloud_reg_addrs` is not set.
    ///
    /// <https://slurm.schedmd.com/slurm.conf.html#OPT_cloud_reg_addrs>
    fn untold(&mut self) {
        let all = self.world.launches.iter().filter(|known| !known.at_work && known.launch.wanted.is_empty());
        let tell = all.filter(|known| known.launch.untold);
        self.out.tell.extend(tell.map(|known| Action::Tell { launch: known.launch.clone() }));
        let at_work = self.world.at_work();
        for (name, owner) in self.owned.iter().filter(|(name, _)| !at_work.contains(**name)) {
            let Some(node) = self.world.nodes.get(*name).filter(|node| node.is_rising() || node.is_up()) else {
                continue;
            };
            let alive = self.world.life(owner.instance, owner.launched) == Life::Alive;
            // A node that the look did not show an address of says nothing.
            if alive && !node.address.is_empty() && node.address != owner.address {
                self.out.address.insert((*name).to_owned(), owner.address.to_owned());
            }
        }
    }

    /// Instances that are nobody's.
    fn instances(&mut self) {
        for instance in self.world.living() {
            let why = match self.world.launch_of(instance) {
                None => Some(Orphan::Unknown),
                Some(KnownLaunch { launch, at_work }) => match launch.nodes.get(&instance.id) {
                    Some(node) => self.of_node(&instance.id, &node.name),
                    None if *at_work => None,
                    None if launch.wanted.is_empty() => Some(Orphan::Surplus),
                    None => Some(Orphan::CutShort),
                },
            };
            if let Some(why) = why {
                self.out.terminate.entry(why).or_default().insert(instance.id.clone());
            }
        }
    }

    /// An instance that is a node's.
    fn of_node(&self, instance: &str, name: &str) -> Option<Orphan> {
        if self.owned.get(name).is_some_and(|owner| owner.instance != instance) {
            return Some(Orphan::Older);
        }
        let now = self.world.now;
        match self.world.nodes.get(name) {
            None => self.memory.lasted("unknown", name, now, UNKNOWN).then_some(Orphan::NoNode),
            Some(node) if node.is_asleep() => Some(Orphan::Asleep),
            Some(node) if node.is_sinking() => {
                self.memory.lasted("sinking", name, now, SINKING).then_some(Orphan::Asleep)
            }
            Some(_) => None,
        }
    }

    /// Starts that failed, and nodes that came up.
    fn failures(&mut self) {
        for (name, owner) in &self.owned {
            let (Some(node), Some(pool)) = (self.world.nodes.get(*name), self.world.cluster.pool_of(name)) else {
                continue;
            };
            let known = self.memory.counted.contains(owner.instance) || self.memory.came_up.contains(owner.instance);
            let gone = self.world.life(owner.instance, owner.launched) == Life::Gone;
            if known || self.in_flight.contains(name) {
                continue;
            }
            let set_up = node.is("DOWN") && node.reason.starts_with(SET_UP);
            // EC2 takes spot instances back whenever it likes; whoever was told `no capacity` never started.
            let died = node.is_rising() && gone && !self.is_spot(owner.instance, pool) && !is_ours(node);
            let queue = pool.queue.name.clone();
            if set_up || died {
                let words = set_up.then(|| node.reason.clone());
                let start = FailedStart { node: (*name).to_owned(), words };
                self.out.count.entry(queue).or_default().insert(owner.instance.to_owned(), start);
            } else if node.is_up() && !gone && !node.is("DOWN") && !node.is("NOT_RESPONDING") {
                let (pools, instances) = self.out.reset.entry(queue).or_default();
                pools.insert(pool.key());
                instances.insert(owner.instance.to_owned());
            }
        }
    }

    fn is_spot(&self, instance: &str, pool: PoolRef<'_>) -> bool {
        let bought = pool.purchase() == crate::cloud::FleetPurchase::Spot;
        self.world.instances.get(instance).map_or(bought, |one| one.spot)
    }

    fn node(&mut self, node: &'w SlurmNode) {
        let name = node.name.as_str();
        let Some(pool) = self.world.cluster.pool_of(name) else { return };
        if self.in_flight.contains(name) {
            return;
        }
        if node.is_asleep() {
            self.asleep(node, pool);
        } else if !node.is_sinking() {
            self.awake(node, pool);
        }
    }

    /// A node that is up or powers up.
    fn awake(&mut self, node: &'w SlurmNode, pool: PoolRef<'w>) {
        let (name, now) = (node.name.as_str(), self.world.now);
        let life = self.owned.get(name).map(|owner| self.world.life(owner.instance, owner.launched));
        let instance = self.owned.get(name).map(|owner| owner.instance);
        let impaired = instance.is_some_and(|id| self.memory.lasted("impaired", id, now, IMPAIRED));
        match life {
            Some(Life::Gone) => {
                self.out.forget.extend(instance.map(str::to_owned));
                // Its jobs are requeued already, and its reason says more.
                if node.is("DOWN") && is_ours(node) {
                    self.out.power_down.insert(name.to_owned());
                    return;
                }
                return self.replace(name, Cause::Gone);
            }
            Some(_) if impaired => return self.replace(name, Cause::Impaired),
            None if node.is_up() && self.memory.lasted("silent", name, now, SILENT) && may_touch(node) => {
                return self.replace(name, Cause::Gone);
            }
            _ => {}
        }
        if node.is_rising() {
            return self.rising(node, life.is_some());
        }
        let stuck = self.memory.lasted("completing", name, now, COMPLETING) && node.is("NOT_RESPONDING");
        if stuck && may_touch(node) {
            self.replace(name, Cause::Stuck);
        } else if self.is_done(node, pool) {
            self.out.power_down.insert(name.to_owned());
        } else if !node.is("DRAIN") && !node.is("DOWN") {
            self.events(name, instance);
        }
    }

    /// Whether a node that is up has nothing more to do.
    fn is_done(&self, node: &SlurmNode, pool: PoolRef<'_>) -> bool {
        if node.is("DOWN") && node.reason.starts_with(INTERRUPTION) {
            // It powers off by itself; what is left when it has not is ended.
            return self.memory.lasted("interrupted", &node.name, self.world.now, POWERING_OFF);
        }
        if node.is("DOWN") {
            return is_ours(node) || node.is("NOT_RESPONDING") && is_lost(node);
        }
        match node.is("DRAIN") {
            true => [EVENT, REBALANCE].iter().any(|why| node.reason.starts_with(why)) && !node.is_busy(),
            false => self.memory.is_stopped(&pool.queue.name) && !node.is_busy(),
        }
    }

    fn events(&mut self, name: &str, instance: Option<&str>) {
        let health = instance.and_then(|id| self.memory.ailing.get(id));
        if let Some((event, _)) = health.and_then(|health| health.events.first()) {
            self.out.drain.entry(event.clone()).or_default().insert(name.to_owned());
        }
    }

    /// A node that powers up.
    fn rising(&mut self, node: &'w SlurmNode, has_instance: bool) {
        let (name, now) = (node.name.as_str(), self.world.now);
        if node.is("DOWN") {
            // It powers off by itself, when it has sent its log.
            if has_instance && node.reason.starts_with(SET_UP) && !self.memory.lasted("set-up", name, now, SET_UP_LOG) {
                return;
            }
            // Nobody launches it any more. Left alone it would fail at ResumeTimeout, and count as a failed start.
            if is_ours(node) || (!has_instance && node.reason.is_empty()) {
                self.out.power_down.insert(name.to_owned());
            }
            return;
        }
        if has_instance || !self.memory.lasted("rising", name, now, RISING) {
            return;
        }
        match self.memory.relaunched.get(name) {
            None => drop(self.out.relaunch.insert(name.to_owned())),
            Some(at) if at.plus(RELAUNCHED) <= now => self.replace(name, Cause::NotLaunched),
            Some(_) => {}
        }
    }

    fn replace(&mut self, name: &str, cause: Cause) {
        self.out.replace.entry(cause).or_default().insert(name.to_owned());
    }

    /// A node that is powered down.
    fn asleep(&mut self, node: &'w SlurmNode, pool: PoolRef<'w>) {
        let (name, now) = (node.name.as_str(), self.world.now);
        let key = pool.key();
        let rest = self.world.pools.rest(&key, now);
        if !node.is("DOWN") && !node.is("DRAIN") {
            if node.is_busy() {
                return;
            }
            match rest {
                Some(rest) => drop(self.out.rest.entry(rest.code.clone()).or_default().insert(name.to_owned())),
                None if self.should_run(name, pool) => drop(self.out.power_up.insert(name.to_owned())),
                None => {}
            }
            return;
        }
        if !may_touch(node) || (rest.is_some() && !node.is("DRAIN")) {
            return;
        }
        let no_fault = [NO_CAPACITY, JOB_LACKS].iter().any(|why| node.reason.starts_with(why));
        let times = self.memory.repeats.get(&key).copied().unwrap_or_default();
        if no_fault || self.memory.lasted("failed", name, now, pause(times)) {
            self.out.idle.0.insert(name.to_owned());
            if !no_fault {
                self.out.idle.1.insert(key);
            }
        }
    }

    /// Whether a node that is powered down should always run.
    fn should_run(&self, name: &str, pool: PoolRef<'_>) -> bool {
        let queue = pool.queue.name.as_str();
        let open = self.world.partitions.get(queue).is_some_and(|state| state == "UP");
        pool.is_static(name) && open
    }

    /// Entries of the ledger whose instances are gone, and rests that are over.
    fn ledger(&mut self) {
        for KnownLaunch { launch, .. } in &self.world.launches {
            for (instance, node) in &launch.nodes {
                let awake = self.world.nodes.get(&node.name).is_some_and(|node| node.is_up() || node.is_rising());
                let current = self.owned.get(node.name.as_str()).is_some_and(|owner| owner.instance == instance);
                let gone = self.world.life(instance, launch.at) == Life::Gone;
                if gone && !(awake && current) {
                    self.out.forget.insert(instance.clone());
                }
            }
        }
        let over = self.world.pools.resting.iter().filter(|(_, rest)| rest.until <= self.world.now);
        self.out.end_rests.extend(over.map(|(pool, _)| pool.clone()));
    }

    /// Protected mode, and partitions that a new slurmctld has opened again.
    fn queues(&mut self) {
        let limit = self.world.cluster.config.protected_failure_count;
        let anew = self.memory.booted != self.world.booted;
        for queue in &self.world.cluster.config.queues {
            let name = queue.name.as_str();
            let Some(state) = self.world.partitions.get(name) else { continue };
            let hold = self.memory.hold(name);
            match &hold {
                // While a file system goes nobody opens a queue.
                Some(hold) if state == "UP" && (anew || hold.why == HoldWhy::Storage) => {
                    let state = hold.why.state();
                    self.out.queues.push(Action::Hold { queue: name.to_owned(), state });
                }
                Some(_) if state == "UP" => {
                    self.out.queues.push(Action::Release { queue: name.to_owned() });
                    continue;
                }
                _ => {}
            }
            let counted = self.out.count.get(name).map_or(0, BTreeMap::len);
            let before = if self.out.reset.contains_key(name) { 0 } else { self.failures_of(name) };
            let failures = before.saturating_add(u32::try_from(counted).unwrap_or(u32::MAX));
            if limit > 0 && failures >= limit && hold.is_none() {
                self.out.queues.push(Action::Protect { queue: name.to_owned(), failures });
            }
        }
    }

    fn failures_of(&self, queue: &str) -> u32 {
        self.world.pools.failures.get(queue).copied().unwrap_or_default()
    }

    /// Names for people to see in EC2.
    fn tags(&mut self) {
        for (name, owner) in &self.owned {
            let Some(instance) = self.world.instances.get(owner.instance) else { continue };
            let named = instance.tags.get(crate::cloud::NODE_TAG).is_some_and(|tag| tag == name);
            let ends = self.out.terminate.values().any(|ids| ids.contains(owner.instance));
            if !named && !ends && self.world.life(owner.instance, owner.launched) == Life::Alive {
                self.out.tag.push(Action::Tag { instance: owner.instance.to_owned(), node: (*name).to_owned() });
            }
        }
    }
}

/// The pause before a node that failed comes back, by how often nodes of its pool have failed in a row.
fn pause(times: u32) -> i64 {
    if times == 0 { 0 } else { (FIRST_PAUSE << (times - 1).min(10)).min(LONGEST_PAUSE) }
}

/// Whether hpcctl gave the reason.
fn is_ours(node: &SlurmNode) -> bool {
    node.reason.starts_with(OURS) || node.reason.starts_with(SET_UP)
}

/// Whether slurmctld gave the reason, because the node was lost.
fn is_lost(node: &SlurmNode) -> bool {
    LOST.iter().any(|words| node.reason.starts_with(words))
}

/// Whether the node's state is not an administrator's: scontrol wants a reason from whoever drains or sets down.
fn may_touch(node: &SlurmNode) -> bool {
    is_ours(node) || is_lost(node) || node.reason.is_empty() || !(node.is("DOWN") || node.is("DRAIN"))
}
