//! What would stop a plan half-way: everything that refuses to be deleted, all at once, before anything is.

use super::{Action, After, Change, Plan, PropertyChange, StepAction};
use crate::{
    cloud::Timestamp,
    model::DataHolding,
    observe::{Going, Guards, Live},
};

/// Something that refuses to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// CloudFormation's termination protection guards a stack.
    Stack {
        /// Its name.
        name: String,
    },
    /// RDS's deletion protection guards a database.
    Database {
        /// Its name in plans.
        address: String,
        /// Its id.
        id: String,
        /// The command that lifts a protection that was switched on by hand: no cluster file changes it.
        by_hand: Option<String>,
    },
    /// EC2's termination protection guards an instance.
    Instance {
        /// Its name in plans.
        address: String,
        /// Its id.
        id: String,
    },
    /// A file system cannot be exported now.
    FileSystem {
        /// Its name in the cluster file.
        name: String,
        /// Its id.
        id: String,
        /// Its state.
        lifecycle: String,
    },
    /// A link with S3 does not work.
    Link {
        /// The file system's name in the cluster file.
        name: String,
        /// The directory.
        path: String,
        /// Its state.
        lifecycle: String,
    },
    /// FSx grows a file system once in six hours.
    TooSoon {
        /// Its name in plans.
        address: String,
        /// Its id.
        id: String,
        /// When it may grow again.
        not_before: Timestamp,
    },
    /// EBS still works on the last change of a volume.
    Changing {
        /// Its name in plans.
        address: String,
        /// Its id.
        id: String,
        /// How much of it is done, in percent.
        progress: Option<i64>,
    },
    /// The bucket of an export is not there.
    Bucket {
        /// The file system's name in the cluster file.
        name: String,
        /// The bucket.
        bucket: String,
    },
}

/// Seconds between two growths of a Lustre file system.
/// <https://docs.aws.amazon.com/fsx/latest/LustreGuide/managing-storage-capacity.html>
const BETWEEN_GROWTHS: i64 = 6 * 3600;

/// The resources that go and may refuse it, and volumes whose change may come too soon.
pub fn going(plan: &Plan) -> Vec<Going> {
    let kinds = ["AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::EC2::Instance", "AWS::FSx::FileSystem"];
    let may_refuse = |change: &&Change| {
        goes(change) && kinds.contains(&change.resource_type.as_str())
            || changed(change, VOLUME, VOLUME_SIZES).count() > 0
    };
    plan.changes.iter().filter(may_refuse).map(|change| (change.stack.clone(), change.logical_id.clone())).collect()
}

const VOLUME: &str = "AWS::EC2::Volume";
/// What EBS changes one at a time, four times in a day at the most.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>
const VOLUME_SIZES: &[&str] = &["Size", "Iops", "Throughput", "VolumeType"];

fn changed<'c>(
    change: &'c Change,
    resource_type: &str,
    properties: &[&str],
) -> impl Iterator<Item = &'c PropertyChange> {
    let here = change.action == Action::Update && change.resource_type == resource_type;
    change.properties.iter().filter(move |one| here && properties.contains(&one.path.as_str()))
}

/// Whether a change is still to be made: a plan that was interrupted may have made it already.
fn is_open(change: &Change, property: &PropertyChange, live: &Live) -> bool {
    let place = format!("/Resources/{}/Properties/{}", change.logical_id, property.path);
    let now = live.stacks.get(&change.stack).and_then(|stack| stack.template.pointer(&place));
    property.after != now.map_or(After::Unset, |value| After::Known(value.clone()))
}

/// A change of size that comes too soon after another.
fn too_soon(change: &Change, live: &Live, guards: &Guards) -> Option<Obstacle> {
    let (address, id) = (change.address.clone(), change.physical_id.clone()?);
    if changed(change, VOLUME, VOLUME_SIZES).any(|one| is_open(change, one, live)) {
        let progress = *guards.changing.get(&id)?;
        return Some(Obstacle::Changing { address, id, progress });
    }
    let grows = changed(change, "AWS::FSx::FileSystem", &["StorageCapacity"]).any(|one| is_open(change, one, live));
    let state = live.file_systems.values().map(|one| &one.state).find(|state| grows && state.id == id)?;
    let not_before = state.grown?.plus(BETWEEN_GROWTHS);
    (live.at < not_before).then_some(Obstacle::TooSoon { address, id, not_before })
}

fn goes(change: &Change) -> bool {
    matches!(change.action, Action::Delete | Action::Replace)
}

/// Everything that refuses, in the order of the plan.
pub fn obstacles(plan: &Plan, live: &Live, guards: &Guards) -> Vec<Obstacle> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let StepAction::DeleteStack { stack, .. } = &step.action else { continue };
        if let Some(stack) = live.stacks.get(stack).filter(|stack| stack.state.termination_protection) {
            found.push(Obstacle::Stack { name: stack.state.name.clone() });
        }
    }
    found.extend(plan.changes.iter().filter_map(|change| too_soon(change, live, guards)));
    for change in plan.changes.iter().filter(|change| goes(change)) {
        let (address, id) = (change.address.clone(), change.physical_id.clone().unwrap_or_default());
        if guards.databases.contains(&(change.stack.clone(), change.logical_id.clone())) {
            let by_hand = lifted_by_hand(change, live, &id);
            found.push(Obstacle::Database { address, id, by_hand });
        } else if guards.instances.contains(&id) {
            found.push(Obstacle::Instance { address, id });
        } else {
            found.extend(of_export(change, live, guards));
        }
    }
    found
}

/// How to lift the protection of a database that its stack does not protect.
fn lifted_by_hand(change: &Change, live: &Live, id: &str) -> Option<String> {
    let place = format!("/Resources/{}/Properties/DeletionProtection", change.logical_id);
    let written = live.stacks.get(&change.stack).and_then(|stack| stack.template.pointer(&place));
    let protected = written.is_some_and(|one| one == true || one == "true");
    let kind = if change.resource_type.ends_with("DBCluster") { "cluster" } else { "instance" };
    (!protected).then(|| format!("aws rds modify-db-{kind} --db-{kind}-identifier {id} --no-deletion-protection"))
}

/// What stops the export of a file system.
fn of_export(change: &Change, live: &Live, guards: &Guards) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let Some(data) = change.data.as_ref().filter(|data| data.is_exported()) else { return found };
    let DataHolding::FileSystem { name, .. } = &data.holding else { return found };
    let Some(state) = live.file_systems.get(&change.logical_id).map(|one| &one.state) else { return found };
    if !matches!(state.lifecycle.as_str(), "AVAILABLE" | "UPDATING") {
        let (id, lifecycle) = (state.id.clone(), state.lifecycle.clone());
        found.push(Obstacle::FileSystem { name: name.clone(), id, lifecycle });
    }
    for link in &state.repositories {
        if matches!(link.lifecycle.as_str(), "MISCONFIGURED" | "FAILED") {
            let (path, lifecycle) = (link.path.clone(), link.lifecycle.clone());
            found.push(Obstacle::Link { name: name.clone(), path, lifecycle });
        }
        let bucket = link.export.as_ref().map(|uri| crate::spec::S3Uri(uri.clone()).bucket().to_owned());
        if let Some(bucket) = bucket.filter(|bucket| guards.missing_buckets.contains(bucket)) {
            found.push(Obstacle::Bucket { name: name.clone(), bucket });
        }
    }
    found
}
