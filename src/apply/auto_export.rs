//! Automatic export: FSx takes no export task beside it
//! (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/export-changed-data-meta-dra.html>).

use super::{ApplyError, Context, context::Pace};
use crate::cloud::{CloudError, Repository};
use std::collections::{BTreeMap, BTreeSet};

/// The lifecycle of an association that FSx changes.
const UPDATING: &str = "UPDATING";

/// Seconds that FSx has to change associations.
const PATIENCE: i64 = 900;

/// Switches the automatic export of a file system's associations off, and waits until FSx says that it is. What waits
/// to be exported is exported by the task that follows.
pub(super) async fn stop(context: &Context<'_>, storage: &str, file_system: &str) -> Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let until = context.cloud.clock.now().plus(PATIENCE);
    let mut asked = BTreeSet::new();
    loop {
        let busy = exporting(context, storage, file_system).await?;
        if busy.is_empty() {
            return Ok(asked.is_empty());
        }
        if context.cloud.clock.now() >= until {
            return Err(ApplyError::AutoExport { storage: storage.to_owned(), associations: names(&busy) });
        }
        // FSx takes one change of an association at a time.
        let ready = busy.into_iter().filter(|link| link.lifecycle != UPDATING).filter_map(|link| link.association);
        for association in ready {
            if asked.insert(association.clone()) {
                context.cloud.file_systems.set_auto_export(&association, &[]).await?;
            }
        }
        context.pause(&mut pace).await?;
    }
}

/// Switches it on as it was, as soon as no change is under way.
pub(super) async fn restore(
    context: &Context<'_>,
    file_system: &str,
    associations: &BTreeMap<String, Vec<String>>,
) -> Vec<Option<CloudError>> {
    let mut pace = Pace::new();
    let until = context.cloud.clock.now().plus(PATIENCE);
    while context.cloud.clock.now() < until {
        let state = context.cloud.file_systems.file_system(file_system).await;
        let changes = |link: &Repository| link.lifecycle == UPDATING;
        if !state.is_ok_and(|state| state.is_some_and(|state| state.repositories.iter().any(changes))) {
            break;
        }
        context.cloud.clock.sleep(pace.next_pause()).await;
    }
    let mut said = Vec::new();
    for (association, events) in associations {
        said.push(context.cloud.file_systems.set_auto_export(association, events).await.err());
    }
    said
}

/// Switches it on again, as soon as no change of theirs is under way.
pub(super) async fn start(
    context: &Context<'_>,
    associations: &BTreeMap<String, Vec<String>>,
) -> Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let until = context.cloud.clock.now().plus(PATIENCE);
    while context.cloud.clock.now() < until {
        let all = context.cloud.file_systems.file_systems_of(&context.plan.cluster).await?;
        let changes = |link: &Repository| {
            link.lifecycle == UPDATING && link.association.as_ref().is_some_and(|one| associations.contains_key(one))
        };
        if !all.iter().flat_map(|state| &state.repositories).any(changes) {
            break;
        }
        context.pause(&mut pace).await?;
    }
    for (association, events) in associations {
        context.cloud.file_systems.set_auto_export(association, events).await?;
    }
    Ok(false)
}

/// The associations that export by themselves, or whose change is under way.
async fn exporting(context: &Context<'_>, storage: &str, file_system: &str) -> Result<Vec<Repository>, ApplyError> {
    let gone = || ApplyError::NotAvailable { storage: storage.to_owned(), lifecycle: "gone".to_owned() };
    let state = context.cloud.file_systems.file_system(file_system).await?.ok_or_else(gone)?;
    let busy = |link: &Repository| !link.auto_export.is_empty() || link.lifecycle == UPDATING;
    Ok(state.repositories.into_iter().filter(|link| link.association.is_some() && busy(link)).collect())
}

fn names(links: &[Repository]) -> Vec<String> {
    links.iter().filter_map(|link| link.association.clone()).collect()
}
