//! What was kept keeps what it stands on, also when its entry has long left the cluster file.
//!
//! AWS deletes no subnet with a network interface in it, and no VPC with a subnet or a security group. While the cluster
//! file names what is to be kept, the network's templates keep these as well; afterwards they would delete them, and fail.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html>

use super::{Action, BetweenStack, Change, DataFate, Reason};
use crate::{
    cloud::StackStatus,
    model::StackKey,
    observe::{Kept, Live, LiveStack},
    render::{canonical, cloudformation},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Types that have network interfaces in subnets.
const IN_SUBNETS: &[&str] = &["AWS::FSx::FileSystem", DATABASE, "AWS::RDS::DBCluster"];
const DATABASE: &str = "AWS::RDS::DBInstance";
const GROUP: &str = "AWS::EC2::SecurityGroup";
/// The address of the group that a database has as long as it is there.
const DATABASE_GROUP: &str = "accounting.security_group";

/// How a stack goes of which something stays that its template would delete.
#[derive(Debug, Clone, PartialEq)]
pub enum Carrying {
    /// Its template says so first.
    Marked(BetweenStack),
    /// It cannot be updated any more, for its deletion has failed before: these logical ids are named when it is deleted.
    Named(Vec<String>),
}

/// Turns deletions of what carries something kept into keeping.
pub(super) fn carry(changes: &mut [Change], live: &Live) {
    let Some(vpc) = live.stacks.get(&StackKey::Network).and_then(vpc_of) else { return };
    let before = live.kept.iter().filter(|kept| kept.network.as_deref() == Some(vpc) && is_there(kept, live));
    let before = before.map(|kept| (kept.resource_type.clone(), kept.id.clone()));
    let now = changes.iter().filter(|change| stays(change));
    let now = now.filter_map(|one| Some((one.resource_type.clone(), one.physical_id.clone()?)));
    let standing: Vec<(String, String)> = before.chain(now).collect();
    let find = |kinds: &[&str]| standing.iter().find(|(kind, _)| kinds.contains(&kind.as_str())).map(|(_, id)| id);
    let in_subnets = find(IN_SUBNETS);
    let in_vpc = in_subnets.or_else(|| find(&[GROUP]));
    for change in changes.iter_mut() {
        let user = match change.resource_type.as_str() {
            "AWS::EC2::Subnet" => in_subnets,
            "AWS::EC2::VPC" => in_vpc,
            _ => continue,
        };
        if let (StackKey::Network, Action::Delete, Some(user)) = (&change.stack, change.action, user) {
            change.action = Action::Forget;
            change.reason = Reason::Carries { kept: user.clone() };
        }
    }
}

fn vpc_of(network: &LiveStack) -> Option<&str> {
    let vpc = network.resources.iter().find(|one| one.resource_type == "AWS::EC2::VPC")?;
    Some(vpc.physical_id.as_str()).filter(|id| !id.is_empty())
}

/// Whether this plan itself keeps it.
fn stays(change: &Change) -> bool {
    let elsewhere = matches!(change.stack, StackKey::Network);
    !elsewhere
        && (change.action == Action::Forget || change.data.as_ref().is_some_and(|data| data.fate == DataFate::Kept))
}

/// Nobody is asked about databases: one whose group is gone is gone as well, for a group goes after its users.
fn is_there(kept: &Kept, live: &Live) -> bool {
    let database = kept.resource_type.starts_with("AWS::RDS::");
    let group = |one: &&Kept| one.address == DATABASE_GROUP && one.network == kept.network;
    !database || live.kept.iter().any(|one| group(&one))
}

/// The logical ids in a stack that stay although its template would delete them.
pub(super) fn carriers<'c>(changes: &'c [Change], key: &StackKey) -> BTreeSet<&'c str> {
    let here = changes.iter().filter(|change| change.stack == *key);
    here.filter(|change| matches!(change.reason, Reason::Carries { .. }))
        .map(|change| change.logical_id.as_str())
        .collect()
}

/// How stacks go that carry something.
pub(super) fn going<'k>(
    keys: impl Iterator<Item = &'k StackKey>,
    changes: &[Change],
    live: &Live,
) -> BTreeMap<StackKey, Carrying> {
    let one = |key: &StackKey| {
        let (ids, exists) = (carriers(changes, key), live.stacks.get(key)?);
        let carrying = match exists.state.status {
            _ if ids.is_empty() => return None,
            StackStatus::DeleteFailed => Carrying::Named(ids.into_iter().map(str::to_owned).collect()),
            _ => {
                let mut template = exists.template.clone();
                mark(&mut template, &ids);
                let parameters = exists.state.parameters.clone();
                Carrying::Marked(BetweenStack { template: canonical(&template), parameters })
            }
        };
        Some((key.clone(), carrying))
    };
    keys.filter_map(one).collect()
}

/// The templates of stacks that are marked before they go.
pub(super) fn marked(carrying: &BTreeMap<StackKey, Carrying>) -> BTreeMap<StackKey, BetweenStack> {
    let template = |(key, one): (&StackKey, &Carrying)| match one {
        Carrying::Marked(between) => Some((key.clone(), between.clone())),
        Carrying::Named(_) => None,
    };
    carrying.iter().filter_map(template).collect()
}

/// Writes into a template that these stay: in the metadata as well, without which it would be no update.
pub(super) fn mark(template: &mut Value, ids: &BTreeSet<&str>) {
    for id in ids {
        let Some(resource) = template.pointer_mut(&format!("/Resources/{id}")) else { continue };
        resource["DeletionPolicy"] = json!(cloudformation::RETAIN);
        resource["UpdateReplacePolicy"] = json!("Retain");
        resource["Metadata"][cloudformation::DELETION] = json!(cloudformation::RETAIN);
    }
}
