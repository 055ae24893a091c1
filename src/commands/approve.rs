//! Asking whether to go on.

use super::output::Output;
use crate::{
    model::DataHolding,
    plan::{Change, DataFate, Goal, Plan},
    report::errors::{Failure, exit},
};
use clap::Args;
use std::{
    collections::BTreeSet,
    io::{BufRead, IsTerminal, Write},
};

/// Options of approval.
#[derive(Debug, Clone, Args)]
pub struct Approval {
    /// Do not ask; data loss still needs its own approval
    #[arg(long)]
    pub auto_approve: bool,
    /// Approve the loss of this resource's data (its address, or `all`)
    #[arg(long, value_name = "ADDRESS")]
    pub approve_data_loss: Vec<String>,
}

/// Refuses when the plan loses data that is not approved, or when nobody says yes.
pub fn approve(plan: &Plan, approval: &Approval, output: &Output) -> Result<(), Failure> {
    let covered = |address: &str| approval.approve_data_loss.iter().any(|word| word == address || word == "all");
    let open: Vec<String> =
        plan.losses().map(|change| change.address.clone()).filter(|address| !covered(address)).collect();
    let known = |word: &&String| *word == "all" || plan.changes.iter().any(|change| change.address == **word);
    if let Some(unknown) = approval.approve_data_loss.iter().find(|word| !known(word)) {
        return Err(Failure::new(
            "HPC2043",
            format!("`--approve-data-loss {unknown}` names nothing that this plan changes"),
            "name an address as the plan shows it, or `all`",
            exit::REFUSED,
        ));
    }
    if !open.is_empty() {
        let causes: BTreeSet<&str> =
            plan.losses().filter(|change| !covered(&change.address)).filter_map(instead).collect();
        let instead = causes.into_iter().collect::<Vec<_>>().join("; ");
        let remedy = format!("approve each with `--approve-data-loss {}`, or {instead}", open[0]);
        let mut failure =
            Failure::new("HPC2041", "data would be lost without export or snapshot", remedy, exit::REFUSED);
        failure.details = open;
        return Err(failure);
    }
    // Whoever only waits approves nothing.
    if approval.auto_approve || plan.only_waits() {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "HPC2040",
            "nobody is there to approve the plan",
            "use --auto-approve",
            exit::REFUSED,
        ));
    }
    ask(plan, output)
}

/// What somebody does who does not want the loss, by its cause.
fn instead(change: &Change) -> Option<&'static str> {
    let data = change.data.as_ref()?;
    Some(match &data.holding {
        DataHolding::Queue { .. } | DataHolding::Jobs { .. } => "let the jobs end first",
        DataHolding::HeadNode { .. } => {
            "let the head node move its data to its volume first, as the note below the plan says"
        }
        DataHolding::FileSystem { .. } if data.login_nodes => {
            "take the login nodes out of the cluster file and apply that first: they are not held while it is exported"
        }
        DataHolding::FileSystem { .. } if data.fate == DataFate::ExportedInPart => {
            "link what lies outside with S3, or copy it elsewhere first"
        }
        DataHolding::FileSystem { exportable: true, .. } => {
            "set `on_destroy` to export or keep, and apply that alone first"
        }
        DataHolding::FileSystem { .. } => "set `on_destroy: keep`, and apply that alone first",
        DataHolding::Database | DataHolding::Volume { .. } | DataHolding::HeadData { .. } => {
            "set `on_destroy` to snapshot or keep, and apply that alone first"
        }
        DataHolding::Logs => return None,
    })
}

fn ask(plan: &Plan, output: &Output) -> Result<(), Failure> {
    let word = match plan.goal {
        Goal::Apply => "yes",
        Goal::Destroy => plan.cluster.as_str(),
    };
    output.warn(&format!("\nType `{word}` to go on: "));
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_ok() && line.trim() == word {
        return Ok(());
    }
    Err(Failure::new("HPC2040", "not approved: nothing was done", "", exit::REFUSED))
}
