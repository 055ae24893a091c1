//! What apply takes back when something fails, and what it leaves alone.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::{self, Applied, Context, Event, OrderError, OrderOutcome, Stop},
    cloud::{
        Cloud,
        sandbox::{Fail, Fault, Launch, Sandbox, Slow, Target, Verb},
    },
    model::StackKey,
    node::{Order, QueueOrder},
    plan::{Plan, StepAction},
};
use std::time::Duration;
use support::*;

const REGION: &str = "eu-west-1";
const LINKED: &str = "  - { name: data, mount: /fsx, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, \
                      capacity_gib: 1200, data_repository_associations: [ { name: all, path: /, s3: \
                      \"s3://site-data/all\", auto_export: [new] } ] } }\n";
const EFS: &str = "  - { name: users, mount: /users, efs: { on_destroy: discard } }\n";
const KEPT: &str = "  - { name: data, mount: /fsx, fsx_lustre: { deployment: SCRATCH_2, capacity_gib: 1200, on_destroy: \
                    keep } }\n";

fn cluster(storage: &str) -> Built {
    let storage = if storage.is_empty() { "storage: []\n".to_owned() } else { format!("storage:\n{storage}") };
    build("head.yaml", &format!("{}{storage}", head::CLUSTER))
}

/// The same with other nodes, whose stack is the one that fails.
fn larger(storage: &str) -> Built {
    build("head.yaml", &cluster(storage).document.text.replace("c5.xlarge", "c5.2xlarge"))
}

async fn made(cloud: &Cloud, built: &Built) {
    carry_out_well(cloud, &plan_for(cloud, built).await).await;
}

async fn carried(cloud: &Cloud, plan: &Plan) -> (Applied, Vec<Event>) {
    let events = Events::default();
    let applied = apply::execute(&Context::new(cloud, plan, &events, Stop::default()), None).await;
    let events = events.0.into_inner().unwrap().into_iter().map(|(_, event)| event).collect();
    (applied, events)
}

/// The queue's stack takes long, and then fails: what goes on beside it is done by then.
fn fails_late(sandbox: &Sandbox) {
    let target = Target { stack: Some(StackKey::Queue("q".to_owned()).stack_name("head")), ..Target::default() };
    sandbox.add_fault(Fault::Slow(Slow { target: target.clone(), factor: 1000.0 }));
    fails(sandbox, target, Verb::Update);
}

fn fails(sandbox: &Sandbox, target: Target, on: Verb) {
    sandbox.add_fault(Fault::Fail(Fail { target, on, reason: Some("no".to_owned()), times: Some(1) }));
}

/// What became of the queues: `opened`, `held`.
fn queues(events: &[Event]) -> Vec<&'static str> {
    let word = |event: &Event| match event {
        Event::QueuesReopened => Some("opened"),
        Event::QueuesStayHeld => Some("held"),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

fn restored(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::AutoExportRestored { .. }))
}

#[test]
fn queues_that_nobody_held_are_left_alone() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster("")).await;
        fails_late(&sandbox);
        let (applied, events) = carried(&cloud, &plan_for(&cloud, &larger("")).await).await;
        assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
        assert!(queues(&events).is_empty());
    });
}

/// The new file system is there, the old one is not: what the head node has mounted is gone.
#[test]
fn queues_stay_held_when_their_file_system_has_gone() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(LINKED)).await;
        let moved = LINKED.replace("PERSISTENT_2, throughput_per_tib: 125", "SCRATCH_2");
        fails_late(&sandbox);
        let plan = plan_for(&cloud, &larger(&moved)).await;
        let (applied, events) = carried(&cloud, &plan).await;
        let update = StepAction::UpdateStack { stack: StackKey::Storage };
        let update = plan.steps.iter().find(|step| step.action == update).unwrap().number;
        assert!(applied.done.contains(&update) && applied.failed.len() == 1, "{:?}", applied.failed);
        assert_eq!(queues(&events), ["held"]);
        assert!(!restored(&events), "nobody exports from what is gone");
    });
}

/// Its own update fails: all is as it was, and automatic export, too.
#[test]
fn queues_are_opened_when_their_file_system_is_still_there() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(LINKED)).await;
        let moved = LINKED.replace("PERSISTENT_2, throughput_per_tib: 125", "SCRATCH_2");
        fails(&sandbox, Target { kind: Some("AWS::FSx::FileSystem".to_owned()), ..Target::default() }, Verb::Create);
        let (applied, events) = carried(&cloud, &plan_for(&cloud, &cluster(&moved)).await).await;
        assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
        assert_eq!((queues(&events), restored(&events)), (vec!["opened"], true));
    });
}

/// FSx knows nothing of EFS, and is not asked.
#[test]
fn an_efs_that_stays_after_all_is_there() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(EFS)).await;
        fails(&sandbox, Target { kind: Some("AWS::FSx::FileSystem".to_owned()), ..Target::default() }, Verb::Create);
        let plan = plan_for(&cloud, &cluster(KEPT)).await;
        assert!(plan.changes.iter().any(|one| one.address == "storage.users"), "{:?}", plan.changes);
        let (applied, events) = carried(&cloud, &plan).await;
        assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
        assert_eq!(queues(&events), ["opened"]);
    });
}

