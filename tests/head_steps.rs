//! The steps on the head node itself, one by one: stopped, started, and what becomes of it when something fails.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::{self, Applied, ApplyError, Context, Event, Stop},
    cloud::{
        Cloud,
        sandbox::{Fault, Launch, Sandbox, Slow, Target},
    },
    model::StackKey,
    plan::{self, Plan, Step, StepAction},
};
use std::{fs, time::Duration};
use support::{head::CLUSTER, *};

const REGION: &str = "eu-west-1";

fn cluster(more: &str) -> Built {
    build("head.yaml", &format!("{CLUSTER}{more}"))
}

async fn made(cloud: &Cloud) -> (Built, String) {
    let built = cluster("");
    carry_out_well(cloud, &plan_for(cloud, &built).await).await;
    let head = plan::head_id(&look(cloud, &built).await).unwrap().to_owned();
    (built, head)
}

/// A plan of these steps, one after the other.
async fn only(cloud: &Cloud, built: &Built, actions: &[StepAction]) -> Plan {
    let mut plan = plan_for(cloud, built).await;
    let step = |(at, action): (usize, &StepAction)| {
        let after = if at == 0 { vec![] } else { vec![at] };
        Step { number: at + 1, action: action.clone(), after, seconds: 1 }
    };
    plan.steps = actions.iter().enumerate().map(step).collect();
    plan
}

async fn carried(cloud: &Cloud, plan: &Plan, stop: &Stop) -> (Applied, Vec<Event>) {
    let events = Events::default();
    let applied = apply::execute(&Context::new(cloud, plan, &events, stop.clone()), None).await;
    let events = events.0.into_inner().unwrap().into_iter().map(|(_, event)| event).collect();
    (applied, events)
}

/// Does one step well; whether there was nothing to do, and the seconds that it took.
async fn done(cloud: &Cloud, built: &Built, action: StepAction) -> (bool, i64) {
    let plan = only(cloud, built, &[action]).await;
    let (applied, events) = carried(cloud, &plan, &Stop::default()).await;
    assert!(applied.failed.is_empty(), "{:?}", applied.failed);
    let done = events.into_iter().find_map(|event| match event {
        Event::StepDone { already, seconds, .. } => Some((already, seconds)),
        _ => None,
    });
    done.unwrap()
}

async fn state(cloud: &Cloud, id: &str) -> String {
    let found = cloud.compute.instances(&[id.to_owned()]).await.unwrap();
    found.first().map_or("gone", |one| one.state.as_str()).to_owned()
}

/// The head node's volumes.
async fn volumes(cloud: &Cloud) -> Vec<String> {
    cloud.compute.volumes_of("head").await.unwrap().into_iter().map(|one| one.id).collect()
}

async fn stops(cloud: &Cloud, head: &str) -> StepAction {
    StepAction::StopHead { instance: head.to_owned(), volumes: volumes(cloud).await, protected: false }
}

fn starts(head: &str) -> StepAction {
    StepAction::StartHead { instance: head.to_owned() }
}

/// A step that fails at once.
fn hopeless() -> StepAction {
    StepAction::Export { storage: "none".to_owned(), file_system: "fs-00000000000000000".to_owned() }
}

#[test]
fn a_head_node_is_stopped_when_ec2_says_so_and_started_only_then() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let (built, head) = made(&cloud).await;
        assert_eq!(done(&cloud, &built, starts(&head)).await, (true, 0), "it runs");
        assert_eq!(state(&cloud, &head).await, "running");
        let (already, seconds) = done(&cloud, &built, stops(&cloud, &head).await).await;
        assert!(!already && seconds >= 30, "{seconds}");
        assert_eq!(state(&cloud, &head).await, "stopped");
        let left = cloud.compute.volumes(&volumes(&cloud).await).await.unwrap();
        assert!(!left.is_empty() && left.iter().all(|one| one.attachment.is_none()), "{left:?}");
        assert!(!done(&cloud, &built, starts(&head)).await.0);
        assert!(state(&cloud, &head).await != "stopped");
        // Whoever stops it meanwhile is waited for.
        cloud.compute.stop(&head).await.unwrap();
        let (already, seconds) = done(&cloud, &built, starts(&head)).await;
        assert!(!already && seconds >= 30, "{seconds}");
        // What ends cannot be stopped, nor started.
        cloud.compute.terminate(std::slice::from_ref(&head)).await.unwrap();
        assert_eq!(state(&cloud, &head).await, "shutting-down");
        assert_eq!(done(&cloud, &built, stops(&cloud, &head).await).await, (true, 0));
        assert_eq!(done(&cloud, &built, starts(&head)).await, (true, 0));
    });
}

