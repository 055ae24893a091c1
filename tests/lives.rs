//! Clusters that nobody wrote live a life that nobody planned, and go: nothing that should have been exported is missing, nothing
//! tagged is left.
//!
//! A sample runs by default; `HPCCTL_ALL_LIVES=1` lives 300 (`docs/reliability.md`). The lives are the same on every machine.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "fuzz/mutate.rs"]
#[allow(dead_code)]
mod mutate;
mod support;

use hpcctl::{
    apply,
    cloud::{
        Cloud,
        sandbox::{HandEdit, Launch, Sandbox},
    },
    plan::Goal,
};
use mutate::Dice;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use support::*;

const EXPORTS: &str = "laws-bucket";

fn lives() -> u64 {
    if std::env::var_os("HPCCTL_ALL_LIVES").is_some() { 300 } else { 16 }
}

/// What happened in the lives, by name: a life that nothing happens in proves nothing.
type Happened = BTreeMap<&'static str, usize>;

/// A cluster and its account.
struct Life {
    sandbox: Sandbox,
    cloud: Cloud,
    built: Built,
    dice: Dice,
    happened: Vec<&'static str>,
}

impl Life {
    /// The id of its Lustre file system, when it has one.
    async fn lustre(&self) -> Option<String> {
        look(&self.cloud, &self.built).await.file_systems.into_values().next().map(|one| one.state.id)
    }

    /// Slurm launches a node.
    fn node(&mut self) {
        let spot = self.dice.below(2) == 0;
        let tags = [("hpcctl:cluster", "made-up"), ("hpcctl:role", "compute"), ("hpcctl:queue", "q0")];
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let instance_type = "c5.xlarge".to_owned();
        self.sandbox.launch(Launch { instance_type, spot, tags, ..Launch::default() }).unwrap();
        self.happened.push("a node runs");
    }

    /// A job writes files that no export has seen.
    async fn files(&mut self) {
        let Some(id) = self.lustre().await else { return };
        for number in 0..=self.dice.below(5) {
            let path = format!("results/run {}/é{number}.dat", self.dice.below(1000));
            self.sandbox.write_file(&id, &path, self.dice.roll() % 1_000_000).unwrap();
        }
        self.happened.push("files are written");
    }

    /// Somebody changes or deletes something by hand.
    async fn hand(&mut self) {
        let edits = [
            ("AWS::EC2::SecurityGroup", "SecurityGroupIngress", json!([{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}])),
            ("AWS::Logs::LogGroup", "RetentionInDays", json!(1)),
            ("AWS::Logs::LogGroup", "", Value::Null),
            ("AWS::CloudWatch::Dashboard", "", Value::Null),
            ("AWS::IAM::Role", "Policies", json!([])),
        ];
        let (kind, path, value) = self.dice.pick(&edits).clone();
        let live = look(&self.cloud, &self.built).await;
        let found = live.stacks.values().find_map(|stack| {
            let resource = stack.resources.iter().find(|resource| resource.resource_type == kind)?;
            Some((stack.state.name.clone(), resource.logical_id.clone()))
        });
        let Some((stack, logical_id)) = found else { return };
        self.sandbox.hand_edit(HandEdit { stack, logical_id, path: path.to_owned(), value }).unwrap();
        self.happened.push(if path.is_empty() {
            "something is deleted by hand"
        } else {
            "something is changed by hand"
        });
    }

    /// The file is changed and applied.
    async fn update(&mut self) {
        let mut value: Value = serde_yaml::from_str(&self.built.document.text).unwrap();
        let days = *self.dice.pick(&[7, 14, 30]);
        value["monitoring"]["logs"] = json!({ "retention_days": days });
        if self.dice.below(2) == 0 {
            value["head_node"]["key_name"] = json!(format!("key-{days}"));
        }
        self.built = build("cluster.yaml", &serde_yaml::to_string(&value).unwrap());
        let plan = plan_for(&self.cloud, &self.built).await;
        let applied = carry_out(&self.cloud, &plan).await;
        // What was deleted by hand may stop an update; then the cluster goes in the middle of it.
        self.happened.push(if applied.failed.is_empty() { "an update is applied" } else { "an update fails" });
    }

    async fn day(&mut self) {
        match self.dice.below(6) {
            0 | 1 => self.files().await,
            2 => self.node(),
            3 => self.hand().await,
            4 => self.update().await,
            _ => {
                let hours = 1 + self.dice.below(72) as u64;
                self.sandbox.advance(Duration::from_secs(hours * 3600));
                self.happened.push("time passes");
            }
        }
    }

    /// Destroys the cluster; what is wrong afterwards.
    async fn end(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        let files = match self.lustre().await {
            Some(id) => self.sandbox.files(&id).unwrap(),
            None => Vec::new(),
        };
        let destroy = plan_destroy(&self.cloud, &self.built).await;
        assert_eq!(destroy.goal, Goal::Destroy);
        let applied = carry_out(&self.cloud, &destroy).await;
        if !applied.failed.is_empty() {
            wrong.push(format!("destroy failed: {:?}", applied.failed));
        }
        let exported = self.cloud.objects.list(EXPORTS, "results/").await.unwrap_or_default();
        let exported: BTreeSet<String> = exported.into_iter().map(|object| object.key).collect();
        let missing: Vec<&String> =
            files.iter().filter(|file| !exported.contains(&format!("results/{file}"))).collect();
        if !missing.is_empty() {
            wrong.push(format!("{} of {} files were not exported: {missing:?}", missing.len(), files.len()));
        }
        if !files.is_empty() {
            self.happened.push("files are exported at the end");
        }
        let paths = &destroy.content.role_paths;
        let left = apply::leftovers(&self.cloud, &self.built.graph.cluster, paths).await.unwrap();
        // RDS keeps a last snapshot on purpose.
        let left: Vec<_> = left.into_iter().filter(|one| one.kind != "snapshot").collect();
        if !left.is_empty() {
            wrong.push(format!("left: {left:?}"));
        }
        if !plan_destroy(&self.cloud, &self.built).await.is_empty() {
            wrong.push("there is something to destroy still".to_owned());
        }
        wrong
    }
}

/// One life, from a number.
async fn live(number: u64, text: &str, happened: &mut Happened) -> Vec<String> {
    let built = build("cluster.yaml", text);
    let sandbox = Sandbox::in_memory("eu-west-1");
    let cloud = sandbox.cloud();
    let mut life = Life { sandbox, cloud, built, dice: Dice::new(number + 1), happened: Vec::new() };
    carry_out_well(&life.cloud, &plan_for(&life.cloud, &life.built).await).await;
    for _ in 0..1 + life.dice.below(7) {
        life.day().await;
    }
    let wrong = life.end().await;
    let story = life.happened.join(", ");
    life.happened.iter().for_each(|what| *happened.entry(what).or_default() += 1);
    wrong.into_iter().map(|what| format!("life {number} ({story}): {what}")).collect()
}

#[test]
fn whatever_was_lived_nothing_is_lost_and_nothing_is_left() {
    let mut runner = TestRunner::deterministic();
    let (mut happened, mut wrong) = (Happened::new(), Vec::new());
    for number in 0..lives() {
        let text = clusters().new_tree(&mut runner).unwrap().current();
        wrong.extend(on_sandbox(live(number, &text, &mut happened)));
    }
    println!("{} lives, {} deviations; {happened:?}", lives(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for what in ["a node runs", "files are written", "something is changed by hand", "files are exported at the end"] {
        assert!(happened.contains_key(what), "never: {what}");
    }
}
