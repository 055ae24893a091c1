//! What was kept and has left the cluster file since: what it stands on stays with it, and is named.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::ApplyError,
    catalog::InstanceCatalog,
    check::{self, Facts},
    cloud::{
        Cloud, PutCondition, StackStatus,
        sandbox::{CallError, CallErrorKind, Fail, Fault, Sandbox, Target, Verb},
    },
    model::StackKey,
    observe::{self, Kept, Live, Wanted, keys},
    plan::{Action, Plan, Reason, StepAction},
    report::{
        errors::Failure,
        paint::Paint,
        plan_text::{PlanView, plan_text},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{files, matrix::*, *};

const KEEPING: &str = r#"
version: 1
name: prod
region: eu-west-1
tags: { project: fds }
network: { create: { availability_zones: 2 } }
head_node: { instance_type: c5.xlarge }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: s, mount: /s, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 1200, on_destroy: keep } }
accounting: { rds: { engine: mysql, instance_class: db.t4g.medium, on_destroy: discard } }
"#;

fn file(changes: &[(&str, Value)]) -> Built {
    let mut value: Value = serde_yaml::from_str(KEEPING).unwrap();
    for (path, new) in changes {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap();
        match new {
            Value::Null => drop(parent.as_object_mut().unwrap().remove(key)),
            new => parent[key] = new.clone(),
        }
    }
    build_value(&value)
}

fn less() -> Built {
    file(&[("/storage", json!([]))])
}

/// A cluster whose file system was kept when its entry left the file.
async fn parted(cloud: &Cloud) {
    for built in [file(&[]), less()] {
        planned_is_done(cloud, &plan_on_ground(cloud, &built).await).await.unwrap();
    }
}

fn of<'k>(live: &'k Live, kind: &str) -> Vec<&'k str> {
    live.kept.iter().filter(|kept| kept.resource_type == kind).map(|kept| kept.id.as_str()).collect()
}

const FSX: &str = "AWS::FSx::FileSystem";
const SUBNET: &str = "AWS::EC2::Subnet";
const VPC: &str = "AWS::EC2::VPC";
const GROUP: &str = "AWS::EC2::SecurityGroup";

fn text(plan: &Plan) -> String {
    plan_text(plan, PlanView { paint: Paint::PLAIN, verbose: false })
}

fn carried(plan: &Plan) -> BTreeSet<&str> {
    let carries = |reason: &Reason| matches!(reason, Reason::Carries { .. });
    let all = plan.changes.iter().filter(|change| change.action == Action::Forget && carries(&change.reason));
    all.map(|change| change.resource_type.as_str()).collect()
}

#[test]
fn the_network_stays_with_what_was_kept_in_it() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        parted(&cloud).await;
        let live = look(&cloud, &less()).await;
        let (file_system, group) = (of(&live, FSX)[0].to_owned(), of(&live, GROUP)[0].to_owned());
        let plan = plan_destroy(&cloud, &less()).await;
        assert_eq!(carried(&plan), BTreeSet::from([SUBNET, VPC]));
        let said = text(&plan);
        for words in [
            format!("{file_system}, which was kept, stands on it"),
            "mark what stays of stack network".to_owned(),
            format!("storage.s {file_system} (AWS::FSx::FileSystem), since revision 2"),
        ] {
            assert!(said.contains(&words), "{words}: {said}");
        }
        let tags = live.stacks[&StackKey::Network].state.tags.clone();
        planned_is_done(&cloud, &plan).await.unwrap();
        assert!(tags.contains_key("project"));
        assert_eq!(cloud.stacks.stacks_of("prod").await.unwrap(), vec![]);

        // A second destroy has nothing to do, and says the same.
        let again = plan_destroy(&cloud, &less()).await;
        assert!(again.is_empty() && again.outside.is_empty(), "{:?}", again.outside);
        let said = text(&again);
        let live = look(&cloud, &less()).await;
        let mut commands = vec![format!("aws fsx delete-file-system --file-system-id {file_system}")];
        commands.push(format!("aws ec2 delete-security-group --group-id {group}"));
        commands.extend(of(&live, SUBNET).iter().map(|id| format!("aws ec2 delete-subnet --subnet-id {id}")));
        commands.push(format!("aws ec2 delete-vpc --vpc-id {}", of(&live, VPC)[0]));
        assert!(commands.len() > 4, "{commands:?}");
        let places: Vec<usize> = commands.iter().map(|command| said.find(command).unwrap()).collect();
        assert!(places.is_sorted(), "users come before what they use: {said}");
    });
}

