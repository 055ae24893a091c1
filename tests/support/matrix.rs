//! Clusters of the examples, and plans that are carried out to the letter.

use super::*;
use hpcctl::{
    cloud::sandbox::{Launch, Sandbox},
    model::StackKey,
    plan::Action,
};

/// A cluster on the ground of an account, as the commands have it: zones and places come from there; or the
/// error.
pub async fn on_ground(cloud: &Cloud, built: &Built) -> Result<Built, String> {
    let catalog = InstanceCatalog::embedded();
    let live = look(cloud, built).await;
    let questions = observe::Questions { all: true, rights: Vec::new() };
    let ground = observe::ground(cloud, &built.cluster, &built.graph, &live, &questions).await.unwrap();
    let found =
        check::check(&built.document, &Facts { catalog: Some(catalog), ground: Some(&ground), ..Facts::default() });
    if let Some(error) = found.iter().find(|finding| finding.rule.severity == Severity::Error) {
        return Err(format!("HPC{} {}", error.rule.code, error.at));
    }
    let cluster = model::completed(&built.cluster, &ground);
    let graph = model::build_on(&cluster, catalog, &ground);
    let rendered = render::render(&graph, render::node_files(&cluster, catalog).unwrap());
    Ok(Built { document: built.document.clone(), cluster, graph, rendered })
}

/// The plan as the command makes it.
pub async fn plan_on_ground(cloud: &Cloud, built: &Built) -> Plan {
    plan_for(cloud, &on_ground(cloud, built).await.unwrap()).await
}

pub fn build_value(value: &Value) -> Built {
    build("cluster.yaml", &serde_yaml::to_string(value).unwrap())
}

/// Carries a plan out; gives what happened to resources: stack, address, status.
pub async fn carry_out_telling(cloud: &Cloud, plan: &Plan) -> (Applied, Vec<(StackKey, String, String)>) {
    let events = Events::default();
    let context = Context::new(cloud, plan, &events, Stop::default());
    let mut applied = apply::execute(&context, None).await;
    apply::finish(&context, &mut applied).await;
    let told = events.0.into_inner().unwrap();
    let resource = |(_, event)| match event {
        Event::Resource { stack, address, status, .. } => Some((stack, address, status)),
        _ => None,
    };
    (applied, told.into_iter().filter_map(resource).collect())
}

/// What was planned is done: whatever goes has gone, and nothing refused to.
pub async fn planned_is_done(cloud: &Cloud, plan: &Plan) -> Result<(), String> {
    let (applied, told) = carry_out_telling(cloud, plan).await;
    if !applied.failed.is_empty() {
        return Err(format!("{:?}", applied.failed));
    }
    if let Some(failed) = told.iter().find(|(_, _, status)| status.ends_with("_FAILED")) {
        return Err(format!("{failed:?}"));
    }
    for change in plan.changes.iter().filter(|change| matches!(change.action, Action::Delete | Action::Replace)) {
        let replaced = change.action == Action::Replace;
        let gone = |status: &str| status == "DELETE_COMPLETE" || replaced && status == "DELETE_SKIPPED";
        let is = |stack: &StackKey, address: &str| (stack, address) == (&change.stack, change.address.as_str());
        if !told.iter().any(|(stack, address, status)| is(stack, address) && gone(status)) {
            return Err(format!("{} was to go", change.address));
        }
    }
    let planned = |stack: &StackKey, address: &str, status: &str| {
        let fits = |action: Action| match status {
            "CREATE_COMPLETE" => action == Action::Create,
            "UPDATE_COMPLETE" => matches!(action, Action::Update | Action::Replace),
            "DELETE_COMPLETE" => matches!(action, Action::Delete | Action::Replace),
            // Some were deleted and some were kept: the plan has said which.
            "DELETE_SKIPPED" => !matches!(action, Action::Create | Action::Update | Action::Delete),
            _ => true,
        };
        plan.changes
            .iter()
            .any(|change| (&change.stack, change.address.as_str()) == (stack, address) && fits(change.action))
    };
    match told.iter().find(|(stack, address, status)| !planned(stack, address, status)) {
        Some(done) => Err(format!("{done:?} was not planned")),
        None => Ok(()),
    }
}

/// Nodes as Slurm launches them: one from each launch template.
pub async fn launch_nodes(sandbox: &Sandbox, built: &Built) -> usize {
    let live = look(&sandbox.cloud(), built).await;
    let group = live.stacks[&StackKey::Storage].state.outputs["NodesSecurityGroup"].clone();
    let mut count = 0;
    for (key, stack) in &live.stacks {
        let StackKey::Queue(queue) = key else { continue };
        let subnets = stack.state.outputs.iter().find(|(name, _)| name.starts_with("Subnets")).unwrap().1;
        for template in stack.resources.iter().filter(|one| one.resource_type == "AWS::EC2::LaunchTemplate") {
            let tags = [("cluster", built.graph.cluster.as_str()), ("role", "compute"), ("queue", queue)];
            let tags = tags.iter().map(|(key, value)| (format!("hpcctl:{key}"), (*value).to_owned()));
            let launch = Launch {
                instance_type: "c5.xlarge".to_owned(),
                subnet: subnets.rsplit(',').next().unwrap().to_owned(),
                security_groups: vec![group.clone()],
                tags: tags.collect(),
                template: Some(template.physical_id.clone()),
                ..Launch::default()
            };
            sandbox.launch(launch).unwrap();
            count += 1;
        }
    }
    count
}
