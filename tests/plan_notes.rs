//! What a plan says besides its changes: login nodes that stay old, budgets that need a tag.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::sandbox::Sandbox,
    plan::Note,
    report::{paint::Paint, plan_text},
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
