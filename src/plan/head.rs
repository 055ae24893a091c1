//! The head node in a plan: where its lasting data is, and what must happen around its update.

use super::{Action, Change, DataFate, DataRisk};
use crate::{
    cloud::InstanceState,
    model::{DataHolding, HEAD_DATA, StackKey, volume_id},
    observe::{Live, LiveStack},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The head node's logical id.
pub const HEAD_INSTANCE: &str = "HeadInstance";
/// The head node's address in plans.
pub const HEAD_ADDRESS: &str = "head.instance";

/// The head node's id, when there is one.
pub fn head_id(live: &Live) -> Option<&str> {
    live.stacks.get(&StackKey::Head)?.physical_id(HEAD_INSTANCE).filter(|id| !id.is_empty())
}

fn head(live: &Live) -> Option<&InstanceState> {
    let id = head_id(live)?;
    live.instances.iter().find(|instance| instance.id == id)
}

/// Whether the lasting data of the head node that exists is still on its root volume: it was launched before there was
/// a volume for it, and has not taken that one.
pub fn data_on_root(live: &Live) -> bool {
    let Some(id) = head_id(live) else { return false };
    let storage = live.stacks.get(&StackKey::Storage);
    let volume = storage.and_then(|stack| stack.physical_id(&volume_id(HEAD_DATA))).filter(|id| !id.is_empty());
    let Some(volume) = volume.and_then(|volume| live.volumes.iter().find(|one| one.id == volume)) else { return true };
    let stopped = head(live).is_none_or(|head| matches!(head.state.as_str(), "stopping" | "stopped"));
    match &volume.attachment {
        Some(one) => one.instance != id,
        // `apply` has taken it from a head node that it stopped; a node that was launched later puts its data there.
        None => !stopped && head(live).is_none_or(|head| head.launched < volume.created),
    }
}

/// Whether home directories are on the head node, as its own files say.
pub fn has_homes(live: &Live) -> bool {
    let script = live.files.get("head/storage.sh");
    script.is_none_or(|text| text.lines().any(|line| line.trim().starts_with("export_nfs ") && line.contains("/home")))
}

/// Whether the head node moves to another subnet. The address by which the other nodes know it cannot come along: what they
/// have mounted from it hangs for good, and what runs on them is told to nobody.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html>
pub fn moves(changes: &[Change]) -> bool {
    let subnet = |change: &Change| change.properties.iter().any(|property| property.path == "SubnetId");
    changes.iter().any(|change| change.address == HEAD_ADDRESS && change.action == Action::Replace && subnet(change))
}

/// What is lost with the head node itself, if anything is.
pub fn risk(key: &StackKey, logical_id: &str, live: &Live) -> Option<DataRisk> {
    let lost = *key == StackKey::Head && logical_id == HEAD_INSTANCE && data_on_root(live);
    lost.then(|| DataRisk {
        holding: DataHolding::HeadNode { home: has_homes(live) },
        fate: DataFate::Lost,
        last_export: None,
        linked: Vec::new(),
        targets: Vec::new(),
        login_nodes: false,
    })
}

/// What is taken from the head node before its stack changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The instance.
    pub instance: String,
    /// Its volumes besides its root volume.
    pub volumes: Vec<String>,
    /// Whether it is protected against termination.
    pub protected: bool,
    /// Whether another one takes its place; else it is started again.
    pub replaced: bool,
}

/// What must be taken from the head node before the head stack is updated; nothing when it stays as it is.
///
/// CloudFormation makes a new instance before it deletes the old one: both cannot have the volumes, nor two slurmctld one
/// fleet. And where a stack attached volumes, taking them out of the template takes them from a running system.
pub fn release(changes: &[Change], live: &Live) -> Option<Release> {
    let change = changes.iter().find(|one| one.stack == StackKey::Head && one.logical_id == HEAD_INSTANCE)?;
    let replaced = change.action == Action::Replace;
    let stack = live.stacks.get(&StackKey::Head)?;
    let properties = stack.template.pointer(&format!("/Resources/{HEAD_INSTANCE}/Properties"))?;
    let detached = change.properties.iter().any(|property| property.path.starts_with("Volumes"));
    if !replaced && !detached {
        return None;
    }
    let instance = head(live)?;
    Some(Release {
        instance: instance.id.clone(),
        volumes: volumes(live, stack, &instance.id),
        protected: properties.get("DisableApiTermination").is_some_and(|value| value == &Value::Bool(true)),
        replaced,
    })
}

/// The volumes that the head node attaches: those of the storage stack, and those that the cluster file names.
fn volumes(live: &Live, head: &LiveStack, instance: &str) -> Vec<String> {
    let storage = live.stacks.get(&StackKey::Storage).map(|stack| &stack.resources[..]).unwrap_or_default();
    let made = storage.iter().filter(|one| one.resource_type == "AWS::EC2::Volume").map(|one| one.physical_id.clone());
    let own = live.brought_volumes().into_iter().map(|(_, id)| id);
    let by_stack = head.template.pointer(&format!("/Resources/{HEAD_INSTANCE}/Properties/Volumes"));
    let by_stack = by_stack.and_then(Value::as_array).into_iter().flatten();
    let by_stack = by_stack.filter_map(|one| one.get("VolumeId")?.as_str().map(str::to_owned));
    let all: BTreeSet<String> = made.chain(own).chain(by_stack).filter(|id| id.starts_with("vol-")).collect();
    // What is known to be elsewhere is nothing of this one's.
    let elsewhere = |id: &String| {
        let known = live.volumes.iter().find(|one| one.id == *id);
        known.is_some_and(|one| one.attachment.as_ref().is_none_or(|held| held.instance != instance))
    };
    all.into_iter().filter(|id| !elsewhere(id)).collect()
}
