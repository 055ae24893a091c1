//! Users before providers, across stacks.
//!
//! AWS refuses to delete a security group, subnet, VPC or volume that something uses, and CloudFormation's clean-up then
//! leaves it behind. So a stack that loses such a thing keeps it until the stacks that use it have let go of it.

use super::{Action, Change, Reason, carried, head, rest};
use crate::{
    model::StackKey,
    observe::{Live, LiveStack},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Types that AWS does not delete while something uses them.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html>
const HELD: &[&str] = &["AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC", VOLUME];
const VOLUME: &str = "AWS::EC2::Volume";
/// The same, where nodes use them that Slurm launched.
pub(super) const PLACEMENT_GROUP: &str = "AWS::EC2::PlacementGroup";

/// The pool whose nodes are launched from a template, or are in a placement group: each pool has its own.
pub(super) fn pool_of(change: &Change) -> Option<&str> {
    let before = match change.resource_type.as_str() {
        LAUNCH_TEMPLATE => ".launch_template.",
        PLACEMENT_GROUP => ".placement_group.",
        _ => return None,
    };
    change.address.split(before).nth(1)?.split('.').next()
}
/// What the head node launches from as long as its files name it: they go when the next files are there.
pub(super) const LAUNCH_TEMPLATE: &str = "AWS::EC2::LaunchTemplate";
/// Nodes that Slurm launched use these as well.
pub(super) const SUBNET: &str = "AWS::EC2::Subnet";

/// A resource that would be replaced while other stacks use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldReplacement {
    /// Its address.
    pub address: String,
    /// The stacks that use it.
    pub users: Vec<StackKey>,
    /// The line of the cluster file that it comes from.
    pub line: Option<usize>,
}

/// A volume that would be deleted while an instance has it attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedVolume {
    /// Its address.
    pub address: String,
    /// Its id.
    pub volume: String,
    /// The instance.
    pub instance: String,
    /// EC2's word for the state of the head node, when it is that and cannot let go; `None`: it is another instance.
    pub head: Option<String>,
}

/// The stacks that lose something while others use it, or that must say first that it stays.
pub(super) fn providers<'c>(changes: &'c [Change], live: &Live) -> BTreeSet<&'c StackKey> {
    let carries = |change: &Change| matches!(change.reason, Reason::Carries { .. });
    let goes = |change: &&Change| change.action == Action::Delete || carries(change);
    let held = |change: &&Change| match change.resource_type.as_str() {
        _ if carries(change) => true,
        PLACEMENT_GROUP => true,
        LAUNCH_TEMPLATE => matches!(change.stack, StackKey::Queue(_)) && head::head_id(live).is_some(),
        kind => HELD.contains(&kind) && (!users(change, live).is_empty() || is_attached(change, live)),
    };
    changes.iter().filter(goes).filter(held).map(|change| &change.stack).collect()
}

/// What would be replaced although other stacks use it. CloudFormation deletes the old one at the end of the update of
/// its own stack, when the others have not heard of the new one.
pub(super) fn replacements(changes: &[Change], live: &Live) -> Vec<HeldReplacement> {
    let replaced = |change: &&Change| change.action == Action::Replace && HELD.contains(&change.resource_type.as_str());
    let one = |change: &Change| HeldReplacement {
        address: change.address.clone(),
        users: users(change, live),
        line: change.cause.as_ref().map(|cause| cause.line),
    };
    changes.iter().filter(replaced).map(one).filter(|held| !held.users.is_empty()).collect()
}

