//! CloudFormation's change sets count: what they replace is planned as replaced, with its data, its approvals and
//! everything that follows.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::ResourceCatalog,
    cloud::{Cloud, PreviewChange, PreviewDetail},
    model::{StackKey, stack_tags},
    plan::{self, Action, Change, DataFate, Desired, Plan, PlannedParameter, Predictions, Reason, StepAction},
    report::{
        paint::Paint,
        plan_text::{PlanView, plan_text, summary},
    },
};
use support::*;

const REGION: &str = "eu-west-1";

const CLUSTER: &str = r#"version: 1
name: ag
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge }
queues: [ { name: q, default: true, placement_group: true, pools: [ { name: od, instance_types: [c5n.18xlarge], max: 4 } ] } ]
storage:
  - { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, data_repository: { import: "s3://ag-data" }, on_destroy: export } }
  - { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: discard } }
"#;

fn changed(from: &str, to: &str) -> Built {
    assert!(CLUSTER.contains(from), "the file has no `{from}`");
    build("ag.yaml", &CLUSTER.replace(from, to))
}

async fn made() -> Cloud {
    let (cloud, built) = (hpcctl::cloud::sandbox::in_memory(REGION), build("ag.yaml", CLUSTER));
    carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
    cloud
}

fn modify(logical_id: &str, replacement: &str, details: Vec<PreviewDetail>) -> PreviewChange {
    PreviewChange {
        logical_id: logical_id.to_owned(),
        resource_type: String::new(),
        action: "Modify".to_owned(),
        replacement: Some(replacement.to_owned()),
        details,
    }
}

fn detail(property: &str, recreation: &str, dynamic: bool) -> PreviewDetail {
    PreviewDetail { property: property.to_owned(), recreation: recreation.to_owned(), dynamic }
}

/// The plan in agreement with these predictions for one stack.
async fn agreed(cloud: &Cloud, built: &Built, stack: StackKey, says: Vec<PreviewChange>) -> Plan {
    let live = look(cloud, built).await;
    let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
    let catalog = ResourceCatalog::embedded();
    let first = plan::plan(&desired, &live, &catalog).unwrap();
    plan::agreed(first, &Predictions::from([(stack, says)]), &desired, &live, &catalog).unwrap()
}

fn one<'p>(plan: &'p Plan, address: &str) -> &'p Change {
    plan.changes.iter().find(|change| change.address == address).unwrap_or_else(|| panic!("no {address}"))
}

#[test]
fn what_cloudformation_replaces_is_planned_as_replaced() {
    on_sandbox(async {
        let cloud = made().await;
        let other = changed("capacity_gib: 1200,", "capacity_gib: 1200, compression: NONE,");
        let says = vec![modify("SFileSystem", "True", vec![]), modify("PFileSystem", "True", vec![])];
        let plan = agreed(&cloud, &other, StackKey::Storage, says).await;
        let scratch = one(&plan, "storage.s");
        assert_eq!((scratch.action, &scratch.reason), (Action::Replace, &Reason::Predicted));
        assert_eq!(scratch.data.as_ref().unwrap().fate, DataFate::ExportedFirst);
        assert!(plan.steps.iter().any(|step| matches!(step.action, StepAction::Export { .. })));
        // Also where this plan saw no change at all: its data is a loss that needs its own approval.
        let losses: Vec<&str> = plan.losses().map(|change| change.address.as_str()).collect();
        assert_eq!(losses, ["storage.p"]);
        assert_eq!(plan.impact.file_systems_lost, ["p", "s"]);
        assert_eq!(plan.count(Action::Replace), 2);
        assert!(plan.previewed && plan.is_intact());
        assert!(plan.disagreements.iter().filter(|one| one.followed).count() == 2);
        let line = summary(&plan);
        assert!(line.contains("2 to replace") && line.contains("(1 with data loss)"), "{line}");
        assert!(line.ends_with("2 disagreements with CloudFormation"), "{line}");
        let text = plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains("says Modify (replacement: True): planned as a replacement"), "{text}");
        // What refers to them follows.
        let parameters = &plan.content.parameters[&StackKey::Monitoring];
        assert!(parameters.values().any(|one| matches!(one, PlannedParameter::From(_))), "{parameters:?}");
    });
}

#[test]
fn what_cloudformation_replaces_of_the_head_node_is_its_replacement() {
    on_sandbox(async {
        let cloud = made().await;
        let other = changed("c5.xlarge", "c5.4xlarge");
        let plan = agreed(&cloud, &other, StackKey::Head, vec![modify("HeadInstance", "True", vec![])]).await;
        assert!(plan.impact.head_node_replaced && !plan.impact.head_node_restarts);
        assert_eq!(one(&plan, "head.instance").action, Action::Replace);
    });
}

