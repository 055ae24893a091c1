//! A file system that goes: at rest before its export, exported as far as it is linked, and nothing lost by failures.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::{self, Applied, ApplyError, Context, Event, ExportRequest, Stop, TransferKind},
    catalog::ResourceCatalog,
    cloud::{
        Cloud, ErrorKind, PutCondition, TaskInput, TaskKind, TaskState,
        sandbox::{
            CallError, CallErrorKind, Fault, Files, HandEdit, HeadFault, HeadTrouble, Jobs, Launch, Sandbox, Script,
        },
    },
    model::StackKey,
    observe::{self, Guards, Live, Order, OrderDocument, StorageOrder, keys},
    plan::{self, Action, DataFate, Desired, Obstacle, Plan, StepAction},
    report::words,
};
use std::{collections::BTreeMap, time::Duration};
use support::*;

const REGION: &str = "eu-west-1";
const BUCKET: &str = "hpcctl-123456789012-eu-west-1";

/// A cluster with one queue and a linked file system.
fn cluster(fsx: &str) -> Built {
    build(
        "linked.yaml",
        &format!(
            "version: 1
name: linked
region: {REGION}
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: {{ instance_type: c5.large }}
queues:
  - name: q
    default: true
    pools:
      - {{ name: od, instance_types: [c5.xlarge], max: 5 }}
storage:
  - name: data
    mount: /fsx
    fsx_lustre:
{fsx}"
        ),
    )
}

const WHOLE: &str = "      deployment: SCRATCH_2
      capacity_gib: 1200
      data_repository: { import: s3://site-data/in, export: s3://site-data/out }
";
const PARTS: &str = "      deployment: PERSISTENT_2
      throughput_per_tib: 125
      capacity_gib: 1200
      data_repository_associations:
        - { name: sets, path: /sets, s3: s3://site-data/sets }
        - { name: models, path: /models, s3: s3://site-data/models }
";
const AUTO: &str = "      deployment: PERSISTENT_2
      throughput_per_tib: 125
      capacity_gib: 1200
      data_repository_associations:
        - { name: all, path: /, s3: s3://site-data/all, auto_export: [new, changed], auto_import: [new] }
";

/// The same with another deployment, so that the file system is replaced.
fn moved(fsx: &str) -> Built {
    let other = fsx.replace("PERSISTENT_2", "SCRATCH_2").replace("      throughput_per_tib: 125\n", "");
    cluster(&if other == fsx { fsx.replace("SCRATCH_2", "SCRATCH_1") } else { other })
}

async fn made(cloud: &Cloud, fsx: &str) -> Built {
    let built = cluster(fsx);
    carry_out_well(cloud, &plan_for(cloud, &built).await).await;
    // The head node boots.
    cloud.clock.sleep(Duration::from_secs(120)).await;
    built
}

async fn file_system(cloud: &Cloud, built: &Built) -> String {
    look(cloud, built).await.file_systems.values().next().unwrap().state.id.clone()
}

async fn auto_export(cloud: &Cloud, id: &str) -> Vec<String> {
    let state = cloud.file_systems.file_system(id).await.unwrap().unwrap();
    state.repositories.into_iter().flat_map(|link| link.auto_export).collect()
}

fn node(sandbox: &Sandbox, role: &str) -> String {
    let tags = [("hpcctl:cluster", "linked"), ("hpcctl:role", role), ("hpcctl:queue", "q")];
    let tags: BTreeMap<String, String> = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    sandbox.launch(Launch { instance_type: "c5.xlarge".to_owned(), tags, ..Launch::default() }).unwrap()
}

fn number(plan: &Plan, wanted: impl Fn(&StepAction) -> bool) -> usize {
    let found = plan.steps.iter().find(|step| wanted(&step.action));
    found.unwrap_or_else(|| panic!("not among {:#?}", plan.steps)).number
}

/// Whether a step comes after another, through whatever lies between.
fn follows(plan: &Plan, later: usize, earlier: usize) -> bool {
    let step = plan.steps.iter().find(|step| step.number == later).unwrap();
    step.after.iter().any(|before| *before == earlier || follows(plan, *before, earlier))
}

/// Carries a plan out with so much patience for jobs; what happened as well.
async fn carried(cloud: &Cloud, plan: &Plan, patience: u64) -> (Applied, Vec<Event>) {
    let events = Events::default();
    let mut context = Context::new(cloud, plan, &events, Stop::default());
    context.patience = Duration::from_secs(patience);
    let applied = apply::execute(&context, None).await;
    let events = events.0.into_inner().unwrap().into_iter().map(|(_, event)| event).collect();
    (applied, events)
}

fn request(file_system: &str, kind: TransferKind, paths: &[&str]) -> ExportRequest {
    ExportRequest {
        storage: "data".to_owned(),
        file_system: file_system.to_owned(),
        kind,
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        token: format!("{kind:?}{paths:?}"),
        tags: BTreeMap::new(),
        may_join: true,
    }
}

async fn tasks(cloud: &Cloud, id: &str) -> Vec<TaskState> {
    cloud.file_systems.tasks_of(id).await.unwrap()
}

// AW-04
#[test]
fn what_lies_outside_the_links_is_a_loss() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, PARTS).await;
        let plan = plan_destroy(&cloud, &built).await;
        let losses: Vec<&str> = plan.losses().map(|change| change.address.as_str()).collect();
        assert_eq!(losses, ["storage.data"]);
        let data = plan.changes.iter().find(|change| change.address == "storage.data").unwrap().data.as_ref().unwrap();
        assert_eq!((data.fate, data.linked.join(" ")), (DataFate::ExportedInPart, "/models /sets".to_owned()));
        assert!(hpcctl::report::words::data(data).contains("outside /models, /sets nothing is exported"));
        number(&plan, |action| matches!(action, StepAction::Export { .. }));

        // A link with the root covers everything, and one that was cut covers nothing.
        let whole = made(&cloud, AUTO).await;
        assert_eq!(plan_destroy(&cloud, &whole).await.losses().count(), 0);
    });
}

