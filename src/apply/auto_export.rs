//! Automatic export: FSx takes no export task beside it
//! (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/export-changed-data-meta-dra.html>).

use super::{ApplyError, Context};
use crate::cloud::{CloudError, ErrorKind, Repository};
use std::collections::{BTreeMap, BTreeSet};

/// The lifecycle of an association that FSx changes.
const UPDATING: &str = "UPDATING";

/// Seconds that FSx has to change associations.
const PATIENCE: i64 = 900;

/// Switches the automatic export of a file system's associations off, and waits until FSx says that it is. What waits
/// to be exported is exported by the task that follows.
pub(super) async fn stop(context: &Context<'_>, storage: &str, file_system: &str) -> Result<bool, ApplyError> {
    let mut asked = BTreeSet::new();
    let exporting = async || {
        let busy = exporting(context, storage, file_system).await?;
        // FSx takes one change of an association at a time.
        for association in busy.iter().filter(|link| !changes(link)).filter_map(|link| link.association.clone()) {
            if asked.insert(association.clone()) {
                context.cloud.file_systems.set_auto_export(&association, &[]).await?;
            }
        }
        Ok(Some(busy).filter(|busy| !busy.is_empty()))
    };
    if let Some(busy) = context.until_gone(PATIENCE, exporting).await? {
        return Err(ApplyError::AutoExport { storage: storage.to_owned(), associations: names(&busy) });
    }
    Ok(asked.is_empty())
}

/// Switches it on again after a failure, as it was; what FSx said to each.
pub(super) async fn restore(
    context: &Context<'_>,
    associations: &BTreeMap<String, Vec<String>>,
) -> Vec<Option<CloudError>> {
    // Whoever cannot be looked at may still be told.
    let _ = settle(context, associations).await;
    let mut said = Vec::new();
    for (association, events) in associations {
        said.push(context.cloud.file_systems.set_auto_export(association, events).await.err());
    }
    said
}

/// Switches it on again.
pub(super) async fn start(
    context: &Context<'_>,
    associations: &BTreeMap<String, Vec<String>>,
) -> Result<bool, ApplyError> {
    settle(context, associations).await?;
    for (association, events) in associations {
        match context.cloud.file_systems.set_auto_export(association, events).await {
            // It went with a file system that was replaced.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            said => said?,
        }
    }
    Ok(false)
}

/// Waits until no change of these associations is under way.
async fn settle(context: &Context<'_>, associations: &BTreeMap<String, Vec<String>>) -> Result<(), ApplyError> {
    let changing = async || {
        let all = context.cloud.file_systems.file_systems_of(&context.plan.cluster).await?;
        let meant = |link: &&Repository| link.association.as_ref().is_some_and(|one| associations.contains_key(one));
        let busy = all.iter().flat_map(|state| &state.repositories).filter(meant).any(changes);
        Ok(busy.then_some(()))
    };
    context.until_gone(PATIENCE, changing).await.map(drop)
}

/// Whether FSx is at a change of an association.
fn changes(link: &Repository) -> bool {
    link.lifecycle == UPDATING
}

/// The associations that export by themselves, or whose change is under way.
async fn exporting(context: &Context<'_>, storage: &str, file_system: &str) -> Result<Vec<Repository>, ApplyError> {
    let gone = || ApplyError::NotAvailable { storage: storage.to_owned(), lifecycle: "gone".to_owned() };
    let state = context.cloud.file_systems.file_system(file_system).await?.ok_or_else(gone)?;
    let busy = |link: &Repository| !link.auto_export.is_empty() || changes(link);
    Ok(state.repositories.into_iter().filter(|link| link.association.is_some() && busy(link)).collect())
}

fn names(links: &[Repository]) -> Vec<String> {
    links.iter().filter_map(|link| link.association.clone()).collect()
}
