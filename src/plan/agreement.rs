//! A plan held against CloudFormation's own change sets, which count: what they replace is planned as replaced.

use super::{
    Action, Change, Desired, Disagreement, Effect, Plan, PlanError, Predicted, build::plan_predicted,
    effects::is_precious,
};
use crate::{
    catalog::ResourceCatalog,
    cloud::{PreviewChange, PreviewDetail},
    model::StackKey,
    observe::Live,
};
use std::collections::BTreeMap;

/// What CloudFormation's change sets say, for each stack that was asked about.
pub type Predictions = BTreeMap<StackKey, Vec<PreviewChange>>;

/// The plan that agrees with CloudFormation. `first` is the plan that the change sets were made of.
///
/// A resource that CloudFormation replaces is planned as replaced, with everything that follows: what refers to it,
/// the data that it holds, exports, approvals and impact. So is one of which CloudFormation does not know it and no
/// rule does either, where it holds data or is the head node. Every other difference is kept as a note.
pub fn agreed(
    first: Plan,
    predictions: &Predictions,
    desired: &Desired<'_>,
    live: &Live,
    catalog: &ResourceCatalog,
) -> Result<Plan, PlanError> {
    if predictions.is_empty() {
        return Ok(first);
    }
    let disagreements: Vec<Disagreement> =
        predictions.iter().flat_map(|(stack, changes)| compare(&first, stack, changes, live)).collect();
    let mut predicted = Predicted::new();
    for one in disagreements.iter().filter(|one| one.followed) {
        predicted.entry(one.stack.clone()).or_default().insert(one.logical_id.clone());
    }
    let mut plan = if predicted.is_empty() { first } else { plan_predicted(desired, live, catalog, &predicted)? };
    (plan.disagreements, plan.previewed) = (disagreements, true);
    Ok(plan.sealed())
}

fn compare(plan: &Plan, stack: &StackKey, predicted: &[PreviewChange], live: &Live) -> Vec<Disagreement> {
    let planned: BTreeMap<&str, &Change> = plan
        .changes
        .iter()
        .filter(|change| change.stack == *stack)
        .map(|change| (change.logical_id.as_str(), change))
        .collect();
    let precious = |logical_id: &str| {
        let template = live.stacks.get(stack).map(|exists| &exists.template);
        template.and_then(|template| template.get("Resources")?.get(logical_id)).is_some_and(is_precious)
    };
    let note = |logical_id: &str, planned: Option<Action>, cloudformation: String, followed: bool| Disagreement {
        stack: stack.clone(),
        logical_id: logical_id.to_owned(),
        planned,
        cloudformation,
        followed,
    };
    let mut found = Vec::new();
    for theirs in predicted {
        let ours = planned.get(theirs.logical_id.as_str()).copied();
        let followed = match verdict(ours, theirs, precious(&theirs.logical_id)) {
            Verdict::Agree => continue,
            Verdict::Noted => false,
            Verdict::Followed => true,
        };
        found.push(note(&theirs.logical_id, ours.map(|change| change.action), words(theirs), followed));
    }
    for (logical_id, change) in &planned {
        if predicted.iter().all(|theirs| theirs.logical_id != *logical_id) {
            found.push(note(logical_id, Some(change.action), "no change".to_owned(), false));
        }
    }
    found
}

enum Verdict {
    Agree,
    Noted,
    Followed,
}

fn verdict(ours: Option<&Change>, theirs: &PreviewChange, precious: bool) -> Verdict {
    use Verdict::{Agree, Followed, Noted};
    let replacement = theirs.replacement.as_deref();
    match (ours.map(|change| change.action), theirs.action.as_str()) {
        (Some(Action::Create), "Add") | (Some(Action::Delete | Action::Forget), "Remove") | (_, "Dynamic") => Agree,
        (Some(Action::Replace), "Modify") if replacement == Some("False") => Noted,
        (Some(Action::Replace), "Modify") => Agree,
        (Some(Action::Update) | None, "Modify") => match replacement {
            Some("True") => Followed,
            Some("Conditional") if stays_open(ours, theirs) && precious => Followed,
            Some("Conditional") if stays_open(ours, theirs) => Noted,
            _ => Agree,
        },
        _ => Noted,
    }
}

/// Whether a condition of CloudFormation's is one that this plan has no answer to.
fn stays_open(ours: Option<&Change>, theirs: &PreviewChange) -> bool {
    let answered = |property: &str| {
        ours.is_some_and(|change| {
            let known = |one: &&super::PropertyChange| one.ruling.is_some() || one.effect == Effect::MayReplace;
            change.properties.iter().filter(known).any(|one| one.path.split('/').next() == Some(property))
        })
    };
    // What only may follow from another resource's change is followed by the plan itself.
    let open = |detail: &PreviewDetail| detail.recreation != "Never" && !detail.dynamic && !answered(&detail.property);
    if theirs.details.is_empty() {
        return ours.is_some_and(|change| change.properties.iter().all(|one| !answered(top(&one.path))));
    }
    theirs.details.iter().any(open)
}

fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn words(change: &PreviewChange) -> String {
    match &change.replacement {
        Some(replacement) => format!("{} (replacement: {replacement})", change.action),
        None => change.action.clone(),
    }
}
