//! Slurm's commands.
//!
//! Facts: scontrol(1). Names go to slurmctld in batches, since each call costs a process and a lock of slurmctld's.

use super::{NodeError, hostlist};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// Nodes in one `scontrol update`.
const BATCH: usize = 500;
/// slurmctld answers in milliseconds, in seconds under load, and not at all while it is away.
const PATIENCE: Duration = Duration::from_secs(90);

/// Slurm's commands on this machine.
#[derive(Debug, Clone)]
pub struct Slurm {
    bin: PathBuf,
    conf: PathBuf,
    patience: Duration,
}

/// A node as slurmctld knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmNode {
    /// Its name.
    pub name: String,
    /// Its state and flags, such as `IDLE`, `CLOUD`, `POWERED_DOWN`; a `*` (not responding) is the flag
    /// `NOT_RESPONDING`.
    pub states: Vec<String>,
    /// Its address.
    pub address: String,
    /// Why it is down or drained; empty: no reason.
    pub reason: String,
    /// Its partitions.
    pub partitions: Vec<String>,
}

impl SlurmNode {
    /// Whether it is in this state or has this flag.
    pub fn is(&self, state: &str) -> bool {
        self.states.iter().any(|one| one == state)
    }

    /// Whether Slurm has told ResumeProgram of it and waits for it.
    pub fn is_rising(&self) -> bool {
        self.is("POWERING_UP") || self.is("POWER_UP")
    }

    /// Whether it is on its way down.
    pub fn is_sinking(&self) -> bool {
        self.is("POWERING_DOWN") || self.is("POWER_DOWN")
    }

    /// Whether it is powered down and nobody has asked for it.
    pub fn is_asleep(&self) -> bool {
        self.is("POWERED_DOWN") && !self.is_rising() && !self.is_sinking()
    }

    /// Whether it should be running, whether or not it answers.
    pub fn is_up(&self) -> bool {
        !self.is("POWERED_DOWN") && !self.is_rising() && !self.is_sinking()
    }

    /// Whether it has jobs, or is still busy with the end of one.
    pub fn is_busy(&self) -> bool {
        ["ALLOCATED", "MIXED", "COMPLETING"].iter().any(|state| self.is(state))
    }
}

impl Slurm {
    /// The commands in `bin`, for the cluster of this slurm.conf.
    pub fn new(bin: impl AsRef<Path>, conf: impl AsRef<Path>) -> Self {
        Self { bin: bin.as_ref().to_owned(), conf: conf.as_ref().to_owned(), patience: PATIENCE }
    }

    /// The same, when there is less time.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What a command prints.
    ///
    /// # Errors
    /// When it cannot be started, takes too long, or ends with another code than 0.
    pub async fn run(&self, program: &str, arguments: &[&str]) -> Result<String, NodeError> {
        let failed = |words: String| {
            let shown: Vec<&str> = arguments.iter().take(3).copied().collect();
            let mut command = format!("{program} {}", shown.join(" "));
            if command.len() > 200 {
                command = format!("{}...", command.chars().take(200).collect::<String>());
            }
            NodeError::Slurm { command, words }
        };
        let child = Command::new(self.bin.join(program))
            .args(arguments)
            .env("SLURM_CONF", &self.conf)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(self.patience, child).await.map_err(|_| failed("no answer".to_owned()))?;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let mut words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if words.is_empty() {
            words = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        }
        Err(failed(if words.is_empty() { output.status.to_string() } else { words }))
    }

    /// Tells slurmctld the addresses of nodes: name and address each.
    ///
    /// # Errors
    /// When slurmctld refuses.
    pub async fn set_addresses(&self, nodes: &[(String, String)]) -> Result<(), NodeError> {
        let by_name: BTreeMap<&str, &str> = nodes.iter().map(|(name, at)| (name.as_str(), at.as_str())).collect();
        // slurmctld takes the addresses in the order in which it expands the names.
        let names = hostlist::expand(&hostlist::compress(by_name.keys().copied()))?;
        for batch in names.chunks(BATCH) {
            let list = hostlist::compress(batch.iter().map(String::as_str));
            let addresses: Vec<&str> = batch.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect();
            let addresses = format!("nodeaddr={}", addresses.join(","));
            self.run("scontrol", &["update", &format!("nodename={list}"), &addresses]).await?;
        }
        Ok(())
    }

    /// Changes nodes, such as `state=down` with `reason=...`.
    ///
    /// # Errors
    /// When slurmctld refuses.
    pub async fn update_nodes(&self, nodes: &[String], change: &[&str]) -> Result<(), NodeError> {
        // In the order of their numbers, so that the lists are short.
        let nodes = hostlist::expand(&hostlist::compress(nodes.iter().map(String::as_str)))?;
        for batch in nodes.chunks(BATCH) {
            let list = format!("nodename={}", hostlist::compress(batch.iter().map(String::as_str)));
            let arguments: Vec<&str> = ["update", &list].into_iter().chain(change.iter().copied()).collect();
            self.run("scontrol", &arguments).await?;
        }
        Ok(())
    }

    /// Sets the state of partitions: `up`, `drain`, `inactive`.
    ///
    /// # Errors
    /// When slurmctld refuses.
    pub async fn update_partition(&self, partition: &str, state: &str) -> Result<(), NodeError> {
        let arguments = ["update", &format!("partitionname={partition}"), &format!("state={state}")];
        self.run("scontrol", &arguments).await.map(drop)
    }

    /// The state of each partition: `UP`, `DOWN`, `DRAIN`, `INACTIVE`.
    ///
    /// # Errors
    /// When slurmctld does not answer.
    pub async fn partitions(&self) -> Result<BTreeMap<String, String>, NodeError> {
        let text = self.run("scontrol", &["--oneliner", "show", "partition"]).await?;
        Ok(text.lines().filter_map(partition).collect())
    }