// AW-04: the sandbox.
#[test]
fn an_export_takes_the_linked_directories_alone() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, PARTS).await;
        let id = file_system(&cloud, &built).await;
        let export = request(&id, TransferKind::Export, &[]);
        let done = apply::transfer(&cloud, &export, &Events::default(), &Stop::default()).await.unwrap();
        assert_eq!(done.linked, ["/models", "/sets"]);
        let keys = cloud.objects.list("site-data", "").await.unwrap();
        assert!(done.task.total > 0 && !keys.is_empty());
        let linked = |key: &str| key.starts_with("sets/") || key.starts_with("models/");
        assert!(keys.iter().all(|object| linked(&object.key)), "{keys:?}");
        let outside = request(&id, TransferKind::Export, &["results"]);
        let refused = apply::transfer(&cloud, &outside, &Events::default(), &Stop::default()).await;
        assert!(matches!(refused, Err(ApplyError::NotLinked { .. })), "{refused:?}");
    });
}

// AW-46
#[test]
fn an_import_names_objects_of_s3() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, WHOLE).await;
        let id = file_system(&cloud, &built).await;
        for key in ["in/cases/a", "in/cases/b", "in/other"] {
            cloud.objects.put("site-data", key, vec![1], PutCondition::Always).await.unwrap();
        }
        let import = request(&id, TransferKind::Import, &["cases"]);
        let done = apply::transfer(&cloud, &import, &Events::default(), &Stop::default()).await.unwrap();
        assert_eq!((done.task.paths, done.task.total), (vec!["s3://site-data/in/cases".to_owned()], 2));
        let input = TaskInput {
            file_system: id,
            kind: TaskKind::ImportMetadataFromRepository,
            paths: vec!["cases".to_owned()],
            report: None,
            token: "raw".to_owned(),
            tags: BTreeMap::new(),
        };
        let refused = cloud.file_systems.start_task(&input).await.unwrap_err();
        assert!(refused.kind == ErrorKind::Invalid && refused.message.contains("s3://bucket/prefix"), "{refused:?}");
    });
}

