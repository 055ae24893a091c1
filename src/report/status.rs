//! What is there, as text and JSON.

use super::{head, paint::Paint, slurm, words};
use crate::{
    cloud::QUEUE_TAG,
    model::StackKey,
    observe::{HeadFailure, HeadNode, Live, LoginFailure, Revision},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};

/// What there is to say about a cluster.
pub struct Status<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The region.
    pub region: &'a str,
    /// What exists.
    pub live: &'a Live,
    /// The login nodes whose set-up failed.
    pub logins: &'a [LoginFailure],
    /// The directory of the rehearsal that runs.
    pub rehearsal: Option<&'a str>,
}

impl Status<'_> {
    /// As text.
    pub fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        let revision = self.live.revision.as_ref();
        let title = paint.bold(&format!("Cluster {}", self.cluster));
        if self.live.stacks.is_empty() {
            let _ = writeln!(out, "{title}  {}  nothing there", self.region);
            self.outside(paint, &mut out);
            return out;
        }
        let words = revision.map_or_else(|| "never applied to its end".to_owned(), revision_words);
        let _ = writeln!(out, "{title}  {}  {words}\n", self.region);
        for (key, stack) in &self.live.stacks {
            let status = stack.state.status.as_str();
            let status = if stack.state.status.can_update() { paint.green(status) } else { paint.red(status) };
            let _ = writeln!(out, "  stack {:<28} {status}", key.to_string());
        }
        for file_system in self.live.file_systems.values() {
            let state = &file_system.state;
            let export = file_system.last_export.as_ref().and_then(|task| task.ended);
            let export = export.map_or_else(|| "never exported".to_owned(), |at| format!("last full export {at}"));
            let gib = words::thousands(u64::from(state.capacity_gib));
            let _ = writeln!(out, "  file system {:<22} {}  {gib} GiB  {export}", state.id, state.lifecycle);
        }
        self.outside(paint, &mut out);
        for (queue, count) in self.compute() {
            let _ = writeln!(out, "  queue {queue:<28} {}", words::count(count, "instance"));
        }
        if let Some(report) = &self.live.slurm {
            slurm::text(report, self.live.at, paint, &mut out);
        }
        if let Some(head) = self.head() {
            let _ = writeln!(out, "  head node {head}");
        }
        let published = self.live.revision.as_ref().map(|revision| revision.number);
        let said = HeadNode::of(self.live).and_then(|node| head::state(&node, published, self.live.at));
        if let Some(said) = said {
            let _ = writeln!(out, "  {} {said}", paint.yellow("head node"));
        }
        for LoginFailure { instance, name, line, tries_again } in self.logins {
            let again = if *tries_again { "; it tries again" } else { "" };
            let _ = writeln!(out, "  {} {instance}  {name}  set-up failed: {line}{again}", paint.red("login node"));
        }
        for line in self.live.lock.iter().flat_map(words::lock) {
            let _ = writeln!(out, "  {} {line}", paint.yellow("locked"));
        }
        if let Some(directory) = self.rehearsal {
            let _ =
                writeln!(out, "  {} with Slurm on this machine; its logs are in {directory}", paint.green("rehearsed"));
        }
        out
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let stacks: BTreeMap<String, Value> = self
            .live
            .stacks
            .iter()
            .map(|(key, stack)| {
                let state = &stack.state;
                (
                    key.to_string(),
                    json!({"name": state.name, "status": state.status.as_str(), "outputs": state.outputs}),
                )
            })
            .collect();
        let file_systems: Vec<Value> = self
            .live
            .file_systems
            .values()
            .map(|file_system| json!({"state": file_system.state, "last_export": file_system.last_export}))
            .collect();
        let mut value = json!({
            "kind": "hpcctl.status",
            "format_version": "1.2",
            "cluster": self.cluster,
            "region": self.region,
            "revision": self.live.revision,
            "stacks": stacks,
            "file_systems": file_systems,
            "outside": self.live.outside,
            "kept": self.live.kept,
            "instances": self.live.instances,
            "head_node": self.head_json(),
            "login_failures": self.logins,
            "slurm": self.live.slurm,
            "lock": words::lock_json(self.live.lock.as_ref()),
        });
        if let Some(directory) = self.rehearsal {
            value["rehearsal"] = json!({ "directory": directory });
        }
        format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())
    }

    /// What is there beside the stacks: what nobody meant to be left, and what was kept.
    fn outside(&self, paint: Paint, out: &mut String) {
        for left in &self.live.outside {
            let words = paint.yellow("in no stack");
            let _ = writeln!(out, "  {:<18} {:<24} {words}", left.kind, left.id);
        }
        for kept in &self.live.kept {
            let (words, bill) = (super::kept::words(kept), super::kept::bill(kept));
            let _ = writeln!(out, "  kept {words}, since revision {}{bill}", kept.revision);
        }
    }

    fn compute(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for instance in &self.live.instances {
            if instance.is_compute() {
                let queue = instance.tags.get(QUEUE_TAG).map_or("?", String::as_str);
                *counts.entry(queue).or_insert(0) += 1;
            }
        }
        counts
    }

    fn head_json(&self) -> Value {
        let Some(HeadNode { instance, launched, reported, failed }) = HeadNode::of(self.live) else {
            return Value::Null;
        };
        let published = self.live.revision.as_ref().map(|revision| revision.number);
        let failed = failed.map(|failed| {
            let HeadFailure { revision, line, log, tries_again } = failed;
            json!({"revision": revision, "line": line, "log": log, "tries_again": tries_again})
        });
        json!({
            "instance": instance,
            "created": launched.map(|at| at.to_string()),
            "published": published,
            "reported": reported,
            "set_up_failed": failed,
        })
    }

    fn head(&self) -> Option<String> {
        let outputs = &self.live.stacks.get(&StackKey::Head)?.state.outputs;
        let of = |name: &str| outputs.get(name).cloned();
        let address = of("HeadElasticIp").or_else(|| of("HeadPrivateIp"))?;
        Some(format!("{}  {address}", of("HeadInstanceId")?))
    }
}

fn revision_words(revision: &Revision) -> String {
    format!("revision {} of {} by {}", revision.number, revision.at, revision.by)
}
