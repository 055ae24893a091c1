//! What exists, as data.

use super::{FoundLock, HeldQueues, SetUpLog, SlurmReport};
use crate::{
    cloud::{
        Caller, FileSystemState, InstanceState, ResourceDrift, StackResource, StackState, TaskState, Timestamp,
        VolumeState,
    },
    model::StackKey,
    spec::{Architecture, Os},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The head node's configuration among the node files.
pub const HEAD_CONFIG: &str = "head/hpcctl.json";

/// What exists of a cluster, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// When it was looked at.
    pub at: Timestamp,
    /// Who looked; `None` for a plan without a cloud.
    pub caller: Option<Caller>,
    /// The artifact bucket and whether it is there.
    pub bucket: Option<Bucket>,
    /// The cluster's stacks.
    pub stacks: BTreeMap<StackKey, LiveStack>,
    /// The newest revision in the archive.
    pub revision: Option<Revision>,
    /// A revision after it that an apply began to archive, and never published.
    pub begun: Option<Begun>,
    /// Who works on the cluster at this moment.
    pub lock: Option<FoundLock>,
    /// The node files that the cluster has now, by path.
    pub files: BTreeMap<String, String>,
    /// The file systems of the storage stack, by logical id.
    pub file_systems: BTreeMap<String, LiveFileSystem>,
    /// What carries the cluster's tag, exists, and is in none of its stacks.
    pub outside: Vec<Outside>,
    /// What the cluster file kept when it left the cluster, as far as it is in no stack.
    pub kept: Vec<Kept>,
    /// Instances that carry the cluster's tag, those of stacks included.
    pub instances: Vec<InstanceState>,
    /// Volumes that carry the cluster's tag, root volumes of instances included, and those of others that its head node
    /// is to attach.
    pub volumes: Vec<VolumeState>,
    /// The newest images of vendors, where one is needed.
    pub images: BTreeMap<(Os, Architecture), String>,
    /// Name patterns of vendors' images for which there is none.
    pub images_missing: BTreeSet<String>,
    /// Images that the cluster's stacks were made with and that launch nothing any more.
    pub images_gone: BTreeSet<String>,
    /// The zones of subnets, where one is needed.
    pub zones: BTreeMap<String, String>,
    /// The ARNs of the roles in instance profiles of the user's, by the profile's name, where one is needed.
    pub profile_roles: BTreeMap<String, String>,
    /// What the head node last said of Slurm, when it has said something.
    pub slurm: Option<SlurmReport>,
    /// That an apply has the queues held for something that goes.
    pub held: Option<HeldQueues>,
    /// The log of the head node's set-up that failed last, when one has.
    pub set_up: Option<SetUpLog>,
    /// What is not as its template says, when it was looked for.
    pub drift: Option<BTreeMap<StackKey, Vec<ResourceDrift>>>,
}

/// The volumes in a head node's configuration that somebody else made: their names, and their ids.
pub fn brought_volumes(config: &str) -> Vec<(String, String)> {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let all = config.get("volumes").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| Some((text(one, "name")?, text(one, "volume_id")?))).collect()
}

impl Live {
    /// The volumes that the head node has to attach and somebody else made: their names in the cluster file, and their
    /// ids.
    pub fn brought_volumes(&self) -> Vec<(String, String)> {
        self.files.get(HEAD_CONFIG).map(|text| brought_volumes(text)).unwrap_or_default()
    }

    /// The highest number that a revision has, published or only begun; 0: there is none.
    pub fn newest_number(&self) -> u64 {
        let published = self.revision.as_ref().map_or(0, |revision| revision.number);
        self.begun.as_ref().map_or(published, |begun| begun.number.max(published))
    }
}

/// The artifact bucket of account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Whether the stack that gives it its settings exists.
    pub managed: bool,
}

/// A stack that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveStack {
    /// As CloudFormation describes it.
    pub state: StackState,
    /// Its template; `Null` when it is not JSON (somebody else made it).
    pub template: Value,
    /// Its resources.
    pub resources: Vec<StackResource>,
}

