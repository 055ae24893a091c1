//! What a plan says besides its changes: login nodes that stay old, budgets that need a tag.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::sandbox::Sandbox,
    model::DataHolding,
    plan::Note,
    report::{errors::Failure, paint::Paint, plan_text},
};
use support::*;

const LOGIN: &str = "login_nodes: [ { name: one, instance_type: c5.large, count: 1 }, { name: two, instance_type: c5.large, count: 1 } ]\n";

fn with(text: &str) -> Built {
    build("head.yaml", &format!("{}{text}", head::CLUSTER))
}

/// AW-48: a new launch-template version reaches nodes that come, not those that run.
#[test]
fn a_plan_says_that_login_nodes_stay_as_they_are() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let first = plan_for(&cloud, &with(LOGIN)).await;
        assert!(first.impact.login_pools_changed.is_empty(), "new ones are as they should be");
        carry_out_well(&cloud, &first).await;
        let bigger = LOGIN.replacen("c5.large", "c5.xlarge", 1);
        let plan = plan_for(&cloud, &with(&bigger)).await;
        assert_eq!(
            (plan.impact.login_pools_changed.as_slice(), plan.impact.login_pools_ended.len()),
            (&["one".to_owned()][..], 0)
        );
        assert!(plan_text::impact(&plan).contains("login nodes of one stay as they are until they are replaced"));
        let fewer =
            plan_for(&cloud, &with("login_nodes: [ { name: two, instance_type: c5.large, count: 1 } ]\n")).await;
        assert_eq!(
            (fewer.impact.login_pools_changed.len(), fewer.impact.login_pools_ended.as_slice()),
            (0, &["one".to_owned()][..])
        );
        assert!(plan_text::impact(&fewer).contains("log-ins on one end after their grace"));
    });
}

/// AW-49: the tag that a budget counts by must be activated.
#[test]
fn a_new_budget_says_which_tag_it_needs() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let budget = with("budget: { monthly_usd: 100, notify: [a@example.org] }\n");
        let plan = plan_for(&cloud, &budget).await;
        assert_eq!(plan.notes, [Note::BudgetNeedsTag { tag: "hpcctl:cluster".to_owned() }]);
        let text = plan_text::plan_text(&plan, plan_text::PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains("Note     the budget counts by the tag `hpcctl:cluster`"), "{text}");
        carry_out_well(&cloud, &plan).await;
        let dearer = with("budget: { monthly_usd: 200, notify: [a@example.org] }\n");
        assert!(plan_for(&cloud, &dearer).await.notes.is_empty(), "said once");
    });
}

fn on(os: &str) -> Built {
    let text = head::CLUSTER.lines().filter(|line| !line.starts_with("image:")).collect::<Vec<_>>().join("\n");
    build("head.yaml", &format!("{text}\nimage: {{ os: {os} }}\n"))
}

/// A Slurm that does not read what the one before it kept loses the jobs.
#[test]
fn a_system_whose_slurm_does_not_read_the_jobs_needs_approval() {
    for (from, to, lost) in [
        ("ubuntu2404", "ubuntu2204", true),
        ("ubuntu2204", "ubuntu2404", true),
        ("debian12", "ubuntu2404", false),
        ("ubuntu2404", "debian12", true),
    ] {
        on_sandbox(async {
            let cloud = Sandbox::in_memory("eu-west-1").cloud();
            carry_out_well(&cloud, &plan_for(&cloud, &on(from)).await).await;
            let plan = plan_for(&cloud, &on(to)).await;
            let losses: Vec<&str> = plan.losses().map(|change| change.address.as_str()).collect();
            assert_eq!(losses, if lost { vec!["head.instance"] } else { vec![] }, "{from} to {to}");
            let impact = plan_text::impact(&plan);
            let words = if lost { "jobs that run or wait are lost" } else { "jobs run on and wait for the new one" };
            assert!(impact.contains(words), "{from} to {to}: {impact}");
        });
    }
}

const NOTED: &str = r#"version: 1
name: noted
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge, key_name: one }
queues: [ { name: q, pools: [ { name: od, instance_types: [c5.xlarge], max: 4 } ] } ]
storage: [ { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: keep } } ]
accounting: { rds: { engine: mysql, instance_class: db.t4g.medium, storage_gib: 50 } }
monitoring: { logs: { retention_days: 30 } }
"#;

/// What a change means beyond its line: each is said, and none without its change.
#[test]
fn what_a_change_means_is_noted() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let noted = build("noted.yaml", NOTED);
        let first = plan_for(&cloud, &noted).await;
        assert_eq!(first.notes, []);
        carry_out_well(&cloud, &first).await;
        let notes = async |from: &str, to: &str| {
            assert!(NOTED.contains(from));
            plan_for(&cloud, &build("noted.yaml", &NOTED.replace(from, to))).await.notes
        };
        assert_eq!(notes("key_name: one", "key_name: two").await, [Note::HeadStartsAnew]);
        let database = Note::DatabaseAway { address: "accounting.database".to_owned() };
        assert_eq!(notes("db.t4g.medium", "db.t4g.large").await, [database]);
        let logs = Note::LogsExpire { address: "head.log_group".to_owned(), days: 7 };
        assert!(notes("retention_days: 30", "retention_days: 7").await.contains(&logs));
        assert_eq!(notes("retention_days: 30", "retention_days: 60").await, []);
        let protected = notes("region: eu-west-1", "region: eu-west-1\ndeletion_protection: true").await;
        assert_eq!(protected, [Note::Protection { on: true }]);
        let empty = notes("PERSISTENT_2, throughput_per_tib: 125", "PERSISTENT_1, throughput_per_tib: 200").await;
        assert!(matches!(&empty[..], [Note::StartsEmpty { address, .. }] if address == "storage.p"), "{empty:?}");
    });
}

