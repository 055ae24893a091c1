//! Many clusters in one account: what a command asks depends on its own cluster, not on its neighbours. Calls are counted, never
//! the time.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/files.rs"]
#[allow(dead_code)]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, Ran};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs};

const CLUSTERS: usize = 300;
const EXAMPLE: &str = "fds-smv.yaml";
const PAGES: &str = "cloudformation DescribeStacks";

/// What a command asked, and how often.
type Calls = BTreeMap<String, usize>;

fn asked(lab: &Lab, words: &[&str]) -> (Ran, Calls) {
    let file = lab.path("calls.txt");
    let _ = fs::remove_file(&file);
    let ran = lab::ran(lab.start(lab.command(words).env("HPCCTL_SANDBOX_CALLS", &file))).ends(0);
    let mut calls = Calls::new();
    for line in fs::read_to_string(&file).unwrap().lines() {
        *calls.entry(line.to_owned()).or_default() += 1;
    }
    (ran, calls)
}

/// The map with as many copies of what belongs to the cluster `name`, each under a name of its own.
fn multiply(entries: &Map<String, Value>, name: &str, id: &str) -> Map<String, Value> {
    let mut all = entries.clone();
    let own = entries.iter().filter(|(key, value)| key.contains(name) || value.to_string().contains(name));
    for (key, value) in own {
        for number in 1..CLUSTERS {
            let other = format!("{name}-{number:03}");
            // What AWS numbers must not be the same in two clusters.
            let text = value.to_string().replace(name, &other).replace(id, &format!("{id}{number:03}"));
            let key = if key.contains(name) { key.replace(name, &other) } else { format!("{key}{number:03}") };
            all.insert(key, serde_json::from_str(&text).unwrap());
        }
    }
    all
}

/// A lab with one cluster, and one in which it has 299 neighbours.
fn labs() -> (Lab, Lab) {
    let example = files::example(EXAMPLE);
    let alone = Lab::new("fleet-alone");
    alone.write("cluster.yaml", &serde_yaml::to_string(&example).unwrap());
    alone.does("apply", "cluster.yaml").ends(0);
    let crowd = alone.copy("fleet-crowd");
    let (mut account, name) = (crowd.account(), example["name"].as_str().unwrap());
    for part in ["stacks", "instances"] {
        account[part] = Value::Object(multiply(account[part].as_object().unwrap(), name, "-0"));
    }
    // Of a neighbour's objects those count that are found by their place; the files of old revisions do not.
    let objects = account["buckets"].as_object_mut().unwrap().values_mut().find_map(|bucket| {
        let objects = bucket["objects"].as_object_mut()?;
        objects.keys().any(|key| key.starts_with("clusters/")).then_some(objects)
    });
    let objects = objects.unwrap();
    let (few, rest): (Vec<_>, Vec<_>) = objects.clone().into_iter().partition(|(key, _)| key.ends_with("/head.json"));
    *objects = multiply(&few.into_iter().collect(), name, "no such id");
    objects.extend(rest);
    crowd.write("account.json", &account.to_string());
    (alone, crowd)
}

/// What was asked beside the pages in which all stacks of an account come.
fn without_pages(calls: &Calls) -> Calls {
    calls.iter().filter(|(call, _)| *call != PAGES).map(|(call, times)| (call.clone(), *times)).collect()
}

#[test]
fn a_command_among_300_clusters_asks_for_its_own() {
    let (alone, crowd) = labs();
    let region = files::example(EXAMPLE)["region"].as_str().unwrap().to_owned();
    let (list, calls) = asked(&crowd, &["list", "--region", &region]);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), CLUSTERS, "{}", list.stdout);
    assert!(lines.iter().all(|line| line.ends_with("in order")), "{}", list.stdout);
    assert_eq!(calls.keys().collect::<Vec<_>>(), [PAGES], "list asks for nothing else");
    let pages = calls[PAGES];
    assert!((2..20).contains(&pages), "{CLUSTERS} clusters came in {pages} pages");
    println!("list: {pages} calls");
    for words in [
        &["status", "cluster.yaml"][..],
        &["plan", "cluster.yaml", "--detailed-exitcode"],
        &["history", "cluster.yaml"],
        &["lock", "show", "cluster.yaml"],
    ] {
        let ((_, few), (_, many)) = (asked(&alone, words), asked(&crowd, words));
        assert_eq!(without_pages(&few), without_pages(&many), "{words:?}");
        let of = |calls: &Calls| calls.get(PAGES).copied().unwrap_or_default();
        // The account is looked at once, whatever the command; the other calls are for stacks by their names.
        let once = if of(&few) > 0 { pages - 1 } else { 0 };
        assert_eq!(of(&many), of(&few) + once, "{words:?}");
        println!(
            "{words:?}: {} calls alone, {} among {CLUSTERS}",
            few.values().sum::<usize>(),
            many.values().sum::<usize>()
        );
    }
}

/// What is shown needs no file that nodes fetch: that was a call for each of them.
#[test]
fn what_shows_a_cluster_reads_no_files_of_nodes() {
    let lab = Lab::new("fleet-status");
    lab.write("cluster.yaml", &serde_yaml::to_string(&files::example(EXAMPLE)).unwrap());
    lab.does("apply", "cluster.yaml").ends(0);
    let (_, status) = asked(&lab, &["status", "cluster.yaml"]);
    let (_, plan) = asked(&lab, &["plan", "cluster.yaml"]);
    assert!(status["s3 GetObject"] <= 7, "{status:?}");
    assert!(plan["s3 GetObject"] > 20, "{plan:?}");
}

/// A page that is throttled is no end of the list.
#[test]
fn a_list_that_is_cut_off_is_no_list() {
    let lab = Lab::new("fleet-throttled");
    lab.write("cluster.yaml", &serde_yaml::to_string(&files::example(EXAMPLE)).unwrap());
    lab.does("apply", "cluster.yaml").ends(0);
    lab.faults(&serde_json::json!([{ "error": { "operation": "DescribeStacks", "error": "throttled" } }]));
    let region = files::example(EXAMPLE)["region"].as_str().unwrap().to_owned();
    let ran = lab.run(&["list", "--region", &region]).ends(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("DescribeStacks"), "{}{}", ran.stdout, ran.stderr);
}
