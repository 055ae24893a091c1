//! Whatever breaks, one more command leads to the same end: processes are killed at calls that change something, and calls
//! answer errors of every kind.
//!
//! A sample runs by default; `HPCCTL_ALL_FAULTS=1` runs all of it (`docs/reliability.md`).

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;
#[path = "support/trial.rs"]
mod trial;

use lab::{Lab, Ran};
use serde_json::{Value, json};
use trial::{CREATE, DEEDS, DESTROY, Deed, EXPORT, KEEP, LESS, MORE, REMOVAL, SWAP, Trial, UPDATE};

/// The words of a process that dies.
const DEATH: &str = "told to crash here";
/// Kinds of errors that any call may answer.
const KINDS: [&str; 6] = ["throttled", "access_denied", "unavailable", "unreadable", "network", "credentials"];
/// Calls that may find no capacity.
const CAPACITY: [&str; 3] = ["StartInstances", "RunInstances", "CreateFleet"];
/// The example of the sample.
const SAMPLE: &str = "fds-smv.yaml";

/// Whether all of a matrix is to run.
fn all() -> bool {
    std::env::var_os("HPCCTL_ALL_FAULTS").is_some()
}

/// The examples that a matrix takes, with their names: `HPCCTL_ALL_FAULTS=NAME` takes those whose name has this in it.
fn examples() -> Vec<(String, Value)> {
    let wanted = std::env::var("HPCCTL_ALL_FAULTS").ok();
    let mut found = files::examples();
    found.retain(|(name, _)| match wanted.as_deref() {
        None => name == SAMPLE,
        Some("1") => true,
        Some(part) => name.contains(part),
    });
    found
}

/// What came of a matrix.
#[derive(Default)]
struct Count {
    runs: usize,
    wrong: Vec<String>,
}

impl Count {
    fn add(&mut self, wrong: Option<String>) {
        self.runs += 1;
        // Told at once: all of a matrix takes hours.
        wrong.iter().for_each(|one| println!("{one}"));
        self.wrong.extend(wrong);
    }

    #[track_caller]
    fn report(&self, what: &str) {
        println!("{what}: {} runs, {} deviations", self.runs, self.wrong.len());
        let shown: Vec<&str> = self.wrong.iter().take(12).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{}", shown.join("\n"));
        assert!(self.runs > 0);
    }
}

/// Kills a command at its calls, with and without the call's effect.
fn crash_matrix(deed: &Deed, stride: usize) {
    let mut count = Count::default();
    for (name, example) in examples() {
        let Some(trial) = Trial::new(&name, &example, deed) else { continue };
        let stride = if all() { 1 } else { stride };
        let mut calls: Vec<u64> = (1..=trial.calls).step_by(stride).chain([trial.calls]).collect();
        calls.dedup();
        for (index, at) in calls.into_iter().enumerate() {
            for effect in [false, true] {
                // Of a sample every other is without the call's effect.
                if !all() && trial.calls > 4 && effect == (index % 2 == 0) {
                    continue;
                }
                let fault = json!({ "crash": { "at": trial.before + at, "effect": effect } });
                count.add(trial.with(&format!("death at call {at}, effect {effect}"), &fault, Some(DEATH)));
            }
        }
    }
    count.report(&format!("deaths, {}", deed.name));
}

#[test]
fn a_creation_that_dies_anywhere_ends_the_same() {
    crash_matrix(&CREATE, 19);
}

#[test]
fn an_update_that_dies_anywhere_ends_the_same() {
    crash_matrix(&UPDATE, 19);
}

#[test]
fn a_removal_that_dies_anywhere_ends_the_same() {
    crash_matrix(&REMOVAL, 29);
}

#[test]
fn a_replacement_of_a_file_system_that_dies_anywhere_ends_the_same() {
    crash_matrix(&SWAP, 11);
}

#[test]
fn more_storage_that_dies_anywhere_ends_the_same() {
    crash_matrix(&MORE, 29);
}

#[test]
fn less_storage_that_dies_anywhere_ends_the_same() {
    crash_matrix(&LESS, 29);
}