/// The file system that stands in a network of its own cluster holds no other network.
#[test]
fn the_next_clusters_network_goes() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        parted(&cloud).await;
        planned_is_done(&cloud, &plan_destroy(&cloud, &less()).await).await.unwrap();
        let kept = look(&cloud, &less()).await.kept;
        planned_is_done(&cloud, &plan_on_ground(&cloud, &less()).await).await.unwrap();
        let plan = plan_destroy(&cloud, &less()).await;
        assert_eq!(carried(&plan), BTreeSet::new());
        planned_is_done(&cloud, &plan).await.unwrap();
        let left = |kept: Vec<Kept>| -> Vec<Kept> { kept.into_iter().filter(|one| one.made_of.is_none()).collect() };
        assert_eq!(left(look(&cloud, &less()).await.kept), left(kept), "but for another snapshot");
    });
}

/// Where a destroy has failed already, a template cannot be changed any more: what stays is named as the stack goes.
#[test]
fn a_network_whose_deletion_has_failed_goes_without_what_stays() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        parted(&cloud).await;
        let plan = plan_destroy(&cloud, &less()).await;
        let mut careless = plan.clone();
        careless.content.between.clear();
        let applied = carry_out(&cloud, &careless.sealed()).await;
        let ApplyError::Stack { stack, resources, .. } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert_eq!(*stack, StackKey::Network);
        assert!(resources[0].reason.contains("DependencyViolation"), "{resources:?}");
        let live = look(&cloud, &less()).await;
        assert_eq!(live.stacks[&StackKey::Network].state.status, StackStatus::DeleteFailed);
        // CloudFormation takes no name of what has gone, and none of a stack that has not failed.
        let name = StackKey::Network.stack_name("prod");
        let gone =
            live.stacks[&StackKey::Network].resources.iter().find(|one| one.status == "DELETE_COMPLETE").unwrap();
        let refused = cloud.stacks.delete(&name, std::slice::from_ref(&gone.logical_id), "t1").await.unwrap_err();
        assert!(refused.message.contains("must be in a valid state"), "{refused}");

        let again = plan_destroy(&cloud, &less()).await;
        let named = |step: &StepAction| matches!(step, StepAction::DeleteStack { retain, .. } if !retain.is_empty());
        assert!(again.steps.iter().any(|step| named(&step.action)), "{:?}", again.steps);
        assert!(!again.steps.iter().any(|step| matches!(step.action, StepAction::MarkKept { .. })));
        planned_is_done(&cloud, &again).await.unwrap();
        assert!(plan_destroy(&cloud, &less()).await.is_empty());
    });
}

#[test]
fn what_somebody_has_deleted_since_holds_nothing() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        parted(&cloud).await;
        let live = look(&cloud, &less()).await;
        let (file_system, group) = (of(&live, FSX)[0].to_owned(), of(&live, GROUP)[0].to_owned());
        // With the file system gone its group holds the VPC alone.
        sandbox.delete_by_hand(&file_system).unwrap();
        let plan = plan_destroy(&cloud, &less()).await;
        assert_eq!(carried(&plan), BTreeSet::from([VPC]));
        assert!(!text(&plan).contains(&file_system), "it is named no more");
        sandbox.delete_by_hand(&group).unwrap();
        let plan = plan_destroy(&cloud, &less()).await;
        assert_eq!(carried(&plan), BTreeSet::new());
        planned_is_done(&cloud, &plan).await.unwrap();
        let left: Vec<String> =
            plan_destroy(&cloud, &less()).await.kept.into_iter().map(|one| one.resource_type).collect();
        assert!(
            left.iter().all(|kind| ["SecurityGroup", "Association", "Snapshot"].iter().any(|one| kind.contains(one))),
            "{left:?}"
        );
    });
}

/// A zone less: the same in an update.
#[test]
fn a_subnet_stays_with_what_was_kept_in_an_update_too() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        parted(&cloud).await;
        let network = json!({ "create": { "availability_zones": 1 } });
        let after = file(&[("/storage", json!([])), ("/accounting", Value::Null), ("/network", network)]);
        let plan = plan_on_ground(&cloud, &after).await;
        assert_eq!(carried(&plan), BTreeSet::from([SUBNET]));
        planned_is_done(&cloud, &plan).await.unwrap();
        let again = plan_on_ground(&cloud, &after).await;
        assert!(again.is_empty() && again.outside.is_empty(), "{:?}", again.changes);
        planned_is_done(&cloud, &plan_destroy(&cloud, &after).await).await.unwrap();
        assert!(plan_destroy(&cloud, &after).await.is_empty());
    });
}