// AW-36
#[test]
fn automatic_export_is_off_before_the_task_and_on_again_when_that_fails() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, AUTO).await;
        let id = file_system(&cloud, &built).await;
        assert_eq!(auto_export(&cloud, &id).await, ["CHANGED", "NEW"]);
        let beside = request(&id, TransferKind::Export, &[]);
        let refused = apply::transfer(&cloud, &beside, &Events::default(), &Stop::default()).await.unwrap_err();
        assert!(matches!(refused, ApplyError::ExportsItself { .. }), "{refused:?}");
        let raw = TaskInput {
            file_system: id.clone(),
            kind: TaskKind::ExportToRepository,
            paths: Vec::new(),
            report: None,
            token: "raw".to_owned(),
            tags: BTreeMap::new(),
        };
        let refused = cloud.file_systems.start_task(&raw).await.unwrap_err();
        assert!(refused.message.contains("cannot run at the same time"), "{refused:?}");

        // A change of the association takes its time, and FSx takes no second one meanwhile.
        let state = cloud.file_systems.file_system(&id).await.unwrap().unwrap();
        let link = state.repositories[0].association.clone().unwrap();
        let (before, events) = (cloud.clock.now(), state.repositories[0].auto_export.clone());
        cloud.file_systems.set_auto_export(&link, &events).await.unwrap();
        let refused = cloud.file_systems.set_auto_export(&link, &events).await.unwrap_err();
        assert!(refused.message.contains("is UPDATING") && cloud.clock.now() == before, "{refused:?}");

        let plan = plan_destroy(&cloud, &built).await;
        let stop = number(&plan, |action| matches!(action, StepAction::StopAutoExport { .. }));
        let export = number(&plan, |action| matches!(action, StepAction::Export { .. }));
        assert!(follows(&plan, export, stop));
        sandbox.add_fault(Fault::Files(Files { count: Some(1), ..Files::default() }));
        let (applied, events) = carried(&cloud, &plan, 60).await;
        assert!(matches!(applied.failed[0].error, ApplyError::Transfer(..)), "{:?}", applied.failed);
        assert_eq!(auto_export(&cloud, &id).await, ["CHANGED", "NEW"], "as it was");
        assert!(events.contains(&Event::AutoExportRestored { storage: "data".to_owned(), error: None }));
        carry_out_well(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(look(&cloud, &built).await.stacks.is_empty());
    });
}

// AW-36: what CloudFormation may replace is exported first, and exports by itself again when it stays.
#[test]
fn automatic_export_is_on_again_where_the_file_system_stays() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, AUTO).await;
        let id = file_system(&cloud, &built).await;
        let faster = cluster(&AUTO.replace("throughput_per_tib: 125", "throughput_per_tib: 250"));
        let plan = plan_for(&cloud, &faster).await;
        number(&plan, |action| matches!(action, StepAction::StopAutoExport { .. }));
        carry_out_well(&cloud, &plan).await;
        assert_eq!(file_system(&cloud, &faster).await, id, "it was replaced: the test needs another change");
        assert_eq!(auto_export(&cloud, &id).await, ["CHANGED", "NEW"]);
        assert!(plan_for(&cloud, &faster).await.is_empty());
        // One that is replaced for certain takes its associations along: nothing is switched on again.
        let gone = plan_for(&cloud, &moved(AUTO)).await;
        assert!(gone.steps.iter().all(|step| !matches!(step.action, StepAction::StartAutoExport { .. })));
    });
}

// AW-36: an apply that died with automatic export off is seen by the next plan.
#[test]
fn automatic_export_that_is_off_is_switched_on_again() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, AUTO).await;
        let id = file_system(&cloud, &built).await;
        assert!(plan_for(&cloud, &built).await.is_empty());
        let state = cloud.file_systems.file_system(&id).await.unwrap().unwrap();
        let link = state.repositories[0].association.clone().unwrap();
        cloud.file_systems.set_auto_export(&link, &[]).await.unwrap();
        let plan = plan_for(&cloud, &built).await;
        assert!(matches!(plan.steps[0].action, StepAction::StartAutoExport { .. }), "{:?}", plan.steps);
        carry_out_well(&cloud, &plan).await;
        assert_eq!(auto_export(&cloud, &id).await, ["CHANGED", "NEW"]);
        assert!(plan_for(&cloud, &built).await.is_empty());
    });
}

