//! Deletion: users before providers, leftovers told, what is kept named.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use hpcctl::{
    apply::{self, ApplyError, Claim, Context, LockOutcome, Stop},
    catalog::ResourceCatalog,
    cloud::{
        Cloud,
        sandbox::{CallError, CallErrorKind, Fail, Fault, Launch, Sandbox, Slow, Target, Verb},
    },
    model::StackKey,
    observe::{Outside, Owner, Watch, keys},
    plan::{self, Action, Desired, Plan, PlanError, Predicted, StepAction},
};
use serde_json::Value;
use std::{fs, time::Duration};
use support::{files::examples, matrix::*, *};

/// Everything that can be taken out of a file: three levels of it, and whole blocks of the fourth. Beginning at a depth
/// of 3: one level, and whole blocks of the second.
fn parts(value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, inner)| (index.to_string(), inner)).collect(),
        _ => return,
    };
    for (key, inner) in children {
        let path = format!("{at}/{key}");
        if inner.is_object() || depth < 4 && (inner.is_array() || inner.is_boolean()) || depth < 3 {
            found.push(path.clone());
        }
        if depth < 4 {
            parts(inner, &path, depth + 1, found);
        }
    }
}

/// Lists wherever they are: what happens by itself, and where subnets lie.
fn lists(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, inner)| (index.to_string(), inner)).collect(),
        _ => return,
    };
    for (key, inner) in children {
        let path = format!("{at}/{key}");
        if let ("auto_export" | "subnet_zones", Some(items)) = (key.as_str(), inner.as_array()) {
            found.extend((0..items.len()).map(|index| format!("{path}/{index}")).chain([path.clone()]));
        }
        lists(inner, &path, found);
    }
}

fn all_parts() -> bool {
    std::env::var_os("HPCCTL_ALL_PARTS").is_some()
}

fn without(value: &Value, path: &str) -> Value {
    let mut value = value.clone();
    let (parent, key) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(object) => {
            object.remove(key);
        }
        Value::Array(items) => {
            items.remove(key.parse().unwrap());
        }
        _ => unreachable!(),
    }
    value
}

/// What comes of taking a part out of a cluster that runs.
#[derive(Debug, Default)]
struct Counts {
    left: usize,
    refused: Vec<String>,
    same: usize,
    wrong: Vec<String>,
}

impl Counts {
    async fn leave(&mut self, name: &str, first: &Sandbox, built: &Built, after: &Built) {
        let cloud = first.reborn().cloud();
        let grounded = match on_ground(&cloud, after).await {
            Ok(grounded) => grounded,
            Err(error) => return self.refused.push(format!("{name}: {error}")),
        };
        let plan = match try_plan_for(&cloud, &grounded).await {
            Ok(plan) => plan,
            Err(error) => return self.refused.push(format!("{name}: {}", why(&error))),
        };
        if plan.is_empty() || built.graph.cluster != after.graph.cluster || built.graph.region != after.graph.region {
            self.same += 1;
            return;
        }
        match left(&cloud, &plan, after).await {
            Ok(()) => self.left += 1,
            Err(wrong) => self.wrong.push(format!("{name}: {wrong}")),
        }
    }
}

