//! What a person sees when AWS would refuse a change, and when approvals are missing: through the program.

#![allow(clippy::unwrap_used)]

use hpcctl::cloud::sandbox::{Sandbox, Script};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

const CLUSTER: &str = r#"version: 1
name: rf
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 4 } ] } ]
storage:
  - { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: discard } }
  - { name: v, mount: /v, ebs: { size_gib: 100 } }
"#;

/// A folder with a sandbox in which the cluster was made.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hpcctl-refused-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let place = Self(folder);
        let made = place.run(&["apply"], CLUSTER, &["--auto-approve"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place
    }

    fn run(&self, command: &[&str], text: &str, arguments: &[&str]) -> Output {
        let file = self.0.join("rf.yaml");
        fs::write(&file, text).unwrap();
        Command::new(env!("CARGO_BIN_EXE_hpcctl"))
            .args(["--cloud", "sandbox", "--sandbox-state"])
            .arg(self.0.join("sandbox.json"))
            .args(command)
            .arg(&file)
            .args(arguments)
            .env("HPCCTL_CATALOG", "/nonexistent")
            .env_remove("HPCCTL_SANDBOX_FAULTS")
            .output()
            .unwrap()
    }
}

impl Place {
    /// Somebody stops the head node.
    fn stop_head(&self) {
        let state = self.0.join("sandbox.json");
        let sandbox = Sandbox::open_with(&state, "eu-west-1", Script::default(), None).unwrap();
        let cloud = sandbox.cloud();
        let stop = async {
            let all = cloud.compute.instances_of("rf").await.unwrap();
            let head = all.iter().find(|one| one.has_role("head")).unwrap();
            cloud.compute.stop(&head.id).await.unwrap();
        };
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(stop);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_refused_plan_names_place_reason_and_remedy() {
    let place = Place::new("refused");
    let smaller = CLUSTER.replace("2400", "1200").replace("size_gib: 100", "size_gib: 50");
    for command in ["plan", "apply"] {
        let output = place.run(&[command], &smaller, &[]);
        let text = err(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        for words in [
            "error HPC2110",
            "rf.yaml:8  storage.p  StorageCapacity  2400 -> 1200  HPC2110",
            "rf.yaml:9  storage.v  Size  100 -> 50  HPC2110",
            "under another name",
            "https://docs.aws.amazon.com/fsx/",
        ] {
            assert!(text.contains(words), "`{words}` is not in\n{text}");
        }
    }
    let moved = place.run(&["plan"], &CLUSTER.replace("create: {}", "create: { cidr: 10.43.0.0/16 }"), &[]);
    assert!(err(&moved).contains("error HPC2112") && err(&moved).contains("rf.yaml:4  network.vpc"), "{}", err(&moved));
}

#[test]
fn a_volume_leaves_by_the_head_node_and_stays_where_that_is_stopped() {
    let place = Place::new("attached");
    let less: String =
        CLUSTER.lines().filter(|line| !line.contains("name: v,")).map(|line| format!("{line}\n")).collect();
    let planned = place.run(&["plan"], &less, &[]);
    let text = String::from_utf8_lossy(&planned.stdout).into_owned();
    for words in [
        "drain queues q",
        "on the head node, and detach the volumes",
        "a snapshot of volume `v` of 100 GiB is made first",
        "jobs that run in q end first",
    ] {
        assert!(text.contains(words), "`{words}` is not in\n{text}{}", err(&planned));
    }
    place.stop_head();
    for command in ["plan", "apply"] {
        let output = place.run(&[command], &less, &[]);
        let text = err(&output);
        assert_eq!(output.status.code(), Some(3), "{text}");
        for words in
            ["error HPC2132", "storage.v: the head node i-", "which is stop", "has vol-", "start it, and plan again"]
        {
            assert!(text.contains(words), "`{words}` is not in\n{text}");
        }
    }
}

#[test]
fn what_may_replace_data_asks_for_the_same_approval() {
    let place = Place::new("open");
    let faster = CLUSTER.replace("throughput_per_tib: 125", "throughput_per_tib: 250");
    let refused = place.run(&["apply"], &faster, &["--auto-approve"]);
    assert_eq!(refused.status.code(), Some(3), "{}", err(&refused));
    assert!(err(&refused).contains("HPC2041") && err(&refused).contains("storage.p"), "{}", err(&refused));
    let approved = place.run(&["apply"], &faster, &["--auto-approve", "--approve-data-loss", "storage.p"]);
    assert_eq!(approved.status.code(), Some(0), "{}", err(&approved));
}

#[test]
fn the_impact_of_a_restart_is_said() {
    let place = Place::new("restart");
    let output = place.run(&["plan"], &CLUSTER.replace("c5.xlarge", "c5.4xlarge"), &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in
        ["# stops and starts it", "the head node is stopped and started", "its public address, if it has one, changes"]
    {
        assert!(text.contains(words), "`{words}` is not in\n{text}");
    }
}