// The issue, item 3: a write during the export is impossible by the order of steps.
#[test]
fn apply_brings_a_file_system_to_rest_before_it_goes() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, AUTO).await;
        let old = file_system(&cloud, &built).await;
        let running = node(&sandbox, "compute");
        cloud.clock.sleep(Duration::from_secs(60)).await;
        let after = moved(AUTO);
        let plan = plan_for(&cloud, &after).await;
        let change = plan.changes.iter().find(|change| change.address == "storage.data").unwrap();
        assert_eq!(change.action, Action::Replace);

        let hold = number(&plan, |action| *action == StepAction::HoldQueues { queues: vec!["q".to_owned()] });
        let release = number(&plan, |action| {
            *action == StepAction::Release { file_systems: vec![old.clone()], volumes: Vec::new() }
        });
        let stop = number(&plan, |action| matches!(action, StepAction::StopAutoExport { .. }));
        let export = number(&plan, |action| matches!(action, StepAction::Export { .. }));
        let update = number(&plan, |action| *action == StepAction::UpdateStack { stack: StackKey::Storage });
        let publish = number(&plan, |action| *action == StepAction::Publish { last: true });
        let open = number(&plan, |action| *action == StepAction::OpenQueues);
        for (earlier, later) in
            [(hold, release), (release, stop), (stop, export), (export, update), (update, publish), (publish, open)]
        {
            assert!(follows(&plan, later, earlier), "{later} after {earlier} of {:#?}", plan.steps);
        }
        let text = hpcctl::report::plan_text::impact(&plan);
        assert!(text.contains("jobs that run in q end first"), "{text}");

        let (applied, events) = carried(&cloud, &plan, 3600).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        assert!(events.contains(&Event::Draining { left: 1 }));
        assert!(cloud.compute.instances(&[running]).await.unwrap().iter().all(|one| one.state != "running"));
        let began = tasks(&cloud, &old).await;
        assert!(began.iter().any(|task| task.kind == TaskKind::ExportToRepository), "{began:?}");
        cloud.clock.sleep(Duration::from_secs(1800)).await;
        assert!(plan_for(&cloud, &after).await.is_empty());
        // The order that opens the queues was answered, and none is left.
        assert!(cloud.objects.list(BUCKET, "clusters/linked/orders/").await.unwrap().is_empty());
    });
}

#[test]
fn jobs_that_do_not_end_keep_their_file_system() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        let old = file_system(&cloud, &built).await;
        node(&sandbox, "compute");
        sandbox.add_fault(Fault::Jobs(Jobs { seconds: 7200 }));
        let plan = plan_for(&cloud, &moved(WHOLE)).await;
        let (applied, events) = carried(&cloud, &plan, 600).await;
        assert!(
            matches!(applied.failed[0].error, ApplyError::StillUsed { left: 1, minutes: 10 }),
            "{:?}",
            applied.failed
        );
        assert!(events.contains(&Event::QueuesReopened));
        assert!(tasks(&cloud, &old).await.is_empty(), "nothing was exported, nothing was deleted");
        assert_eq!(file_system(&cloud, &built).await, old);
        // The head node opens the queues: the node stays.
        cloud.clock.sleep(Duration::from_secs(10_000)).await;
        let nodes = cloud.compute.instances_of("linked").await.unwrap();
        assert!(nodes.iter().any(|one| one.is_compute() && one.state == "running"));
        // With enough patience it goes.
        let (applied, _) = carried(&cloud, &plan_for(&cloud, &moved(WHOLE)).await, 10_000).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
    });
}

#[test]
fn a_head_node_that_does_not_answer_loses_nothing() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        let old = file_system(&cloud, &built).await;
        let plan = plan_for(&cloud, &moved(WHOLE)).await;
        let all = cloud.compute.instances_of("linked").await.unwrap();
        let head = all.iter().find(|one| one.has_role("head")).unwrap().id.clone();
        cloud.compute.terminate(&[head]).await.unwrap();
        let (applied, _) = carried(&cloud, &plan, 600).await;
        assert!(matches!(applied.failed[0].error, ApplyError::Order(_)), "{:?}", applied.failed);
        assert_eq!(file_system(&cloud, &built).await, old);
        assert!(tasks(&cloud, &old).await.is_empty());
        // Without a head node there is nobody to ask: what still runs is terminated.
        node(&sandbox, "compute");
        cloud.clock.sleep(Duration::from_secs(120)).await;
        let again = plan_for(&cloud, &moved(WHOLE)).await;
        let terminate = number(&again, |action| *action == StepAction::Terminate { queue: None, pool: None });
        let export = number(&again, |action| matches!(action, StepAction::Export { .. }));
        assert!(follows(&again, export, terminate));
    });
}

