//! ResumeProgram and SuspendProgram on the sandbox: launches, shortages, second calls, deaths in the middle.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use hpcctl::{
    cloud::{
        is_lack,
        sandbox::{Crash, Fault, NoCapacity, Script},
    },
    node::{self, Event, Launch, LaunchedNode, Ledger, NodeError, Pools, Why, hostlist, parse_resume_file},
};
use support::{
    head::{CLUSTER, Head, lines},
    look, on_sandbox,
};

/// The cluster with a large spot pool beside.
fn with_spot() -> String {
    format!("{CLUSTER}      - {{ name: spot, purchase: spot, instance_types: [c5.xlarge, c5a.xlarge], max: 1000 }}\n")
}

fn resume(head: &Head, list: &str, file: Option<&str>) -> (Result<bool, NodeError>, Vec<Event>) {
    let nodes = hostlist::expand(list).unwrap();
    let jobs = parse_resume_file(file, &nodes, &mut |_| {});
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    let result = on_sandbox(node::resume(&head.cloud, &head.cluster, &head.home, jobs, &mut keep));
    (result, events)
}

fn suspend(head: &Head, list: &str, why: Why) -> Vec<Event> {
    let nodes = hostlist::expand(list).unwrap();
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    on_sandbox(node::suspend(&head.cloud, &head.cluster, &head.home, &nodes, why, &mut keep)).unwrap();
    events
}