/// The things that AWS would refuse to change, or that somebody uses.
fn why(error: &PlanError) -> String {
    match error {
        PlanError::Refused { refusals, .. } => {
            refusals.iter().map(|one| one.address.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

async fn left(cloud: &Cloud, plan: &Plan, after: &Built) -> Result<(), String> {
    planned_is_done(cloud, plan).await?;
    let again = plan_on_ground(cloud, after).await;
    let policies = |change: &plan::Change| change.properties.iter().all(|one| one.path.ends_with("Policy"));
    if !again.changes.iter().all(policies) || !again.file_changes.is_empty() {
        return Err(format!("the next plan has {:?} {:?}", again.changes, again.file_changes));
    }
    planned_is_done(cloud, &plan_destroy(cloud, after).await).await?;
    if plan_destroy(cloud, after).await.is_empty() { Ok(()) } else { Err("something is left".to_owned()) }
}

/// For each example, each part that it can do without is taken out of the cluster while its nodes run.
#[test]
fn each_part_can_leave() {
    let mut counts = Counts::default();
    for (name, example) in examples() {
        let mut all = Vec::new();
        // Two levels each time; `HPCCTL_ALL_PARTS=1` goes down to the fourth.
        parts(&example, "", if all_parts() { 1 } else { 3 }, &mut all);
        lists(&example, "", &mut all);
        all.sort();
        all.dedup();
        on_sandbox(async {
            let built = build_value(&example);
            let first = Sandbox::in_memory(&built.graph.region);
            carry_out_well(&first.cloud(), &plan_on_ground(&first.cloud(), &built).await).await;
            launch_nodes(&first, &built).await;
            for path in all {
                let text = serde_yaml::to_string(&without(&example, &path)).unwrap();
                let Ok(after) = try_build("cluster.yaml", &text) else { continue };
                counts.leave(&format!("{name} without {path}"), &first, &built, &after).await;
            }
        });
    }
    let Counts { left, refused, same, wrong } = &counts;
    println!("parts that left: {left}, without a change: {same}, refused when planned: {refused:#?}");
    assert!(wrong.is_empty(), "{} of {} went wrong: {wrong:#?}", wrong.len(), left + wrong.len());
    assert!(*left > if all_parts() { 250 } else { 90 });
}

const REMOVABLE: &str = r#"
version: 1
name: rm
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge }
login_nodes:
  - { name: in, instance_type: m6i.large, count: 1, ssh_from: [203.0.113.0/24] }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: apps, mount: /apps, ebs: { size_gib: 100, on_destroy: snapshot } }
accounting: { rds: { engine: mysql, instance_class: db.t4g.medium } }
"#;

fn removable() -> Value {
    serde_yaml::from_str(REMOVABLE).unwrap()
}

fn changed_from(value: &Value, changes: &[(&str, Value)]) -> Built {
    let mut value = value.clone();
    for (path, new) in changes {
        let (parent, key) = path.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[key] = new.clone();
    }
    build_value(&value)
}

/// Without accounting, and with something new in the storage stack: then that is worked on twice.
fn less_and_more() -> Value {
    let mut less = removable();
    less.as_object_mut().unwrap().remove("accounting");
    let users = serde_json::json!({ "name": "users", "mount": "/users", "efs": { "on_destroy": "discard" } });
    less["storage"].as_array_mut().unwrap().push(users);
    less
}

/// AW-10: accounting and a login pool go in one edit; the stack that has their groups comes last.
#[test]
fn users_go_before_providers() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        let first = build_value(&removable());
        carry_out_well(&cloud, &plan_for(&cloud, &first).await).await;
        let mut less = less_and_more();
        less.as_object_mut().unwrap().remove("login_nodes");
        let after = build_value(&less);
        let plan = plan_for(&cloud, &after).await;
        let number = |wanted: &StepAction| plan.steps.iter().find(|step| step.action == *wanted).unwrap().number;
        let storage = StackKey::Storage;
        let first = number(&StepAction::PrepareStack { stack: storage.clone() });
        let head = number(&StepAction::UpdateStack { stack: StackKey::Head });
        let accounting =
            number(&StepAction::DeleteStack { stack: StackKey::Accounting, broken: false, retain: Vec::new() });
        let last = number(&StepAction::UpdateStack { stack: storage });
        assert!(first < head && head < accounting && accounting < last, "{:?}", plan.steps);
        planned_is_done(&cloud, &plan).await.unwrap();
        assert!(plan_for(&cloud, &after).await.is_empty());
        // The very same plan again: what has left does not come back.
        planned_again(&cloud, &plan).await;
        planned_is_done(&cloud, &plan_destroy(&cloud, &after).await).await.unwrap();
    });
}

async fn planned_again(cloud: &Cloud, plan: &Plan) {
    let (applied, told) = carry_out_telling(cloud, plan).await;
    assert!(applied.failed.is_empty(), "{:?}", applied.failed);
    assert_eq!(told, vec![]);
}