#[test]
fn login_nodes_take_no_orders() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        assert_eq!(plan_for(&cloud, &moved(WHOLE)).await.losses().count(), 0);
        node(&sandbox, "login");
        let plan = plan_for(&cloud, &moved(WHOLE)).await;
        let loss = plan.losses().next().unwrap().data.as_ref().unwrap();
        assert!(hpcctl::report::words::data(loss).contains("written on login nodes"));
        // `destroy` ends them before the export.
        assert_eq!(plan_destroy(&cloud, &built).await.losses().count(), 0);
    });
}

/// An older hpcctl held them and wrote nothing down: what the head node reports counts, until it has the order to open.
#[test]
fn queues_that_an_apply_left_held_are_opened_by_the_next() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        sandbox.add_fault(Fault::HeadNode(HeadFault { cluster: None, trouble: HeadTrouble::Silent, log: None }));
        let report = serde_json::json!({
            "kind": "hpcctl/slurm-report", "format_version": "1.0", "cluster": "linked", "revision": 1,
            "instance": "i-1", "at": cloud.clock.now(), "set_up_failed": null,
            "queues": [{
                "name": "q", "state": "down", "held": { "why": "storage", "since": cloud.clock.now() },
                "failed_starts": 0, "running": 0, "pending": 0, "busy_nodes": 0, "pools": [],
                "last_failed_starts": [], "failing": [],
            }],
        });
        let bucket = keys::bucket_name(&cloud.identity.caller().await.unwrap().account, REGION);
        let put = async |key: String, body: Vec<u8>| {
            cloud.objects.put(&bucket, &key, body, PutCondition::Always).await.unwrap();
        };
        put(keys::slurm_report("linked"), serde_json::to_vec(&report).unwrap()).await;
        let live = look(&cloud, &built).await;
        let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
        let opens = |live: &Live| {
            let plan = plan::plan(&desired, live, &ResourceCatalog::embedded()).unwrap();
            assert_eq!(Some(plan.revision), live.revision.as_ref().map(|revision| revision.number), "no new one");
            plan.steps.iter().any(|step| step.action == StepAction::OpenQueues)
        };
        assert!(opens(&live));

        let open = StorageOrder::Open { file_systems: Vec::new(), volumes: Vec::new(), revision: 9 };
        let order = OrderDocument::new("a1".to_owned(), cloud.clock.now(), String::new(), Order::Storage(open));
        put(order.key("linked"), serde_json::to_vec(&order).unwrap()).await;
        assert!(!opens(&look(&cloud, &built).await), "it has the order");
        // What is written down counts, whatever is reported, and be it damaged.
        put(keys::held("linked"), b"{".to_vec()).await;
        assert!(opens(&look(&cloud, &built).await));
    });
}

/// A cluster with a database that is protected, by its file or by hand.
fn accounted(protected: bool) -> Built {
    let text = std::fs::read_to_string("examples/clusters/accounting.yaml").unwrap();
    assert!(text.contains("deletion_protection: true"), "the example is protected");
    build("accounting.yaml", &text.replace("deletion_protection: true", &format!("deletion_protection: {protected}")))
}

async fn obstacles(cloud: &Cloud, plan: &Plan, built: &Built) -> Vec<Obstacle> {
    let live = look(cloud, built).await;
    let guards = observe::guards(cloud, &live, &plan::going(plan)).await.unwrap();
    plan::obstacles(plan, &live, &guards)
}

fn edit(stack: &str, logical_id: &str, path: &str, value: serde_json::Value) -> HandEdit {
    HandEdit { stack: stack.to_owned(), logical_id: logical_id.to_owned(), path: path.to_owned(), value }
}

fn logical_id(live: &Live, key: &StackKey, kind: &str) -> String {
    live.stacks[key].resources.iter().find(|one| one.resource_type == kind).unwrap().logical_id.clone()
}

