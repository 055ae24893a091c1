//! The ledger: every launch, written down before EC2 hears of it.
//!
//! A file for each launch, `launches/LAUNCH.json`, and a lock beside it that the launching process holds as long as it
//! lives. A launch with `wanted` nodes whose lock is free was cut short: its instances are nobody's.

use super::{Home, Launch, NodeError};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
};

pub(super) const FOLDER: &str = "launches";
const GUARD: &str = "ledger.lock";

/// The ledger of a head node.
#[derive(Debug, Clone)]
pub struct Ledger {
    home: Home,
}

/// A launch of this process; others see that it is at work until this is dropped.
#[derive(Debug)]
pub struct OwnLaunch {
    /// The launch.
    pub launch: Launch,
    _alive: File,
}

/// The ledger, held: nobody else begins or ends launches meanwhile.
pub struct Held<'l> {
    ledger: &'l Ledger,
    /// All launches.
    pub launches: Vec<Launch>,
    _guard: File,
}

impl Ledger {
    /// The ledger in this home.
    pub fn new(home: &Home) -> Self {
        Self { home: home.clone() }
    }

    /// All launches, as they are now.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn launches(&self) -> Result<Vec<Launch>, NodeError> {
        let names = self.home.names(FOLDER)?;
        let documents = names.iter().filter(|name| name.ends_with(".json"));
        let read = documents.map(|name| self.home.remembered(&format!("{FOLDER}/{name}")));
        // A file that another process deleted since it was listed is no launch.
        read.filter_map(Result::transpose).collect()
    }

    /// Holds the ledger.
    ///
    /// # Errors
    /// When it cannot be locked or read.
    pub fn hold(&self) -> Result<Held<'_>, NodeError> {
        let guard = self.home.lock(GUARD)?;
        Ok(Held { ledger: self, launches: self.launches()?, _guard: guard })
    }

    /// Whether the process that began this launch still works on it.
    ///
    /// # Errors
    /// When its lock cannot be opened.
    pub fn is_at_work(&self, launch: &str) -> Result<bool, NodeError> {
        Ok(self.home.try_lock(&lock(launch))?.is_none())
    }

    /// Deletes locks that no process holds and that belong to no launch; gives their launches.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sweep(&self) -> Result<Vec<String>, NodeError> {
        let held = self.hold()?;
        let known: BTreeSet<&str> = held.launches.iter().map(|launch| launch.launch.as_str()).collect();
        let mut swept = Vec::new();
        for name in self.home.names(FOLDER)? {
            let Some(launch) = name.strip_suffix(".lock").filter(|launch| !known.contains(launch)) else { continue };
            if !self.is_at_work(launch)? {
                self.home.forget(&lock(launch))?;
                swept.push(launch.to_owned());
            }
        }
        Ok(swept)
    }

    /// Writes a launch down, or away when nothing is left of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record(&self, launch: &Launch) -> Result<(), NodeError> {
        let name = format!("{FOLDER}/{}.json", launch.launch);
        if !launch.is_over() {
            return self.home.remember(&name, launch);
        }
        self.home.forget(&name)?;
        self.home.forget(&lock(&launch.launch))
    }
}

impl Held<'_> {
    /// Begins a launch of this process.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn begin(&mut self, launch: Launch) -> Result<OwnLaunch, NodeError> {
        let alive = self.ledger.home.lock(&lock(&launch.launch))?;
        self.ledger.record(&launch)?;
        self.launches.push(launch.clone());
        Ok(OwnLaunch { launch, _alive: alive })
    }

    /// The nodes that a process at work has asked for and not got yet.
    ///
    /// # Errors
    /// When a lock cannot be opened.
    pub fn in_flight(&self) -> Result<BTreeSet<&str>, NodeError> {
        let mut found = BTreeSet::new();
        for launch in self.launches.iter().filter(|launch| !launch.wanted.is_empty()) {
            if self.ledger.is_at_work(&launch.launch)? {
                found.extend(launch.wanted.iter().map(String::as_str));
            }
        }
        Ok(found)
    }

    /// The instances of nodes, by the node's name; of two the newer, by [`Launch::order`].
    pub fn instances(&self) -> BTreeMap<&str, &str> {
        let mut launches: Vec<&Launch> = self.launches.iter().collect();
        launches.sort_by_key(|launch| launch.order());
        let nodes = launches.into_iter().flat_map(|launch| &launch.nodes);
        nodes.map(|(instance, node)| (node.name.as_str(), instance.as_str())).collect()
    }

    /// Takes instances out of the ledger.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn end(&mut self, instances: &BTreeSet<String>) -> Result<(), NodeError> {
        for launch in &mut self.launches {
            let before = launch.nodes.len();
            launch.nodes.retain(|instance, _| !instances.contains(instance));
            if launch.nodes.len() < before {
                self.ledger.record(launch)?;
            }
        }
        Ok(())
    }
}

fn lock(launch: &str) -> String {
    format!("{FOLDER}/{launch}.lock")
}
