//! Going back: every revision is listed, can be shown, compared and brought back.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::Lab;
use serde_json::{Value, json};

/// A cluster of two revisions: the second has a queue more and keeps logs for a shorter time.
fn two_revisions(name: &str) -> (Lab, String, String) {
    let mut value = files::example("minimal.yaml");
    let first = serde_yaml::to_string(&value).unwrap();
    let pool = json!({ "name": "od", "instance_types": ["c5.xlarge"], "max": 2 });
    value["queues"].as_array_mut().unwrap().push(json!({ "name": "another", "pools": [pool] }));
    value["monitoring"] = json!({ "logs": { "retention_days": 7 } });
    let second = serde_yaml::to_string(&value).unwrap();
    let lab = Lab::new(name);
    for text in [&first, &second] {
        lab.write("cluster.yaml", text);
        lab.does("apply", "cluster.yaml").ends(0);
    }
    (lab, first, second)
}

#[test]
fn a_revision_is_brought_back() {
    let (lab, first, _) = two_revisions("back");
    let plan = lab.run(&["plan", "cluster.yaml", "--to", "1", "--detailed-exitcode"]).ends(2);
    assert!(plan.stdout.contains("revision 2 -> 3") && plan.stdout.contains("cluster.yaml@1"), "{}", plan.stdout);
    let back = lab.run(&["apply", "cluster.yaml", "--to", "1", "--auto-approve"]).ends(0);
    assert!(back.stderr.contains("hpcctl history cluster.yaml --show 1"), "{}", back.stderr);
    let status = lab.run(&["status", "cluster.yaml"]).ends(0).stdout;
    assert!(status.contains("queue.main") && !status.contains("another"), "{status}");
    // The file at hand would undo it; the one of the revision changes nothing.
    lab.run(&["plan", "cluster.yaml", "--detailed-exitcode"]).ends(2);
    lab.write("first.yaml", &first);
    lab.run(&["plan", "first.yaml", "--detailed-exitcode"]).ends(0);
    let history = lab.run(&["history", "cluster.yaml"]).ends(0);
    assert_eq!(history.stdout.lines().count(), 3, "{}", history.stdout);
    // A saved plan goes back, too.
    lab.run(&["plan", "cluster.yaml", "--to", "2", "--out", "back.json"]).ends(0);
    lab.does("apply", "back.json").ends(0);
    lab.run(&["plan", "cluster.yaml", "--detailed-exitcode"]).ends(0);
    let refused = lab.run(&["apply", "back.json", "--to", "1", "--auto-approve"]).ends(1);
    assert!(refused.stderr.contains("HPC2014"), "{}", refused.stderr);
}

#[test]
fn revisions_are_shown_and_compared() {
    let (lab, first, second) = two_revisions("shown");
    assert_eq!(lab.run(&["history", "cluster.yaml", "--show", "1"]).ends(0).stdout, first);
    assert_eq!(lab.run(&["history", "cluster.yaml", "--show", "2"]).ends(0).stdout, second);
    let compared = lab.run(&["history", "cluster.yaml", "--compare", "1..2"]).ends(0).stdout;
    assert!(compared.starts_with("--- revision 1\n+++ revision 2\n"), "{compared}");
    assert!(compared.contains("\n+    retention_days: 7"), "{compared}");
    assert_eq!(lab.run(&["history", "cluster.yaml", "--compare", "2"]).ends(0).stdout, "");
    let missing = lab.run(&["plan", "cluster.yaml", "--to", "7"]).ends(1);
    assert!(missing.stderr.contains("HPC2008") && missing.stderr.contains("there is 1, 2"), "{}", missing.stderr);
    lab.run(&["plan", "cluster.yaml", "--to", "1", "--offline"]).ends(2);
    lab.run(&["history", "cluster.yaml", "--compare", "one"]).ends(2);
}

/// One that an apply began and never finished is among them, as what it is.
#[test]
fn a_revision_that_was_only_begun_is_listed() {
    let (lab, ..) = two_revisions("begun");
    let mut value = files::example("minimal.yaml");
    value["monitoring"] = json!({ "logs": { "retention_days": 14 } });
    lab.write("third.yaml", &serde_yaml::to_string(&value).unwrap());
    lab.faults(&json!([{ "error": { "operation": "UpdateStack", "error": "access_denied" } }]));
    lab.does("apply", "third.yaml").ends(1);
    lab.faults(&json!([]));
    let listed = lab.run(&["history", "cluster.yaml", "--format", "json"]).ends(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let states: Vec<(u64, &str)> = listed["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["number"].as_u64().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [(3, "begun"), (2, "applied"), (1, "applied")]);
    let text = lab.run(&["history", "cluster.yaml"]).ends(0).stdout;
    assert!(text.lines().next().unwrap().contains("begun, and not brought to its end"), "{text}");
    let shown = lab.run(&["history", "cluster.yaml", "--show", "3"]).ends(0).stdout;
    assert!(shown.contains("retention_days: 14"), "{shown}");
}

/// A file of another cluster in the archive is refused: nobody asked for that one.
#[test]
fn a_revision_of_another_cluster_is_refused() {
    let (lab, ..) = two_revisions("other");
    let mut account = lab.account();
    for bucket in account["buckets"].as_object_mut().unwrap().values_mut() {
        for (key, versions) in bucket["objects"].as_object_mut().into_iter().flatten() {
            if key.ends_with("000001/cluster.yaml") {
                let newest = versions.as_array_mut().unwrap().last_mut().unwrap();
                let text = newest["body"]["text"].as_str().unwrap().replace("name: minimal", "name: victim");
                newest["body"]["text"] = json!(text);
            }
        }
    }
    lab.write("account.json", &account.to_string());
    let before = lab.mutations();
    let ran = lab.run(&["apply", "cluster.yaml", "--to", "1", "--auto-approve"]).ends(1);
    assert!(ran.stderr.contains("HPC2008"), "{}", ran.stderr);
    assert_eq!(lab.mutations(), before);
}
