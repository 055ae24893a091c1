//! What `hpcctl node` reads on the nodes: `hpcctl.json` on the head node, a file for each pool on its nodes.

use super::{
    site::{Site, SitePool},
    slurm_facts::packaged_slurm,
};
use crate::{
    model::{HEAD_DATA, PoolTemplate, StackKey, names::camel, pool_templates},
    spec::{Allocation, Checkpoint, Cluster, OnInterruption, Pool, Purchase, Queue, Scaling, Storage},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `hpcctl.json`: how `hpcctl node resume` launches nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeConfig {
    /// `hpcctl/node-config`.
    pub kind: String,
    /// `1.0`.
    pub format_version: String,
    /// The cluster's name.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// The version of the distribution's own Slurm, such as `22.05`; `None` where Slurm comes with the image.
    #[serde(default)]
    pub slurm: Option<String>,
    /// The directory of Slurm's commands.
    pub slurm_bin: String,
    /// slurm.conf.
    pub slurm_conf: String,
    /// What happens when EC2 cannot give all the nodes of a job.
    pub scaling: Scaling,
    /// Seconds that a pool rests after EC2 had no capacity for it.
    pub capacity_cooldown_seconds: u32,
    /// Failed node starts in a row after which a queue stops launching; 0: never.
    pub protected_failure_count: u32,
    /// Seconds from launch to work after which a node has failed.
    pub resume_timeout_seconds: u32,
    /// The volumes that the head node attaches at boot.
    #[serde(default)]
    pub volumes: Vec<NodeVolume>,
    /// The queues, in the order of the cluster file.
    pub queues: Vec<NodeQueue>,
}

/// A volume in `hpcctl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeVolume {
    /// Its name: that of `storage`, or `head_data`.
    pub name: String,
    /// Its id, when the cluster file says it; else `cluster.json` does.
    pub volume_id: Option<String>,
    /// Its size in GiB as the cluster file has it, when the cluster makes it. Nobody reads it: a larger one is a new file,
    /// which the head node takes over, and then the file system on the volume grows.
    pub size_gib: Option<u32>,
    /// Where it is mounted, when it is one of `storage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
}

/// A queue in `hpcctl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeQueue {
    /// Its name, that of the partition.
    pub name: String,
    /// Its pools, in the order of the cluster file.
    pub pools: Vec<NodePool>,
}

/// A pool in `hpcctl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodePool {
    /// Its name.
    pub name: String,
    /// What the names of its nodes begin with; a number from 1 to `max` follows.
    pub node_prefix: String,
    /// Nodes that always run: the numbers 1 to `min`.
    pub min: u32,
    /// The most nodes.
    pub max: u32,
    /// How capacity is bought.
    pub purchase: Purchase,
    /// How EC2 chooses among types and subnets; none: EC2's own way.
    pub allocation: Option<Allocation>,
    /// The most to pay for a spot instance in USD an hour; none: the on-demand price.
    pub spot_price: Option<f64>,
    /// The instance types, the preferred one first.
    pub instance_types: Vec<String>,
    /// The launch templates: one, or one for each instance type where types need different ones.
    pub launch_templates: Vec<NodeTemplate>,
    /// The stack whose outputs `subnets_output`, `id_output` and `version_output` are: `queue.cfd`.
    pub stack: String,
    /// The subnets that the cluster file names; none when the cluster's network was created.
    pub subnets: Vec<String>,
    /// The output with the subnets' ids, joined by commas.
    pub subnets_output: String,
    /// Tags of the nodes beyond hpcctl's own: the cluster's, the queue's, the pool's; the nearest wins.
    pub tags: BTreeMap<String, String>,
}

/// A launch template in `hpcctl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeTemplate {
    /// Its name in EC2.
    pub name: String,
    /// The output with its id.
    pub id_output: String,
    /// The output with its newest version.
    pub version_output: String,
    /// The instance types that are launched from it.
    pub instance_types: Vec<String>,
}

/// `QUEUE/POOL.json`: what a compute node does when EC2 takes it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolConfig {
    /// `hpcctl/pool-config`.
    pub kind: String,
    /// `1.0`.
    pub format_version: String,
    /// The cluster's name.
    pub cluster: String,
    /// The region.
    pub region: String,
    /// The queue.
    pub queue: String,
    /// The pool.
    pub pool: String,
    /// Whether the node looks out for the interruption notice.
    pub watch: bool,
    /// What happens at the notice.
    pub on_interruption: OnInterruption,
    /// How jobs save their state, when they do.
    pub checkpoint: Option<Checkpoint>,
    /// Lustre mounts, to unmount before the end so that the servers need not wait for a client that is gone.
    pub lustre_mounts: Vec<String>,
    /// The directory of Slurm's commands.
    pub slurm_bin: String,
}

