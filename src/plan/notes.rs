//! What a reviewer must know besides the changes.

use super::{Action, After, Change, DataFate, Note, head::HEAD_ADDRESS};
use crate::{
    model::{DataHolding, Graph},
    observe::Live,
};
use serde_json::Value;

/// The notes to a plan of `apply`.
pub fn notes(
    changes: &[Change],
    brought: &[(String, String)],
    graph: &Graph,
    live: &Live,
    unfinished: Option<u64>,
) -> Vec<Note> {
    let mut notes: Vec<Note> = changes.iter().filter_map(of_change).collect();
    let given_back =
        |(name, volume): &(String, String)| Note::VolumeGivenBack { name: name.clone(), volume: volume.clone() };
    notes.extend(brought.iter().map(given_back));
    notes.sort();
    notes.dedup();
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