#[test]
fn a_condition_counts_unless_a_rule_answers_it() {
    on_sandbox(async {
        let cloud = made().await;
        // A rule answers for the compression, and none for the throughput or the version.
        let compression = changed("capacity_gib: 1200,", "capacity_gib: 1200, compression: NONE,");
        let throughput = changed("throughput_per_tib: 125", "throughput_per_tib: 250");
        let lustre = "LustreConfiguration";
        let conditional = || vec![detail(lustre, "Conditionally", false)];
        for details in [vec![], conditional()] {
            let says = |name| vec![modify(name, "Conditional", details.clone())];
            let plan = agreed(&cloud, &compression, StackKey::Storage, says("SFileSystem")).await;
            assert_eq!(one(&plan, "storage.s").action, Action::Update, "{details:?}");
            assert!(plan.disagreements.is_empty() && plan.losses().next().is_none());
            let plan = agreed(&cloud, &throughput, StackKey::Storage, says("PFileSystem")).await;
            assert_eq!(one(&plan, "storage.p").action, Action::Replace, "{details:?}");
        }
        // What a change set leaves open beside the change that a rule answers for counts.
        let tags = changed("region: eu-west-1\n", "region: eu-west-1\ntags: { project: ag }\n");
        let cases = [
            (vec![detail("SecurityGroupIds", "Conditionally", false)], Action::Replace),
            // The security group is changed in place: its id stays.
            (vec![detail("SecurityGroupIds", "Always", true), detail(lustre, "Never", false)], Action::Update),
        ];
        for (details, expected) in cases {
            let says = vec![modify("SFileSystem", "Conditional", details.clone())];
            let plan = agreed(&cloud, &tags, StackKey::Storage, says).await;
            assert_eq!(one(&plan, "storage.s").action, expected, "{details:?}");
        }
        // "Some interruptions" is the answer for an instance's type, whatever the change set leaves open.
        let larger = changed("c5.xlarge", "c5.4xlarge");
        for details in [vec![], vec![detail("InstanceType", "Conditionally", false)]] {
            let says = vec![modify("HeadInstance", "Conditional", details)];
            let plan = agreed(&cloud, &larger, StackKey::Head, says).await;
            assert_eq!(one(&plan, "head.instance").action, Action::Update);
            assert!(plan.impact.head_node_restarts && plan.disagreements.is_empty());
        }
    });
}

#[test]
fn other_differences_are_notes() {
    on_sandbox(async {
        let cloud = made().await;
        let older = changed("capacity_gib: 1200,", "capacity_gib: 1200, lustre_version: \"2.12\",");
        let plan = agreed(&cloud, &older, StackKey::Storage, vec![modify("SFileSystem", "False", vec![])]).await;
        assert_eq!(one(&plan, "storage.s").action, Action::Replace, "a rule says so");
        let notes: Vec<(&str, bool)> =
            plan.disagreements.iter().map(|one| (one.cloudformation.as_str(), one.followed)).collect();
        assert_eq!(notes, [("Modify (replacement: False)", false)]);
        let plan = agreed(&cloud, &older, StackKey::Storage, vec![]).await;
        assert_eq!(plan.disagreements[0].cloudformation, "no change");
        // A condition on something that holds no data.
        let says = vec![modify("SFileSystem", "True", vec![]), modify("NodesSecurityGroup", "Conditional", vec![])];
        let plan = agreed(&cloud, &older, StackKey::Storage, says).await;
        assert!(plan.disagreements.is_empty() && plan.changes.iter().all(|c| c.address != "nodes.security_group"));
        // One that nothing answers is told, and not followed.
        let open = vec![detail("GroupDescription", "Conditionally", false)];
        let says = vec![modify("SFileSystem", "True", vec![]), modify("NodesSecurityGroup", "Conditional", open)];
        let plan = agreed(&cloud, &older, StackKey::Storage, says).await;
        let [note] = &plan.disagreements[..] else { panic!("{:?}", plan.disagreements) };
        assert_eq!((note.logical_id.as_str(), note.planned, note.followed), ("NodesSecurityGroup", None, false));
    });
}

/// What the sandbox's own change sets say of a plan's stacks.
async fn predictions(cloud: &Cloud, plan: &Plan, built: &Built) -> Predictions {
    let live = look(cloud, built).await;
    let mut found = Predictions::new();
    for step in &plan.steps {
        let StepAction::UpdateStack { stack } = &step.action else { continue };
        let known = |(name, one): (&String, &PlannedParameter)| match one {
            PlannedParameter::Value(value) => Some((name.clone(), value.clone())),
            PlannedParameter::From(_) => None,
        };
        let planned = &plan.content.parameters[stack];
        let parameters: std::collections::BTreeMap<String, String> = planned.iter().filter_map(known).collect();
        if parameters.len() < planned.len() {
            continue;
        }
        let input = hpcctl::cloud::StackInput {
            name: live.stacks[stack].state.name.clone(),
            template: hpcctl::cloud::TemplateSource::Body(plan.content.templates[stack].clone()),
            parameters,
            tags: stack_tags(&plan.content.tags, stack),
            token: "preview".to_owned(),
            termination_protection: false,
        };
        found.insert(stack.clone(), cloud.stacks.preview(&input).await.unwrap());
    }
    found
}

#[test]
fn plan_and_sandbox_agree_on_every_kind_of_change() {
    on_sandbox(async {
        let cases = [
            ("c5.xlarge", "c5.4xlarge"),
            ("c5.xlarge }", "c5.xlarge, root_volume: { size_gib: 100 } }"),
            ("capacity_gib: 1200,", "capacity_gib: 2400,"),
            ("capacity_gib: 1200,", "capacity_gib: 1200, compression: NONE,"),
            ("capacity_gib: 1200,", "capacity_gib: 1200, lustre_version: \"2.12\","),
            ("on_destroy: discard", "on_destroy: keep"),
            ("region: eu-west-1", "region: eu-west-1\ntags: { owner: München }"),
            ("create: {}", "create: { zones: [eu-west-1a, eu-west-1b, eu-west-1c] }"),
            ("create: {}", "create: { nat: per-zone }"),
            ("placement_group: true", "placement_group: false"),
            ("max: 4", "max: 8"),
        ];
        for (from, to) in cases {
            let cloud = made().await;
            let other = changed(from, to);
            let first = plan_for(&cloud, &other).await;
            let says = predictions(&cloud, &first, &other).await;
            let live = look(&cloud, &other).await;
            let desired = Desired { document: &other.document, graph: &other.graph, rendered: &other.rendered };
            let plan = plan::agreed(first, &says, &desired, &live, &ResourceCatalog::embedded()).unwrap();
            assert!(plan.disagreements.is_empty(), "{to}: {:?}", plan.disagreements);
        }
    });
}