// AW-37
#[test]
fn everything_that_refuses_to_go_is_seen_before_anything_goes() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = accounted(true);
        let name = built.graph.cluster.clone();
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let live = look(&cloud, &built).await;
        let plan = plan_destroy(&cloud, &built).await;
        let found = obstacles(&cloud, &plan, &built).await;
        assert!(matches!(found[..], [Obstacle::Database { by_hand: None, .. }]), "{found:?}");

        // What the file opened, somebody may have closed by hand; and the head node, too.
        let open = accounted(false);
        carry_out_well(&cloud, &plan_for(&cloud, &open).await).await;
        assert_eq!(obstacles(&cloud, &plan_destroy(&cloud, &open).await, &open).await, []);
        let database = logical_id(&live, &StackKey::Accounting, "AWS::RDS::DBInstance");
        let head = logical_id(&live, &StackKey::Head, "AWS::EC2::Instance");
        let accounting = format!("{name}-accounting");
        sandbox.hand_edit(edit(&accounting, &database, "DeletionProtection", true.into())).unwrap();
        sandbox.hand_edit(edit(&format!("{name}-head"), &head, "DisableApiTermination", true.into())).unwrap();
        let plan = plan_destroy(&cloud, &open).await;
        let found = obstacles(&cloud, &plan, &open).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| matches!(one, Obstacle::Instance { .. })));
        // The file says false already: to apply it would change nothing.
        let said: Vec<String> = found.iter().map(words::obstacle).collect();
        let command = "aws rds modify-db-instance --db-instance-identifier ";
        assert!(said.iter().any(|one| one.contains(command) && one.contains("--no-deletion-protection")), "{said:?}");

        // Whoever goes on all the same meets what AWS says, and the database stays.
        sandbox.hand_edit(edit(&format!("{name}-head"), &head, "DisableApiTermination", false.into())).unwrap();
        let (applied, _) = carried(&cloud, &plan, 60).await;
        let words = format!("{:?}", applied.failed);
        assert!(words.contains("Cannot delete protected DB Instance"), "{words}");
    });
}

// AW-37: buckets, links and file systems that are not in order. FT-31: such an export fails in the sandbox.
#[test]
fn an_export_that_cannot_succeed_is_seen_before_anything_goes() {
    on_sandbox(async {
        let script = Script { absent: vec!["site-data".to_owned()], ..Script::default() };
        let folder = std::env::temp_dir().join(format!("hpcctl-export-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let state = folder.join("sandbox.json");
        let built = {
            let cloud = Sandbox::open_with(&state, REGION, Script::default(), None).unwrap().cloud();
            made(&cloud, WHOLE).await
        };
        let text = std::fs::read_to_string(&state).unwrap();
        let mut world: serde_json::Value = serde_json::from_str(&text).unwrap();
        world["buckets"].as_object_mut().unwrap().remove("site-data");
        std::fs::write(&state, world.to_string()).unwrap();
        let cloud = Sandbox::open_with(&state, REGION, script, None).unwrap().cloud();
        let plan = plan_destroy(&cloud, &built).await;
        let found = obstacles(&cloud, &plan, &built).await;
        assert!(matches!(&found[..], [Obstacle::Bucket { bucket, .. }] if bucket == "site-data"), "{found:?}");
        let (applied, _) = carried(&cloud, &plan, 60).await;
        assert!(matches!(applied.failed[0].error, ApplyError::Transfer(..)), "{:?}", applied.failed);

        let mut live = look(&cloud, &built).await;
        let file_system = live.file_systems.values_mut().next().unwrap();
        file_system.state.lifecycle = "MISCONFIGURED".to_owned();
        file_system.state.repositories[0].lifecycle = "MISCONFIGURED".to_owned();
        let found = plan::obstacles(&plan, &live, &Guards::default());
        assert!(matches!(found[..], [Obstacle::FileSystem { .. }, Obstacle::Link { .. }]), "{found:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

// FT-01
#[test]
fn a_plan_that_is_tried_again_exports_again() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        let id = file_system(&cloud, &built).await;
        let plan = plan_for(&cloud, &moved(WHOLE)).await;
        sandbox.add_fault(Fault::Error(CallError {
            operation: "UpdateStack".to_owned(),
            error: CallErrorKind::Unavailable,
            message: None,
            after: 0,
            times: Some(1),
        }));
        let (applied, events) = carried(&cloud, &plan, 600).await;
        assert!(!applied.failed.is_empty());
        assert!(events.contains(&Event::QueuesReopened), "the file system is still there");
        let first = tasks(&cloud, &id).await.len();
        cloud.clock.sleep(Duration::from_secs(3600)).await;
        let (applied, _) = carried(&cloud, &plan, 600).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        assert_eq!((first, tasks(&cloud, &id).await.len()), (1, 2));
    });
}

// FT-02
#[test]
fn an_export_before_a_deletion_joins_no_other() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = made(&cloud, WHOLE).await;
        let id = file_system(&cloud, &built).await;
        let earlier = TaskInput {
            file_system: id.clone(),
            kind: TaskKind::ExportToRepository,
            paths: Vec::new(),
            report: None,
            token: "somebody".to_owned(),
            tags: BTreeMap::new(),
        };
        cloud.file_systems.start_task(&earlier).await.unwrap();
        let same = request(&id, TransferKind::Export, &[]);
        let done = apply::transfer(&cloud, &same, &Events::default(), &Stop::default()).await.unwrap();
        assert!(done.joined);
        cloud.file_systems.start_task(&TaskInput { token: "else".to_owned(), ..earlier }).await.unwrap();
        let mut own = request(&id, TransferKind::Export, &[]);
        own.may_join = false;
        let done = apply::transfer(&cloud, &own, &Events::default(), &Stop::default()).await.unwrap();
        assert!(!done.joined);
        assert_eq!(tasks(&cloud, &id).await.len(), 3);
    });
}