/// AW-10: a crash between the two updates of a stack; the same plan goes on from there.
#[test]
fn a_plan_goes_on_between_the_two_updates_of_a_stack() {
    for nth in 1..=3 {
        on_sandbox(async {
            let sandbox = Sandbox::in_memory("eu-west-1");
            let cloud = sandbox.cloud();
            carry_out_well(&cloud, &plan_for(&cloud, &build_value(&removable())).await).await;
            let after = build_value(&less_and_more());
            let plan = plan_for(&cloud, &after).await;
            let error = CallError {
                operation: "UpdateStack".to_owned(),
                error: CallErrorKind::Unavailable,
                message: None,
                after: nth - 1,
                times: None,
            };
            sandbox.add_fault(Fault::Error(error));
            carry_out(&cloud, &plan).await;
            assert_eq!(plan.moved(&look(&cloud, &after).await), vec![], "after {nth} updates");
            carry_out_well(&cloud, &plan).await;
            assert!(plan_for(&cloud, &after).await.is_empty());
        });
    }
}

/// AW-10: what other stacks use is not replaced beneath them.
#[test]
fn what_others_use_is_not_replaced() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        carry_out_well(&cloud, &plan_for(&cloud, &build_value(&removable())).await).await;
        let moved = changed_from(&removable(), &[("/network/create", serde_json::json!({ "cidr": "10.9.0.0/16" }))]);
        let live = look(&cloud, &moved).await;
        // A network's addresses have no update at all, whoever uses it.
        let Err(PlanError::Refused { refusals, .. }) = try_plan(&live, &moved) else { panic!("a plan") };
        assert!(refusals.iter().any(|refusal| refusal.address == "network.vpc"), "{refusals:?}");
        // CloudFormation says that it would replace a group which the file does not even change.
        let built = build_value(&removable());
        let storage = &live.stacks[&StackKey::Storage];
        let id = &storage.state.outputs["NodesSecurityGroup"];
        let group = storage.resources.iter().find(|one| one.physical_id == *id).unwrap().logical_id.clone();
        let predicted = Predicted::from([(StackKey::Storage, [group].into())]);
        let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
        let planned = plan::plan_predicted(&desired, &live, &ResourceCatalog::embedded(), &predicted);
        let Err(PlanError::Held { held }) = planned else { panic!("a plan") };
        assert!(held[0].users.contains(&StackKey::Head), "{held:?}");
    });
}

fn without_storage(changes: &[(&str, Value)]) -> Built {
    let mut less = removable();
    less.as_object_mut().unwrap().remove("storage");
    changed_from(&less, changes)
}

async fn made_removable() -> Cloud {
    let sandbox = Sandbox::in_memory("eu-west-1");
    let cloud = sandbox.cloud();
    carry_out_well(&cloud, &plan_for(&cloud, &build_value(&removable())).await).await;
    cloud
}

async fn head_of(cloud: &Cloud, built: &Built) -> String {
    plan::head_id(&look(cloud, built).await).unwrap().to_owned()
}

/// The one volume whose entry leaves, and the numbers of the steps that matter to it.
fn leaving(plan: &Plan) -> (String, Vec<usize>) {
    let change = plan.changes.iter().find(|change| change.address == "storage.apps").unwrap();
    let id = change.physical_id.clone().unwrap();
    let release = StepAction::Release { file_systems: Vec::new(), volumes: vec![id.clone()] };
    let storage = StackKey::Storage;
    let hold = |action: &StepAction| matches!(action, StepAction::HoldQueues { .. });
    let number = |is: &dyn Fn(&StepAction) -> bool| plan.steps.iter().find(|one| is(&one.action)).unwrap().number;
    let numbers = vec![
        number(&hold),
        number(&|action| *action == release),
        number(&|action| *action == StepAction::UpdateStack { stack: storage.clone() }),
        number(&|action| *action == StepAction::OpenQueues),
    ];
    (id, numbers)
}