#[test]
fn a_destruction_that_dies_anywhere_ends_the_same() {
    crash_matrix(&DESTROY, 7);
}

#[test]
fn a_destruction_that_keeps_and_dies_anywhere_ends_the_same() {
    crash_matrix(&KEEP, 7);
}

#[test]
fn an_export_that_dies_anywhere_ends_the_same() {
    crash_matrix(&EXPORT, 1);
}

/// Errors of the kinds at the calls of an operation: all at the first, second, third and last, and one kind at each other.
fn errors(operation: &str, calls: u32) -> Vec<(&'static str, u32)> {
    let mut kinds = KINDS.to_vec();
    if CAPACITY.contains(&operation) {
        kinds.push("capacity");
    }
    let mut found = Vec::new();
    for after in 0..calls {
        for (index, kind) in kinds.iter().enumerate() {
            if after < 3 || after + 1 == calls || after as usize % kinds.len() == index {
                found.push((*kind, after));
            }
        }
    }
    found
}

/// Each operation that a command calls answers errors.
fn error_matrix(deeds: &[Deed], sample: usize) {
    let (mut count, mut turn) = (Count::default(), 0);
    let operations = operations();
    let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
    for (name, example) in examples() {
        for deed in deeds {
            let Some(trial) = Trial::new(&name, &example, deed) else { continue };
            for (operation, calls) in trial.operations(&operations) {
                for (kind, after) in errors(&operation, calls) {
                    turn += 1;
                    if !all() && turn % sample != 0 {
                        continue;
                    }
                    let fault = json!({ "error": { "operation": operation, "error": kind, "after": after } });
                    count.add(trial.with(&format!("{kind} at {operation} {}", after + 1), &fault, None));
                }
            }
        }
    }
    count.report(&format!("errors of calls in {} commands", deeds.len()));
}

/// The operations that the sandbox answers, as its page lists them.
fn operations() -> Vec<String> {
    let page = std::fs::read_to_string("docs/sandbox.md").unwrap();
    let from = page.find("Operations that change something").unwrap();
    let to = page.find("Paths of an instance's metadata").unwrap();
    let words = page[from..to].split('`').skip(1).step_by(2).filter(|word| *word != "crash");
    words.map(str::to_owned).collect()
}

#[test]
fn commands_whose_calls_fail_end_the_same() {
    error_matrix(&DEEDS, 307);
}