// FT-08
#[test]
fn a_task_that_nobody_shows_is_not_waited_for_without_end() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        let id = file_system(&cloud, &built).await;
        sandbox.add_fault(Fault::Error(CallError {
            operation: "CreateDataRepositoryTask".to_owned(),
            error: CallErrorKind::Busy,
            message: None,
            after: 0,
            times: Some(100_000_000),
        }));
        let began = cloud.clock.now();
        let export = request(&id, TransferKind::Export, &[]);
        let ended = apply::transfer(&cloud, &export, &Events::default(), &Stop::default()).await;
        assert!(matches!(ended, Err(ApplyError::TaskUnseen { task: None, .. })), "{ended:?}");
        assert!((60..3600).contains(&(cloud.clock.now().0 - began.0)));
        let stop = Stop::default();
        stop.set();
        let stopped = apply::transfer(&cloud, &export, &Events::default(), &stop).await;
        assert!(matches!(stopped, Err(ApplyError::Interrupted)), "{stopped:?}");
    });
}

// FT-09
#[test]
fn a_task_that_vanishes_is_not_waited_for_without_end() {
    on_sandbox(async {
        let folder = std::env::temp_dir().join(format!("hpcctl-vanished-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("state.json");
        let sandbox = Sandbox::open(&file, REGION).unwrap();
        let cloud = sandbox.cloud();
        let built = made(&cloud, WHOLE).await;
        let id = file_system(&cloud, &built).await;
        let forgets = async {
            cloud.clock.sleep(Duration::from_secs(60)).await;
            let text = std::fs::read_to_string(&file).unwrap();
            let mut world: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(world["tasks"].as_array().unwrap().len(), 1);
            world["tasks"] = serde_json::json!([]);
            std::fs::write(&file, world.to_string()).unwrap();
        };
        let began = cloud.clock.now();
        let (events, stop) = (Events::default(), Stop::default());
        let request = request(&id, TransferKind::Export, &[]);
        let export = apply::transfer(&cloud, &request, &events, &stop);
        let (ended, ()) = futures_util::future::join(export, forgets).await;
        assert!(matches!(ended, Err(ApplyError::TaskUnseen { task: Some(_), .. })), "{ended:?}");
        assert!((60..3600).contains(&(cloud.clock.now().0 - began.0)));
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

// AW-53
#[test]
fn a_lustre_that_is_gone_is_let_go_of() {
    let folder = std::env::temp_dir().join(format!("hpcctl-release-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let built = cluster(WHOLE);
    std::fs::write(folder.join("storage.sh"), &built.rendered.files["head/storage.sh"].content).unwrap();
    std::fs::write(folder.join("mounts"), "10.0.0.9@tcp:/b /fsx lustre rw 0 0\nfs-2:/ /home nfs4 rw 0 0\n").unwrap();
    let script = r#"cd "$1"; . ./storage.sh; MOUNTS=$1/mounts
        umount() { echo "umount $*"; }; timeout() { echo "timeout $*"; }
        release /fsx; release /home"#;
    let said = std::process::Command::new("bash").args(["-c", script, "bash"]).arg(&folder).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said, "timeout 60 umount -f -l /fsx\numount /home\n");
}
