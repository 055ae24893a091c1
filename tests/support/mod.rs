//! What several tests share: clusters made up by proptest, and a cluster taken through its life on the sandbox.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

pub mod files;
pub mod head;
pub mod matrix;

use hpcctl::{
    apply::{self, Applied, Context, Event, Listener, Stop},
    catalog::{InstanceCatalog, ResourceCatalog},
    check::{self, Facts, Severity},
    cloud::{Cloud, Timestamp},
    model::{self, Graph},
    observe::{self, Live, Wanted},
    plan::{self, Desired, DestroyOptions, Plan, PlanError, Source},
    render::{self, Rendered},
    spec::{self, Cluster, Document},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A cluster file and everything that it is turned into.
pub struct Built {
    pub document: Document,
    pub cluster: Cluster,
    pub graph: Graph,
    pub rendered: Rendered,
}

/// Reads, checks, models and renders; panics when the file has errors.
pub fn build(name: &str, text: &str) -> Built {
    try_build(name, text).unwrap_or_else(|errors| panic!("{name} has errors: {errors:?}\n{text}"))
}

/// The same; or the errors that the checks find.
pub fn try_build(name: &str, text: &str) -> Result<Built, Vec<String>> {
    let catalog = InstanceCatalog::embedded();
    let document = spec::read(name, text);
    let found = check::check(&document, &Facts { catalog: Some(catalog), ..Facts::default() });
    let errors: Vec<String> = found
        .iter()
        .filter(|finding| finding.rule.severity == Severity::Error)
        .map(|finding| format!("HPC{} {} {:?}", finding.rule.code, finding.at, finding.args))
        .collect();
    let Some(cluster) = document.cluster.clone().filter(|_| errors.is_empty()) else { return Err(errors) };
    let graph = model::build(&cluster, catalog);
    let files = render::node_files(&cluster, catalog).unwrap();
    let rendered = render::render(&graph, files);
    Ok(Built { document, cluster, graph, rendered })
}

/// Keeps every event.
#[derive(Default)]
pub struct Events(pub std::sync::Mutex<Vec<(Timestamp, Event)>>);

impl Listener for Events {
    fn event(&self, at: Timestamp, event: &Event) {
        self.0.lock().unwrap().push((at, event.clone()));
    }
}

/// What exists.
pub async fn look(cloud: &Cloud, built: &Built) -> Live {
    let wanted = Wanted::by(&built.graph, false);
    observe::observe(cloud, &built.graph.cluster, &wanted).await.unwrap()
}

/// The plan from what exists to the file.
pub async fn plan_for(cloud: &Cloud, built: &Built) -> Plan {
    try_plan_for(cloud, built).await.unwrap()
}

/// The same, or why there is none.
pub async fn try_plan_for(cloud: &Cloud, built: &Built) -> Result<Plan, PlanError> {
    try_plan(&look(cloud, built).await, built)
}

/// The plan, or why there is none.
pub fn try_plan(live: &Live, built: &Built) -> Result<Plan, PlanError> {
    let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
    plan::plan(&desired, live, &ResourceCatalog::embedded())
}

/// The plan to nothing.
pub async fn plan_destroy(cloud: &Cloud, built: &Built) -> Plan {
    let live = look(cloud, built).await;
    let source = Source { name: built.document.name.clone(), sha256: String::new(), text: built.document.text.clone() };
    plan::destroy(&built.graph.cluster, &built.graph.region, source, &live, &DestroyOptions::default()).unwrap()
}

/// Carries a plan out, without a lock.
pub async fn carry_out(cloud: &Cloud, plan: &Plan) -> Applied {
    let events = Events::default();
    let context = Context::new(cloud, plan, &events, Stop::default());
    let mut applied = apply::execute(&context, None).await;
    apply::finish(&context, &mut applied).await;
    applied
}

/// Carries a plan out and panics when a step fails.
pub async fn carry_out_well(cloud: &Cloud, plan: &Plan) {
    let applied = carry_out(cloud, plan).await;
    assert!(applied.failed.is_empty(), "{:?}", applied.failed);
    assert_eq!(applied.done.len(), plan.steps.len());
}

/// Runs a future to its end.
pub fn on_sandbox<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Clusters that keep all rules, as YAML.
pub fn clusters() -> impl Strategy<Value = String> {
    (network(), queues(), storage(), accounting(), 1u32..=3653, any::<bool>(), any::<bool>()).prop_map(
        |(network, queues, storage, accounting, _, dashboard, elastic)| {
            let mut cluster = json!({
                "version": 1,
                "name": "made-up",
                "region": "eu-west-1",
                "tags": {"project": "laws"},
                "network": network,
                "head_node": {"instance_type": "c5.xlarge", "elastic_ip": elastic},
                "queues": queues,
                "storage": storage,
                "monitoring": {"dashboard": dashboard},
            });
            if let Some(accounting) = accounting {
                cluster["accounting"] = accounting;
            }
            serde_yaml::to_string(&cluster).unwrap()
        },
    )
}

fn network() -> impl Strategy<Value = Value> {
    let existing = json!({
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "head_node_subnet": "subnet-0a1b2c3d4e5f67890",
        "compute_subnets": ["subnet-0b1c2d3e4f5a67891", "subnet-0c1d2e3f4a5b67892"],
        "subnet_zones": [
            {"subnet": "subnet-0a1b2c3d4e5f67890", "zone": "eu-west-1a"},
            {"subnet": "subnet-0b1c2d3e4f5a67891", "zone": "eu-west-1a"},
            {"subnet": "subnet-0c1d2e3f4a5b67892", "zone": "eu-west-1b"},
        ],
    });
    prop_oneof![
        Just(existing),
        (2u32..=3, prop_oneof![Just("single"), Just("per-zone")])
            .prop_map(|(zones, nat)| json!({"create": {"availability_zones": zones, "nat": nat}})),
    ]
}

fn queues() -> impl Strategy<Value = Value> {
    prop::collection::vec((pools(), any::<bool>(), 30u32..3600), 1..=3).prop_map(|queues| {
        let of = |(index, (pools, exclusive, idle)): (usize, (Value, bool, u32))| {
            json!({
                "name": format!("q{index}"),
                "default": index == 0,
                "exclusive": exclusive,
                "idle_seconds": idle,
                "pools": pools,
            })
        };
        Value::Array(queues.into_iter().enumerate().map(of).collect())
    })
}

fn pools() -> impl Strategy<Value = Value> {
    let types = prop::sample::subsequence(vec!["c5.xlarge", "c5.2xlarge", "c5.4xlarge", "m5.xlarge"], 1..=3);
    prop::collection::vec((types, any::<bool>(), 1u32..200), 1..=2).prop_map(|pools| {
        let of = |(index, (types, spot, max)): (usize, (Vec<&str>, bool, u32))| {
            let purchase = if spot { "spot" } else { "on-demand" };
            json!({"name": format!("p{index}"), "purchase": purchase, "instance_types": types, "max": max})
        };
        Value::Array(pools.into_iter().enumerate().map(of).collect())
    })
}

fn storage() -> impl Strategy<Value = Value> {
    let scratch = (1u32..=4).prop_map(|steps| {
        json!({"name": "scratch", "mount": "/fsx", "fsx_lustre": {
            "deployment": "SCRATCH_2", "capacity_gib": steps * 2400,
            "data_repository": {"import": "s3://laws-bucket", "export": "s3://laws-bucket/results"},
        }})
    });
    let home = Just(json!({"name": "home", "mount": "/home", "efs": {"on_destroy": "discard"}}));
    (prop::option::of(scratch), prop::option::of(home))
        .prop_map(|(scratch, home)| Value::Array(scratch.into_iter().chain(home).collect()))
}

fn accounting() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        (1u32..=35).prop_map(|days| {
            Some(json!({"rds": {"engine": "mysql", "instance_class": "db.t4g.medium", "backup_days": days}}))
        }),
    ]
}

/// The same YAML with the keys of every mapping turned round.
pub fn keys_turned(text: &str) -> String {
    fn turn(value: Value) -> serde_yaml::Value {
        match value {
            Value::Object(object) => {
                let mut mapping = serde_yaml::Mapping::new();
                let entries: Vec<(String, Value)> = object.into_iter().collect::<Map<_, _>>().into_iter().collect();
                for (key, value) in entries.into_iter().rev() {
                    mapping.insert(key.into(), turn(value));
                }
                serde_yaml::Value::Mapping(mapping)
            }
            Value::Array(items) => serde_yaml::Value::Sequence(items.into_iter().map(turn).collect()),
            other => serde_yaml::to_value(other).unwrap(),
        }
    }
    let value: Value = serde_yaml::from_str(text).unwrap();
    serde_yaml::to_string(&turn(value)).unwrap()
}
