//! From one Slurm to another: whether the new one reads the jobs that the old one kept.
//!
//! Slurm reads the state of the two major releases before it, from 24.11 on of three; it never reads that of a later one
//! (<https://slurm.schedmd.com/upgrades.html>). A new head node takes the state over with its data volume.

use super::{DataFate, DataRisk, head::HEAD_INSTANCE};
use crate::{
    model::{DataHolding, StackKey},
    observe::Live,
    render::Rendered,
};
use serde_json::Value;

/// Slurm's major releases, the oldest first (<https://slurm.schedmd.com/release_notes.html>).
const RELEASES: [&str; 10] = ["20.02", "20.11", "21.08", "22.05", "23.02", "23.11", "24.05", "24.11", "25.05", "25.11"];
/// The first release that reads the state of three before it.
const READS_THREE: &str = "24.11";
/// The head node's file that says which Slurm it runs.
const HEAD_FILE: &str = "head/hpcctl.json";

/// A step from one Slurm to another that loses the jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmStep {
    from: String,
    to: String,
}

impl SlurmStep {
    /// The step that the cluster file asks for, when it loses the jobs; `None` also when a version is not known, since
    /// Slurm comes with the image.
    pub fn of(rendered: &Rendered, live: &Live) -> Option<Self> {
        let from = version(live.files.get(HEAD_FILE)?)?;
        let to = version(&rendered.files.get(HEAD_FILE)?.content)?;
        (!reads(&from, &to)).then_some(Self { from, to })
    }

    /// What is lost with the head node.
    pub fn risk(&self, key: &StackKey, logical_id: &str) -> Option<DataRisk> {
        let head = *key == StackKey::Head && logical_id == HEAD_INSTANCE;
        head.then(|| DataRisk {
            holding: DataHolding::Queue { from: self.from.clone(), to: self.to.clone() },
            fate: DataFate::Lost,
            last_export: None,
            linked: Vec::new(),
            targets: Vec::new(),
            login_nodes: false,
        })
    }
}

fn version(config: &str) -> Option<String> {
    let config: Value = serde_json::from_str(config).ok()?;
    config.get("slurm").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a Slurm reads the state of another: of a release that is not known, its own alone.
fn reads(from: &str, to: &str) -> bool {
    let place = |version: &str| RELEASES.iter().position(|release| *release == version);
    let (Some(from), Some(to)) = (place(from), place(to)) else { return from == to };
    let window = if Some(to) >= place(READS_THREE) { 3 } else { 2 };
    from <= to && to - from <= window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slurm_reads_the_releases_before_it_and_none_after_it() {
        for (from, to, good) in [
            ("23.11", "23.11", true),
            ("22.05", "23.11", true),
            ("21.08", "22.05", true),
            ("21.08", "23.11", false),
            ("23.11", "22.05", false),
            ("23.11", "21.08", false),
            ("23.11", "24.11", true),
            ("23.02", "24.11", true),
            ("22.05", "24.11", false),
            ("25.11", "99.05", false),
            ("99.05", "99.05", true),
        ] {
            assert_eq!(reads(from, to), good, "{from} to {to}");
        }
    }
}