/// AW-10, AW-12: a volume is not taken from beneath a head node that stays: that lets go of it first, and whoever uses it
/// on other nodes has ended by then.
#[test]
fn a_volume_leaves_a_head_node_that_stays() {
    on_sandbox(async {
        for (wish, lost, left) in [("snapshot", false, "snapshot"), ("discard", true, ""), ("keep", false, "volume")] {
            let sandbox = Sandbox::in_memory("eu-west-1");
            let cloud = sandbox.cloud();
            let first = changed_from(&removable(), &[("/storage/0/ebs/on_destroy", Value::from(wish))]);
            carry_out_well(&cloud, &plan_for(&cloud, &first).await).await;
            assert_eq!(launch_nodes(&sandbox, &first).await, 1);
            let less = without_storage(&[]);
            let head = head_of(&cloud, &first).await;
            let plan = plan_for(&cloud, &less).await;
            let (id, numbers) = leaving(&plan);
            // What is kept leaves its stack at any time.
            let kept = usize::from(wish == "keep") * 2;
            assert!(numbers[..4 - kept].is_sorted() && numbers[1] < numbers[3], "{wish}: {:?}", plan.steps);
            assert_eq!(plan.losses().map(|one| one.address.as_str()).collect::<Vec<_>>().len(), usize::from(lost));
            planned_is_done(&cloud, &plan).await.unwrap();
            assert_eq!(head_of(&cloud, &less).await, head, "the head node stays");
            assert!(plan_for(&cloud, &less).await.is_empty());
            let nodes = cloud.compute.instances_of("rm").await.unwrap();
            assert!(!nodes.iter().any(|one| one.is_compute() && one.is_alive()), "{wish}: nodes had it mounted");
            let there = cloud.compute.volumes(std::slice::from_ref(&id)).await.unwrap();
            assert_eq!(there.iter().filter(|one| one.attachment.is_some()).count(), 0, "{wish}");
            let tagged = cloud.compute.still_there(cloud.compute.tagged("rm").await.unwrap()).await.unwrap();
            let found = |kind: &str| tagged.iter().any(|one| one.kind == kind && (kind == "snapshot" || one.id == id));
            assert_eq!((found("snapshot"), found("volume")), (left == "snapshot", left == "volume"), "{wish}");
            planned_is_done(&cloud, &plan_destroy(&cloud, &less).await).await.unwrap();
        }
    });
}

/// What the file leaves open stays in both updates of a stack: with `/home` elsewhere the head node's volume would be smaller.
#[test]
fn what_stays_stays_between_two_updates() {
    on_sandbox(async {
        let cloud = made_removable().await;
        let mut less = less_and_more();
        less["storage"].as_array_mut().unwrap().last_mut().unwrap()["mount"] = "/home".into();
        let less = build_value(&less);
        let plan = plan_for(&cloud, &less).await;
        let prepared = StepAction::PrepareStack { stack: StackKey::Storage };
        assert!(plan.steps.iter().any(|step| step.action == prepared), "{:?}", plan.steps);
        carry_out_well(&cloud, &plan).await;
        assert!(plan_for(&cloud, &less).await.is_empty());
    });
}

/// Login nodes take no orders and mount at their boot only: when what they have mounted has gone, others take their place.
#[test]
fn login_nodes_are_replaced_when_what_they_mount_has_gone() {
    on_sandbox(async {
        let cloud = made_removable().await;
        let logins = || async {
            let all = cloud.compute.instances_of("rm").await.unwrap();
            let alive = all.into_iter().filter(|one| one.has_role("login") && one.is_alive());
            alive.map(|one| one.id).collect::<Vec<_>>()
        };
        let before = logins().await;
        assert_eq!(before.len(), 1);
        let less = without_storage(&[]);
        let plan = plan_for(&cloud, &less).await;
        let place = |is: &dyn Fn(&StepAction) -> bool| plan.steps.iter().position(|one| is(&one.action)).unwrap();
        let replace = StepAction::ReplaceLogins { instances: before.clone() };
        let replace = place(&|action| *action == replace);
        // The new ones boot with the new files.
        assert!(place(&|action| matches!(action, StepAction::Publish { last: true })) < replace);
        assert!(place(&|action| *action == StepAction::UpdateStack { stack: StackKey::Storage }) < replace);
        let text = hpcctl::report::plan_text::impact(&plan);
        assert!(text.contains(&format!("login nodes {} keep what goes mounted", before[0])), "{text}");
        planned_is_done(&cloud, &plan).await.unwrap();
        cloud.clock.sleep(Duration::from_secs(120)).await;
        let after = logins().await;
        assert!(after.len() == 1 && after != before, "{after:?}");
        let again = plan_for(&cloud, &less).await;
        assert!(again.is_empty() && again.impact.login_nodes_stale.is_empty());
    });
}

