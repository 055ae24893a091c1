//! Queues (Slurm partitions) and their pools (sets of like nodes).

use super::{
    AbsolutePath, AmiId, Arn, CapacityReservationId, CustomActions, Feature, InstanceTypeName, Name, NodeIam,
    RootVolume, SecurityGroupId, SubnetId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A queue: one Slurm partition, one stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The partition's name.
    pub name: Name,
    /// Jobs that name no partition come here.
    #[serde(default)]
    pub default: bool,
    /// Launch the queue's nodes close together, in a cluster placement group of each pool.
    #[serde(default)]
    pub placement_group: bool,
    /// A placement group that exists already, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_placement_group: Option<String>,
    /// Elastic Fabric Adapter on every network card that can carry one.
    #[serde(default)]
    pub efa: bool,
    /// False: one thread per core.
    #[serde(default = "yes")]
    pub hyperthreading: bool,
    /// Run one job at a time on a node.
    #[serde(default)]
    pub exclusive: bool,
    /// The longest run time, as Slurm writes it: `minutes`, `HH:MM:SS`, `days-HH:MM:SS`, or `UNLIMITED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "a run time: `minutes`, `HH:MM:SS`, `days-HH:MM:SS` or `UNLIMITED`",
        regex(pattern = "^([0-9]+(:[0-9]{2}){0,2}|[0-9]+-[0-9]{1,2}(:[0-9]{2}){0,2}|UNLIMITED|INFINITE)$"),
        extend("examples" = ["08:00:00", "7-00:00:00"])
    )]
    pub max_time: Option<String>,
    /// The run time of jobs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "a run time: `minutes`, `HH:MM:SS` or `days-HH:MM:SS`",
        regex(pattern = "^([0-9]+(:[0-9]{2}){0,2}|[0-9]+-[0-9]{1,2}(:[0-9]{2}){0,2})$"),
        extend("examples" = ["01:00:00"])
    )]
    pub default_time: Option<String>,
    /// The fewest nodes a job of this queue may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_nodes_per_job: Option<u32>,
    /// The most nodes a job of this queue may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_nodes_per_job: Option<u32>,
    /// The order in which Slurm serves partitions: higher first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65533))]
    pub priority_tier: Option<u32>,
    /// What happens to jobs of this queue that a job of a higher tier preempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempt_mode: Option<PreemptMode>,
    /// Accounts that may use the queue; default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_accounts: Vec<String>,
    /// Unix groups that may use the queue; default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_groups: Vec<String>,
    /// Licences of which every job in this queue takes one each (see `slurm.licenses`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
    /// Other subnets than the network's `compute_subnets`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<SubnetId>,
    /// Security groups besides the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_security_groups: Vec<SecurityGroupId>,
    /// Give nodes a public address. A node with several network cards cannot have one.
    #[serde(default)]
    pub public_ip: bool,
    /// Another machine image than the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<AmiId>,
    /// The nodes' root volume.
    #[serde(default)]
    pub root_volume: RootVolume,
    /// Where local NVMe disks are mounted, as one striped file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_scratch: Option<AbsolutePath>,
    /// Seconds without work after which a node is given back; default: `slurm.idle_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    pub idle_seconds: Option<u32>,
    /// Check GPUs before a job starts on a node (nvidia-smi and DCGM).
    #[serde(default)]
    pub gpu_health_check: bool,
    /// Scripts of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_actions: Option<CustomActions>,
    /// Let jobs use the role of their nodes: with it they have its rights on S3, and all others that `iam` and hpcctl
    /// give to these nodes. Default: only root reaches the metadata service.
    #[serde(default)]
    pub jobs_may_use_role: bool,
    /// More rights for the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iam: Option<NodeIam>,
    /// Tags for the queue's nodes, besides the cluster's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Any other option of the partition line in slurm.conf.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"TRESBillingWeights": "cpu=30"}]))]
    pub partition_options: BTreeMap<String, String>,
    /// The pools. Slurm fills the pool with the lowest weight first.
    #[schemars(length(min = 1))]
    pub pools: Vec<Pool>,
}

