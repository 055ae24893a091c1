//! What the cluster file keeps when it leaves the cluster: the list of it outlives the cluster's archive.

use super::{ApplyError, Context};
use crate::{
    cloud::{ErrorKind, PutCondition},
    observe::{Kept, keys},
    plan::{Action, Change, DataFate},
};

/// Writes down what this plan keeps, before anything happens to it.
pub async fn remember(context: &Context<'_>) -> Result<(), ApplyError> {
    let plan = context.plan;
    let now: Vec<Kept> =
        plan.changes.iter().filter(|change| keeps(change)).filter_map(|one| kept(one, plan.revision)).collect();
    let (bucket, key) = (context.bucket(), keys::kept(&plan.cluster));
    if now.is_empty() || !context.cloud.objects.bucket_exists(&bucket).await? {
        return Ok(());
    }
    let before = match context.cloud.objects.get(&bucket, &key).await {
        Err(error) if error.kind == ErrorKind::NotFound => None,
        before => before?,
    };
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

/// Whether something leaves the cluster and stays.
pub fn keeps(change: &Change) -> bool {
    change.action == Action::Forget || change.data.as_ref().is_some_and(|data| data.fate == DataFate::Kept)
}

fn kept(change: &Change, revision: u64) -> Option<Kept> {
    let id = change.physical_id.clone().filter(|id| !id.is_empty())?;
    Some(Kept { id, address: change.address.clone(), resource_type: change.resource_type.clone(), revision })
}
