//! What AWS would refuse, in words.

use super::{
    errors::{Failure, exit},
    values,
};
use crate::{
    catalog::Rule,
    model::{HEAD_DATA, volume_id},
    plan::{Refusal, Refused},
};

/// The failure that a plan with refusals is: each with its place, why, and the way to get there.
pub fn failure(file: &str, refusals: &[Refusal]) -> Failure {
    let code = refusals.first().map_or("HPC2110", code);
    let mut failure = Failure::new(
        code,
        "failed to plan: AWS would refuse this",
        "nothing was begun; change the cluster file as said above, then plan again",
        exit::ERROR,
    );
    failure.details = refusals.iter().flat_map(|refusal| details(file, refusal)).collect();
    failure
}

fn code(refusal: &Refusal) -> &'static str {
    match refusal.what {
        Refused::Property { .. } if refusal.what.rule() == Some(Rule::PlaceStays) => "HPC2112",
        Refused::Property { .. } => "HPC2110",
        Refused::Type { .. } => "HPC2111",
        Refused::Renamed { .. } => "HPC2114",
    }
}

fn details(file: &str, refusal: &Refusal) -> Vec<String> {
    let name = file.rsplit('/').next().unwrap_or_default();
    let place = refusal.cause.as_ref().map(|cause| format!("{name}:{}  ", cause.line)).unwrap_or_default();
    let first = format!("{place}{}  {}  {}", refusal.address, what(&refusal.what), code(refusal));
    let mut lines = vec![first, format!("    {}", why(refusal))];
    if let Refused::Property { change, .. } = &refusal.what
        && let Some(page) = change.ruling.as_ref().map(|grounds| &grounds.page).filter(|page| !page.is_empty())
    {
        lines.push(format!("    {page}"));
    }
    lines
}

fn what(refused: &Refused) -> String {
    match refused {
        Refused::Property { change, .. } => {
            let (before, after) = values::change(change.before.as_ref(), &change.after, false);
            format!("{}  {before} -> {after}", change.path)
        }
        Refused::Type { before, after } => format!("{before} -> {after}"),
        Refused::Renamed { before } => format!("was {before}"),
    }
}

fn why(refusal: &Refusal) -> String {
    match (&refusal.what, refusal.what.rule()) {
        // There is one of it: no other name to go to.
        (_, Some(Rule::OnlyGrows)) if refusal.logical_id == volume_id(HEAD_DATA) => {
            "a volume gets larger, never smaller: put its size back".to_owned()
        }
        (Refused::Type { .. }, _) => {
            "a resource keeps its type: take it out of the cluster file, apply, put the new one \
            in, apply again (what it holds goes as its `on_destroy` says)"
                .to_owned()
        }
        (Refused::Renamed { .. }, _) => {
            "this hpcctl names it otherwise than the one that made it, so it would be made \
            anew and empty: apply with that version, or bring the data across by hand"
                .to_owned()
        }
        (_, Some(Rule::OnlyGrows)) => "storage gets larger, never smaller: keep the size, or make a smaller one under \
            another name, copy what is needed, and take this one out"
            .to_owned(),
        (_, Some(Rule::FixedSize)) => {
            "a SCRATCH_1 file system keeps its size: make a larger one under another name, or \
            change `deployment` in the same edit, which replaces it"
                .to_owned()
        }
        (_, Some(Rule::PlaceStays)) => {
            "a network that exists keeps its addresses and zones: put back what it has (zones \
            may be added at the end), or make a cluster of another name"
                .to_owned()
        }
        _ => "there is no update for this: make a new one under another name (a volume from a snapshot of this one), \
            then take this one out"
            .to_owned(),
    }
}