/// FSx has it for ever, and nodes cannot reach it any more.
#[test]
fn a_file_system_that_is_kept_is_not_there_for_nodes() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(KEPT)).await;
        fails_late(&sandbox);
        let (applied, events) = carried(&cloud, &plan_for(&cloud, &larger("")).await).await;
        assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
        let storage = StackKey::Storage.stack_name("head");
        let left = cloud.stacks.resources(&storage).await.unwrap();
        let held = left.iter().all(|one| one.resource_type != "AWS::FSx::FileSystem");
        assert_eq!(queues(&events), if held { ["held"] } else { ["opened"] });
        assert!(held, "its stack was done: {left:?}");
    });
}

/// Nobody waits for CloudFormation any more: what it still does may take the file system away.
#[test]
fn queues_stay_held_while_cloudformation_is_at_it() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(EFS)).await;
        let target = Target { kind: Some("AWS::FSx::FileSystem".to_owned()), ..Target::default() };
        sandbox.add_fault(Fault::Slow(Slow { target, factor: 1000.0 }));
        let plan = plan_for(&cloud, &cluster(KEPT)).await;
        let (events, stop) = (Events::default(), Stop::default());
        let context = Context::new(&cloud, &plan, &events, stop.clone());
        let name = StackKey::Storage.stack_name("head");
        let wish = async {
            while !cloud.stacks.stack(&name).await.unwrap().unwrap().status.in_progress() {
                cloud.clock.sleep(Duration::from_secs(5)).await;
            }
            stop.set();
        };
        futures_util::future::join(apply::execute(&context, None), wish).await;
        let events: Vec<Event> = events.0.lock().unwrap().iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(queues(&events), ["held"]);
    });
}

#[test]
fn each_order_is_given_and_done() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        made(&cloud, &cluster(KEPT)).await;
        cloud.clock.sleep(Duration::from_secs(120)).await;
        let node = || {
            let tags = [("hpcctl:cluster", "head"), ("hpcctl:role", "compute"), ("hpcctl:queue", "q")];
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            sandbox.launch(Launch { instance_type: "c5.xlarge".to_owned(), tags, ..Launch::default() }).unwrap()
        };
        node();
        let (applied, events) = carried(&cloud, &plan_for(&cloud, &cluster("")).await).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        let draining = events.iter().filter(|event| matches!(event, Event::Draining { .. }));
        assert_eq!(draining.collect::<Vec<_>>(), [&Event::Draining { left: 1 }], "said once");
        let orders = events.iter().filter_map(|event| match event {
            Event::StepDone { action, already, .. } => Some((action, *already)),
            _ => None,
        });
        let given = |action: &StepAction| {
            matches!(action, StepAction::HoldQueues { .. } | StepAction::Release { .. } | StepAction::OpenQueues)
        };
        let orders: Vec<bool> = orders.filter(|(action, _)| given(action)).map(|(_, already)| already).collect();
        assert_eq!(orders, [false; 3]);
        // The head node has answered each, and nodes that come now stay.
        cloud.clock.sleep(Duration::from_secs(600)).await;
        let bucket = "hpcctl-123456789012-eu-west-1";
        assert_eq!(cloud.objects.list(bucket, "clusters/head/status/orders/").await.unwrap().len(), 3);
        let late = node();
        cloud.clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(cloud.compute.instances(&[late]).await.unwrap()[0].state, "running");
    });
}

/// A bucket is there for all clusters of an account: a cluster that was never applied has no head node to read it.
#[test]
fn a_cluster_that_was_never_applied_takes_no_orders() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let open = || Order::Queue { name: "q".to_owned(), state: QueueOrder::Resume };
        let give = async |cluster: &str| apply::order(&cloud, cluster, open(), None, &Stop::default()).await;
        let never = |cluster: &str| Err(OrderError::NotApplied { cluster: cluster.to_owned() });
        assert_eq!(give("head").await, never("head"), "no bucket");
        made(&cloud, &cluster("")).await;
        assert!(matches!(give("head").await, Ok(OrderOutcome::Given { .. })));
        assert_eq!(give("other").await, never("other"));
    });
}

/// The list of what is kept is no reason to keep anything from going.
#[test]
fn what_is_kept_is_written_down_where_there_is_a_bucket() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let built = cluster(KEPT);
        made(&cloud, &built).await;
        let mut plan = plan_destroy(&cloud, &built).await;
        plan.steps.clear();
        let listed = async |bucket: &str| {
            let all = cloud.objects.list(bucket, "").await.unwrap_or_default();
            all.into_iter().map(|one| one.key).filter(|one| one.contains("kept")).collect::<Vec<_>>()
        };
        let bucket = plan.content.bucket.clone().unwrap();
        plan.content.bucket = Some(format!("{bucket}-gone"));
        let (applied, _) = carried(&cloud, &plan).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        assert!(listed(&bucket).await.is_empty());
        plan.content.bucket = Some(bucket.clone());
        carried(&cloud, &plan).await;
        assert_eq!(listed(&bucket).await.len(), 1);
    });
}