/// AW-12: who cannot let go is named before anything is begun.
#[test]
fn a_volume_stays_with_who_cannot_let_go() {
    on_sandbox(async {
        let cloud = made_removable().await;
        let less = without_storage(&[]);
        let head = head_of(&cloud, &less).await;
        let refused = |live: &hpcctl::observe::Live| match try_plan(live, &less) {
            Err(PlanError::Attached { attached }) => {
                let [volume] = &attached[..] else { panic!("{attached:?}") };
                assert_eq!(volume.address, "storage.apps");
                (volume.volume.clone(), volume.instance.clone(), volume.head.clone())
            }
            other => panic!("{:?}", other.map(|plan| plan.steps)),
        };
        // A head node that is stopped carries out no order.
        let mut live = look(&cloud, &less).await;
        live.instances.iter_mut().find(|one| one.id == head).unwrap().state = "stopped".to_owned();
        let (id, instance, state) = refused(&live);
        assert_eq!((instance, state.as_deref()), (head, Some("stopped")));
        // Somebody else's instance takes none.
        let mut live = look(&cloud, &less).await;
        let volume = live.volumes.iter_mut().find(|one| one.id == id).unwrap();
        volume.attachment.as_mut().unwrap().instance = "i-0123456789abcdef0".to_owned();
        assert_eq!(refused(&live), (id.clone(), "i-0123456789abcdef0".to_owned(), None));
        // Nobody has it: nobody is asked.
        cloud.compute.detach_volume(&id).await.unwrap();
        cloud.clock.sleep(Duration::from_secs(60)).await;
        let plan = plan_for(&cloud, &less).await;
        assert!(!plan.steps.iter().any(|step| matches!(step.action, StepAction::Release { .. })));
        planned_is_done(&cloud, &plan).await.unwrap();
        assert!(plan_for(&cloud, &less).await.is_empty());
    });
}

/// AW-12: what comes after fails. Before the new revision is out, the head node takes its volume back; afterwards it has
/// no place for it any more, and the next apply goes on.
#[test]
fn a_volume_comes_back_when_something_fails() {
    on_sandbox(async {
        for early in [true, false] {
            let sandbox = Sandbox::in_memory("eu-west-1");
            let cloud = sandbox.cloud();
            carry_out_well(&cloud, &plan_for(&cloud, &build_value(&removable())).await).await;
            let mut less = removable();
            less.as_object_mut().unwrap().remove("storage");
            // A head node that is started anew attaches what its files name: it must not do so after it has let go.
            less["head_node"]["instance_type"] = "c5.2xlarge".into();
            less["queues"][0]["pools"][0]["instance_types"] = serde_json::json!(["c6i.8xlarge"]);
            let less = build_value(&less);
            let head = head_of(&cloud, &less).await;
            let plan = plan_for(&cloud, &less).await;
            let (id, _) = leaving(&plan);
            let (target, on) = if early {
                // Late enough for the volume to be away by then.
                let queue = StackKey::Queue("q".to_owned()).stack_name("rm");
                let stack = Target { stack: Some(queue), ..Target::default() };
                sandbox.add_fault(Fault::Slow(Slow { target: stack.clone(), factor: 1000.0 }));
                (stack, Verb::Update)
            } else {
                (Target { kind: Some("AWS::EC2::Volume".to_owned()), ..Target::default() }, Verb::Delete)
            };
            let reason = Some("no".to_owned());
            let times = Some(if early { 1 } else { 3 });
            sandbox.add_fault(Fault::Fail(Fail { target, on, reason, times }));
            let applied = carry_out(&cloud, &plan).await;
            assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
            let release = plan.steps.iter().find(|one| matches!(one.action, StepAction::Release { .. })).unwrap();
            assert!(applied.done.contains(&release.number), "{applied:?}");
            cloud.clock.sleep(Duration::from_secs(60)).await;
            let found = cloud.compute.volumes(std::slice::from_ref(&id)).await.unwrap();
            let holder = found[0].attachment.as_ref().map(|one| one.instance.clone());
            assert_eq!(holder, early.then_some(head), "early: {early}");
            // What a clean-up has left is named by every plan from then on.
            let left = Outside { kind: "volume".to_owned(), id: id.clone() };
            let again = plan_for(&cloud, &less).await;
            assert_eq!(again.outside, if early { vec![] } else { vec![left] });
            planned_is_done(&cloud, &again).await.unwrap();
        }
    });
}

