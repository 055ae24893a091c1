//! What `sync` remembers from pass to pass: `sync.json` in the state of the head node.

use super::FailedStart;
use crate::{
    cloud::Timestamp,
    node::{Home, NodeError},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "sync.json";

/// What is remembered. A file that is lost costs patience, never an instance: everything is seen again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Since when something that may be about to pass has been so: `WHAT NAME`.
    pub since: BTreeMap<String, Timestamp>,
    /// Nodes that were launched once more for a ResumeProgram that died, and when.
    pub relaunched: BTreeMap<String, Timestamp>,
    /// Instances whose failed start has been counted.
    pub counted: BTreeSet<String>,
    /// The newest failed starts of each queue, with their times, since a node of it came up.
    pub failed_starts: BTreeMap<String, Vec<(Timestamp, FailedStart)>>,
    /// Instances whose node has come up.
    pub came_up: BTreeSet<String>,
    /// How often failed nodes of a pool were brought back since one came up, by `QUEUE/POOL`.
    pub repeats: BTreeMap<String, u32>,
    /// Queues that hpcctl or an order holds back.
    pub holds: BTreeMap<String, Hold>,
    /// Since when all queues are held for the sake of a file system that goes.
    pub storage: Option<Timestamp>,
    /// When the slurmctld started that was last seen, in its own words.
    pub booted: String,
    /// What EC2 said last of the health of instances, by id.
    pub ailing: BTreeMap<String, crate::cloud::InstanceHealth>,
    /// When which of the slower parts was last done.
    pub done: BTreeMap<Part, Timestamp>,
    /// The configuration that is in place or being put in place.
    pub configuration: Configuration,
    /// The report that was last written, without its time.
    pub reported: String,
    /// Documents of the state that were damaged and set aside, and told of.
    pub damaged: BTreeSet<String>,
}

/// A queue that is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: HoldWhy,
}

/// Why a queue is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldWhy {
    /// So many starts in a row failed: protected mode.
    Protected(u32),
    /// An order drained it: what runs and waits goes on, nothing new comes in.
    Drained,
    /// An order stopped the fleet: what runs ends in its own time, nothing starts.
    Stopped,
    /// A file system goes: what runs ends in its own time, what is submitted waits.
    Storage,
}

impl HoldWhy {
    /// The state of the partition.
    pub fn state(self) -> &'static str {
        match self {
            Self::Protected(_) | Self::Stopped => "inactive",
            Self::Drained => "drain",
            // Jobs may be submitted and wait.
            Self::Storage => "down",
        }
    }
}

/// Parts of a pass that are not done each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Look whether there is a new configuration.
    Configuration,
    /// Ask EC2 how its instances are.
    Health,
    /// Look for objects of launches that are over.
    Launches,
    /// Look for orders.
    Orders,
    /// Write the report though it has not changed.
    Report,
    /// Write metrics.
    Metrics,
}

/// What is known of the published configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The entity tag of the `cluster.json` that is in place, or that failed last.
    pub tag: String,
    /// Why it is not in place.
    pub failed: Option<String>,
    /// How often in a row the set-up failed.
    pub failures: u32,
    /// When it is tried again.
    pub again: Timestamp,
}

impl Memory {
    /// What is remembered; nothing when the file is not there or damaged.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(home: &Home) -> Result<Self, NodeError> {
        Ok(home.remembered(NAME)?.unwrap_or_default())
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, home: &Home) -> Result<(), NodeError> {
        home.remember(NAME, self)
    }

    /// Why and since when a queue is held back; a file system that goes comes before anything else.
    pub fn hold(&self, queue: &str) -> Option<Hold> {
        let storage = self.storage.map(|since| Hold { since, why: HoldWhy::Storage });
        storage.or_else(|| self.holds.get(queue).cloned())
    }

    /// Whether nodes of the queue end with their jobs.
    pub fn is_stopped(&self, queue: &str) -> bool {
        self.hold(queue).is_some_and(|hold| matches!(hold.why, HoldWhy::Stopped | HoldWhy::Storage))
    }

    /// Whether a part is due, `every` so many seconds. If so, it counts as done.
    pub fn due(&mut self, part: Part, now: Timestamp, every: i64) -> bool {
        let due = self.done.get(&part).is_none_or(|last| *last > now || last.plus(every) <= now);
        if due {
            self.done.insert(part, now);
        }
        due
    }

    /// Whether something has been so for so many seconds.
    pub fn lasted(&self, what: &str, name: &str, now: Timestamp, seconds: i64) -> bool {
        self.since.get(&key(what, name)).is_some_and(|since| since.plus(seconds) <= now)
    }

    /// Remembers what is so now, and forgets what is not so any more.
    pub fn notice(&mut self, seen: BTreeSet<String>, now: Timestamp) {
        self.since.retain(|key, _| seen.contains(key));
        for key in seen {
            self.since.entry(key).or_insert(now);
        }
    }
}

/// The key of something that is so.
pub(super) fn key(what: &str, name: &str) -> String {
    format!("{what} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_known_from_its_first_sight() {
        let mut memory = Memory::default();
        let seen = || BTreeSet::from([key("rising", "a-1")]);
        memory.notice(seen(), Timestamp(100));
        memory.notice(seen(), Timestamp(110));
        assert!(memory.lasted("rising", "a-1", Timestamp(130), 30));
        assert!(!memory.lasted("rising", "a-1", Timestamp(129), 30));
        memory.notice(BTreeSet::new(), Timestamp(140));
        memory.notice(seen(), Timestamp(150));
        assert!(!memory.lasted("rising", "a-1", Timestamp(160), 30));
    }

    #[test]
    fn parts_are_due_in_their_time() {
        let mut memory = Memory::default();
        assert!(memory.due(Part::Health, Timestamp(100), 60));
        assert!(!memory.due(Part::Health, Timestamp(159), 60));
        assert!(memory.due(Part::Health, Timestamp(160), 60));
        // A clock that was set back must not stop everything.
        assert!(memory.due(Part::Health, Timestamp(10), 60));
    }
}
