//! What the cluster file keeps when it leaves the cluster: the list of it outlives the cluster's archive.

use super::{ApplyError, Context};
use crate::{
    model::{DataHolding, StackKey},
    observe::{Kept, KeptList, VOLUME_SNAPSHOT},
    plan::{Action, Change, DataFate, Goal, Plan},
};

/// Writes down what this plan keeps, before anything happens to it.
pub async fn remember(context: &Context<'_>) -> Result<(), ApplyError> {
    let plan = context.plan;
    let mut now: Vec<Kept> = plan.changes.iter().filter_map(|one| kept(one, plan.revision)).collect();
    let bucket = context.bucket();
    if now.is_empty() || !context.cloud.objects.bucket_exists(&bucket).await? {
        return Ok(());
    }
    let network = own_vpc(context).await?;
    // A snapshot stands in no network.
    now.iter_mut().filter(|one| one.made_of.is_none()).for_each(|one| one.network.clone_from(&network));
    let mut list = KeptList::read(context.cloud, &bucket, &plan.cluster).await?;
    let new: Vec<Kept> = now.into_iter().filter(|one| list.items.iter().all(|other| other.id != one.id)).collect();
    if new.is_empty() {
        return Ok(());
    }
    list.items.extend(new);
    Ok(list.write(context.cloud, &bucket, &plan.cluster).await?)
}

/// The VPC that the cluster made for itself: what is kept may stand in it.
async fn own_vpc(context: &Context<'_>) -> Result<Option<String>, ApplyError> {
    let name = StackKey::Network.stack_name(&context.plan.cluster);
    if context.cloud.stacks.stack(&name).await?.is_none() {
        return Ok(None);
    }
    let resources = context.cloud.stacks.resources(&name).await?;
    let vpc = resources.into_iter().find(|one| one.resource_type == "AWS::EC2::VPC");
    Ok(vpc.map(|one| one.physical_id).filter(|id| !id.is_empty()))
}

/// Whether something leaves the cluster and stays.
pub fn keeps(change: &Change) -> bool {
    change.action == Action::Forget || change.data.as_ref().is_some_and(|data| data.fate == DataFate::Kept)
}

/// Whether there is something to tell of when a plan is done: it keeps something, or the cluster goes and an earlier plan did.
pub fn leaves_something(plan: &Plan) -> bool {
    let before = plan.goal == Goal::Destroy && !plan.kept.is_empty();
    before || plan.changes.iter().any(|change| kept(change, plan.revision).is_some())
}

/// What stays of something: itself, or a snapshot, which is known by what it is made of as long as it is not made.
fn kept(change: &Change, revision: u64) -> Option<Kept> {
    let id = change.physical_id.clone().filter(|id| !id.is_empty())?;
    let address = change.address.clone();
    if keeps(change) {
        let resource_type = change.resource_type.clone();
        return Some(Kept { id, address, resource_type, revision, network: None, made_of: None, size_gib: None });
    }
    let data = change.data.as_ref().filter(|data| data.fate == DataFate::SnapshotFirst)?;
    let size_gib = match data.holding {
        DataHolding::Volume { size_gib, .. } | DataHolding::HeadData { size_gib, .. } => Some(size_gib),
        _ => None,
    };
    let resource_type = snapshot_type(&change.resource_type)?.to_owned();
    Some(Kept { made_of: Some(id.clone()), id, address, resource_type, revision, network: None, size_gib })
}

/// The type of the snapshot that CloudFormation makes of what it deletes.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html>
fn snapshot_type(of: &str) -> Option<&'static str> {
    match of {
        "AWS::EC2::Volume" => Some(VOLUME_SNAPSHOT),
        "AWS::RDS::DBInstance" => Some("AWS::RDS::DBSnapshot"),
        "AWS::RDS::DBCluster" => Some("AWS::RDS::DBClusterSnapshot"),
        _ => None,
    }
}