impl NodeConfig {
    pub(super) fn of(site: &Site<'_>) -> Self {
        let settings = &site.cluster.slurm;
        let queue = |queue: &Queue| NodeQueue {
            name: queue.name.to_string(),
            pools: site.pools_of(queue).map(|one| node_pool(site, one)).collect(),
        };
        Self {
            kind: "hpcctl/node-config".to_owned(),
            format_version: "1.0".to_owned(),
            cluster: site.cluster.name.to_string(),
            region: site.cluster.region.to_string(),
            slurm: packaged_slurm(&site.cluster.image).map(str::to_owned),
            slurm_bin: site.slurm.bin.clone(),
            slurm_conf: format!("{}/slurm.conf", site.slurm.etc),
            scaling: settings.scaling,
            capacity_cooldown_seconds: settings.capacity_cooldown_seconds,
            protected_failure_count: settings.protected_failure_count,
            resume_timeout_seconds: settings.resume_timeout_seconds,
            volumes: volumes(site.cluster),
            queues: site.cluster.queues.iter().map(queue).collect(),
        }
    }
}

fn volumes(cluster: &Cluster) -> Vec<NodeVolume> {
    let size_gib = Some(cluster.head_data_gib());
    let data = NodeVolume { name: HEAD_DATA.to_owned(), volume_id: None, size_gib, mount: None };
    let of = |one: &Storage| {
        let ebs = one.ebs.as_ref()?;
        let volume_id = ebs.volume_id.as_ref().map(ToString::to_string);
        let size_gib = volume_id.is_none().then_some(ebs.size_gib);
        let mount = Some(one.mount.to_string());
        Some(NodeVolume { name: one.name.to_string(), volume_id, size_gib, mount })
    };
    [data].into_iter().chain(cluster.storage.iter().filter_map(of)).collect()
}

fn node_pool(site: &Site<'_>, one: &SitePool<'_>) -> NodePool {
    let SitePool { queue, pool, .. } = one;
    let own = [&pool.subnets, &queue.subnets, &site.cluster.network.compute_subnets];
    let subnets = own.into_iter().find(|subnets| !subnets.is_empty());
    let tags = [&site.cluster.tags, &queue.tags, &pool.tags];
    let templates = pool_templates(site.cluster.name.as_str(), queue, pool, site.catalog);
    NodePool {
        name: pool.name.to_string(),
        node_prefix: one.prefix(),
        min: pool.min,
        max: pool.max,
        purchase: pool.purchase,
        allocation: pool.allocation,
        spot_price: pool.spot_price,
        instance_types: pool.instance_types.iter().map(|name| name.to_string()).collect(),
        launch_templates: templates.iter().map(node_template).collect(),
        stack: StackKey::Queue(queue.name.to_string()).to_string(),
        subnets_output: format!("Subnets{}", camel(pool.name.as_str())),
        subnets: subnets.into_iter().flatten().map(|subnet| subnet.to_string()).collect(),
        tags: tags.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

fn node_template(of: &PoolTemplate) -> NodeTemplate {
    let PoolTemplate { logical_id, name, instance_types, .. } = of;
    NodeTemplate {
        name: name.clone(),
        id_output: format!("{logical_id}Id"),
        version_output: format!("{logical_id}Version"),
        instance_types: instance_types.iter().map(|(_, name)| name.to_string()).collect(),
    }
}

impl PoolConfig {
    pub(super) fn of(site: &Site<'_>, one: &SitePool<'_>) -> Self {
        let Pool { name, on_interruption, .. } = one.pool;
        let lustre = site.cluster.storage.iter().filter(|storage| storage.fsx_lustre.is_some());
        Self {
            kind: "hpcctl/pool-config".to_owned(),
            format_version: "1.0".to_owned(),
            cluster: site.cluster.name.to_string(),
            region: site.cluster.region.to_string(),
            queue: one.queue.name.to_string(),
            pool: name.to_string(),
            watch: one.watched(),
            on_interruption: on_interruption.unwrap_or_default(),
            checkpoint: one.checkpoint().cloned(),
            lustre_mounts: lustre.map(|storage| storage.mount.to_string()).collect(),
            slurm_bin: site.slurm.bin.clone(),
        }
    }
}