/// What a lab with the smallest example, made and then touched by hand, plans.
fn planned_after(name: &str, touch: impl Fn(&mut Value)) -> (Lab, Ran) {
    let lab = Lab::new(name);
    let example = files::example("minimal.yaml");
    lab.write("cluster.yaml", &serde_yaml::to_string(&example).unwrap());
    lab.write("changed.yaml", &serde_yaml::to_string(&(UPDATE.file)(&example).unwrap()).unwrap());
    lab.does("apply", "cluster.yaml").ends(0);
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

/// Queues that were held by an apply that died are opened by the next plan, though the head node reports them late or, being
/// another one, knows nothing of them; what the head node has unmounted for it comes back.
#[test]
fn queues_that_a_dead_apply_held_are_seen_and_opened() {
    let lab = Lab::new("held");
    let example = files::example(SAMPLE);
    lab.write("file.yaml", &serde_yaml::to_string(&example).unwrap());
    lab.write("swapped.yaml", &serde_yaml::to_string(&(SWAP.file)(&example).unwrap()).unwrap());
    lab.does("apply", "file.yaml").ends(0);
    let reference = lab.copy("reference");
    reference.does("apply", "swapped.yaml").ends(0);
    let (mut held_by_the_dead, mut given_back) = (0, 0);
    for at in lab.mutations() + 1..=reference.mutations() {
        let trial = lab.copy(&format!("dies-{at}"));
        trial.faults(&json!([{ "crash": { "at": at, "effect": true } }]));
        let died = trial.does("apply", "swapped.yaml");
        assert!(died.stderr.contains(DEATH), "{}", died.stderr);
        trial.faults(&json!([]));
        let account = trial.account();
        if !artifacts(&mut account.clone()).keys().any(|key| key.contains("/orders/")) {
            continue;
        }
        if account["stacks"] != lab.account()["stacks"] {
            break;
        }
        held_by_the_dead += 1;
        // The user thinks better of it.
        let planned = trial.run(&["plan", "file.yaml", "--detailed-exitcode", "--no-preflight"]).ends(2);
        assert!(planned.stdout.contains("open the queues again"), "{}", planned.stdout);
        trial.does("apply", "file.yaml").ends(0);
        let settled = trial.settled();
        let report = newest(&settled, "/status/slurm.json").unwrap();
        assert!(report.contains("\"state\":\"up\"") && !report.contains("\"down\""), "{report}");
        trial.run(&["plan", "file.yaml", "--detailed-exitcode", "--no-preflight"]).ends(0);
        let orders = versions(&settled, "/orders/");
        let released = orders.iter().any(|order| order.contains("\"release\""));
        let back = orders.iter().any(|order| order.contains("\"open\"") && order.contains("\"fs-"));
        assert!(!released || back, "what was unmounted comes back: {orders:?}");
        given_back += usize::from(back);
    }
    assert!(held_by_the_dead > 2 && given_back > 0, "{held_by_the_dead} {given_back}");
}

/// The newest version of an object whose key ends so.
fn newest(account: &Value, end: &str) -> Option<String> {
    let mut account = account.clone();
    let found = artifacts(&mut account).iter().find(|(key, _)| key.ends_with(end))?;
    found.1.as_array()?.last()?["body"]["text"].as_str().map(str::to_owned)
}

/// All that objects with this in their keys ever were.
fn versions(account: &Value, part: &str) -> Vec<String> {
    let mut account = account.clone();
    let all = artifacts(&mut account).iter().filter(|(key, _)| key.contains(part));
    let all = all.flat_map(|(_, versions)| versions.as_array().unwrap());
    all.filter_map(|version| version["body"]["text"].as_str().map(str::to_owned)).collect()
}

/// FT-11: what a cluster file keeps is told as kept by every later run, after an interruption too, and once more when a new
/// cluster of that name stands beside it; nobody is told to delete it.
#[test]
fn what_is_kept_is_told_as_kept_after_an_interruption() {
    let (example, base) = (files::example(SAMPLE), Lab::new("kept"));
    base.write("file.yaml", &serde_yaml::to_string(&(KEEP.file)(&example).unwrap()).unwrap());
    base.does("apply", "file.yaml").ends(0);
    let before = base.mutations();
    let reference = base.copy("reference");
    reference.does("destroy", "file.yaml").ends(0);
    let is_told = |ran: &Ran, id: &str| {
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(id) && said.to_lowercase().contains("kept"), "{said}");
        assert!(!said.contains("something is left"), "{said}");
    };
    let mut deaths = 0;
    for at in before + 1..=reference.mutations() {
        let lab = base.copy(&format!("kept-{at}"));
        lab.faults(&json!([{ "crash": { "at": at, "effect": true } }]));
        let died = lab.does("destroy", "file.yaml");
        assert!(died.stderr.contains(DEATH), "{}", died.stderr);
        lab.faults(&json!([]));
        if at % 5 != 0 && !all() {
            continue;
        }
        deaths += 1;
        let again = lab.does("destroy", "file.yaml").ends(0);
        let kept = lab.account()["retained"].as_object().unwrap().clone();
        let id = kept.iter().find(|(_, one)| one["kind"] == "AWS::FSx::FileSystem").unwrap().0.clone();
        is_told(&again, &id);
        is_told(&lab.does("destroy", "file.yaml").ends(0), &id);
        // Another cluster of that name has one of its own, and its end leaves the old one alone.
        lab.does("apply", "file.yaml").ends(0);
        let last = lab.does("destroy", "file.yaml").ends(0);
        is_told(&last, &id);
        let systems = |account: &Value| {
            let kept = account["retained"].as_object().unwrap().values();
            kept.filter(|one| one["kind"] == "AWS::FSx::FileSystem").count()
        };
        assert_eq!(systems(&lab.account()), 2);
    }
    assert!(deaths > 2, "{deaths}");
}
