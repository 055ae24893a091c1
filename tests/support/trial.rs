//! Commands under test: what they begin with, what they do, and what is the right end of it.

#![allow(dead_code)]

use super::lab::{Lab, Ran, differences, essence};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A command under test.
#[derive(Clone, Copy)]
pub struct Deed {
    /// Its name in what is told.
    pub name: &'static str,
    /// The command.
    pub word: &'static str,
    /// What its file is made of the example.
    pub file: fn(&Value) -> Option<Value>,
    /// What the cluster is made of before; none: there is no cluster.
    pub before: Option<fn(&Value) -> Option<Value>>,
}

pub const CREATE: Deed = Deed { name: "creation", word: "apply", file: same, before: None };
pub const UPDATE: Deed = Deed { name: "update", word: "apply", file: changed, before: Some(same) };
pub const REMOVAL: Deed = Deed { name: "removal of a queue", word: "apply", file: same, before: Some(changed) };
pub const SWAP: Deed = Deed { name: "new file system", word: "apply", file: swapped, before: Some(same) };
pub const MORE: Deed = Deed { name: "more storage", word: "apply", file: more, before: Some(same) };
pub const LESS: Deed = Deed { name: "less storage", word: "apply", file: same, before: Some(more) };
pub const DESTROY: Deed = Deed { name: "destruction", word: "destroy", file: same, before: Some(same) };
pub const KEEP: Deed = Deed { name: "destruction that keeps", word: "destroy", file: kept, before: Some(kept) };
pub const EXPORT: Deed = Deed { name: "export", word: "export-fsx", file: exported, before: Some(exported) };

/// All of them.
pub const DEEDS: [Deed; 9] = [CREATE, UPDATE, REMOVAL, SWAP, MORE, LESS, DESTROY, KEEP, EXPORT];

fn same(example: &Value) -> Option<Value> {
    Some(example.clone())
}

/// A queue more, another key pair (a new head node), another retention.
fn changed(example: &Value) -> Option<Value> {
    let mut value = example.clone();
    let pool = json!({ "name": "od", "instance_types": ["c5.xlarge"], "max": 2 });
    value["queues"].as_array_mut()?.push(json!({ "name": "another", "pools": [pool] }));
    value["head_node"]["key_name"] = json!("another-key");
    value["monitoring"]["logs"]["retention_days"] = json!(7);
    Some(value)
}

/// The entries of storage with a Lustre file system of the cluster's own.
fn lustre(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    let all = value.get_mut("storage").and_then(Value::as_array_mut).into_iter().flatten();
    let own = all.filter_map(|one| one.get_mut("fsx_lustre"));
    own.filter(|one| one.get("file_system_id").is_none())
}

/// Another file system in the place of one that is scratch: nodes are drained, it is exported where the file says so, and
/// the new one is filled.
fn swapped(example: &Value) -> Option<Value> {
    let mut value = example.clone();
    let scratch = lustre(&mut value).find(|one| one["deployment"] == "SCRATCH_2")?;
    scratch["deployment"] = json!("SCRATCH_1");
    Some(value)
}

/// A volume and a file system more.
fn more(example: &Value) -> Option<Value> {
    let mut value = example.clone();
    if value.get("storage").is_none() {
        value["storage"] = json!([]);
    }
    let storage = value["storage"].as_array_mut()?;
    storage.push(json!({ "name": "more", "mount": "/more", "ebs": { "size_gib": 40, "on_destroy": "discard" } }));
    let lustre = json!({ "deployment": "SCRATCH_2", "capacity_gib": 1200, "on_destroy": "discard" });
    storage.push(json!({ "name": "fast", "mount": "/fast", "fsx_lustre": lustre }));
    Some(value)
}

/// Every file system outlives the cluster.
fn kept(example: &Value) -> Option<Value> {
    let mut value = example.clone();
    let all: Vec<&mut Value> = lustre(&mut value).collect();
    (!all.is_empty()).then_some(())?;
    for one in all {
        one["on_destroy"] = json!("keep");
    }
    Some(value)
}

/// A file system is linked with S3 and may be exported by a task.
fn exported(example: &Value) -> Option<Value> {
    let mut value = example.clone();
    let linked = |one: &Value| one.get("data_repository").is_some_and(|link| link.get("export").is_some());
    lustre(&mut value).any(|one| linked(one)).then_some(())?;
    Some(value)
}

/// A command under test with all that it needs.
pub struct Trial {
    pub name: String,
    pub deed: Deed,
    base: Lab,
    /// The calls before that change something, and those of the command itself.
    pub before: u64,
    pub calls: u64,
    right: BTreeMap<String, String>,
    /// The newest revision at the end of the command.
    published: u64,
}