impl Queue {
    /// Whether the nodes of a pool must be in one Availability Zone: EFA's traffic is not routed, and a cluster placement
    /// group lies in one. A reservation has its zone already, and EC2 finds it.
    pub fn in_one_zone(&self, pool: &Pool) -> bool {
        let reserved = matches!(pool.purchase, Purchase::CapacityBlock | Purchase::CapacityReservation);
        !reserved && (self.efa || self.placement_group || self.existing_placement_group.is_some())
    }
}

/// What happens to jobs that are preempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreemptMode {
    /// Jobs of this queue are never preempted.
    Off,
    /// Back into the queue.
    Requeue,
    /// Ended.
    Cancel,
    /// Stopped in place until the other job is done.
    Suspend,
}

/// A pool: a set of like nodes, bought one way, behind one launch template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The pool's name; nodes are called `QUEUE-POOL-NUMBER`.
    pub name: Name,
    /// How capacity is bought.
    #[serde(default)]
    pub purchase: Purchase,
    /// The instance types, the preferred one first. Slurm counts on the least of their CPUs, memory and GPUs.
    #[schemars(length(min = 1))]
    pub instance_types: Vec<InstanceTypeName>,
    /// Nodes that always run.
    #[serde(default)]
    #[schemars(range(min = 0, max = 64000))]
    pub min: u32,
    /// The most nodes.
    #[schemars(range(min = 1, max = 64000))]
    pub max: u32,
    /// Slurm's node weight: lower is used first. Default: the order in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4294967280u32))]
    pub weight: Option<u32>,
    /// Features that jobs ask for with `--constraint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// How EC2 chooses among instance types and subnets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
    /// The most to pay for a spot instance, in USD an hour; default: the on-demand price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0001, max = 1000.0))]
    pub spot_price: Option<f64>,
    /// What happens when EC2 takes a spot instance back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_interruption: Option<OnInterruption>,
    /// How jobs save their state before an interruption, with `on_interruption: checkpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The capacity reservation or capacity block to launch into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_reservation: Option<CapacityReservation>,
    /// Other subnets than the queue's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<SubnetId>,
    /// Memory in MiB that jobs may use on a node; default: 95 % of the smallest type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub schedulable_memory_mib: Option<u64>,
    /// Tags for the pool's nodes, besides the queue's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Any other option of the node line in slurm.conf.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_options: BTreeMap<String, String>,
}

/// How capacity is bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purchase {
    /// At the full price, kept until given back.
    #[default]
    OnDemand,
    /// At a discount, with a two-minute notice when EC2 wants it back.
    Spot,
    /// From an On-Demand Capacity Reservation.
    CapacityReservation,
    /// From a Capacity Block for ML.
    CapacityBlock,
}

/// How EC2 chooses among instance types and subnets (EC2 `CreateFleet` allocation strategies).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// The cheapest.
    LowestPrice,
    /// In the order of `instance_types` (on-demand).
    Prioritized,
    /// The deepest spot pools, so that interruptions are rarest (spot).
    CapacityOptimized,
    /// The deepest spot pools, but in the order of `instance_types` where that costs little (spot).
    CapacityOptimizedPrioritized,
    /// The deepest spot pools, then the cheapest (spot).
    PriceCapacityOptimized,
}

/// What happens when EC2 takes a spot instance back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnInterruption {
    /// End the jobs so that Slurm puts them back into the queue.
    #[default]
    Requeue,
    /// Save the jobs' state, then requeue.
    Checkpoint,
    /// Nothing: jobs die with the node.
    None,
}

/// How jobs save their state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The command that saves a job's state. It gets `SLURM_JOB_ID` and `HPCCTL_CHECKPOINT_DIR`.
    #[schemars(length(min = 1))]
    pub command: String,
    /// Where checkpoints are kept; on a shared file system.
    pub directory: AbsolutePath,
    /// Seconds that the command may take of the two minutes.
    #[serde(default = "budget_seconds")]
    #[schemars(range(min = 5, max = 100))]
    pub budget_seconds: u32,
    /// Save every so many minutes as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1440))]
    pub interval_minutes: Option<u32>,
}

/// The reservation to launch into: one by id, or a group of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityReservation {
    /// One reservation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CapacityReservationId>,
    /// A resource group of reservations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<Arn>,
}

fn yes() -> bool {
    true
}

fn budget_seconds() -> u32 {
    60
}
