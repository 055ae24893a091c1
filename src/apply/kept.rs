//! What the cluster file keeps when it leaves the cluster: the list of it outlives the cluster's archive.

use super::{ApplyError, Context};
use crate::{
    cloud::PutCondition,
    model::StackKey,
    observe::{Kept, keys},
    plan::{Action, Change, DataFate},
};

/// Writes down what this plan keeps, before anything happens to it.
pub async fn remember(context: &Context<'_>) -> Result<(), ApplyError> {
    let plan = context.plan;
    let mut now: Vec<Kept> =
        plan.changes.iter().filter(|change| keeps(change)).filter_map(|one| kept(one, plan.revision)).collect();
    let (bucket, key) = (context.bucket(), keys::kept(&plan.cluster));
    if now.is_empty() || !context.cloud.objects.bucket_exists(&bucket).await? {
        return Ok(());
    }
    let network = own_vpc(context).await?;
    now.iter_mut().for_each(|one| one.network.clone_from(&network));
    let before = context.cloud.objects.get(&bucket, &key).await?;
    let mut list: Vec<Kept> = before.and_then(|(text, _)| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let new: Vec<Kept> = now.into_iter().filter(|one| list.iter().all(|other| other.id != one.id)).collect();
    if new.is_empty() {
        return Ok(());
    }
    list.extend(new);
    let body = serde_json::to_vec_pretty(&list).unwrap_or_default();
    context.cloud.objects.put(&bucket, &key, body, PutCondition::Always).await?;
    Ok(())
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

fn kept(change: &Change, revision: u64) -> Option<Kept> {
    let id = change.physical_id.clone().filter(|id| !id.is_empty())?;
    let (address, resource_type) = (change.address.clone(), change.resource_type.clone());
    Some(Kept { id, address, resource_type, revision, network: None })
}