impl Trial {
    /// `None`: the example has nothing to do it to.
    pub fn new(name: &str, example: &Value, deed: &Deed) -> Option<Self> {
        let file = (deed.file)(example)?;
        let name = format!("{} {}", name.trim_end_matches(".yaml"), deed.name);
        let base = Lab::new(&name.replace(' ', "-"));
        base.write("file.yaml", &serde_yaml::to_string(&file).unwrap());
        if let Some(before) = deed.before {
            base.write("before.yaml", &serde_yaml::to_string(&before(example)?).unwrap());
            base.does("apply", "before.yaml").ends(0);
        }
        let before = if deed.before.is_some() { base.mutations() } else { 0 };
        let reference = base.copy("reference");
        run(&reference, deed).ends(0);
        let (calls, right) = (reference.mutations() - before, essence(&reference.settled()));
        let published = published_of(&reference.account());
        Some(Self { name, deed: *deed, base, before, calls, right, published })
    }

    /// How often each operation is called.
    pub fn operations(&self, all: &[&str]) -> BTreeMap<String, u32> {
        let lab = self.base.copy("operations");
        let probe = |name: &&str| json!({ "error": { "operation": name, "error": "throttled", "after": 1_000_000 } });
        lab.faults(&json!(all.iter().map(probe).collect::<Vec<_>>()));
        run(&lab, &self.deed).ends(0);
        let account = lab.account();
        let fired = account["fired"].as_object().unwrap();
        let count = |index: usize| fired.iter().find(|(key, _)| key.starts_with(&format!("{index}-")));
        let counts = all.iter().enumerate().filter_map(|(index, name)| Some((*name, count(index)?.1.as_u64()?)));
        counts.filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count as u32)).collect()
    }

    /// The command with a fault, then once more without; what is not as it should be. `dies`: words of the end that the
    /// fault must have brought about.
    pub fn with(&self, what: &str, fault: &Value, dies: Option<&str>) -> Option<String> {
        let lab = self.base.copy("with-a-fault");
        lab.faults(&json!([fault]));
        let first = run(&lab, &self.deed);
        let struck = lab.account()["fired"].as_object().unwrap().values().any(|times| *times != 0);
        lab.faults(&json!([]));
        let wrong = self.wrong(&lab, &first, struck, dies)?;
        let end: Vec<&str> = first.stderr.lines().rev().take(4).collect();
        Some(format!("{}, {what}: {wrong}\n  first ended with {:?}: {end:?}", self.name, first.code))
    }

    fn wrong(&self, lab: &Lab, first: &Ran, struck: bool, dies: Option<&str>) -> Option<String> {
        if !struck {
            return Some("the fault did not strike".to_owned());
        }
        if first.stderr.contains("panicked at") {
            return Some(first.stderr.clone());
        }
        // What is only told, such as a lock that could not be given back, is told all the same.
        if dies.is_some_and(|words| !first.stderr.contains(words)) {
            return Some("the first run did not end by it".to_owned());
        }
        if first.code != Some(0) && !(matches!(first.code, Some(1..=5)) && first.stderr.contains("HPC2")) {
            return Some("the first run ended without a code".to_owned());
        }
        let published = published_of(&lab.account());
        let again = run(lab, &self.deed);
        if again.code != Some(0) {
            return Some(format!("the second run ended with {:?}\n{}", again.code, again.stderr));
        }
        if self.deed.word == "apply" {
            let planned = lab.run(&["plan", "file.yaml", "--detailed-exitcode", "--no-preflight"]);
            if planned.code != Some(0) {
                return Some(format!("the next plan is not empty\n{}", planned.stdout));
            }
        }
        let mut end = essence(&lab.settled());
        // What the first run had published already is a revision of its own; the second run's is the next one.
        if first.code != Some(0) && published == self.published && self.deed.word == "apply" {
            end = one_revision_back(end, published);
        }
        let found = differences(&self.right, &end);
        (!found.is_empty()).then(|| found.join("\n  "))
    }
}

/// The number of the newest revision; 0: there is none.
fn published_of(account: &Value) -> u64 {
    let head = essence(account).into_iter().find(|(key, _)| key.ends_with("/head.json"));
    head.and_then(|(_, text)| text.strip_prefix("revision ")?.parse().ok()).unwrap_or_default()
}

/// An account's end as it would be without this revision, which nothing came of but itself, when there is a next one.
fn one_revision_back(end: BTreeMap<String, String>, number: u64) -> BTreeMap<String, String> {
    let folder = |number: u64| format!("/revisions/{number:06}/");
    if !end.keys().any(|key| key.contains(&folder(number + 1))) {
        return end;
    }
    let (mine, next) = (folder(number), folder(number + 1));
    let is = [("revision ", ""), ("\"revision\":", ","), ("\"revision\": ", ",")];
    let text = |text: String| {
        let mut text = text.replace(&next, &mine);
        for (before, after) in is {
            text = text.replace(&format!("{before}{}{after}", number + 1), &format!("{before}{number}{after}"));
        }
        text
    };
    let rest = end.into_iter().filter(|(key, _)| !key.contains(&mine));
    rest.map(|(key, body)| (key.replace(&next, &mine), text(body))).collect()
}

fn run(lab: &Lab, deed: &Deed) -> Ran {
    match deed.word {
        "export-fsx" => lab.run(&[deed.word, "file.yaml"]),
        word => lab.does(word, "file.yaml"),
    }
}