/// AW-12: another head node comes in the same edit: the old one lets go first, and the new one does not take it.
#[test]
fn a_volume_goes_with_the_head_node() {
    on_sandbox(async {
        let cloud = made_removable().await;
        let image = serde_json::json!({ "os": "ubuntu2404", "ami": "ami-0aaaabbbbccccdddd" });
        let another = without_storage(&[("/image", image)]);
        planned_is_done(&cloud, &plan_for(&cloud, &another).await).await.unwrap();
        assert!(plan_for(&cloud, &another).await.is_empty());
    });
}

/// AW-11: a clean-up that fails is a failure, with the resource's name and id, although the update is complete.
#[test]
fn a_deletion_that_fails_in_an_update_is_told() {
    on_sandbox(async {
        let text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        carry_out_well(&cloud, &plan_for(&cloud, &build("fds-smv.yaml", &text)).await).await;
        let after = build("fds-smv.yaml", &text.replace("SCRATCH_2", "SCRATCH_1"));
        let plan = plan_for(&cloud, &after).await;
        let old = plan.changes.iter().find(|change| change.address == "storage.scratch").unwrap().physical_id.clone();
        sandbox.add_fault(fail(Target { kind: Some("AWS::FSx::FileSystem".to_owned()), ..Target::default() }, 3));
        let applied = carry_out(&cloud, &plan).await;
        let ApplyError::NotDeleted { stack, resources } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert_eq!((stack, resources.len()), (&StackKey::Storage, 1));
        let left = &resources[0];
        assert_eq!((left.address.as_str(), &left.physical_id), ("storage.scratch", &old));
        assert_eq!(left.reason, "busy");
        // It is named as long as it is there, and destroy does not end well over it.
        let outside = [Outside { kind: "file system".to_owned(), id: old.unwrap() }];
        let again = plan_for(&cloud, &after).await;
        assert_eq!(again.outside, outside);
        carry_out_well(&cloud, &again).await;
        let destroy = plan_destroy(&cloud, &after).await;
        assert_eq!(destroy.outside, outside);
        let applied = carry_out(&cloud, &destroy).await;
        let ApplyError::Stack { resources, .. } = &applied.failed[0].error else { panic!("{:?}", applied.failed) };
        assert!(resources[0].reason.contains(&outside[0].id), "it holds its security group: {resources:?}");
    });
}

/// AW-11: what a later try deletes is no failure.
#[test]
fn a_deletion_that_succeeds_at_the_third_try_is_no_failure() {
    on_sandbox(async {
        let text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        carry_out_well(&cloud, &plan_for(&cloud, &build("fds-smv.yaml", &text)).await).await;
        let after = build("fds-smv.yaml", &text.replace("SCRATCH_2", "SCRATCH_1"));
        sandbox.add_fault(fail(Target { kind: Some("AWS::FSx::FileSystem".to_owned()), ..Target::default() }, 2));
        carry_out_well(&cloud, &plan_for(&cloud, &after).await).await;
    });
}

fn fail(target: Target, times: u32) -> Fault {
    Fault::Fail(Fail { target, on: Verb::Delete, reason: Some("busy".to_owned()), times: Some(times) })
}

const KEEPING: &str = r#"
version: 1
name: prod
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: s, mount: /s, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 1200, on_destroy: keep } }
  - { name: users, mount: /users, efs: { on_destroy: keep } }
"#;

fn keeping(name: &str) -> Built {
    build("prod.yaml", &KEEPING.replace("name: prod", &format!("name: {name}")))
}

