//! Whatever dies, one more command leads to the same end: processes are killed at calls that change something.
//!
//! A sample runs by default; `HPCCTL_ALL_FAULTS=1` runs all of it (`docs/reliability.md`).

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, Ran, differences, essence};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Whether all of a matrix is to run.
fn all() -> bool {
    std::env::var_os("HPCCTL_ALL_FAULTS").is_some()
}

/// Every how many calls one is tried.
fn stride(sample: u64) -> u64 {
    if all() { 1 } else { sample }
}

/// The examples that a matrix takes, with their names.
fn examples(sample: &[&str]) -> Vec<(String, Value)> {
    let mut found = files::examples();
    found.retain(|(name, _)| all() || sample.contains(&name.as_str()));
    found
}

/// The same file after changes of many kinds: a queue more, another key pair (a new head node), another retention.
fn changed(example: &Value) -> Value {
    let mut value = example.clone();
    let pool = json!({ "name": "od", "instance_types": ["c5.xlarge"], "max": 2 });
    value["queues"].as_array_mut().unwrap().push(json!({ "name": "another", "pools": [pool] }));
    value["head_node"]["key_name"] = json!("another-key");
    value["monitoring"]["logs"]["retention_days"] = json!(7);
    value
}

/// A lab with the two files and, when asked, the cluster.
fn base(name: &str, example: &Value, made: bool) -> Lab {
    let lab = Lab::new(name);
    lab.write("cluster.yaml", &serde_yaml::to_string(example).unwrap());
    lab.write("changed.yaml", &serde_yaml::to_string(&changed(example)).unwrap());
    if made {
        lab.does("apply", "cluster.yaml").ends(0);
    }
    lab
}

/// A command under test: its words, the file, and whether there is a cluster before.
struct Deed {
    word: &'static str,
    file: &'static str,
    made: bool,
}

const CREATE: Deed = Deed { word: "apply", file: "cluster.yaml", made: false };
const UPDATE: Deed = Deed { word: "apply", file: "changed.yaml", made: true };
const DESTROY: Deed = Deed { word: "destroy", file: "cluster.yaml", made: true };

/// Kills a command at each of its calls, with and without the call's effect; one more command, and all is as if nothing
/// had been. Gives the number of runs, and what was not so.
fn crash_matrix(name: &str, example: &Value, deed: &Deed, stride: u64) -> (usize, Vec<String>) {
    let base = base(&format!("{name}-{}-base", deed.word), example, deed.made);
    let before = if deed.made { base.mutations() } else { 0 };
    let reference = base.copy(&format!("{name}-{}-reference", deed.word));
    reference.does(deed.word, deed.file).ends(0);
    let (calls, right) = (reference.mutations() - before, essence(&reference.account()));
    let (mut runs, mut wrong) = (0, Vec::new());
    for at in (1..=calls).step_by(stride as usize).chain([calls]) {
        for effect in [false, true] {
            runs += 1;
            let lab = base.copy(&format!("{name}-{}-{at}-{effect}", deed.word));
            lab.faults(&json!([{ "crash": { "at": before + at, "effect": effect } }]));
            let crashed = lab.does(deed.word, deed.file);
            lab.faults(&json!([]));
            if let Some(what) = not_the_same(&lab, deed, &right) {
                let first: String = crashed.stderr.chars().rev().take(300).collect::<String>().chars().rev().collect();
                wrong.push(format!("{name} {} call {at} effect {effect}: {what}\n  first: {first}", deed.word));
            }
        }
    }
    (runs, wrong)
}

/// The command once more: what is not as it should be then.
fn not_the_same(lab: &Lab, deed: &Deed, right: &BTreeMap<String, String>) -> Option<String> {
    let again = lab.does(deed.word, deed.file);
    if again.code != Some(0) {
        return Some(format!("the second run ended with {:?}\n{}", again.code, again.stderr));
    }
    let found = differences(right, &essence(&lab.account()));
    if !found.is_empty() {
        return Some(found.join("\n  "));
    }
    if deed.word == "apply" {
        let planned = lab.run(&["plan", deed.file, "--detailed-exitcode", "--no-preflight"]);
        if planned.code != Some(0) {
            return Some(format!("the next plan is not empty\n{}", planned.stdout));
        }
    }
    None
}