    /// When slurmctld started, in its own words. A restart sets all partitions to what slurm.conf says; so does
    /// `scontrol reconfigure`, which leaves this as it is (tried with 22.05).
    ///
    /// # Errors
    /// When slurmctld does not answer.
    pub async fn booted(&self) -> Result<String, NodeError> {
        let text = self.run("scontrol", &["show", "config"]).await?;
        let line = text.lines().find_map(|line| line.strip_prefix("BOOT_TIME"));
        Ok(line.and_then(|line| line.split_once('=')).map(|(_, at)| at.trim().to_owned()).unwrap_or_default())
    }

    /// All jobs that run or wait, tasks of arrays each for itself.
    ///
    /// # Errors
    /// When slurmctld does not answer.
    pub async fn jobs(&self) -> Result<Vec<SlurmJob>, NodeError> {
        let text = self.run("squeue", &["--noheader", "--array", "--all", "--format=%A|%T|%P|%r|%N"]).await?;
        text.lines().filter_map(|line| job(line).transpose()).collect()
    }

    /// The nodes with these names; all nodes when none are named.
    ///
    /// # Errors
    /// When slurmctld does not answer.
    pub async fn nodes(&self, names: &[String]) -> Result<Vec<SlurmNode>, NodeError> {
        let list = hostlist::compress(names.iter().map(String::as_str));
        let mut arguments = vec!["--oneliner", "show", "node"];
        if !names.is_empty() {
            arguments.push(&list);
        }
        let text = self.run("scontrol", &arguments).await?;
        Ok(text.lines().filter_map(node).collect())
    }
}

/// A job as squeue shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmJob {
    /// Its id.
    pub id: u64,
    /// `RUNNING`, `PENDING`, `CONFIGURING`, `COMPLETING`, ...
    pub state: String,
    /// Its partition, or those that it may run in.
    pub partitions: Vec<String>,
    /// Its nodes, when it has some.
    pub nodes: Vec<String>,
    /// Why it waits, in Slurm's words: `Resources`, `launch failed requeued held`, ...
    pub reason: String,
}

impl SlurmJob {
    /// Whether it waits until somebody releases it: `JobHeldUser`, `JobHeldAdmin`, `launch failed requeued held`, ...
    pub fn is_held(&self) -> bool {
        self.state == "PENDING" && self.reason.to_ascii_lowercase().contains("held")
    }
}

/// A line of `squeue --format=%A|%T|%P|%r|%N`.
pub(super) fn job(line: &str) -> Result<Option<SlurmJob>, NodeError> {
    let mut words = line.trim().splitn(5, '|');
    let mut word = || words.next().unwrap_or_default();
    let (id, state, partitions, reason, nodes) = (word(), word(), word(), word(), word());
    let Ok(id) = id.parse() else { return Ok(None) };
    Ok(Some(SlurmJob {
        id,
        state: state.to_owned(),
        partitions: partitions.split(',').map(str::to_owned).collect(),
        nodes: hostlist::expand(nodes)?,
        reason: reason.to_owned(),
    }))
}

/// A line of `scontrol --oneliner show partition`.
pub(super) fn partition(line: &str) -> Option<(String, String)> {
    let name = line.strip_prefix("PartitionName=")?.split(' ').next()?;
    let state = line.split(' ').find_map(|word| word.strip_prefix("State="))?;
    Some((name.to_owned(), state.to_owned()))
}

/// A line of `scontrol --oneliner show node`.
pub(super) fn node(line: &str) -> Option<SlurmNode> {
    let mut found =
        SlurmNode { name: line.strip_prefix("NodeName=")?.split(' ').next()?.to_owned(), ..Default::default() };
    for word in line.split(' ') {
        match word.split_once('=') {
            Some(("State", states)) => found.states = states_of(states),
            Some(("NodeAddr", address)) => found.address = address.to_owned(),
            Some(("Partitions", names)) => found.partitions = names.split(',').map(str::to_owned).collect(),
            _ => {}
        }
    }
    // A reason has spaces, and ends with who set it and when: `Reason=text [root@2026-01-31T12:00:00]`.
    if let Some((_, reason)) = line.split_once(" Reason=") {
        found.reason = reason.rsplit_once(" [").map_or(reason, |(text, _)| text).trim().to_owned();
    }
    Some(found)
}

fn states_of(text: &str) -> Vec<String> {
    let mut states: Vec<String> = text.split('+').map(|state| state.trim_end_matches('*').to_owned()).collect();
    if text.contains('*') && !states.iter().any(|state| state == "NOT_RESPONDING") {
        states.push("NOT_RESPONDING".to_owned());
    }
    states
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read() {
        let line = "NodeName=cfd-spot-1 Arch=x86_64 CoresPerSocket=1 CPUAlloc=0 NodeAddr=10.0.0.7 NodeHostName=x OS=Linux 6.1 #1 SMP \
                    State=DOWN*+CLOUD+POWERING_UP ThreadsPerCore=1 Partitions=cfd,all BootTime=None \
                    Reason=hpcctl: (Code:X) no capacity [slurm@2026-01-31T12:00:00]";
        let node = node(line).unwrap();
        assert_eq!(node.name, "cfd-spot-1");
        assert_eq!(node.address, "10.0.0.7");
        assert!(node.is("DOWN") && node.is("POWERING_UP") && node.is("NOT_RESPONDING") && !node.is("IDLE"));
        assert_eq!(node.partitions, ["cfd", "all"]);
        assert_eq!(node.reason, "hpcctl: (Code:X) no capacity");
    }
}
