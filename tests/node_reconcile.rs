//! The rules of `hpcctl node sync`, one by one, and what holds whatever the head node finds.
#![allow(clippy::unwrap_used, missing_docs)]

use hpcctl::{
    cloud::{InstanceHealth, InstanceState, LAUNCH_TAG, NODE_TAG, ROLE_TAG, Timestamp},
    node::{
        Cluster, Home, Launch, LaunchedNode, Pools, Rest, SlurmNode,
        sync::{Action, Cause, FailedStart, Hold, HoldWhy, KnownLaunch, Memory, Orphan, World, reconcile},
    },
};
use proptest::prelude::*;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::OnceLock,
};

const NOW: Timestamp = Timestamp(1_000_000);
const UP: &str = "IDLE+CLOUD";
const BUSY: &str = "ALLOCATED+CLOUD";
const ASLEEP: &str = "IDLE+CLOUD+POWERED_DOWN";
const RISING: &str = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP";
const SINKING: &str = "IDLE+CLOUD+POWERING_DOWN";

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let etc = std::env::temp_dir().join(format!("hpcctl-reconcile-{}", std::process::id()));
        fs::create_dir_all(&etc).unwrap();
        let pool = |name: &str, purchase: &str, min: u32| {
            json!({
                "name": name, "node_prefix": format!("q-{name}-"), "min": min, "max": 9, "purchase": purchase,
                "allocation": null, "spot_price": null, "instance_types": ["c5.large"], "launch_templates": [],
                "stack": "queue.q", "subnets": [], "subnets_output": "S", "tags": {},
            })
        };
        let config = json!({
            "kind": "hpcctl/node-config", "format_version": "1.0", "cluster": "c", "region": "eu-west-1",
            "slurm_bin": "/usr/bin", "slurm_conf": "/etc/slurm/slurm.conf", "scaling": "all-or-nothing",
            "capacity_cooldown_seconds": 600, "protected_failure_count": 3, "resume_timeout_seconds": 1800,
            "queues": [{ "name": "q", "pools": [pool("od", "on-demand", 0), pool("spot", "spot", 0), pool("st", "on-demand", 1)] }],
        });
        fs::write(etc.join("hpcctl.json"), config.to_string()).unwrap();
        fs::write(etc.join("cluster.json"), json!({ "artifact_bucket": "b", "revision": 1 }).to_string()).unwrap();
        let cluster = Cluster::load(&Home { etc: etc.clone(), state: etc.clone() }).unwrap();
        fs::remove_dir_all(etc).unwrap();
        cluster
    })
}

/// A look that can be put together in a few words.
#[derive(Clone)]
struct Case {
    world: World<'static>,
    memory: Memory,
}

impl Case {
    fn new() -> Self {
        let world = World {
            cluster: cluster(),
            now: NOW,
            instances: BTreeMap::new(),
            launches: Vec::new(),
            nodes: BTreeMap::new(),
            partitions: BTreeMap::from([("q".to_owned(), "UP".to_owned())]),
            booted: "then".to_owned(),
            pools: Pools::default(),
        };
        // The static node is there, and no rule's business.
        Self { world, memory: Memory { booted: "then".to_owned(), ..Memory::default() } }.node("q-st-1", UP)
    }

    fn node(self, name: &str, states: &str) -> Self {
        self.down(name, states, "")
    }

    fn down(mut self, name: &str, states: &str, reason: &str) -> Self {
        let node = SlurmNode {
            name: name.to_owned(),
            states: states.split('+').map(str::to_owned).collect(),
            reason: reason.to_owned(),
            ..SlurmNode::default()
        };
        self.world.nodes.insert(name.to_owned(), node);
        self
    }