/// Destroys under a lock, as the command does; gives the steps that failed.
async fn destroy_locked(cloud: &Cloud, built: &Built) -> Vec<apply::StepFailure> {
    let plan = plan_destroy(cloud, built).await;
    let events = Events::default();
    let context = Context::new(cloud, &plan, &events, Stop::default());
    let owner = Owner { arn: "arn".to_owned(), host: "here".to_owned(), pid: 1, command: None, birth: None };
    let claim = Claim {
        bucket: &context.bucket(),
        cluster: &plan.cluster,
        owner,
        plan: plan.id(),
        until: None,
        watch: Watch::default(),
        is_dead: &|_| false,
        waits: &|_| true,
    };
    let LockOutcome::Held(lock) = claim.acquire(cloud).await.unwrap() else { panic!("locked") };
    let applied = apply::execute(&context, Some(&lock)).await;
    lock.forget().await.unwrap();
    applied.failed
}

/// AW-35, AW-33: what was kept stays kept and is named; the lock outlives the archive; nothing else is left.
#[test]
fn what_an_earlier_cluster_kept_is_kept() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let built = keeping("prod");
        for round in 1..=2 {
            carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
            let failed = destroy_locked(&cloud, &built).await;
            assert!(failed.is_empty(), "round {round}: {failed:?}");
            let plan = plan_destroy(&cloud, &built).await;
            assert!(plan.is_empty());
            let file_systems = plan.kept.iter().filter(|kept| kept.resource_type == "AWS::FSx::FileSystem");
            assert_eq!(file_systems.count(), round);
            assert!(plan.kept.iter().any(|kept| kept.resource_type == "AWS::EFS::FileSystem"));
            assert_eq!(plan.outside, vec![]);
            let bucket = keys::bucket_name("123456789012", "eu-west-1");
            assert_eq!(cloud.objects.list(&bucket, &keys::prefix("prod")).await.unwrap(), vec![]);
            assert_eq!(cloud.objects.purge(&bucket, &keys::prefix("prod")).await, Ok(0), "no version is left");
        }
    });
}

/// AW-33: looking for what is left takes longer than a lease of the lock; the lock is still there.
#[test]
fn the_lock_outlives_the_archive() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let (cloud, built) = (sandbox.cloud(), keeping("prod"));
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let tags = [("hpcctl:cluster".to_owned(), "prod".to_owned())];
        // Somebody's own instance with the cluster's tag: it is no compute node, so nobody ends it.
        let launch = Launch { instance_type: "c5.large".to_owned(), tags: tags.into(), ..Launch::default() };
        sandbox.launch(launch).unwrap();
        let failed = destroy_locked(&cloud, &built).await;
        assert_eq!(failed.len(), 1, "{failed:?}");
        let instance =
            |error: &ApplyError| matches!(error, ApplyError::Leftovers { left } if left[0].kind == "instance");
        assert!(instance(&failed[0].error), "{failed:?}");
        // A second destroy looks again, and says the same.
        let again = plan_destroy(&cloud, &built).await;
        assert!(matches!(again.steps.last().unwrap().action, StepAction::Verify));
        assert!(instance(&carry_out(&cloud, &again).await.failed[0].error));
    });
}

/// AW-34: roles of other clusters, and of the same name in another region, are not ours.
#[test]
fn roles_of_others_are_not_left_over() {
    on_sandbox(async {
        let here = Sandbox::in_memory("eu-west-1");
        let there = here.in_region("us-east-1").cloud();
        let here = here.cloud();
        let (prod, second) = (keeping("prod"), keeping("prod-two"));
        let far = build("far.yaml", &KEEPING.replace("region: eu-west-1", "region: us-east-1"));
        for (cloud, built) in [(&here, &prod), (&here, &second), (&there, &far)] {
            carry_out_well(cloud, &plan_for(cloud, built).await).await;
        }
        carry_out_well(&here, &plan_destroy(&here, &prod).await).await;
        let roles = here.identity.roles("/hpcctl/prod/").await.unwrap();
        assert!(roles.iter().any(|role| role.tags["hpcctl:region"] == "us-east-1"), "{roles:?}");
        carry_out_well(&there, &plan_destroy(&there, &far).await).await;
        carry_out_well(&here, &plan_destroy(&here, &second).await).await;
    });
}

/// AW-38: file servers reach each other by their group's rules about itself, which stay with it; those about nodes go.
#[test]
fn a_kept_lustre_keeps_its_own_rules() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let built = keeping("prod");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let plan = plan_destroy(&cloud, &built).await;
        let of = |action: Action| {
            let rules = plan.changes.iter().filter(move |change| change.action == action);
            rules.filter(|change| change.address.starts_with("storage.lustre_security_group.")).count()
        };
        assert_eq!((of(Action::Forget), of(Action::Delete)), (4, 4));
        planned_is_done(&cloud, &plan).await.unwrap();
    });
}

