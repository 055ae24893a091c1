//! A plan held against CloudFormation's own change sets.

use crate::{
    cloud::{Cloud, MAX_TEMPLATE_BODY, PreviewChange, StackInput, TemplateSource},
    model::StackKey,
    observe::Live,
    plan::{Action, Disagreement, Plan, PlannedParameter, StepAction},
    report::errors::Failure,
};
use std::collections::BTreeMap;

/// The plan, with every place in which CloudFormation predicts something else.
///
/// Only stacks that are updated and whose parameters are all known can be asked about.
pub async fn previewed(cloud: &Cloud, mut plan: Plan, live: &Live) -> Result<Plan, Failure> {
    let mut found = Vec::new();
    let mut asked = false;
    for step in &plan.steps {
        let StepAction::UpdateStack { stack } = &step.action else { continue };
        let Some(input) = input(&plan, stack, live) else { continue };
        asked = true;
        let predicted = cloud.stacks.preview(&input).await?;
        found.extend(disagreements(&plan, stack, &predicted));
    }
    if asked {
        plan.previewed = true;
        plan.disagreements = found;
        plan = plan.sealed();
    }
    Ok(plan)
}

fn input(plan: &Plan, stack: &StackKey, live: &Live) -> Option<StackInput> {
    let body = plan.content.templates.get(stack)?.clone();
    if body.len() > MAX_TEMPLATE_BODY {
        return None;
    }
    let before = &live.stacks.get(stack)?.state;
    let mut parameters = BTreeMap::new();
    for (name, parameter) in plan.content.parameters.get(stack).into_iter().flatten() {
        let PlannedParameter::Value(value) = parameter else { return None };
        parameters.insert(name.clone(), value.clone());
    }
    Some(StackInput {
        name: before.name.clone(),
        template: TemplateSource::Body(body),
        parameters,
        tags: plan.content.tags.clone(),
        token: format!("hpcctl-{}-preview", plan.id()),
        termination_protection: plan.content.termination_protection,
    })
}

fn disagreements(plan: &Plan, stack: &StackKey, predicted: &[PreviewChange]) -> Vec<Disagreement> {
    let planned: BTreeMap<&str, Action> = plan
        .changes
        .iter()
        .filter(|change| change.stack == *stack)
        .map(|change| (change.logical_id.as_str(), change.action))
        .collect();
    let mut found = Vec::new();
    for change in predicted {
        let ours = planned.get(change.logical_id.as_str()).copied();
        if !agree(ours, change) {
            found.push(Disagreement {
                stack: stack.clone(),
                logical_id: change.logical_id.clone(),
                planned: ours,
                cloudformation: words(change),
            });
        }
    }
    for (logical_id, action) in &planned {
        if predicted.iter().all(|change| change.logical_id != *logical_id) {
            found.push(Disagreement {
                stack: stack.clone(),
                logical_id: (*logical_id).to_owned(),
                planned: Some(*action),
                cloudformation: "no change".to_owned(),
            });
        }
    }
    found
}

fn agree(ours: Option<Action>, theirs: &PreviewChange) -> bool {
    let replaces = theirs.replacement.as_deref();
    match (ours, theirs.action.as_str()) {
        (Some(Action::Create), "Add") | (Some(Action::Delete | Action::Forget), "Remove") => true,
        (Some(Action::Replace), "Modify") => replaces != Some("False"),
        (Some(Action::Update), "Modify") => replaces != Some("True"),
        (_, "Dynamic") => true,
        // A resource that only refers to something that may change is listed, but need not change.
        (None, "Modify") => replaces != Some("True"),
        _ => false,
    }
}

fn words(change: &PreviewChange) -> String {
    match &change.replacement {
        Some(replacement) => format!("{} (replacement: {replacement})", change.action),
        None => change.action.clone(),
    }
}
