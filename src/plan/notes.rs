//! What a reviewer must know besides the changes.

use super::{
    Action, After, Change, DataFate, Desired, Note,
    head::{self, HEAD_ADDRESS},
    images, rest,
};
use crate::{model::DataHolding, observe::Live};
use serde_json::Value;

/// The notes to a plan of `apply`.
pub fn notes(
    changes: &[Change],
    desired: &Desired<'_>,
    live: &Live,
    unfinished: Option<u64>,
    head_anew: bool,
) -> Vec<Note> {
    let graph = desired.graph;
    let mut notes: Vec<Note> = changes.iter().filter_map(of_change).chain(ends(changes, live)).collect();
    notes.extend(homes(desired, live));
    let given_back = |(name, volume)| Note::VolumeGivenBack { name, volume };
    notes.extend(rest::brought_leaving(live, desired.rendered).into_iter().map(given_back));
    notes.sort();
    notes.dedup();
    notes.extend(images::notes(graph, live, head_anew));
    if live.stacks.values().any(|stack| stack.state.termination_protection != graph.termination_protection) {
        notes.push(Note::Protection { on: graph.termination_protection });
    }
    notes.extend(unfinished.map(|revision| Note::FinishesRevision { revision }));
    notes
}

fn of_change(change: &Change) -> Option<Note> {
    let address = || change.address.clone();
    match (change.resource_type.as_str(), change.action) {
        ("AWS::Budgets::Budget", Action::Create) => {
            Some(Note::BudgetNeedsTag { tag: crate::cloud::CLUSTER_TAG.to_owned() })
        }
        (_, Action::Replace) if change.address == HEAD_ADDRESS => Some(Note::HeadStartsAnew),
        (_, Action::Replace) => starts_empty(change),
        // "An outage occurs during this change":
        // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
        ("AWS::RDS::DBInstance", Action::Update) if touches(change, &["DBInstanceClass", "EngineVersion"]) => {
            Some(Note::DatabaseAway { address: address() })
        }
        ("AWS::Logs::LogGroup", Action::Update) => {
            shorter(change).map(|days| Note::LogsExpire { address: address(), days })
        }
        _ => None,
    }
}

/// What goes together with what is deleted or replaced, and what is not there to be deleted.
pub fn ends(changes: &[Change], live: &Live) -> Vec<Note> {
    let gone = changes.iter().filter(|change| matches!(change.action, Action::Delete | Action::Replace));
    let lost = gone.filter(|change| change.data.as_ref().is_none_or(|data| data.fate != DataFate::Kept));
    let mut notes: Vec<Note> =
        lost.flat_map(|change| [not_there(change, live), backups(change, live)]).flatten().collect();
    notes.sort();
    notes
}

/// FSx and RDS delete automatic backups together with what they are of
/// (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/using-backups-fsx.html>,
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html>).
fn backups(change: &Change, live: &Live) -> Option<Note> {
    let days = match change.resource_type.as_str() {
        "AWS::FSx::FileSystem" => "LustreConfiguration/AutomaticBackupRetentionDays",
        "AWS::RDS::DBInstance" => "BackupRetentionPeriod",
        _ => return None,
    };
    let path = format!("/Resources/{}/Properties/{days}", change.logical_id);
    let kept = live.stacks.get(&change.stack)?.template.pointer(&path)?.as_u64()? > 0;
    kept.then(|| Note::BackupsGo { address: change.address.clone() })
}

/// Somebody deleted it, or FSx does not show it for a moment: nothing can be exported.
fn not_there(change: &Change, live: &Live) -> Option<Note> {
    let id = change.physical_id.clone().filter(|id| !id.is_empty())?;
    let shown = || live.file_systems.values().any(|one| one.state.id == id);
    (change.resource_type == "AWS::FSx::FileSystem" && !shown())
        .then(|| Note::NotThere { address: change.address.clone(), id: id.clone() })
}

/// Home directories do not follow `/home` to another file system.
fn homes(desired: &Desired<'_>, live: &Live) -> Option<Note> {
    live.files.get("head/storage.sh")?;
    let after = !desired.document.cluster.as_ref()?.mounts_home();
    (head::has_homes(live) != after).then_some(Note::HomesMove { to_head: after })
}

fn starts_empty(change: &Change) -> Option<Note> {
    let data = change.data.as_ref().filter(|data| data.fate == DataFate::Kept)?;
    let (DataHolding::FileSystem { .. }, Some(id)) = (&data.holding, &change.physical_id) else { return None };
    Some(Note::StartsEmpty { address: change.address.clone(), id: id.clone() })
}

fn touches(change: &Change, names: &[&str]) -> bool {
    change.properties.iter().any(|property| names.contains(&property.path.as_str()))
}

/// The days for which a log group keeps its entries from now on, when they are fewer than before; none before: for ever.
fn shorter(change: &Change) -> Option<u64> {
    let property = change.properties.iter().find(|property| property.path == "RetentionInDays")?;
    let After::Known(after) = &property.after else { return None };
    let (before, after) = (property.before.as_ref().and_then(Value::as_u64), after.as_u64()?);
    before.is_none_or(|before| after < before).then_some(after)
}