/// A crash between the mark and the deletion: the next destroy finds the mark.
#[test]
fn a_destroy_that_died_goes_on() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        parted(&cloud).await;
        let plan = plan_destroy(&cloud, &less()).await;
        let deletions = plan.steps.iter().filter(|step| matches!(step.action, StepAction::DeleteStack { .. })).count();
        sandbox.add_fault(Fault::Error(CallError {
            operation: "DeleteStack".to_owned(),
            error: CallErrorKind::Unavailable,
            message: None,
            after: u32::try_from(deletions).unwrap() - 1,
            times: None,
        }));
        assert!(!carry_out(&cloud, &plan).await.failed.is_empty());
        let again = plan_destroy(&cloud, &less()).await;
        assert!(
            !again.steps.iter().any(|step| matches!(step.action, StepAction::MarkKept { .. })),
            "{:?}",
            again.steps
        );
        planned_is_done(&cloud, &again).await.unwrap();
        assert!(plan_destroy(&cloud, &less()).await.is_empty());
    });
}

/// The small cluster, which keeps its logs.
fn logs(days: u32) -> Built {
    let logs = format!("monitoring: {{ logs: {{ keep_on_destroy: true, retention_days: {days} }} }}\n");
    build("head.yaml", &format!("{}{logs}", head::CLUSTER))
}

/// What is found in a file that is held against an account.
async fn found(cloud: &Cloud, built: &Built) -> Vec<u16> {
    let live = look(cloud, built).await;
    let questions = observe::Questions { all: true, rights: Vec::new() };
    let ground = observe::ground(cloud, &built.cluster, &built.graph, &live, &questions).await.unwrap();
    let facts = Facts { catalog: Some(InstanceCatalog::embedded()), ground: Some(&ground), ..Facts::default() };
    check::check(&built.document, &facts).iter().map(|finding| finding.rule.code).collect()
}

/// AW-23: a log group that was kept has its name still; a cluster of the same name goes on with it.
#[test]
fn a_cluster_comes_again_although_its_log_group_was_kept() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        planned_is_done(&cloud, &plan_on_ground(&cloud, &logs(30)).await).await.unwrap();
        assert_eq!(found(&cloud, &logs(30)).await, Vec::<u16>::new(), "its own is nothing to tell");
        planned_is_done(&cloud, &plan_destroy(&cloud, &logs(30)).await).await.unwrap();
        assert!(cloud.logs.group("/hpcctl/head").await.unwrap().is_some(), "it was kept");

        assert_eq!(found(&cloud, &logs(30)).await, [1801]);
        assert_eq!(found(&cloud, &logs(90)).await, [1802]);
        let again = plan_on_ground(&cloud, &logs(30)).await;
        assert!(again.changes.iter().all(|change| change.address != "head.log_group"));
        planned_is_done(&cloud, &again).await.unwrap();
        assert!(plan_on_ground(&cloud, &logs(30)).await.is_empty());
        assert_eq!(found(&cloud, &logs(30)).await, Vec::<u16>::new(), "said once");
        planned_is_done(&cloud, &plan_destroy(&cloud, &logs(30)).await).await.unwrap();
        assert!(cloud.logs.group("/hpcctl/head").await.unwrap().is_some(), "and it stays");
    });
}

/// The double refuses a name that is taken as CloudWatch Logs does.
#[test]
fn a_log_group_is_not_made_twice() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        planned_is_done(&cloud, &plan_on_ground(&cloud, &logs(30)).await).await.unwrap();
        planned_is_done(&cloud, &plan_destroy(&cloud, &logs(30)).await).await.unwrap();
        let applied = carry_out(&cloud, &plan_for(&cloud, &logs(30)).await).await;
        let said = format!("{:?}", applied.failed);
        assert!(said.contains("with identifier '/hpcctl/head' already exists"), "{said}");
    });
}

