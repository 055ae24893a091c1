//! What has to be at rest before a file system goes: jobs, nodes that have it mounted, automatic export.

use super::{Action, Change, DataRisk, Effect, Reason, head};
use crate::{
    model::{DataHolding, StackKey},
    observe::{HEAD_CONFIG, Live, brought_volumes},
    render::Rendered,
};
use std::collections::BTreeMap;

/// The ids of the file systems that nodes will no longer reach: those that go for good, and those that stay outside the
/// cluster, whose mount targets or rules go. Nodes that have one mounted would hang, whatever becomes of its data.
pub fn going(changes: &[Change]) -> Vec<String> {
    changes.iter().filter(|change| is_cut_off(change)).filter_map(|change| change.physical_id.clone()).collect()
}

fn is_cut_off(change: &Change) -> bool {
    matches!(change.action, Action::Replace | Action::Delete | Action::Forget) && file_system(change).is_some()
}

/// What becomes of a file system's data.
fn file_system(change: &Change) -> Option<&DataRisk> {
    change.data.as_ref().filter(|data| matches!(data.holding, DataHolding::FileSystem { .. }))
}

/// The ids of the volumes that leave a head node which runs: it unmounts them, exports them no more, and lets go.
pub fn leaving(changes: &[Change], live: &Live) -> Vec<String> {
    if !takes_orders(live) {
        return Vec::new();
    }
    let leaves = changes.iter().filter(|change| leaves_file(change)).filter_map(|change| change.physical_id.clone());
    leaves.filter(|id| has_head(id, live)).collect()
}

/// The volumes of somebody else's that the head node has, and that the next configuration does not name: their names in
/// the cluster file, and their ids. They are in no stack, so no change says it.
pub fn brought_leaving(live: &Live, rendered: &Rendered) -> Vec<(String, String)> {
    let next = rendered.files.get(HEAD_CONFIG).map(|file| brought_volumes(&file.content)).unwrap_or_default();
    let mut leaving = live.brought_volumes();
    leaving.retain(|(_, id)| next.iter().all(|(_, other)| other != id) && has_head(id, live));
    leaving
}

/// Whether the head node has a volume.
fn has_head(volume: &str, live: &Live) -> bool {
    let found = live.volumes.iter().find(|one| one.id == volume).and_then(|one| one.attachment.as_ref());
    found.is_some_and(|one| head::head_id(live) == Some(one.instance.as_str()))
}

/// Whether there is a head node that runs, and carries out orders.
pub(super) fn takes_orders(live: &Live) -> bool {
    running_head(live).is_some() && queues(live).is_some()
}

/// Whether it is a volume whose entry has left the cluster file.
pub(super) fn leaves_file(change: &Change) -> bool {
    let volume = |data: &DataRisk| matches!(data.holding, DataHolding::Volume { .. });
    change.reason == Reason::NotWanted
        && matches!(change.action, Action::Delete | Action::Forget)
        && change.data.as_ref().is_some_and(volume)
}

/// The head node, when it runs.
fn running_head(live: &Live) -> Option<&str> {
    let id = head::head_id(live)?;
    live.instances.iter().any(|one| one.id == id && one.state == "running").then_some(id)
}

/// The queues that have to be held: all that there are, because every node mounts every file system. `None`: nobody
/// is there to hold them, the cluster has no head node yet or any more.
pub fn queues(live: &Live) -> Option<Vec<String>> {
    let of = |key: &StackKey| if let StackKey::Queue(queue) = key { Some(queue.clone()) } else { None };
    let role = |name: &str| live.instances.iter().any(|one| one.has_role(name));
    (live.revision.is_some() && role("head")).then(|| live.stacks.keys().filter_map(of).collect())
}

/// Whether queues are still held for something that goes, by an earlier apply that did not come to its end.
pub fn left_held(live: &Live) -> bool {
    live.held.is_some()
}

/// The associations of a file system that export by themselves, with the events.
pub fn auto_exports(live: &Live, file_system: &str) -> BTreeMap<String, Vec<String>> {
    let found = live.file_systems.values().filter(|one| one.state.id == file_system);
    let links = found.flat_map(|one| &one.state.repositories).filter(|link| !link.auto_export.is_empty());
    links.filter_map(|link| Some((link.association.clone()?, link.auto_export.clone()))).collect()
}

/// The same, of file systems that are exported in case CloudFormation replaces them, and that may stay.
pub fn maybe_silenced(changes: &[Change], live: &Live) -> BTreeMap<String, Vec<String>> {
    let certain = |change: &Change| change.properties.iter().any(|one| one.effect == Effect::Replaces);
    let open = changes.iter().filter(|change| change.action == Action::Replace && !certain(change));
    let open = open.filter(|change| file_system(change).is_some_and(DataRisk::is_exported));
    open.filter_map(|change| change.physical_id.as_deref()).flat_map(|id| auto_exports(live, id)).collect()
}

/// Associations that should export by themselves and do not: an apply that switched it off died before it could take
/// that back, or somebody did it by hand. Those that change or go anyway are left out.
pub fn silent_links(changes: &[Change], live: &Live) -> BTreeMap<String, Vec<String>> {
    let Some(stack) = live.stacks.get(&StackKey::Storage) else { return BTreeMap::new() };
    let going = going(changes);
    let stays = live.file_systems.values().filter(|one| !going.contains(&one.state.id));
    let silent = stays.flat_map(|one| &one.state.repositories).filter(|link| link.auto_export.is_empty());
    let wish = |association: &String| -> Option<Vec<String>> {
        let resource = stack.resources.iter().find(|one| one.physical_id == *association)?;
        let changes_anyway = |change: &Change| change.logical_id == resource.logical_id;
        let path = format!("/Resources/{}/Properties/S3/AutoExportPolicy/Events", resource.logical_id);
        let events = stack.template.pointer(&path)?.as_array()?;
        let events: Vec<String> = events.iter().filter_map(|event| Some(event.as_str()?.to_owned())).collect();
        (!changes.iter().any(changes_anyway) && !events.is_empty()).then_some(events)
    };
    silent.filter_map(|link| Some((link.association.clone()?, wish(link.association.as_ref()?)?))).collect()
}

/// The login nodes that have something mounted which they can no longer reach: they take no orders, and mount once, as
/// they boot.
pub fn stale_login_nodes(changes: &[Change], brought: &[(String, String)], live: &Live) -> Vec<String> {
    let cut_off = changes.iter().any(|change| is_cut_off(change) || leaves_file(change));
    if brought.is_empty() && !cut_off && !head::moves(changes) {
        return Vec::new();
    }
    live.instances.iter().filter(|one| one.has_role("login") && one.is_alive()).map(|one| one.id.clone()).collect()
}

/// Login nodes take no orders: what people write there while a file system is exported is in no export.
pub fn mark_login_nodes(changes: &mut [Change], live: &Live) {
    let logins = live.instances.iter().any(|one| one.has_role("login"));
    for change in changes.iter_mut().filter(|change| is_cut_off(change)) {
        if let Some(data) = &mut change.data {
            data.login_nodes = logins && data.is_exported();
        }
    }
}
