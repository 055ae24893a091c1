//! What a reviewer must know besides the changes.

use super::{
    Action, After, Change, DataFate, Desired, Note, Reason,
    head::{self, HEAD_ADDRESS},
    images, rest,
};
use crate::{
    model::{DataHolding, StackKey},
    observe::Live,
    spec::Os,
};
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
    notes.extend(renamed(changes, desired, live));
    notes.extend(kernel(changes, desired, live));
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

/// Pairs of what goes and what comes that are alike but for their names: file systems, volumes, and queues by their pools.
fn renamed(changes: &[Change], desired: &Desired<'_>, live: &Live) -> Vec<Note> {
    let holds = |change: &Change| match change.resource_type.as_str() {
        "AWS::FSx::FileSystem" | "AWS::EFS::FileSystem" | "AWS::EC2::Volume" => true,
        "AWS::EC2::LaunchTemplate" => matches!(change.stack, StackKey::Queue(_)),
        _ => false,
    };
    let before = |change: &Change| alike(&live.stacks.get(&change.stack)?.template, change);
    let after = |change: &Change| {
        let body = &desired.rendered.templates.get(&change.stack)?.body;
        alike(&serde_json::from_str(body).ok()?, change)
    };
    let gone = changes.iter().filter(|one| one.reason == Reason::NotWanted && holds(one));
    let gone: Vec<(&Change, Value)> = gone.filter_map(|one| Some((one, before(one)?))).collect();
    let mut notes = Vec::new();
    for new in changes.iter().filter(|one| one.action == Action::Create && one.reason == Reason::New && holds(one)) {
        let Some(properties) = after(new) else { continue };
        let twin = |(old, was): &&(&Change, Value)| old.resource_type == new.resource_type && *was == properties;
        if let Some((old, _)) = gone.iter().find(twin).filter(|(old, _)| title(old) != title(new)) {
            notes.push(Note::LooksRenamed { from: title(old), to: title(new) });
        }
    }
    notes
}

/// What a reviewer calls it: a queue by its name, everything else by its address.
fn title(change: &Change) -> String {
    match &change.stack {
        StackKey::Queue(queue) => format!("queue.{queue}"),
        _ => change.address.clone(),
    }
}

/// What tells things from each other besides their names: properties without tags and references; of a pool's launch template
/// the type that it launches.
fn alike(template: &Value, change: &Change) -> Option<Value> {
    let properties = template.pointer(&format!("/Resources/{}/Properties", change.logical_id))?;
    if let Some(data) = properties.get("LaunchTemplateData") {
        return data.get("InstanceType").cloned();
    }
    let mut plain = properties.as_object()?.clone();
    plain.retain(|key, value| !key.contains("Tags") && key != "SecurityGroupIds" && !value.is_array());
    Some(Value::Object(plain))
}

/// FSx's Lustre clients lag behind Ubuntu's newest kernels.
fn kernel(changes: &[Change], desired: &Desired<'_>, live: &Live) -> Option<Note> {
    let cluster = desired.document.cluster.as_ref()?;
    let ubuntu = cluster.image.ami.is_none() && matches!(cluster.image.os, Os::Ubuntu2404 | Os::Ubuntu2204);
    if !ubuntu || cluster.storage.iter().all(|one| one.fsx_lustre.is_none()) {
        return None;
    }
    let mut properties = changes.iter().flat_map(|change| &change.properties);
    let newer = properties.any(|one| one.path == "ImageId" || one.path == "LaunchTemplateData/ImageId");
    let newest = live.images.iter().find(|((os, _), _)| *os == cluster.image.os).map(|(_, image)| image.clone());
    newest.filter(|_| newer).map(|image| Note::KernelMayLag { image })
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