/// An operating system that hangs.
#[test]
fn a_head_node_that_does_not_stop_is_an_error_with_its_state() {
    let folder = std::env::temp_dir().join(format!("hpcctl-stop-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    on_sandbox(async {
        let file = folder.join("state.json");
        let cloud = Sandbox::open(&file, REGION).unwrap().cloud();
        let (built, head) = made(&cloud).await;
        let text = fs::read_to_string(&file).unwrap();
        let mut world: serde_json::Value = serde_json::from_str(&text).unwrap();
        world["instances"][&head]["stopped"] = (cloud.clock.now().0 + 5000).into();
        fs::write(&file, world.to_string()).unwrap();
        let cloud = Sandbox::open(&file, REGION).unwrap().cloud();
        for action in [stops(&cloud, &head).await, starts(&head)] {
            let before = cloud.clock.now().0;
            let plan = only(&cloud, &built, &[action]).await;
            let (applied, _) = carried(&cloud, &plan, &Stop::default()).await;
            let ApplyError::HeadNode { instance, state } = &applied.failed[0].error else { panic!("{applied:?}") };
            assert_eq!((instance, state.as_str()), (&head, "stopping"));
            assert!(cloud.clock.now().0 - before >= 1200);
        }
    });
    fs::remove_dir_all(&folder).unwrap();
}

/// Something on the instance does not let go, or takes it back each time.
#[test]
fn a_volume_that_stays_is_an_error_with_its_state() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let (built, head) = made(&cloud).await;
        let volumes = volumes(&cloud).await;
        let again = async {
            loop {
                cloud.clock.sleep(Duration::from_millis(100)).await;
                let _ = cloud.compute.attach_volume(&volumes[0], &head, "/dev/sdf").await;
            }
        };
        let plan = only(&cloud, &built, &[stops(&cloud, &head).await]).await;
        let stop = Stop::default();
        let applied =
            tokio::select! { (applied, _) = carried(&cloud, &plan, &stop) => applied, () = again => panic!() };
        let ApplyError::HeadNode { state, .. } = &applied.failed[0].error else { panic!("{applied:?}") };
        assert!(state.starts_with(&format!("{} is ", volumes[0])), "{state}");
    });
}

/// Another one has taken its place, or it has ended: it stays as it is.
#[test]
fn only_the_head_node_that_is_one_is_started_again() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let (built, head) = made(&cloud).await;
        let tags = [("hpcctl:cluster".to_owned(), "head".to_owned())];
        let launch = Launch { instance_type: "c5.large".to_owned(), tags: tags.into(), ..Launch::default() };
        let other = sandbox.launch(launch).unwrap();
        cloud.clock.sleep(Duration::from_secs(60)).await;
        let started = |events: &[Event]| events.iter().any(|event| matches!(event, Event::HeadStarted { .. }));
        let plan = only(&cloud, &built, &[stops(&cloud, &other).await, hopeless()]).await;
        let (applied, events) = carried(&cloud, &plan, &Stop::default()).await;
        assert_eq!((applied.failed.len(), started(&events)), (1, false), "{:?}", applied.failed);
        assert_eq!(state(&cloud, &other).await, "stopped");

        let plan = only(&cloud, &built, &[stops(&cloud, &head).await, hopeless()]).await;
        let (applied, events) = carried(&cloud, &plan, &Stop::default()).await;
        assert_eq!((applied.failed.len(), started(&events)), (1, true), "{:?}", applied.failed);
        assert!(state(&cloud, &head).await != "stopped");

        cloud.compute.terminate(std::slice::from_ref(&head)).await.unwrap();
        let (applied, events) = carried(&cloud, &plan, &Stop::default()).await;
        assert_eq!((applied.failed.len(), started(&events)), (1, false), "{:?}", applied.failed);
    });
}

/// Whoever stops apply in the middle does not lose the head node: it is waited for, and started again.
#[test]
fn a_wish_to_stop_leaves_no_head_node_stopped() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let (built, head) = made(&cloud).await;
        let plan = only(&cloud, &built, &[stops(&cloud, &head).await]).await;
        let stop = Stop::default();
        let wish = async {
            cloud.clock.sleep(Duration::from_secs(10)).await;
            assert_eq!(state(&cloud, &head).await, "stopping");
            stop.set();
        };
        let ((applied, events), ()) = futures_util::future::join(carried(&cloud, &plan, &stop), wish).await;
        assert_eq!(applied.failed.len(), 1, "{:?}", applied.failed);
        assert!(matches!(applied.failed[0].error, ApplyError::Interrupted), "{:?}", applied.failed);
        assert!(events.contains(&Event::HeadStarted { instance: head.clone() }));
        assert!(matches!(state(&cloud, &head).await.as_str(), "pending" | "running"));
    });
}

/// CloudFormation goes on by itself: the old one is not started beside the one that comes.
#[test]
fn nothing_is_started_while_cloudformation_is_at_it() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let (_, head) = made(&cloud).await;
        let target = Target { logical_id: Some("HeadInstance".to_owned()), ..Target::default() };
        sandbox.add_fault(Fault::Slow(Slow { target, factor: 1000.0 }));
        let after = cluster("image: { os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }\n");
        let plan = plan_for(&cloud, &after).await;
        let stop = Stop::default();
        let name = StackKey::Head.stack_name("head");
        let status = async || cloud.stacks.stack(&name).await.unwrap().unwrap().status;
        let wish = async {
            while !status().await.in_progress() {
                cloud.clock.sleep(Duration::from_secs(5)).await;
            }
            stop.set();
        };
        let ((applied, events), ()) = futures_util::future::join(carried(&cloud, &plan, &stop), wish).await;
        assert!(!applied.failed.is_empty() && status().await.in_progress(), "{:?}", applied.failed);
        assert!(!events.iter().any(|event| matches!(event, Event::HeadStarted { .. })));
        assert_eq!(state(&cloud, &head).await, "stopped");
    });
}