fn job(id: u64, list: &str) -> String {
    format!(r#"{{"jobs":[{{"job_id":{id},"nodes_resume":"{list}"}}]}}"#)
}

fn none_of(spot: bool, available: u32) -> Fault {
    Fault::NoCapacity(NoCapacity { spot: Some(spot), available, ..NoCapacity::default() })
}

#[test]
fn a_thousand_nodes_come_with_three_calls_and_go_with_one() {
    let head = Head::of("thousand", &with_spot());
    let (result, events) = resume(&head, "q-spot-[1-1000]", Some(&job(1, "q-spot-[1-1000]")));
    assert!(result.unwrap());
    assert_eq!(head.instances().len(), 1000);
    assert_eq!(lines(&events).len(), 1000, "one line a node");
    let launches = Ledger::new(&head.home).launches().unwrap();
    assert_eq!(launches.len(), 1);
    assert!(launches[0].wanted.is_empty() && launches[0].nodes.len() == 1000);
    let key = format!("clusters/head/launches/{}.json", launches[0].launch);
    let (body, _) = on_sandbox(head.cloud.objects.get(head.cluster.bucket().unwrap(), &key)).unwrap().unwrap();
    let published: node::Launch = serde_json::from_slice(&body).unwrap();
    assert_eq!(published, launches[0], "nodes read what the head node knows");
    let calls = head.calls();
    assert_eq!(calls.len(), 2, "500 addresses a call");
    let addresses = calls[0].split_once("nodeaddr=").unwrap().1.split(',').count();
    assert!(calls[0].starts_with("update nodename=q-spot-[1-") && addresses == 500, "{}", calls[0]);
    suspend(&head, "q-spot-[1-1000]", Why::Idle);
    assert!(head.instances().is_empty());
    assert!(Ledger::new(&head.home).launches().unwrap().is_empty());
}

#[test]
fn a_second_call_launches_nothing() {
    let head = Head::of("second", &with_spot());
    assert!(resume(&head, "q-od-[1-2]", None).0.unwrap());
    head.calls();
    let (result, events) = resume(&head, "q-od-[1-3]", None);
    assert!(result.unwrap());
    assert_eq!(head.instances().len(), 3);
    assert_eq!(lines(&events)[0], "q-od-[1-2] have instances that run");
    assert!(head.calls()[0].contains("nodename=q-od-[1-3]"), "slurmctld hears the addresses again");
}

#[test]
fn an_instance_that_died_is_launched_anew() {
    let head = Head::of("died", &with_spot());
    resume(&head, "q-od-1", None).0.unwrap();
    let first = head.instances()[0].id.clone();
    on_sandbox(head.cloud.compute.terminate(std::slice::from_ref(&first))).unwrap();
    assert!(resume(&head, "q-od-1", None).0.unwrap());
    assert_ne!(head.instances()[0].id, first);
}

#[test]
fn without_capacity_the_whole_pool_goes_down_and_rests() {
    let head = Head::of("capacity", &with_spot());
    head.sandbox.add_fault(none_of(true, 0));
    head.show("q-spot-[3-1000]", "IDLE+CLOUD+POWERED_DOWN");
    let (result, events) = resume(&head, "q-spot-[1-2]", Some(&job(9, "q-spot-[1-2]")));
    assert!(!result.unwrap());
    assert!(head.instances().is_empty());
    let down = head.calls().into_iter().filter(|call| call.contains("state=down")).collect::<Vec<_>>().join("\n");
    assert!(down.contains("q-spot-[1-500]") && down.contains("q-spot-[501-1000]"), "{down}");
    assert!(down.contains("reason=hpcctl: no capacity (Code:InsufficientInstanceCapacity)"));
    assert!(lines(&events).iter().any(|line| line.starts_with("q/spot rests for 600 s")));
    assert!(Pools::read(&head.home).unwrap().rest("q/spot", head.cloud.clock.now()).is_some());
    let (result, events) = resume(&head, "q-spot-1", None);
    assert!(!result.unwrap());
    assert!(lines(&events)[0].starts_with("q/spot rests for another"), "EC2 is not asked again");
}

#[test]
fn a_job_gets_all_of_its_nodes_or_none() {
    let head = Head::of("whole", &with_spot());
    // One of each type.
    head.sandbox.add_fault(none_of(true, 1));
    let file =
        r#"{"jobs":[{"job_id":1,"nodes_resume":"q-od-[1-2],q-spot-[1-4]"},{"job_id":2,"nodes_resume":"q-spot-9"}]}"#;
    let (result, events) = resume(&head, "q-od-[1-2],q-spot-[1-4,9]", Some(file));
    assert!(!result.unwrap());
    let launched: Vec<String> = lines(&events).into_iter().filter(|line| line.starts_with("launched")).collect();
    assert_eq!(launched.len(), 1, "{launched:?}");
    assert!(launched[0].starts_with("launched q-spot-9"));
    assert_eq!(head.instances().len(), 1, "what no job can use goes back");
    let down: Vec<String> = head.calls().into_iter().filter(|call| call.contains("state=down")).collect();
    assert!(down.iter().any(|call| call.contains("q-od-[1-2]") && call.contains("lacks nodes of another pool")));
    assert!(down.iter().any(|call| call.contains("q-spot-[1-4]") && call.contains("no capacity")));
}

#[test]
fn best_effort_takes_what_there_is() {
    let head = Head::of("effort", &with_spot().replace("queues:", "slurm: { scaling: best-effort }\nqueues:"));
    head.sandbox.add_fault(none_of(false, 2));
    let (result, _) = resume(&head, "q-od-[1-4]", Some(&job(1, "q-od-[1-4]")));
    assert!(!result.unwrap());
    assert_eq!(head.instances().len(), 2);
}

#[test]
fn whatever_call_it_dies_at_the_ledger_knows_the_launch() {
    for at in 1..40 {
        for effect in [false, true] {
            let head = Head::of(&format!("dies-{at}-{effect}"), &with_spot());
            head.sandbox.add_fault(Fault::Crash(Crash { at: head.sandbox.mutations() + at, effect }));
            let (result, events) = resume(&head, "q-od-[1-2]", None);
            let clean = result.is_ok() && !lines(&events).iter().any(|line| line.starts_with("failed"));
            // Another process, after the death of this one.
            let survivor = head.sandbox.reborn();
            let alive = on_sandbox(survivor.cloud().compute.instances_of("head")).unwrap();
            let known = Ledger::new(&head.home).launches().unwrap();
            for one in alive.iter().filter(|one| one.tags.contains_key("hpcctl:launch")) {
                let launch = known.iter().find(|launch| launch.launch == one.tags["hpcctl:launch"]);
                let launch = launch.unwrap_or_else(|| panic!("at {at}: nobody knows {}", one.id));
                let open = !launch.wanted.is_empty();
                assert!(open || launch.nodes.contains_key(&one.id), "at {at}: {} is nobody's", one.id);
            }
            if clean {
                return;
            }
        }
    }
    panic!("resume never ends cleanly");
}

#[test]
fn suspending_what_is_gone_is_no_error() {
    let head = Head::of("gone", &with_spot());
    resume(&head, "q-od-1", None).0.unwrap();
    let ids: Vec<String> = head.instances().into_iter().map(|one| one.id).collect();
    on_sandbox(head.cloud.compute.terminate(&ids)).unwrap();
    suspend(&head, "q-od-[1-2]", Why::Idle);
    assert!(Ledger::new(&head.home).launches().unwrap().is_empty());
    suspend(&head, "q-od-1,nonsense-7", Why::Failed);
    assert!(Pools::read(&head.home).unwrap().failures.is_empty(), "what never had an instance is no failed start");
    resume(&head, "q-od-1", None).0.unwrap();
    suspend(&head, "q-od-1", Why::Failed);
    assert_eq!(Pools::read(&head.home).unwrap().failures.get("q"), Some(&1));
}

#[test]
fn what_another_program_began_in_between_is_its() {
    let head = Head::of("in-between", &with_spot());
    resume(&head, "q-od-1", None).0.unwrap();
    let nodes = hostlist::expand("q-od-[1-3]").unwrap();
    let mut said = Vec::new();
    // It has looked when it says what runs, and begins after that.
    let mut other = |event: Event| {
        if matches!(event, Event::Running { .. }) {
            let mut launch = Launch::new("0f".repeat(16), "head", "q", "od", head.cloud.clock.now(), Vec::new());
            let node = LaunchedNode { name: "q-od-2".to_owned(), address: "10.0.0.9".to_owned() };
            launch.nodes.insert("i-0123456789abcdef0".to_owned(), node);
            Ledger::new(&head.home).record(&launch).unwrap();
        }
        said.push(event);
    };
    let jobs = parse_resume_file(None, &nodes, &mut |_| {});
    on_sandbox(node::resume(&head.cloud, &head.cluster, &head.home, jobs, &mut other)).unwrap();
    assert_eq!(head.instances().len(), 2, "q-od-1 and q-od-3; the other program has q-od-2");
    assert!(lines(&said).contains(&"q-od-2 are being launched already".to_owned()), "{:?}", lines(&said));
}

/// A zone that does not sell the type is no mistake of the pool's: the next pool takes over, as without capacity; and in
/// another zone of the pool the type is launched.
#[test]
fn a_type_that_a_zone_does_not_offer_is_a_lack() {
    let head = Head::of("not-offered", &with_spot());
    let only = |zones: &[&str]| Script {
        not_offered: [("c5.xlarge".to_owned(), zones.iter().map(ToString::to_string).collect())].into(),
        ..Script::default()
    };
    head.sandbox.set_script(only(&[]));
    let (result, events) = resume(&head, "q-od-[1-2]", Some(&job(7, "q-od-[1-2]")));
    assert!(!result.unwrap());
    assert!(head.instances().is_empty());
    let said = lines(&events).join("\n");
    assert!(said.contains("is not supported in your requested Availability Zone"), "{said}");
    let pools = Pools::read(&head.home).unwrap();
    assert_eq!(
        pools.resting.values().map(|rest| rest.code.as_str()).collect::<Vec<_>>(),
        ["InvalidFleetConfiguration"]
    );
    let calls = head.calls().join("\n");
    assert!(calls.contains("state=down reason=hpcctl: no capacity (Code:InvalidFleetConfiguration)"), "{calls}");

    // The other type of the pool is offered.
    let (result, _) = resume(&head, "q-spot-1", Some(&job(8, "q-spot-1")));
    assert!(result.unwrap());
    assert_eq!(head.instances()[0].instance_type, "c5a.xlarge");
}

/// A fleet whose configuration is wrong has the same code, and waiting does not help: the pool does not rest.
#[test]
fn a_wrong_configuration_is_no_lack() {
    assert!(!is_lack("InvalidFleetConfiguration", "The parameter is not valid"));
    assert!(is_lack("Unsupported", "") && is_lack("InsufficientInstanceCapacity", ""));
    let head = Head::of("wrong", CLUSTER);
    let image = "ami-0";
    let live = on_sandbox(look(&head.people, &head.built));
    let gone =
        live.stacks.values().flat_map(|stack| stack.state.parameters.values()).filter(|id| id.starts_with(image));
    head.sandbox.set_script(Script { absent: gone.cloned().collect(), ..Script::default() });
    let (result, events) = resume(&head, "q-od-1", Some(&job(9, "q-od-1")));
    assert!(!result.unwrap());
    assert!(Pools::read(&head.home).unwrap().resting.is_empty(), "{:?}", lines(&events));
    let calls = head.calls().join("\n");
    assert!(calls.contains("reason=hpcctl: not launched: (Code:InvalidAMIID.NotFound)"), "{calls}");
}