/// AW-23: for each stack of each example, one creation fails; nothing of the first try is left after the second.
#[test]
fn a_failed_creation_leaves_nothing() {
    let mut tries = 0;
    for (name, example) in examples() {
        let built = build_value(&example);
        let queues = built.graph.stacks.iter().filter(|stack| matches!(stack.key, StackKey::Queue(_)));
        let more: Vec<&StackKey> = queues.skip(1).map(|stack| &stack.key).collect();
        for stack in built.graph.stacks.iter().filter(|stack| all_parts() || !more.contains(&&stack.key)) {
            // The last in the alphabet is made among the last: as much as may be is there by then.
            let Some(logical) = stack.resources.keys().next_back() else { continue };
            tries += 1;
            on_sandbox(async {
                let sandbox = Sandbox::in_memory(&built.graph.region);
                let cloud = sandbox.cloud();
                let target = Target {
                    stack: Some(stack.key.stack_name(&built.graph.cluster)),
                    logical_id: Some(logical.clone()),
                    kind: None,
                };
                let slow = Target { kind: None, ..target.clone() };
                sandbox.add_fault(Fault::Slow(Slow { target: slow, factor: 1000.0 }));
                let limit = Some("limit".to_owned());
                sandbox.add_fault(Fault::Fail(Fail { target, on: Verb::Create, reason: limit, times: Some(1) }));
                let words = format!("{name} {} {logical}", stack.key);
                let applied = carry_out(&cloud, &plan_for(&cloud, &built).await).await;
                assert!(matches!(applied.failed[0].error, ApplyError::Stack { .. }), "{words}: {:?}", applied.failed);
                let live = look(&cloud, &built).await;
                assert_eq!(live.outside, vec![], "{words}");
                carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
                let again = plan_for(&cloud, &built).await;
                assert!(again.is_empty() && again.outside.is_empty(), "{words}");
                carry_out_well(&cloud, &plan_destroy(&cloud, &built).await).await;
                assert!(plan_destroy(&cloud, &built).await.is_empty(), "{words}");
            });
        }
    }
    println!("creations that failed: {tries}");
    assert!(tries > 30);
}

/// AW-10: nodes that Slurm launched hold their placement group: they go before it does.
#[test]
fn a_placement_group_goes_when_its_nodes_have() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        let grouped = changed_from(&removable(), &[("/queues/0/placement_group", Value::from(true))]);
        carry_out_well(&cloud, &plan_for(&cloud, &grouped).await).await;
        assert_eq!(launch_nodes(&sandbox, &grouped).await, 1);
        let after = build_value(&removable());
        let plan = plan_for(&cloud, &after).await;
        let at = |wanted: &StepAction| plan.steps.iter().position(|step| step.action == *wanted).unwrap();
        let queue = StackKey::Queue("q".to_owned());
        let terminate = at(&StepAction::Terminate { queue: Some("q".to_owned()), pool: Some("od".to_owned()) });
        assert!(at(&StepAction::PrepareStack { stack: queue.clone() }) < terminate, "{:?}", plan.steps);
        assert!(terminate < at(&StepAction::UpdateStack { stack: queue }), "{:?}", plan.steps);
        planned_is_done(&cloud, &plan).await.unwrap();
    });
}

/// AW-23: what is kept is not kept of a creation that is taken back; a replacement policy knows no such exception.
#[test]
fn policies_are_words_that_cloudformation_knows() {
    let mut kept = 0;
    for template in keeping("prod").rendered.templates.values() {
        let template: Value = serde_json::from_str(&template.body).unwrap();
        for (id, resource) in template["Resources"].as_object().unwrap() {
            let policies = [&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]].map(Value::as_str);
            match policies {
                [Some("RetainExceptOnCreate"), Some("Retain")] => kept += 1,
                [None, None] => {}
                [one, other] => assert!(one == other && one != Some("Retain"), "{id}: {policies:?}"),
            }
        }
    }
    assert!(kept > 4, "{kept}");
}