#[track_caller]
fn report(what: &str, counts: &[(usize, Vec<String>)]) {
    let runs: usize = counts.iter().map(|(runs, _)| runs).sum();
    let wrong: Vec<&String> = counts.iter().flat_map(|(_, wrong)| wrong).collect();
    println!("{what}: {runs} runs, {} deviations", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.iter().take(12).map(|one| one.as_str()).collect::<Vec<_>>().join("\n"));
    assert!(runs > 0);
}

#[test]
fn a_creation_that_dies_anywhere_ends_the_same() {
    let counts: Vec<_> = examples(&["fds-smv.yaml"])
        .iter()
        .map(|(name, example)| crash_matrix(name, example, &CREATE, stride(21)))
        .collect();
    report("crashes in a creation", &counts);
}

#[test]
fn an_update_that_dies_anywhere_ends_the_same() {
    let counts: Vec<_> = examples(&["fds-smv.yaml"])
        .iter()
        .map(|(name, example)| crash_matrix(name, example, &UPDATE, stride(21)))
        .collect();
    report("crashes in an update", &counts);
}

#[test]
fn a_destruction_that_dies_anywhere_ends_the_same() {
    let counts: Vec<_> = examples(&["fds-smv.yaml"])
        .iter()
        .map(|(name, example)| crash_matrix(name, example, &DESTROY, stride(7)))
        .collect();
    report("crashes in a destruction", &counts);
}

/// What a lab with the smallest example, made and then touched by hand, plans.
fn planned_after(name: &str, touch: impl Fn(&mut Value)) -> (Lab, Ran) {
    let lab = base(name, &files::example("minimal.yaml"), true);
    let mut account = lab.account();
    touch(&mut account);
    lab.write("account.json", &account.to_string());
    let planned = lab.run(&["plan", "cluster.yaml", "--detailed-exitcode", "--no-preflight"]);
    (lab, planned)
}

fn artifacts(account: &mut Value) -> &mut serde_json::Map<String, Value> {
    let buckets = account["buckets"].as_object_mut().unwrap();
    let name = buckets.keys().find(|name| name.starts_with("hpcctl-")).unwrap().clone();
    buckets[&name]["objects"].as_object_mut().unwrap()
}

/// FT-05: `cluster.json`, from which nodes are launched, is compared with what the stacks give.
#[test]
fn facts_that_are_not_the_stacks_are_planned_and_mended() {
    let (lab, planned) = planned_after("facts", |account| {
        let (key, versions) =
            artifacts(account).iter_mut().find(|(key, _)| key.ends_with("/current/cluster.json")).unwrap();
        assert!(key.starts_with("clusters/"));
        let newest = versions.as_array_mut().unwrap().last_mut().unwrap();
        let text = newest["body"]["text"].as_str().unwrap().replace("LaunchTemplate", "Gone");
        newest["body"]["text"] = json!(text);
    });
    let planned = planned.ends(2);
    assert!(planned.stdout.contains("cluster.json"), "{}", planned.stdout);
    assert!(
        planned.stdout.contains("+    \"outputs\"") || planned.stdout.contains("LaunchTemplate"),
        "{}",
        planned.stdout
    );
    lab.does("apply", "cluster.yaml").ends(0);
    lab.run(&["plan", "cluster.yaml", "--detailed-exitcode", "--no-preflight"]).ends(0);
}

/// FT-06: a revision that was begun and never published is finished under its number; another takes the next one.
#[test]
fn no_revision_is_lost_or_used_twice() {
    let gone = |account: &mut Value| {
        artifacts(account).retain(|key, _| !key.ends_with("/revision.json") && !key.ends_with("/head.json"));
    };
    let (lab, planned) = planned_after("revision", gone);
    let planned = planned.ends(2);
    assert!(planned.stdout.contains("an apply began revision 1"), "{}", planned.stdout);
    let other = lab.copy("revision-other");
    lab.does("apply", "cluster.yaml").ends(0);
    let history = lab.run(&["history", "cluster.yaml"]).ends(0);
    assert_eq!(history.stdout.lines().count(), 1, "{}", history.stdout);

    let archived = |lab: &Lab| {
        let mut account = lab.account();
        let found = artifacts(&mut account).iter().find(|(key, _)| key.ends_with("000001/cluster.yaml"));
        found.unwrap().1.as_array().unwrap().len()
    };
    other.does("apply", "changed.yaml").ends(0);
    assert_eq!(archived(&other), 1, "the archive of revision 1 was written again");
    let history = other.run(&["history", "changed.yaml"]).ends(0);
    assert!(history.stdout.contains("    2  "), "{}", history.stdout);
}
