//! What `sync` decides by: one look at ledger, EC2 and Slurm.

use super::{Memory, memory::key};
use crate::{
    cloud::{InstanceState, LAUNCH_TAG, Timestamp},
    node::{
        Cluster, Launch, Pools, SlurmNode,
        reasons::{INTERRUPTION, SET_UP},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// An instance that EC2 launched so many seconds ago may not be shown yet.
///
/// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
pub(super) const UNSEEN: i64 = 120;

/// One look at everything.
///
/// EC2 must be asked first, then the ledger, and Slurm last: so an instance in the list whose launch is not in the ledger
/// is nobody's, and a node that is powered down has had its instance's end begun.
#[derive(Debug, Clone)]
pub struct World<'c> {
    /// The cluster.
    pub cluster: &'c Cluster,
    /// When.
    pub now: Timestamp,
    /// The cluster's compute instances, by id; those that are terminated may be left out.
    pub instances: BTreeMap<String, InstanceState>,
    /// The ledger.
    pub launches: Vec<KnownLaunch>,
    /// Slurm's nodes, by name.
    pub nodes: BTreeMap<String, SlurmNode>,
    /// Slurm's partitions and their states.
    pub partitions: BTreeMap<String, String>,
    /// When slurmctld started, in its own words.
    pub booted: String,
    /// Pools that rest, starts that failed.
    pub pools: Pools,
}

/// A launch in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLaunch {
    /// The launch.
    pub launch: Launch,
    /// Whether its process still works on it.
    pub at_work: bool,
}

/// What an instance in the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It boots or runs.
    Alive,
    /// EC2 does not show it, and may show it yet.
    Unseen,
    /// It ends or has ended.
    Gone,
}

/// The instance that a node has.
#[derive(Debug, Clone)]
pub(super) struct Owned<'w> {
    pub instance: &'w str,
    pub address: &'w str,
    pub launched: Timestamp,
}

impl World<'_> {
    /// What an instance that was launched then is now.
    pub(super) fn life(&self, instance: &str, launched: Timestamp) -> Life {
        match self.instances.get(instance) {
            Some(one) if one.is_alive() => Life::Alive,
            None if launched.plus(UNSEEN) > self.now => Life::Unseen,
            _ => Life::Gone,
        }
    }

    /// Instances that cost money: all that EC2 shows and that do not end already.
    pub(super) fn living(&self) -> impl Iterator<Item = &InstanceState> {
        self.instances.values().filter(|one| !matches!(one.state.as_str(), "shutting-down" | "terminated"))
    }

    /// Each node's instance; of two the newer.
    pub(super) fn owned(&self) -> BTreeMap<&str, Owned<'_>> {
        let mut launches: Vec<&Launch> = self.launches.iter().map(|known| &known.launch).collect();
        launches.sort_by_key(|launch| launch.order());
        let all = launches.into_iter().flat_map(|launch| {
            launch.nodes.iter().map(move |(instance, node)| {
                let owned = Owned { instance, address: &node.address, launched: launch.at };
                (node.name.as_str(), owned)
            })
        });
        all.collect()
    }

    /// Nodes that a process at work brings.
    pub(super) fn in_flight(&self) -> BTreeSet<&str> {
        let at_work = self.launches.iter().filter(|known| known.at_work);
        at_work.flat_map(|known| &known.launch.wanted).map(String::as_str).collect()
    }

    /// Nodes whose launches a process still works on, whether or not they have instances.
    pub(super) fn at_work(&self) -> BTreeSet<&str> {
        let launches = self.launches.iter().filter(|known| known.at_work).map(|known| &known.launch);
        let nodes = launches.flat_map(|launch| launch.nodes.values()).map(|node| node.name.as_str());
        nodes.chain(self.in_flight()).collect()
    }

    /// The launch of an instance, as its tag says.
    pub(super) fn launch_of<'w>(&'w self, instance: &InstanceState) -> Option<&'w KnownLaunch> {
        let tag = instance.tags.get(LAUNCH_TAG)?;
        self.launches.iter().find(|known| known.launch.launch == *tag)
    }

    /// Remembers since when things are so that may be about to pass.
    pub fn notice(&self, memory: &mut Memory) {
        let owned = self.owned();
        let in_flight = self.in_flight();
        let mut seen = BTreeSet::new();
        for node in self.nodes.values() {
            let name = node.name.as_str();
            let nobody = !owned.contains_key(name) && !in_flight.contains(name);
            if node.is_rising() && nobody {
                seen.insert(key("rising", name));
            }
            if node.is_up() && nobody && node.is("NOT_RESPONDING") {
                seen.insert(key("silent", name));
            }
            if node.is("DOWN") && node.is_rising() && node.reason.starts_with(SET_UP) {
                seen.insert(key("set-up", name));
            }
            if node.is("DOWN") && node.reason.starts_with(INTERRUPTION) {
                seen.insert(key("interrupted", name));
            }
            if node.is_sinking() {
                seen.insert(key("sinking", name));
            }
            if node.is("COMPLETING") && node.is("DRAIN") {
                seen.insert(key("completing", name));
            }
            if node.is_asleep() && (node.is("DOWN") || node.is("DRAIN")) {
                seen.insert(key("failed", name));
            }
        }
        seen.extend(owned.keys().filter(|name| !self.nodes.contains_key(**name)).map(|name| key("unknown", name)));
        let impaired = memory.ailing.values().filter(|health| health.impaired);
        seen.extend(impaired.map(|health| key("impaired", &health.id)));
        memory.notice(seen, self.now);
        memory.relaunched.retain(|name, _| self.nodes.get(name).is_some_and(SlurmNode::is_rising));
        let known: BTreeSet<&str> =
            self.launches.iter().flat_map(|one| one.launch.nodes.keys()).map(String::as_str).collect();
        let keep = |id: &String| known.contains(id.as_str()) || self.instances.contains_key(id);
        memory.counted.retain(keep);
        memory.came_up.retain(keep);
        memory.ailing.retain(|id, _| keep(id));
    }
}
