//! The gates between a plan and an account, as the command line has them: which exit code, which code, and that nothing
//! was touched. Each is the only thing between a person and a change that nobody reviewed.
#![allow(clippy::unwrap_used)]

#[path = "support/lab.rs"]
mod lab;

use hpcctl::plan::Plan;
use lab::{Lab, Ran};
use serde_json::{Value, json};
use std::fs;

/// A lab with the example `minimal` in `cluster.yaml`, and a plan of it in `plan.json`.
fn planned(name: &str, words: &[&str]) -> Lab {
    let lab = Lab::new(name);
    lab.write("cluster.yaml", &fs::read_to_string("examples/clusters/minimal.yaml").unwrap());
    lab.run(&[&["plan", "cluster.yaml", "--out", "plan.json"], words].concat()).ends(0);
    lab
}

fn edit(lab: &Lab, file: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(lab.path(file)).unwrap()).unwrap();
    change(&mut value);
    lab.write(file, &value.to_string());
}

/// The command is refused with this exit code and failure code, and changes nothing in the account.
#[track_caller]
fn refused(lab: &Lab, words: &[&str], exit: i32, code: &str) -> Ran {
    refused_after(lab, words, exit, code, 0)
}

/// The same, with so many calls that changed something before.
#[track_caller]
fn refused_after(lab: &Lab, words: &[&str], exit: i32, code: &str, calls: u64) -> Ran {
    let mutations = || lab.account()["mutations"].as_u64().unwrap_or_default();
    let before = mutations();
    let ran = lab.run(words).ends(exit);
    assert!(ran.stderr.contains(&format!("error {code}:")), "{}", ran.stderr);
    assert!(ran.stderr.contains("help:"), "no remedy\n{}", ran.stderr);
    assert_eq!(mutations() - before, calls, "the account was touched");
    ran
}

const APPLY: [&str; 3] = ["apply", "plan.json", "--auto-approve"];

#[test]
fn a_plan_that_was_edited_is_refused() {
    let lab = planned("edited", &[]);
    edit(&lab, "plan.json", |plan| {
        assert!(plan["changes"][0]["address"].is_string());
        plan["changes"][0]["address"] = json!("storage.other");
    });
    refused(&lab, &APPLY, 3, "HPC2011");
    // What a template says counts as well as what is shown.
    let lab = planned("edited-template", &[]);
    edit(&lab, "plan.json", |plan| {
        let templates = plan["content"]["templates"].as_object_mut().unwrap();
        let body = templates.values_mut().next().unwrap();
        *body = json!(body.as_str().unwrap().replacen("Description", "description", 1));
    });
    refused(&lab, &APPLY, 3, "HPC2011");
}

#[test]
fn a_plan_without_a_cloud_is_not_applied() {
    let lab = planned("offline", &["--offline"]);
    refused(&lab, &APPLY, 3, "HPC2012");
}

#[test]
fn a_plan_for_another_account_is_refused() {
    let lab = planned("account", &[]);
    let mut plan: Plan = serde_json::from_slice(&fs::read(lab.path("plan.json")).unwrap()).unwrap();
    assert!(plan.is_intact());
    plan.basis.account = Some("210987654321".to_owned());
    lab.write("plan.json", &serde_json::to_string(&plan.sealed()).unwrap());
    let ran = refused(&lab, &APPLY, 3, "HPC2013");
    assert!(ran.stderr.contains("210987654321"), "{}", ran.stderr);
}

#[test]
fn what_is_no_plan_of_this_program_is_refused() {
    let lab = planned("kind", &[]);
    edit(&lab, "plan.json", |plan| plan["kind"] = json!("other.plan"));
    refused(&lab, &APPLY, 1, "HPC2014");
    let lab = planned("version", &[]);
    edit(&lab, "plan.json", |plan| plan["format_version"] = json!("99.0"));
    refused(&lab, &APPLY, 1, "HPC2014");
}

#[test]
fn a_plan_that_the_account_has_left_behind_is_stale() {
    let lab = planned("stale", &[]);
    // Somebody else applies another file in between.
    lab.write("other.yaml", &fs::read_to_string(lab.path("cluster.yaml")).unwrap().replacen("max: ", "max: 1", 1));
    lab.does("apply", "other.yaml").ends(0);
    lab.settled();
    // Under the lock, which is taken and given back.
    let ran = refused_after(&lab, &APPLY, 4, "HPC2010", 2);
    assert!(ran.stderr.contains("revision: not there -> 1"), "what moved is named\n{}", ran.stderr);
}