/// `/home` that moves does not take the homes along, and the volume that had them keeps its size.
#[test]
fn homes_do_not_follow_home() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        // A volume goes at the same time: its stack is updated in two steps.
        let on_head = with("storage: [ { name: x, mount: /x, ebs: { size_gib: 10, on_destroy: discard } } ]\n");
        let mounted = with("storage: [ { name: h, mount: /home, efs: { on_destroy: keep } } ]\n");
        carry_out_well(&cloud, &plan_for(&cloud, &on_head).await).await;
        cloud.clock.sleep(std::time::Duration::from_secs(120)).await;
        let away = plan_for(&cloud, &mounted).await;
        assert!(away.notes.contains(&Note::HomesMove { to_head: false }), "{:?}", away.notes);
        assert!(away.changes.iter().all(|change| change.address != "storage.head_data"), "{:?}", away.changes);
        carry_out_well(&cloud, &away).await;
        let again = plan_for(&cloud, &mounted).await;
        assert!(again.is_empty() && again.notes.is_empty(), "{:?} {:?}", again.changes, again.notes);
        // What is at stake is what lies there: the volume as it is, with the homes.
        let destroy = plan_destroy(&cloud, &mounted).await;
        let held = destroy.changes.iter().find(|change| change.address == "storage.head_data").unwrap();
        let DataHolding::HeadData { size_gib, home } = held.data.as_ref().unwrap().holding else { panic!("{held:?}") };
        let is = cloud.compute.volumes_of(&mounted.graph.cluster).await.unwrap().iter().map(|one| one.size_gib).max();
        assert_eq!((Some(size_gib), home), (is, true));
        let back = plan_for(&cloud, &on_head).await;
        assert!(back.notes.contains(&Note::HomesMove { to_head: true }), "{:?}", back.notes);
        // What the file says counts, and is refused.
        let said = with("storage: [ { name: h, mount: /home, efs: { on_destroy: keep } } ]\n")
            .document
            .text
            .replace("instance_type: c5.large }", "instance_type: c5.large, data_volume: { size_gib: 20 } }");
        let refused: Failure = try_plan_for(&cloud, &build("head.yaml", &said)).await.unwrap_err().into();
        assert!(refused.code == "HPC2110" && refused.details[1].contains("put its size back"), "{refused:?}");
    });
}

/// Automatic backups go with what they are of.
#[test]
fn backups_that_go_are_told() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let backed = NOTED.replace(
            "capacity_gib: 2400, on_destroy: keep",
            "capacity_gib: 2400, backups: { days: 7 }, on_destroy: discard",
        );
        let backed = build("noted.yaml", &backed);
        carry_out_well(&cloud, &plan_for(&cloud, &backed).await).await;
        let go = |address: &str| Note::BackupsGo { address: address.to_owned() };
        let destroyed = plan_destroy(&cloud, &backed).await.notes;
        assert_eq!(destroyed, [go("accounting.database"), go("storage.p")]);
        let without: Vec<&str> =
            NOTED.lines().filter(|line| !line.starts_with("storage") && !line.starts_with("accounting")).collect();
        let without = plan_for(&cloud, &build("noted.yaml", &without.join("\n"))).await.notes;
        assert!(without.contains(&go("accounting.database")) && without.contains(&go("storage.p")), "{without:?}");
        carry_out_well(&cloud, &plan_for(&cloud, &build("noted.yaml", NOTED)).await).await;
        assert!(!plan_destroy(&cloud, &backed).await.notes.contains(&go("storage.p")), "it is kept");
    });
}

/// FT-04: a file system that FSx does not know is told before anything goes, and its loss needs approval.
#[test]
fn a_file_system_that_fsx_does_not_know_is_told() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let linked = with(
            "storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, deployment: SCRATCH_2, data_repository: { import: s3://results-of-mine/a, export: s3://results-of-mine/b }, on_destroy: export } } ]\n",
        );
        carry_out_well(&cloud, &plan_for(&cloud, &linked).await).await;
        let mut live = look(&cloud, &linked).await;
        let id = live.file_systems.values().next().unwrap().state.id.clone();
        live.file_systems.clear();
        let plan = hpcctl::plan::destroy(
            "head",
            "eu-west-1",
            plan_destroy(&cloud, &linked).await.source,
            &live,
            &Default::default(),
        );
        let plan = plan.unwrap();
        assert_eq!(plan.notes, [Note::NotThere { address: "storage.s".to_owned(), id }]);
        assert_eq!(plan.losses().count(), 1);
    });
}