/// The volumes that would be deleted while an instance that stays has them attached: EC2 says "VolumeInUse", and a
/// mounted file system cannot be taken from beneath those who use it. A head node that runs is asked to let go of them, and
/// one that goes, or that is stopped for its update, lets go of them before: all others cannot.
pub(super) fn attached(changes: &[Change], brought: &[(String, String)], live: &Live) -> Vec<AttachedVolume> {
    let head_goes = changes.iter().any(|one| one.address == head::HEAD_ADDRESS && one.action != Action::Update);
    let released = head::release(changes, live).map(|release| release.volumes).unwrap_or_default();
    let mut asked = rest::leaving(changes, live);
    if rest::takes_orders(live) {
        asked.extend(brought.iter().map(|(_, id)| id.clone()));
    }
    let one = |(address, volume): (String, String)| {
        let instance = holder(&volume, live)?;
        let is_head = head::head_id(live) == Some(instance);
        let lets_go = released.contains(&volume) || asked.contains(&volume) || head_goes && is_head;
        let state = live.instances.iter().find(|one| one.id == instance).map(|one| one.state.clone());
        let instance = instance.to_owned();
        let head = is_head.then(|| state.unwrap_or_else(|| "gone".to_owned()));
        (!lets_go).then_some(AttachedVolume { address, volume, instance, head })
    };
    // What is left of a stack that must be made anew is no wish of the cluster file's.
    let leaves = |change: &&Change| change.action == Action::Delete && change.reason == Reason::NotWanted;
    let of_stacks = changes.iter().filter(leaves).filter(|change| change.resource_type == VOLUME);
    let of_stacks = of_stacks.filter_map(|change| Some((change.address.clone(), change.physical_id.clone()?)));
    let of_others = brought.iter().map(|(name, id)| (format!("storage.{name}"), id.clone()));
    of_stacks.chain(of_others).filter_map(one).collect()
}

/// Whether it is a volume that an instance has attached by itself.
fn is_attached(change: &Change, live: &Live) -> bool {
    change.physical_id.as_ref().is_some_and(|id| holder(id, live).is_some())
}

/// The instance that has a volume.
fn holder<'l>(volume: &str, live: &'l Live) -> Option<&'l str> {
    let volume = live.volumes.iter().find(|one| one.id == volume)?;
    Some(volume.attachment.as_ref()?.instance.as_str())
}

/// The other stacks that have a resource's id among their parameters.
fn users(change: &Change, live: &Live) -> Vec<StackKey> {
    let Some(id) = change.physical_id.as_deref().filter(|id| !id.is_empty()) else { return Vec::new() };
    let uses = |stack: &LiveStack| stack.state.parameters.values().any(|value| value.split(',').any(|one| one == id));
    let others = live.stacks.iter().filter(|(key, stack)| **key != change.stack && uses(stack));
    others.map(|(key, _)| key.clone()).collect()
}

/// A stack between what it is and what it is to be: everything new is there, and what is to go still is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Between {
    /// The template.
    pub template: Value,
    /// The parameters that only what is to go needs, as they are.
    pub parameters: BTreeMap<String, String>,
}

/// The stack between, in which these `stay` says that they do; `None` when it is what exists: nothing changes but what goes.
pub(super) fn between(wanted: &Value, exists: &LiveStack, stay: &BTreeSet<&str>) -> Option<Between> {
    let mut template = wanted.clone();
    for section in ["Resources", "Outputs", "Parameters"] {
        let there = exists.template.get(section).and_then(Value::as_object);
        let Some(there) = there.filter(|there| !there.is_empty()) else { continue };
        let Some(template) = template.as_object_mut() else { continue };
        let merged = template.entry(section).or_insert_with(|| Value::Object(Map::new()));
        let Some(merged) = merged.as_object_mut() else { continue };
        for (name, old) in there {
            merged.entry(name.clone()).or_insert_with(|| old.clone());
        }
    }
    carried::mark(&mut template, stay);
    let has = |name: &String| wanted.pointer(&format!("/Parameters/{name}")).is_some();
    let parameters = exists.state.parameters.iter().filter(|(name, _)| !has(name));
    let parameters = parameters.map(|(name, value)| (name.clone(), value.clone())).collect();
    (template != exists.template).then_some(Between { template, parameters })
}
