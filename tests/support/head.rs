//! A head node on the sandbox: the files that `apply` publishes, and a `scontrol` that writes down what it is asked.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use super::{Built, build, carry_out_well, on_sandbox, plan_for};
use hpcctl::{
    cloud::{
        Cloud, InstanceState,
        sandbox::{Fault, HeadFault, HeadTrouble, Sandbox},
    },
    node::{Cluster, Event, Home, hostlist},
};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// A small cluster: one queue with one pool, five nodes on demand.
pub const CLUSTER: &str = r"
version: 1
name: head
region: eu-west-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: { instance_type: c5.large }
queues:
  - name: q
    default: true
    pools:
      - { name: od, instance_types: [c5.xlarge], max: 5 }
";

/// What `scontrol` does: one line for each call in `calls`; nodes are shown as `nodes` has them.
const SCONTROL: &str = r#"#!/bin/bash
here=$(dirname "$0")
printf '%s\n' "$*" >>"$here/calls"
case "$*" in
*"show node"*) cat "$here/nodes" 2>/dev/null ;;
*"show partition"*) cat "$here/partitions" 2>/dev/null || echo "PartitionName=q State=UP" ;;
*"show config"*) echo "BOOT_TIME = $(cat "$here/booted" 2>/dev/null)" ;;
*) [ ! -e "$here/refuse" ] || { cat "$here/refuse" >&2; exit 1; } ;;
esac
"#;

/// What `squeue` does: jobs are shown as `jobs` has them.
const SQUEUE: &str = r#"#!/bin/bash
cat "$(dirname "$0")/jobs" 2>/dev/null || true
"#;

pub struct Head {
    pub sandbox: Sandbox,
    pub cloud: Cloud,
    pub home: Home,
    pub cluster: Cluster,
    pub built: Built,
    pub bin: PathBuf,
    folder: PathBuf,
}

impl Drop for Head {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Head {
    /// The head node of a cluster that was applied to an empty sandbox.
    pub fn of(name: &str, yaml: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hpcctl-head-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let (etc, state, bin) = (folder.join("etc"), folder.join("state"), folder.join("bin"));
        for one in [&etc, &state, &bin] {
            fs::create_dir_all(one).unwrap();
        }
        let built = build(name, yaml);
        let sandbox = Sandbox::in_memory(&built.graph.region);
        let cloud = sandbox.cloud();
        let cluster_json = on_sandbox(async {
            let plan = plan_for(&cloud, &built).await;
            carry_out_well(&cloud, &plan).await;
            let key = format!("clusters/{}/current/cluster.json", built.graph.cluster);
            cloud.objects.get(plan.content.bucket.as_ref().unwrap(), &key).await.unwrap().unwrap().0
        });
        // From here on the test is the head node: the sandbox's own must not report beside it.
        let silent = HeadFault { cluster: None, trouble: HeadTrouble::Silent, log: None };
        sandbox.add_fault(Fault::HeadNode(silent));
        fs::write(etc.join("cluster.json"), cluster_json).unwrap();
        let mut config: serde_json::Value =
            serde_json::from_str(&built.rendered.files["head/hpcctl.json"].content).unwrap();
        config["slurm_bin"] = bin.to_str().unwrap().into();
        fs::write(etc.join("hpcctl.json"), config.to_string()).unwrap();
        for (name, text) in [("scontrol", SCONTROL), ("squeue", SQUEUE)] {
            fs::write(bin.join(name), text).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let home = Home { etc, state };
        let cluster = Cluster::load(&home).unwrap();
        Self { sandbox, cloud, home, cluster, built, bin, folder }
    }

    /// What `scontrol` was asked since the last look.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.bin.join("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.bin.join("calls"));
        text.lines().map(str::to_owned).collect()
    }

    /// What slurmctld says of nodes.
    pub fn show(&self, list: &str, states: &str) {
        let line = |name: String| format!("NodeName={name} State={states} Partitions=q\n");
        let text: String = hostlist::expand(list).unwrap().into_iter().map(line).collect();
        fs::write(self.bin.join("nodes"), text).unwrap();
    }

    /// What slurmctld says of single nodes: `NAME STATES`, and a reason where there is one.
    pub fn show_each(&self, nodes: &[(&str, &str, &str)]) {
        let line = |(name, states, reason): &(&str, &str, &str)| {
            let reason = if reason.is_empty() { String::new() } else { format!(" Reason={reason} [root@now]") };
            format!("NodeName={name} State={states} Partitions=q{reason}\n")
        };
        fs::write(self.bin.join("nodes"), nodes.iter().map(line).collect::<String>()).unwrap();
    }

    /// A file beside the stand-ins: `partitions`, `jobs`, `booted`.
    pub fn say(&self, file: &str, text: &str) {
        fs::write(self.bin.join(file), text).unwrap();
    }

    /// A folder beside the head node's own.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The cluster's compute nodes in EC2.
    pub fn instances(&self) -> Vec<InstanceState> {
        let all = on_sandbox(self.cloud.compute.instances_of(&self.built.graph.cluster)).unwrap();
        let compute = |one: &InstanceState| one.tags.get("hpcctl:role").is_some_and(|role| role == "compute");
        all.into_iter().filter(|one| compute(one) && one.state != "shutting-down").collect()
    }
}

/// Events as lines.
pub fn lines(events: &[Event]) -> Vec<String> {
    let at = hpcctl::cloud::Timestamp(0);
    let text = events.iter().flat_map(|event| hpcctl::report::node::event_lines(at, event));
    text.map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}
