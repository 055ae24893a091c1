//! The root of the cluster file.

use super::{
    Accounting, Arn, Budget, ClusterName, DirectoryService, HeadNode, Image, LoginPool, Monitoring, Network, Queue,
    Region, Slurm, Storage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A Slurm cluster on AWS, as one file describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The version of this format. Today there is one: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The cluster's name. It begins the name of every stack and is the Slurm cluster name.
    pub name: ClusterName,
    /// The AWS region in which everything is built.
    pub region: Region,
    /// Tags put on every resource and instance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"project": "fds"}]))]
    pub tags: BTreeMap<String, String>,
    /// Where the cluster lives: subnets that exist, or a network to create.
    pub network: Network,
    /// The operating system or machine image of all nodes.
    #[serde(default)]
    pub image: Image,
    /// The node that runs slurmctld.
    pub head_node: HeadNode,
    /// Pools of nodes on which people log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_nodes: Vec<LoginPool>,
    /// The queues; a queue is a Slurm partition.
    #[schemars(length(min = 1))]
    pub queues: Vec<Queue>,
    /// Shared file systems, mounted on every node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub storage: Vec<Storage>,
    /// Where Slurm keeps its job accounting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounting: Option<Accounting>,
    /// Settings of Slurm itself.
    #[serde(default)]
    pub slurm: Slurm,
    /// Limits for all IAM resources of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam: Option<ClusterIam>,
    /// Logs, dashboard and alarms.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// A monthly budget for everything tagged with the cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Users from a directory (not supported yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory_service: Option<DirectoryService>,
    /// Refuse every deletion of the cluster's stacks until this is false again (CloudFormation termination
    /// protection).
    #[serde(default)]
    pub deletion_protection: bool,
}

/// Limits for all IAM resources of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterIam {
    /// A policy that bounds every role of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Arn>,
    /// The IAM path of roles, policies and instance profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "an IAM path such as `/hpc/`",
        regex(pattern = "^/([!-~]+/)?$"),
        extend("examples" = ["/hpc/"])
    )]
    pub path: Option<String>,
}

impl Cluster {
    /// Whether a file system of the cluster is mounted at `/home`; else homes are on the head node's data volume.
    pub fn mounts_home(&self) -> bool {
        self.storage.iter().any(|one| one.mount.as_str().trim_end_matches('/') == "/home")
    }

    /// The size of the volume with the head node's lasting data, in GiB: Slurm's state alone needs little.
    pub fn head_data_gib(&self) -> u32 {
        self.head_node.data_volume.size_gib.unwrap_or(if self.mounts_home() { 10 } else { 100 })
    }
}
