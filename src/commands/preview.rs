//! Asking CloudFormation's own change sets about a plan.

use super::{load::Loaded, plan::make};
use crate::{
    catalog::ResourceCatalog,
    cloud::{Cloud, ErrorKind, MAX_TEMPLATE_BODY, StackInput, TemplateSource},
    model::{StackKey, stack_tags},
    observe::Live,
    plan::{self, Desired, Plan, PlannedParameter, Predictions, StepAction},
    report::errors::{Failure, exit},
};
use std::collections::BTreeMap;

/// The plan from a cluster file to what exists, in agreement with CloudFormation's change sets.
pub async fn agreed(cloud: &Cloud, loaded: &Loaded, live: &Live) -> Result<Plan, Failure> {
    let first = make(loaded, live)?;
    let predictions = predictions(cloud, &first, live).await?;
    let desired = Desired { document: &loaded.document, graph: &loaded.graph, rendered: &loaded.rendered };
    let mut plan = plan::agreed(first, &predictions, &desired, live, &ResourceCatalog::embedded())?;
    let changed = plan.steps.iter().filter_map(|step| match &step.action {
        StepAction::UpdateStack { stack } => Some(stack),
        _ => None,
    });
    plan.unasked = changed.filter(|stack| !predictions.contains_key(*stack)).cloned().collect();
    Ok(plan)
}

/// What CloudFormation says of each stack that is updated and whose parameters are all known.
async fn predictions(cloud: &Cloud, plan: &Plan, live: &Live) -> Result<Predictions, Failure> {
    let mut found = Predictions::new();
    for step in &plan.steps {
        let StepAction::UpdateStack { stack } = &step.action else { continue };
        let Some(input) = input(plan, stack, live) else { continue };
        let predicted = cloud.stacks.preview(&input).await.map_err(|error| match error.kind {
            ErrorKind::Invalid => refused(stack, &error.message),
            _ => error.into(),
        })?;
        found.insert(stack.clone(), predicted);
    }
    Ok(found)
}

fn refused(stack: &StackKey, message: &str) -> Failure {
    let mut failure = Failure::new(
        "HPC2113",
        format!("failed to plan: CloudFormation refuses the change of stack {stack}"),
        "nothing was begun; undo the change that the message names, or make a cluster of another name",
        exit::ERROR,
    );
    failure.details = vec![message.to_owned()];
    failure
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
        tags: stack_tags(&plan.content.tags, stack),
        token: format!("hpcctl-{}-preview", plan.id()),
        termination_protection: plan.content.termination_protection,
    })
}
