//! The program itself, as processes on a sandbox of its own; and what an account comes down to.

// Each test file takes what it needs.
#![allow(dead_code)]

use regex_lite::{Captures, Regex};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A directory with one account.
pub struct Lab {
    pub folder: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl Lab {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("hpcctl-lab-{}-{number}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let lab = Self { folder };
        lab.faults(&json!([]));
        lab
    }

    /// Another lab with a copy of this one's account and files.
    pub fn copy(&self, name: &str) -> Self {
        let copy = Self::new(name);
        for entry in fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.folder.join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn faults(&self, faults: &Value) {
        self.write("faults.json", &json!({ "faults": faults }).to_string());
    }

    pub fn command(&self, words: &[&str]) -> Command {
        // Another build of the same, such as one that is optimised, for what takes hours.
        let program = std::env::var("HPCCTL").unwrap_or_else(|_| env!("CARGO_BIN_EXE_hpcctl").to_owned());
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(&self.folder)
            .env("HPCCTL_CLOUD", "sandbox")
            .env("HPCCTL_SANDBOX_STATE", self.path("account.json"))
            .env("HPCCTL_SANDBOX_FAULTS", self.path("faults.json"))
            .env("HPCCTL_CATALOG", "none")
            .env_remove("HPCCTL_SANDBOX_PACE")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        ran(self.start(&mut self.command(words)))
    }

    pub fn start(&self, command: &mut Command) -> Child {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// `apply` or `destroy` with all approvals.
    pub fn does(&self, word: &str, file: &str) -> Ran {
        self.run(&[word, file, "--auto-approve", "--approve-data-loss", "all"])
    }

    pub fn account(&self) -> Value {
        account(&self.path("account.json"))
    }

    /// The account an hour later: what was under way is done, and whoever reports has reported.
    pub fn settled(&self) -> Value {
        let mut account = self.account();
        account["now"] = json!(account["now"].as_i64().unwrap() + 3600);
        self.write("account.json", &account.to_string());
        self.run(&["list"]).ends(0);
        self.account()
    }

    /// The calls so far that change something.
    pub fn mutations(&self) -> u64 {
        self.account()["mutations"].as_u64().unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // What failed is kept to be looked at.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

pub fn ran(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn account(path: &Path) -> Value {
    fs::read(path).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

/// The objects of all buckets that are there, by key, with their text.
fn objects(account: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for bucket in account["buckets"].as_object().into_iter().flat_map(|buckets| buckets.values()) {
        for (key, versions) in bucket["objects"].as_object().into_iter().flatten() {
            let Some(newest) = versions.as_array().and_then(|versions| versions.last()) else { continue };
            if !newest["body"].is_null() {
                let text = newest["body"]["text"].as_str().map(str::to_owned);
                found.insert(key.clone(), text.unwrap_or_else(|| newest["body"].to_string()));
            }
        }
    }
    found
}

/// What an account comes down to, apart from what may differ between two ways to the same end: ids are replaced by the
/// names of what has them, times and addresses by words, and plans and revisions count by number alone.
pub fn essence(account: &Value) -> BTreeMap<String, String> {
    let (mut lines, mut names) = (BTreeMap::new(), Vec::new());
    stacks(account, &mut lines, &mut names);
    let mut all: Vec<(String, String)> = Vec::new();
    for kept in values(&account["retained"]) {
        names.push((text(&kept["physical"]), format!("<kept {}>", text(&kept["kind"]))));
        all.push((format!("kept {}", text(&kept["kind"])), kept["properties"].to_string()));
    }
    let is_there = |one: &&Value| one["terminated"].is_null() && one["ended_by"].is_null();
    for instance in values(&account["instances"]).filter(is_there) {
        let (tags, state) = (&instance["tags"], if instance["stopped"].is_null() { "runs" } else { "stopped" });
        all.push((
            format!("instance {}", text(&tags["Name"])),
            format!("{} {tags} {state}", instance["instance_type"]),
        ));
    }
    for (volume, one) in account["attachments"].as_object().into_iter().flatten() {
        all.push((format!("attached {volume}"), format!("{} {}", text(&one["instance"]), one["leaves"].is_null())));
    }
    data(account, &mut all);
    // Two of a kind are two lines.
    all.sort();
    for (key, line) in all {
        let number = (1..).find(|number| !lines.contains_key(&format!("{key} {number}"))).unwrap();
        lines.insert(format!("{key} {number}"), line);
    }
    for (key, body) in objects(account) {
        lines.extend(object(&key, body).map(|body| (format!("object {key}"), body)));
    }
    names.retain(|(id, _)| id.len() > 6);
    names.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    let volatile = Regex::new(
        r"\b(?:10|203)\.\d+\.\d+\.\d+\b|\bip-10-\d+-\d+-\d+\b|\d{4}-\d\d-\d\dT[\d:]+Z|\b1767\d{6}\b|\b(?:eni|i|vol|fs|sg|lt|dra|task)-[0-9a-f]{17}\b",
    )
    .unwrap();
    let plain = |line: String| {
        let mut line = line;
        for (id, name) in &names {
            line = line.replace(id, name);
        }
        volatile.replace_all(&line, |_: &Captures<'_>| "<varies>").into_owned()
    };
    lines.into_iter().map(|(key, line)| (plain(key), plain(line))).collect()
}

fn stacks(account: &Value, lines: &mut BTreeMap<String, String>, names: &mut Vec<(String, String)>) {
    for stack in values(&account["stacks"]).filter(|stack| stack["deleted"].is_null()) {
        let name = text(&stack["name"]);
        names.push((text(&stack["id"]), format!("<{name}>")));
        for (logical, resource) in stack["resources"].as_object().into_iter().flatten() {
            names.push((text(&resource["physical"]), format!("<{name}.{logical}>")));
            let status = gone_or_there(&text(&resource["status"]));
            lines.insert(
                format!("stack {name} {logical}"),
                format!("{status} {} {} {}", resource["kind"], resource["properties"], resource["attributes"]),
            );
        }
        let (status, asked) = (gone_or_there(&text(&stack["status"])), &stack["asked"]);
        lines.insert(
            format!("stack {name}"),
            format!("{status} {asked} {} {}", stack["outputs"], stack["termination_protection"]),
        );
    }
    lines.retain(|_, line| !line.starts_with("gone"));
}

/// What is in file systems that are there, and what was exported from them or imported: how often is nobody's business,
/// unless something is under way or failed.
fn data(account: &Value, all: &mut Vec<(String, String)>) {
    let there: Vec<String> = values(&account["stacks"])
        .filter(|stack| stack["deleted"].is_null())
        .flat_map(|stack| values(&stack["resources"]))
        .chain(values(&account["retained"]))
        .filter(|one| one["kind"] == "AWS::FSx::FileSystem" && !text(&one["status"]).starts_with("DELETE_COMPLETE"))
        .map(|one| text(&one["physical"]))
        .collect();
    for (id, files) in account["files"].as_object().into_iter().flatten().filter(|(id, _)| there.contains(id)) {
        all.push((format!("files of {id}"), files.to_string()));
    }
    let mut tasks: Vec<(String, String)> = Vec::new();
    for task in values(&account["tasks"]) {
        let input = &task["input"];
        let id = text(&input["file_system"]);
        let ended = (task["settled"] == true, task["failing"] == json!([]), task["canceled"].is_null());
        if there.contains(&id) || !ended.0 {
            tasks.push((format!("task of {id}"), format!("{} {} {ended:?}", input["kind"], input["paths"])));
        }
    }
    tasks.sort();
    tasks.dedup();
    all.extend(tasks);
}

/// What an object comes down to; none: its name says it all, or it is one of many.
fn object(key: &str, body: String) -> Option<String> {
    let by_number = key.contains("/revisions/") && (key.ends_with("plan.json") || key.ends_with("revision.json"));
    if key.ends_with("/head.json") {
        let head: Value = serde_json::from_str(&body).unwrap();
        return Some(format!("revision {}", head["number"]));
    }
    if key.ends_with("/status/slurm.json") {
        let mut report: Value = serde_json::from_str(&body).unwrap();
        report.as_object_mut().unwrap().remove("at");
        for queue in report["queues"].as_array_mut().unwrap() {
            if let Some(held) = queue["held"].as_object_mut() {
                held.remove("since");
            }
        }
        return Some(report.to_string());
    }
    // An answer to each order, and one more order for each attempt.
    if key.contains("/status/orders/") {
        return None;
    }
    Some(if by_number { String::new() } else { body })
}

fn gone_or_there(status: &str) -> &'static str {
    match status {
        "DELETE_COMPLETE" => "gone",
        _ if status.ends_with("_COMPLETE") => "there",
        _ => "unsettled",
    }
}

fn values(of: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match of {
        Value::Object(object) => Box::new(object.values()),
        Value::Array(list) => Box::new(list.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The lines in which two accounts differ, shortened.
pub fn differences(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let (one, other) = (one.get(key), other.get(key));
        if one != other {
            let (at, show) = (first_difference(one, other), |text: Option<&String>, at: usize| {
                text.map_or("not there".to_owned(), |text| text.chars().skip(at.saturating_sub(40)).take(160).collect())
            });
            found.push(format!("{key}\n    {}\n    {}", show(one, at), show(other, at)));
        }
    }
    found
}

fn first_difference(one: Option<&String>, other: Option<&String>) -> usize {
    let (Some(one), Some(other)) = (one, other) else { return 0 };
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}