    fn instance(mut self, id: &str, launch: &str, state: &str) -> Self {
        let tags = [(ROLE_TAG, "compute"), (LAUNCH_TAG, launch)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let instance = InstanceState {
            id: id.to_owned(),
            instance_type: "c5.large".to_owned(),
            state: state.to_owned(),
            private_ip: Some("10.0.0.1".to_owned()),
            public_ip: None,
            zone: None,
            spot: false,
            launched: NOW.plus(-900),
            tags: BTreeMap::from(tags),
        };
        self.world.instances.insert(id.to_owned(), instance);
        self
    }

    /// A launch that is `age` seconds old; `nodes` are pairs of instance and node.
    fn launch(mut self, id: &str, age: i64, wanted: &[&str], at_work: bool, nodes: &[(&str, &str)]) -> Self {
        let wanted = wanted.iter().map(ToString::to_string).collect();
        let mut launch = Launch::new(id.to_owned(), "c", "q", "od", NOW.plus(-age), wanted);
        let one = |(instance, name): &(&str, &str)| {
            let node = LaunchedNode { name: (*name).to_owned(), address: "10.0.0.1".to_owned() };
            ((*instance).to_owned(), node)
        };
        launch.nodes = nodes.iter().map(one).collect();
        self.world.launches.push(KnownLaunch { launch, at_work });
        self
    }

    /// A node with its instance, long launched and named.
    fn running(self, name: &str, states: &str) -> Self {
        let (id, launch) = (format!("i-{name}"), format!("l-{name}"));
        let mut case = self.node(name, states).instance(&id, &launch, "running");
        case.world.instances.get_mut(&id).unwrap().tags.insert(NODE_TAG.to_owned(), name.to_owned());
        case.memory.came_up.insert(id.clone());
        case.launch(&launch, 900, &[], false, &[(&id, name)])
    }

    fn rest(mut self, pool: &str, seconds: i64) -> Self {
        let rest = Rest { until: NOW.plus(seconds), code: "InsufficientInstanceCapacity".to_owned() };
        self.world.pools.resting.insert(pool.to_owned(), rest);
        self
    }

    fn failures(mut self, count: u32) -> Self {
        self.world.pools.failures.insert("q".to_owned(), count);
        self
    }

    fn hold(mut self, why: HoldWhy, partition: &str) -> Self {
        self.memory.holds.insert("q".to_owned(), Hold { since: NOW.plus(-60), why });
        self.world.partitions.insert("q".to_owned(), partition.to_owned());
        self
    }

    /// Everything in sight has been so for so long.
    fn since(mut self, seconds: i64) -> Self {
        self.world.notice(&mut self.memory);
        self.memory.since.values_mut().for_each(|at| *at = NOW.plus(-seconds));
        self
    }

    /// What is decided. What is news for people alone is left out.
    fn decide(mut self) -> Vec<Action> {
        self.world.notice(&mut self.memory);
        reconcile(&self.world, &self.memory)
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn terminate(why: Orphan, instances: &[&str]) -> Action {
    Action::Terminate { why, instances: set(instances) }
}

fn replace(cause: Cause, nodes: &[&str]) -> Action {
    Action::Replace { cause, nodes: set(nodes) }
}

fn idle(nodes: &[&str], failed: &[&str]) -> Action {
    Action::Idle { nodes: set(nodes), failed: set(failed) }
}

fn power_down(nodes: &[&str]) -> Action {
    Action::PowerDown { nodes: set(nodes) }
}

/// A failed start of `i-NODE`.
fn count(node: &str, words: Option<&str>) -> Action {
    let start = FailedStart { node: node.to_owned(), words: words.map(str::to_owned) };
    Action::Count { queue: "q".to_owned(), starts: BTreeMap::from([(format!("i-{node}"), start)]) }
}

#[test]
fn a_cluster_in_order_is_left_alone() {
    let case = Case::new()
        .running("q-od-1", UP)
        .running("q-od-2", BUSY)
        .node("q-od-3", ASLEEP)
        .node("q-od-4", "IDLE+CLOUD+POWERED_DOWN+NOT_RESPONDING")
        .node("q-od-5", SINKING);
    assert_eq!(case.decide(), []);
}

#[test]
fn instances_that_are_nobodys_end() {
    let orphan = |case: Case| case.decide();
    assert_eq!(orphan(Case::new().instance("i-1", "gone", "running")), [terminate(Orphan::Unknown, &["i-1"])]);
    assert_eq!(orphan(Case::new().instance("i-1", "gone", "shutting-down")), []);
    assert_eq!(orphan(Case::new().instance("i-1", "gone", "stopped")), [terminate(Orphan::Unknown, &["i-1"])]);
    let at_work = Case::new().node("q-od-1", RISING).instance("i-1", "l", "pending");
    assert_eq!(orphan(at_work.clone().launch("l", 5, &["q-od-1"], true, &[])), []);
    let dead = at_work.clone().launch("l", 5, &["q-od-1"], false, &[]);
    assert_eq!(orphan(dead), [terminate(Orphan::CutShort, &["i-1"]), Action::Close { launch: "l".to_owned() }]);
    let surplus = at_work.instance("i-2", "l", "running").launch("l", 5, &[], false, &[("i-1", "q-od-1")]);
    assert_eq!(orphan(surplus)[0], terminate(Orphan::Surplus, &["i-2"]));
}

#[test]
fn an_instance_ends_with_its_node() {
    assert_eq!(Case::new().running("q-od-1", ASLEEP).decide(), [terminate(Orphan::Asleep, &["i-q-od-1"])]);
    // SuspendProgram is given its time.
    let sinking = Case::new().running("q-od-1", SINKING);
    assert_eq!(sinking.clone().since(30).decide(), []);
    assert_eq!(sinking.since(60).decide(), [terminate(Orphan::Asleep, &["i-q-od-1"])]);
    // A node that slurmctld is about to read is given its time, too.
    let mut unknown = Case::new().running("q-od-1", UP);
    unknown.world.nodes.remove("q-od-1");
    assert_eq!(unknown.clone().since(60).decide(), []);
    assert_eq!(unknown.since(120).decide(), [terminate(Orphan::NoNode, &["i-q-od-1"])]);
}

#[test]
fn the_older_of_two_instances_ends() {
    let case = Case::new().running("q-od-1", UP).instance("i-old", "old", "running");
    let case = case.launch("old", 5000, &[], false, &[("i-old", "q-od-1")]);
    assert_eq!(case.decide(), [terminate(Orphan::Older, &["i-old"])]);
}

#[test]
fn a_launch_that_was_cut_short_is_finished() {
    let case = Case::new().node("q-od-1", RISING).node("q-od-2", RISING).instance("i-1", "l", "pending").launch(
        "l",
        40,
        &["q-od-1", "q-od-2"],
        false,
        &[("i-1", "q-od-1")],
    );
    let actions = case.decide();
    let Action::Adopt { launch } = &actions[0] else { panic!("{actions:?}") };
    assert!(launch.wanted.is_empty() && launch.nodes.len() == 1);
    assert_eq!(actions[1], Action::Close { launch: "l".to_owned() });
    // What it did not bring is launched again when ResumeProgram has had its time.
    let mut rest = Case::new().node("q-od-2", RISING);
    assert_eq!(rest.clone().since(29).decide(), []);
    rest = rest.since(30);
    assert_eq!(rest.clone().decide(), [Action::Relaunch { nodes: set(&["q-od-2"]) }]);
    rest.memory.relaunched.insert("q-od-2".to_owned(), NOW.plus(-59));
    assert_eq!(rest.clone().decide(), []);
    rest.memory.relaunched.insert("q-od-2".to_owned(), NOW.plus(-60));
    assert_eq!(rest.decide(), [replace(Cause::NotLaunched, &["q-od-2"])]);
}

#[test]
fn a_lost_instance_gives_its_jobs_back_at_once() {
    for state in [UP, BUSY, "DOWN+CLOUD+NOT_RESPONDING", "COMPLETING+DRAIN+CLOUD+NOT_RESPONDING"] {
        for life in [None, Some("shutting-down"), Some("terminated"), Some("stopped")] {
            let mut case = Case::new().running("q-od-1", state);
            match life {
                Some(life) => case.world.instances.get_mut("i-q-od-1").unwrap().state = life.to_owned(),
                None => drop(case.world.instances.remove("i-q-od-1")),
            }
            let actions = case.decide();
            assert!(actions.contains(&replace(Cause::Gone, &["q-od-1"])), "{state} {life:?}: {actions:?}");
            let ended = terminate(Orphan::NoNode, &["i-q-od-1"]);
            assert!(!actions.contains(&ended) && actions.contains(&Action::Forget { instances: set(&["i-q-od-1"]) }));
        }
    }
}

#[test]
fn what_ec2_does_not_show_yet_is_not_gone() {
    let young = |age| Case::new().node("q-od-1", RISING).launch("l", age, &[], false, &[("i-1", "q-od-1")]);
    assert_eq!(young(119).decide(), []);
    assert!(young(120).decide().contains(&replace(Cause::Gone, &["q-od-1"])));
}

#[test]
fn nodes_that_administrators_took_away_are_theirs() {
    for states in ["DOWN+CLOUD", "IDLE+CLOUD+DRAIN", "DOWN+CLOUD+POWERED_DOWN", "IDLE+CLOUD+DRAIN+POWERED_DOWN"] {
        let case = Case::new().down("q-od-1", states, "a bad fan");
        assert_eq!(case.since(9999).decide(), [], "{states}");
    }
}

#[test]
fn stuck_nodes_come_back() {
    let all = |states: &str, reason: &str| Case::new().down("q-od-1", states, reason).since(999).decide();
    let asleep = "DOWN+CLOUD+POWERED_DOWN+NOT_RESPONDING";
    assert_eq!(all(asleep, "ResumeTimeout reached"), [idle(&["q-od-1"], &["q/od"])]);
    assert_eq!(all("IDLE+CLOUD+DRAIN+POWERED_DOWN", "hpcctl: EC2 plans x"), [idle(&["q-od-1"], &["q/od"])]);
    assert_eq!(all(asleep, "hpcctl: its job lacks nodes of another pool"), [idle(&["q-od-1"], &[])]);
    let lost = |states| {
        let mut case = Case::new().running("q-od-1", states);
        case.world.nodes.get_mut("q-od-1").unwrap().reason = "Not responding".to_owned();
        case.since(300).decide()
    };
    assert_eq!(lost("DOWN+CLOUD+NOT_RESPONDING"), [power_down(&["q-od-1"])]);
    assert_eq!(lost("COMPLETING+CLOUD+DRAIN+NOT_RESPONDING"), [replace(Cause::Stuck, &["q-od-1"])]);
    // Nobody launches what hpcctl set down while it powered up: ResumeTimeout must not count it as a failed start.
    let rising = Case::new().down("q-od-1", "DOWN+CLOUD+NOT_RESPONDING+POWERING_UP", "hpcctl: no capacity (Code:X)");
    assert_eq!(rising.decide(), [power_down(&["q-od-1"])]);
}

#[test]
fn failures_that_repeat_pause_longer() {
    let mut case = Case::new().down("q-od-1", "DOWN+CLOUD+POWERED_DOWN", "hpcctl: not launched: x");
    assert_eq!(case.clone().decide(), [idle(&["q-od-1"], &["q/od"])], "the first comes back at once");
    for (times, pause) in [(1, 15), (2, 30), (3, 60), (6, 480), (7, 600), (40, 600)] {
        case.memory.repeats.insert("q/od".to_owned(), times);
        assert_eq!(case.clone().since(pause - 1).decide(), [], "{times}");
        assert_eq!(case.clone().since(pause).decide().len(), 1, "{times}");
    }
}

#[test]
fn a_pool_rests_as_a_whole_and_wakes() {
    let case = Case::new()
        .down("q-od-1", "DOWN+CLOUD+POWERED_DOWN", "hpcctl: no capacity (Code:X)")
        .node("q-od-2", ASLEEP)
        .running("q-od-3", BUSY)
        .node("q-spot-1", ASLEEP);
    let code = "InsufficientInstanceCapacity".to_owned();
    let rest = Action::Rest { code, nodes: set(&["q-od-2"]) };
    assert_eq!(case.clone().rest("q/od", 1).decide(), [rest]);
    let over = Action::EndRests { pools: set(&["q/od"]) };
    assert_eq!(case.rest("q/od", 0).decide(), [over, idle(&["q-od-1"], &[])]);
}

#[test]
fn static_nodes_run() {
    let case = Case::new().node("q-st-1", ASLEEP);
    let up = Action::PowerUp { nodes: set(&["q-st-1"]) };
    assert_eq!(case.clone().decide(), [up]);
    assert_eq!(
        case.clone()
            .node("q-st-1", "IDLE+CLOUD+DRAIN+POWERED_DOWN")
            .down("q-st-1", "DRAIN+POWERED_DOWN", "mine")
            .decide(),
        []
    );
    assert_eq!(case.hold(HoldWhy::Stopped, "INACTIVE").decide(), []);
}

#[test]
fn failed_starts_are_counted_once_and_protect_the_queue() {
    let states = "DOWN+CLOUD+NOT_RESPONDING+POWERING_UP";
    let mut case = Case::new().running("q-od-1", states);
    case.world.nodes.get_mut("q-od-1").unwrap().reason = "hpcctl set-up: line 3".to_owned();
    case.memory.came_up.clear();
    // The node has some time to send its log, and the count does not wait for it.
    let actions = case.clone().failures(1).decide();
    let failed = count("q-od-1", Some("hpcctl set-up: line 3"));
    assert_eq!(actions, std::slice::from_ref(&failed));
    assert_eq!(case.clone().since(45).decide(), [failed, power_down(&["q-od-1"])]);
    let protect = Action::Protect { queue: "q".to_owned(), failures: 3 };
    assert!(case.clone().failures(2).decide().contains(&protect));
    case.memory.counted.insert("i-q-od-1".to_owned());
    assert_eq!(case.clone().since(45).failures(2).decide(), [power_down(&["q-od-1"])]);
    // Already protected: no second time.
    assert!(!case.failures(3).hold(HoldWhy::Protected(3), "INACTIVE").decide().contains(&protect));
}

#[test]
fn an_instance_that_dies_while_it_boots_counts_unless_ec2_took_it() {
    let dead = |name: &str, spot: bool| {
        let mut case = Case::new().running(name, RISING);
        case.memory.came_up.clear();
        let instance = case.world.instances.values_mut().next().unwrap();
        (instance.state, instance.spot) = ("terminated".to_owned(), spot);
        case
    };
    assert!(dead("q-od-1", false).decide().contains(&count("q-od-1", None)));
    let counts = |action: &Action| matches!(action, Action::Count { .. });
    assert!(!dead("q-spot-1", true).decide().iter().any(counts));
    // EC2's eventual consistency is no failure.
    let unseen = Case::new().node("q-od-1", RISING).launch("l", 60, &[], false, &[("i-1", "q-od-1")]);
    assert!(!unseen.decide().iter().any(counts));
}

#[test]
fn a_node_that_comes_up_forgives() {
    let mut case = Case::new().running("q-od-1", UP).failures(2);
    case.memory.came_up.clear();
    let reset = Action::Reset { queue: "q".to_owned(), pools: set(&["q/od"]), instances: set(&["i-q-od-1"]) };
    assert_eq!(case.decide(), [reset]);
}

#[test]
fn partitions_are_held_over_a_restart_and_released_by_people() {
    let case = Case::new().hold(HoldWhy::Drained, "UP");
    assert_eq!(case.clone().decide(), [Action::Release { queue: "q".to_owned() }]);
    let mut anew = case;
    anew.memory.booted = "before".to_owned();
    assert_eq!(anew.decide(), [Action::Hold { queue: "q".to_owned(), state: "drain" }]);
    assert_eq!(Case::new().hold(HoldWhy::Drained, "DRAIN").decide(), []);
}

#[test]
fn a_stopped_fleet_ends_idle_nodes() {
    let case = Case::new().running("q-od-1", UP).running("q-od-2", BUSY).hold(HoldWhy::Stopped, "INACTIVE");
    assert_eq!(case.decide(), [power_down(&["q-od-1", "q-st-1"])]);
}

#[test]
fn what_ec2_plans_drains_and_what_ails_is_replaced() {
    let ill = |impaired, events: &[&str]| InstanceHealth {
        id: "i-q-od-1".to_owned(),
        impaired,
        events: events.iter().map(|code| ((*code).to_owned(), String::new())).collect(),
    };
    let with = |states: &str, health| {
        let mut case = Case::new().running("q-od-1", states);
        case.memory.ailing.insert("i-q-od-1".to_owned(), health);
        case
    };
    let drain = Action::Drain { event: "instance-retirement".to_owned(), nodes: set(&["q-od-1"]) };
    assert_eq!(with(BUSY, ill(false, &["instance-retirement"])).decide(), [drain]);
    let drained = |states: &str, why: &str| {
        let mut case = with(states, ill(false, &["instance-retirement"]));
        case.world.nodes.get_mut("q-od-1").unwrap().reason = why.to_owned();
        case.decide()
    };
    for why in ["hpcctl: EC2 plans instance-retirement", "hpcctl: rebalance recommendation"] {
        assert_eq!(drained("ALLOCATED+CLOUD+DRAIN", why), []);
        assert_eq!(drained("IDLE+CLOUD+DRAIN", why), [power_down(&["q-od-1"])]);
    }
    assert_eq!(drained("IDLE+CLOUD+DRAIN", "new disks"), [], "people know why");
    let going = "hpcctl: spot interruption";
    assert_eq!(drained("DOWN+CLOUD", going), [], "it powers off by itself");
    assert_eq!(with(BUSY, ill(true, &[])).since(179).decide(), []);
    assert_eq!(with(BUSY, ill(true, &[])).since(180).decide(), [replace(Cause::Impaired, &["q-od-1"])]);
}

#[test]
fn names_are_put_on_instances() {
    let mut case = Case::new().running("q-od-1", UP);
    case.world.instances.values_mut().for_each(|one| drop(one.tags.remove(NODE_TAG)));
    let tag = Action::Tag { instance: "i-q-od-1".to_owned(), node: "q-od-1".to_owned() };
    assert_eq!(case.decide(), [tag]);
}

#[test]
fn a_slurmctld_without_nodes_decides_nothing() {
    let mut case = Case::new().running("q-od-1", UP).instance("i-9", "gone", "running");
    case.world.nodes.clear();
    assert_eq!(case.decide(), []);
}

// --- Whatever the head node finds

const STATES: [&str; 14] = [
    UP,
    BUSY,
    ASLEEP,
    RISING,
    SINKING,
    "IDLE+CLOUD+POWER_DOWN",
    "DOWN+CLOUD",
    "DOWN+CLOUD+NOT_RESPONDING",
    "DOWN+CLOUD+POWERED_DOWN",
    "DOWN+CLOUD+NOT_RESPONDING+POWERING_UP",
    "IDLE+CLOUD+DRAIN",
    "IDLE+CLOUD+DRAIN+POWERED_DOWN",
    "COMPLETING+CLOUD+DRAIN+NOT_RESPONDING",
    "IDLE+CLOUD+NOT_RESPONDING+POWERING_UP",
];
const REASONS: [&str; 7] = [
    "",
    "hpcctl: no capacity (Code:X)",
    "hpcctl: not launched: x",
    "hpcctl set-up: line 3",
    "Not responding",
    "ResumeTimeout reached",
    "an administrator's",
];
const LIVES: [Option<&str>; 5] = [None, Some("pending"), Some("running"), Some("shutting-down"), Some("stopped")];

#[derive(Debug, Clone)]
struct Found {
    state: usize,
    reason: usize,
    life: usize,
    owned: bool,
    at_work: bool,
    wanted: bool,
    age: i64,
}

fn found() -> impl Strategy<Value = Found> {
    let parts = (0..STATES.len(), 0..REASONS.len(), 0..LIVES.len(), any::<[bool; 3]>(), 0i64..400);
    parts.prop_map(|(state, reason, life, [owned, at_work, wanted], age)| Found {
        state,
        reason,
        life,
        owned,
        at_work,
        wanted,
        age,
    })
}

fn put_together(all: &[Found], resting: bool, since: i64) -> Case {
    let mut case = Case::new();
    for (index, one) in all.iter().enumerate() {
        let (name, id, launch) = (format!("q-od-{}", index + 1), format!("i-{index}"), format!("l-{index}"));
        case = case.down(&name, STATES[one.state], REASONS[one.reason]);
        if let Some(life) = LIVES[one.life] {
            case = case.instance(&id, &launch, life);
        }
        let nodes = if one.owned { vec![(id.as_str(), name.as_str())] } else { Vec::new() };
        let wanted = if one.wanted { vec![name.as_str()] } else { Vec::new() };
        if !nodes.is_empty() || !wanted.is_empty() {
            case = case.launch(&launch, one.age, &wanted, one.at_work && one.wanted, &nodes);
        }
    }
    if resting {
        case = case.rest("q/od", 100);
    }
    case.since(since)
}

fn nodes_of(action: &Action) -> BTreeSet<String> {
    match action {
        Action::Relaunch { nodes }
        | Action::Replace { nodes, .. }
        | Action::PowerDown { nodes }
        | Action::Idle { nodes, .. }
        | Action::Rest { nodes, .. }
        | Action::PowerUp { nodes }
        | Action::Drain { nodes, .. } => nodes.clone(),
        _ => BTreeSet::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn laws_of_every_pass(all in prop::collection::vec(found(), 1..9), resting: bool, since in 0i64..700) {
        let case = put_together(&all, resting, since);
        let actions = case.clone().decide();
        let mut touched = BTreeSet::new();
        for action in &actions {
            for node in nodes_of(action) {
                prop_assert!(touched.insert(node.clone()), "{node} is told two things: {actions:?}");
            }
        }
        let ended: BTreeSet<&String> = actions.iter().filter_map(|action| match action {
            Action::Terminate { instances, .. } => Some(instances),
            _ => None,
        }).flatten().collect();
        for (index, one) in all.iter().enumerate() {
            let (name, id) = (format!("q-od-{}", index + 1), format!("i-{index}"));
            let at_work = one.at_work && one.wanted;
            let states = STATES[one.state];
            let up = !states.contains("POWER");
            // Whatever a process brings at this moment is left to it.
            prop_assert!(!(at_work && touched.contains(&name)), "{name} is in flight: {actions:?}");
            prop_assert!(!(at_work && !one.owned && ended.contains(&id)), "{id} is being handed out: {actions:?}");
            // An administrator's node is never told anything while its instance is there.
            let theirs = REASONS[one.reason] == "an administrator's" && (states.contains("DOWN+") && states.starts_with("DOWN") || states.contains("DRAIN"));
            let there = !one.owned || matches!(LIVES[one.life], Some("running" | "pending")) || one.age < 120 && one.life == 0;
            prop_assert!(!(theirs && there && touched.contains(&name)), "{name} is an administrator's: {actions:?}");
            // The one instance of a node that is up is never ended.
            let alive = matches!(LIVES[one.life], Some("running" | "pending"));
            prop_assert!(!(one.owned && alive && up && ended.contains(&id)), "{id} works: {actions:?}");
            // Nothing that costs money stays without somebody who knows it.
            let costs = alive || LIVES[one.life] == Some("stopped");
            let known = one.owned || at_work;
            prop_assert!(!costs || known || ended.contains(&id), "{id} is nobody's: {actions:?}");
        }
        // The same look decides the same.
        prop_assert_eq!(case.decide(), actions);
    }
}