#[test]
fn nothing_is_applied_unasked() {
    let lab = planned("unasked", &[]);
    // Standard input is no terminal: nobody can say yes.
    refused(&lab, &["apply", "cluster.yaml"], 3, "HPC2040");
    refused(&lab, &["apply", "plan.json"], 3, "HPC2040");
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    refused(&lab, &["destroy", "cluster.yaml"], 3, "HPC2040");
}

#[test]
fn data_goes_with_its_own_approval_alone() {
    let lab = planned("data", &[]);
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    let text = fs::read_to_string(lab.path("cluster.yaml")).unwrap();
    assert!(!text.contains("data_volume"));
    lab.write("cluster.yaml", &text.replacen("head_node:", "head_node:\n  data_volume: { on_destroy: discard }", 1));
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    refused(&lab, &["destroy", "cluster.yaml", "--auto-approve"], 3, "HPC2041");
    refused(
        &lab,
        &["destroy", "cluster.yaml", "--auto-approve", "--approve-data-loss", "storage.scratc"],
        3,
        "HPC2043",
    );
    lab.does("destroy", "cluster.yaml").ends(0);
}

#[test]
fn pending_changes_have_an_exit_code_of_their_own() {
    let lab = planned("pending", &[]);
    lab.run(&["plan", "cluster.yaml", "--detailed-exitcode"]).ends(2);
    lab.run(&["plan", "cluster.yaml"]).ends(0);
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    lab.run(&["plan", "cluster.yaml", "--detailed-exitcode"]).ends(0);
}

/// Whoever names a cluster means that one, whatever its archive says.
#[test]
fn an_archive_of_another_cluster_destroys_nothing() {
    let lab = planned("archive", &[]);
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    let other = fs::read_to_string(lab.path("cluster.yaml")).unwrap().replace("name: minimal", "name: other");
    edit(&lab, "account.json", |account| {
        let bucket = account["buckets"].as_object_mut().unwrap().values_mut().next().unwrap();
        let versions = bucket["objects"].as_object_mut().unwrap();
        let (_, file) = versions.iter_mut().find(|(key, _)| key.ends_with("000001/cluster.yaml")).unwrap();
        file.as_array_mut().unwrap().last_mut().unwrap()["body"]["text"] = json!(other);
    });
    let by_name = ["destroy", "minimal", "--region", "eu-west-1", "--auto-approve", "--approve-data-loss", "all"];
    refused(&lab, &by_name, 1, "HPC2008");
}

/// By its name alone a cluster goes to the end, and again: the archive goes before the lock does.
#[test]
fn a_destruction_by_name_can_be_run_again() {
    let lab = planned("by-name", &[]);
    lab.does("apply", "cluster.yaml").ends(0);
    lab.settled();
    let by_name = ["destroy", "minimal", "--region", "eu-west-1", "--auto-approve", "--approve-data-loss", "all"];
    let reference = lab.copy("by-name-reference");
    reference.run(&by_name).ends(0);
    let (before, all) = (lab.mutations(), reference.mutations());
    for at in all.saturating_sub(5).max(before + 1)..=all {
        let trial = lab.copy(&format!("by-name-{at}"));
        trial.faults(&json!([{ "crash": { "at": at, "effect": true } }]));
        trial.run(&by_name);
        trial.faults(&json!([]));
        trial.run(&by_name).ends(0);
        let lock = trial.run(&["lock", "show", "minimal", "--region", "eu-west-1"]).ends(0);
        assert!(lock.stdout.contains("minimal is not locked"), "{at}: {}", lock.stdout);
        assert_eq!(trial.run(&["list", "--region", "eu-west-1"]).ends(0).stdout.matches("minimal").count(), 0);
    }
    let none = lab.run(&["destroy", "nosuch", "--region", "eu-west-1", "--auto-approve"]).ends(0);
    assert!(none.stdout.contains("Nothing to destroy") && none.stderr.contains("no archive"), "{none:?}");
}

/// No number of minutes is too many.
#[test]
fn patience_has_no_end() {
    let lab = planned("patience", &[]);
    let most = u64::MAX.to_string();
    lab.run(&["apply", "cluster.yaml", "--auto-approve", "--lock-timeout", &most]).ends(0);
}
