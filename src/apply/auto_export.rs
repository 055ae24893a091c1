//! Automatic export: FSx takes no export task beside it
//! (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/export-changed-data-meta-dra.html>).

use super::{ApplyError, Context, context::Pace};
use std::collections::BTreeMap;

/// Seconds that FSx has to change associations.
const PATIENCE: i64 = 900;

/// Switches the automatic export of associations off, and waits until FSx says that it is. What waits to be exported
/// is exported by the task that follows.
pub(super) async fn stop(
    context: &Context<'_>,
    storage: &str,
    file_system: &str,
    associations: &BTreeMap<String, Vec<String>>,
) -> Result<bool, ApplyError> {
    let mut pace = Pace::new();
    let until = context.cloud.clock.now().plus(PATIENCE);
    let mut asked = false;
    loop {
        let on = exporting(context, storage, file_system).await?;
        if on.is_empty() {
            return Ok(!asked);
        }
        if !asked {
            for association in associations.keys().chain(&on).filter(|one| on.contains(one)) {
                context.cloud.file_systems.set_auto_export(association, &[]).await?;
            }
            asked = true;
        } else if context.cloud.clock.now() >= until {
            return Err(ApplyError::AutoExport { storage: storage.to_owned(), associations: on });
        }
        context.pause(&mut pace).await?;
    }
}

/// Switches it on again.
pub(super) async fn start(
    context: &Context<'_>,
    associations: &BTreeMap<String, Vec<String>>,
) -> Result<bool, ApplyError> {
    for (association, events) in associations {
        context.cloud.file_systems.set_auto_export(association, events).await?;
    }
    Ok(false)
}

/// The associations that export by themselves, or whose change is under way.
async fn exporting(context: &Context<'_>, storage: &str, file_system: &str) -> Result<Vec<String>, ApplyError> {
    let gone = || ApplyError::NotAvailable { storage: storage.to_owned(), lifecycle: "gone".to_owned() };
    let state = context.cloud.file_systems.file_system(file_system).await?.ok_or_else(gone)?;
    let busy = state.repositories.iter().filter(|link| !link.auto_export.is_empty() || link.lifecycle == "UPDATING");
    Ok(busy.filter_map(|link| link.association.clone()).collect())
}