/// What may be kept has a name that CloudFormation makes up, so that it can be made again: the log group alone has not.
#[test]
fn nothing_else_that_is_kept_has_a_name_of_its_own() {
    let mut named = BTreeSet::new();
    for (_, mut example) in files::examples() {
        if let Some(rds) = example.pointer_mut("/accounting/rds") {
            rds["on_destroy"] = json!("keep");
        }
        for template in build_value(&example).rendered.templates.values() {
            let template: Value = serde_json::from_str(&template.body).unwrap();
            for resource in template["Resources"].as_object().unwrap().values() {
                let kept = resource["DeletionPolicy"].as_str().is_some_and(|policy| policy.starts_with("Retain"));
                let literal = |value: &Value| value.is_string() || value.get("Fn::Sub").is_some();
                let properties = resource["Properties"].as_object().into_iter().flatten().filter(|_| kept);
                let names = |key: &str| key.ends_with("Name") || key.ends_with("Identifier");
                let ours = |key: &str| names(key) && key != "CACertificateIdentifier";
                let own = properties.filter(|(key, value)| ours(key) && literal(value));
                named.extend(own.map(|(key, _)| format!("{} {key}", resource["Type"].as_str().unwrap())));
            }
        }
    }
    assert_eq!(named, BTreeSet::from(["AWS::Logs::LogGroup LogGroupName".to_owned()]));
}

/// A stack whose deletion failed has given up what it keeps: the next plan deletes what is left of it, and keeps nothing twice.
#[test]
fn what_a_failed_deletion_has_kept_is_not_the_stacks_any_more() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let (cloud, built) = (sandbox.cloud(), file(&[]));
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let target = Target { logical_id: Some("MungeKey".to_owned()), ..Target::default() };
        sandbox.add_fault(Fault::Fail(Fail { target, on: Verb::Delete, reason: None, times: Some(1) }));
        let applied = carry_out(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(matches!(&applied.failed[0].error, ApplyError::Stack { .. }), "{:?}", applied.failed);
        let live = look(&cloud, &built).await;
        let stack = &live.stacks[&StackKey::Storage];
        assert_eq!(stack.state.status, StackStatus::DeleteFailed);
        let kept = stack.resources.iter().find(|one| one.resource_type == FSX).unwrap();
        assert_eq!(kept.status, "DELETE_SKIPPED");
        assert_eq!(stack.physical_id(&kept.logical_id), None);
        // It is known as kept, and no plan says anything of it again.
        assert_eq!(of(&live, FSX), [kept.physical_id.as_str()]);
        let again = plan_destroy(&cloud, &built).await;
        assert!(again.changes.iter().all(|change| change.resource_type != FSX), "{:?}", again.changes);
        carry_out_well(&cloud, &again).await;
        assert_eq!(of(&look(&cloud, &built).await, FSX), [kept.physical_id.as_str()]);
    });
}

/// The list is the only thing that knows of what was kept: one that cannot be read is not taken for an empty one.
#[test]
fn a_list_of_kept_things_that_cannot_be_read_is_no_empty_one() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        parted(&cloud).await;
        let (bucket, key) = (keys::bucket_name("123456789012", "eu-west-1"), keys::kept("prod"));
        let (text, _) = cloud.objects.get(&bucket, &key).await.unwrap().unwrap();
        let spoilt = String::from_utf8(text).unwrap().replace("resource_type", "kind_of");
        let put = cloud.objects.put(&bucket, &key, spoilt.clone().into_bytes(), PutCondition::Always);
        put.await.unwrap();
        let wanted = Wanted::default();
        let refused = observe::observe(&cloud, "prod", &wanted).await.unwrap_err();
        let failure: Failure = refused.into();
        assert!(failure.code == "HPC2006" && failure.message.contains(&key), "{failure:?}");
        // A plan that was made before keeps one thing more: it stops, and the list is as it was.
        let restored = spoilt.replace("kind_of", "resource_type");
        cloud.objects.put(&bucket, &key, restored.into_bytes(), PutCondition::Always).await.unwrap();
        let again = plan_for(&cloud, &file(&[])).await;
        carry_out_well(&cloud, &again).await;
        let parting = plan_for(&cloud, &less()).await;
        cloud.objects.put(&bucket, &key, spoilt.clone().into_bytes(), PutCondition::Always).await.unwrap();
        let applied = carry_out(&cloud, &parting).await;
        assert!(matches!(&applied.failed[0].error, ApplyError::Archive { .. }), "{:?}", applied.failed);
        assert_eq!(cloud.objects.get(&bucket, &key).await.unwrap().unwrap().0, spoilt.into_bytes());
    });
}