impl LiveStack {
    /// The physical id of a resource that is there.
    pub fn physical_id(&self, logical_id: &str) -> Option<&str> {
        let found = self.resources.iter().find(|one| one.logical_id == logical_id && one.is_there());
        found.map(|found| found.physical_id.as_str())
    }
}

/// Something that carries the cluster's tag and is in none of its stacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outside {
    /// Its kind, such as `security-group` or `file system`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// Something that was kept when it left the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its name in plans.
    pub address: String,
    /// Its type.
    pub resource_type: String,
    /// The revision that kept it.
    pub revision: u64,
    /// The VPC of the cluster's own network, when it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// What a snapshot was made of: its id. A snapshot whose own id nobody knows has the same for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_of: Option<String>,
    /// Its size, where that is known, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gib: Option<u32>,
}

/// A file system that exists, and the last export from it.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveFileSystem {
    /// As FSx describes it.
    pub state: FileSystemState,
    /// The last export that succeeded.
    pub last_export: Option<TaskState>,
}

/// A revision in the archive (`clusters/NAME/head.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number, from 1.
    pub number: u64,
    /// The plan that made it.
    pub plan: String,
    /// When.
    pub at: Timestamp,
    /// By whom (an ARN).
    pub by: String,
    /// SHA-256 of the cluster file.
    pub source_sha256: String,
}

/// A revision whose archive was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub number: u64,
    /// The plan that began it; empty when that is not in the archive.
    pub plan: String,
    /// The digest of everything that it renders; empty when that is not in the archive.
    pub rendered_digest: String,
}

/// Keys below a cluster's prefix in the artifact bucket.
pub mod keys {
    /// The cluster's prefix.
    pub fn prefix(cluster: &str) -> String {
        format!("clusters/{cluster}/")
    }

    /// The newest revision.
    pub fn head(cluster: &str) -> String {
        format!("clusters/{cluster}/head.json")
    }

    /// The list of what was kept. It outlives the cluster.
    pub fn kept(cluster: &str) -> String {
        format!("kept/{cluster}.json")
    }

    /// The lock.
    pub fn lock(cluster: &str) -> String {
        format!("clusters/{cluster}/lock.json")
    }

    /// That an apply has the queues held for something that goes.
    pub fn held(cluster: &str) -> String {
        format!("clusters/{cluster}/held.json")
    }

    /// The objects from which nodes learn their names.
    pub fn launches(cluster: &str) -> String {
        format!("clusters/{cluster}/launches/")
    }

    /// What the head node reports of Slurm.
    pub fn slurm_report(cluster: &str) -> String {
        format!("clusters/{cluster}/status/slurm.json")
    }

    /// The log of the head node's set-up that failed last.
    pub fn set_up_log(cluster: &str) -> String {
        format!("clusters/{cluster}/status/set-up.log")
    }

    /// A file that nodes fetch.
    pub fn current(cluster: &str, path: &str) -> String {
        format!("clusters/{cluster}/current/{path}")
    }

    /// hpcctl for nodes with this kind of processor; shared by all clusters.
    pub fn program(machine: &str) -> String {
        format!("bin/hpcctl-{}-{machine}", env!("CARGO_PKG_VERSION"))
    }

    /// Its SHA-256 in hexadecimal.
    pub fn program_digest(machine: &str) -> String {
        format!("{}.sha256", program(machine))
    }

    /// The archive: a directory for each revision.
    pub fn revisions(cluster: &str) -> String {
        format!("clusters/{cluster}/revisions/")
    }

    /// A file of a revision's archive.
    pub fn archive(cluster: &str, revision: u64, path: &str) -> String {
        format!("clusters/{cluster}/revisions/{revision:06}/{path}")
    }

    /// A template in the archive of a revision.
    pub fn template(cluster: &str, revision: u64, stack: &str) -> String {
        archive(cluster, revision, &format!("templates/{stack}.json"))
    }

    /// The name of the template of a stack between what it is and what it is to be.
    pub fn between(stack: &str) -> String {
        format!("{stack}.between")
    }

    /// A report of a data-repository task.
    pub fn bucket_name(account: &str, region: &str) -> String {
        format!("hpcctl-{account}-{region}")
    }
}
