//! The cluster as its head node knows it.

use super::{Home, NodeError, Slurm};
use crate::{
    cloud::{CLUSTER_TAG, FleetPurchase, FleetStrategy, FleetTemplate, POOL_TAG, QUEUE_TAG, ROLE_TAG},
    model::HEAD_DATA,
    render::{NodeConfig, NodePool, NodeQueue, NodeVolume},
    spec::{Allocation, Purchase},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The cluster: `hpcctl.json` (from its file) and `cluster.json` (from its stacks).
#[derive(Debug, Clone)]
pub struct Cluster {
    /// What the cluster file says.
    pub config: NodeConfig,
    /// What the stacks say.
    facts: Value,
}

/// A pool and its queue.
#[derive(Debug, Clone, Copy)]
pub struct PoolRef<'c> {
    /// The queue.
    pub queue: &'c NodeQueue,
    /// The pool.
    pub pool: &'c NodePool,
}

impl Cluster {
    /// Reads both files.
    ///
    /// # Errors
    /// When one is not there or not readable.
    pub fn load(home: &Home) -> Result<Self, NodeError> {
        Ok(Self { config: home.published("hpcctl.json")?, facts: home.published("cluster.json")? })
    }

    /// All pools, in the order of the cluster file.
    pub fn pools(&self) -> impl Iterator<Item = PoolRef<'_>> {
        self.config.queues.iter().flat_map(|queue| queue.pools.iter().map(move |pool| PoolRef { queue, pool }))
    }

    /// The pool of a node, by the node's name.
    pub fn pool_of(&self, node: &str) -> Option<PoolRef<'_>> {
        self.pools().find(|one| one.has(node))
    }

    /// Slurm's commands here.
    pub fn slurm(&self) -> Slurm {
        Slurm::new(&self.config.slurm_bin, &self.config.slurm_conf)
    }

    /// The artifact bucket.
    ///
    /// # Errors
    /// When `cluster.json` is older than hpcctl and does not name it.
    pub fn bucket(&self) -> Result<&str, NodeError> {
        let bucket = self.facts.get("artifact_bucket").and_then(Value::as_str);
        bucket.ok_or_else(|| NodeError::Missing("the artifact bucket".to_owned()))
    }

    /// The revision of the configuration that is in place here.
    pub fn revision(&self) -> u64 {
        self.facts.get("revision").and_then(Value::as_u64).unwrap_or_default()
    }

    /// What the stacks say, as it is in place here.
    pub(super) fn facts(&self) -> &Value {
        &self.facts
    }

    /// The key under which compute nodes find what a launch called them.
    pub fn launch_key(&self, launch: &str) -> String {
        format!("clusters/{}/launches/{launch}.json", self.config.cluster)
    }

    /// The volumes that the head node attaches: name and id.
    ///
    /// # Errors
    /// When `cluster.json` does not say one that the stacks made.
    pub fn volumes(&self) -> Result<Vec<(String, String)>, NodeError> {
        let fact = |name: &str| {
            let of = if name == HEAD_DATA {
                self.facts.get(name)
            } else {
                self.facts.get("storage").and_then(|all| all.get(name))
            };
            of.and_then(|one| one.get("volume_id")).and_then(Value::as_str).map(str::to_owned)
        };
        let one = |volume: &NodeVolume| {
            let id = volume.volume_id.clone().or_else(|| fact(&volume.name));
            let id = id.ok_or_else(|| NodeError::Missing(format!("the volume of {}", volume.name)))?;
            Ok((volume.name.clone(), id))
        };
        self.config.volumes.iter().map(one).collect()
    }

    fn output(&self, stack: &str, name: &str) -> Result<&str, NodeError> {
        let output = self.facts.get("outputs").and_then(|all| all.get(stack)).and_then(|stack| stack.get(name));
        output.and_then(Value::as_str).ok_or_else(|| NodeError::Missing(format!("the output {name} of stack {stack}")))
    }

    /// The launch templates of a pool.
    ///
    /// # Errors
    /// When the queue's stack has not said which they are.
    pub fn templates(&self, pool: &NodePool) -> Result<Vec<FleetTemplate>, NodeError> {
        let order = |name: &String| pool.instance_types.iter().position(|one| one == name).unwrap_or_default();
        let one = |template: &crate::render::NodeTemplate| {
            let ranked = |name: &String| (name.clone(), u32::try_from(order(name)).unwrap_or(u32::MAX));
            Ok(FleetTemplate {
                id: self.output(&pool.stack, &template.id_output)?.to_owned(),
                version: self.output(&pool.stack, &template.version_output)?.to_owned(),
                instance_types: template.instance_types.iter().map(ranked).collect(),
            })
        };
        pool.launch_templates.iter().map(one).collect()
    }

    /// The subnets of a pool: those of the cluster file, or those that its network stack made.
    ///
    /// # Errors
    /// When neither is known.
    pub fn subnets(&self, pool: &NodePool) -> Result<Vec<String>, NodeError> {
        if !pool.subnets.is_empty() {
            return Ok(pool.subnets.clone());
        }
        let text = self.output(&pool.stack, &pool.subnets_output)?;
        Ok(text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
    }
}

impl<'c> PoolRef<'c> {
    /// `QUEUE/POOL`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.queue.name, self.pool.name)
    }

    /// Whether a node of this name is one of the pool's.
    pub fn has(&self, node: &str) -> bool {
        let number = node.strip_prefix(self.pool.node_prefix.as_str());
        let number = number.filter(|digits| !digits.starts_with('0')).and_then(|digits| digits.parse::<u32>().ok());
        number.is_some_and(|number| (1..=self.pool.max).contains(&number))
    }

    /// Whether a node always runs.
    pub fn is_static(&self, node: &str) -> bool {
        let number = node.strip_prefix(self.pool.node_prefix.as_str()).and_then(|digits| digits.parse::<u32>().ok());
        self.has(node) && number.is_some_and(|number| number <= self.pool.min)
    }

    /// The names of all its nodes.
    pub fn nodes(&self) -> impl Iterator<Item = String> + use<'c> {
        let PoolRef { pool, .. } = *self;
        (1..=pool.max).map(|number| format!("{}{number}", pool.node_prefix))
    }

    /// How its nodes are bought.
    pub fn purchase(&self) -> FleetPurchase {
        match self.pool.purchase {
            // The launch template names the reservation.
            Purchase::OnDemand | Purchase::CapacityReservation => FleetPurchase::OnDemand,
            Purchase::Spot => FleetPurchase::Spot,
            Purchase::CapacityBlock => FleetPurchase::CapacityBlock,
        }
    }

    /// How EC2 chooses.
    pub fn strategy(&self) -> Option<FleetStrategy> {
        self.pool.allocation.map(|allocation| match allocation {
            Allocation::LowestPrice => FleetStrategy::LowestPrice,
            Allocation::Prioritized => FleetStrategy::Prioritized,
            Allocation::CapacityOptimized => FleetStrategy::CapacityOptimized,
            Allocation::CapacityOptimizedPrioritized => FleetStrategy::CapacityOptimizedPrioritized,
            Allocation::PriceCapacityOptimized => FleetStrategy::PriceCapacityOptimized,
        })
    }

    /// The tags of its instances, without that of the launch.
    pub fn tags(&self, cluster: &str) -> BTreeMap<String, String> {
        let mut tags = self.pool.tags.clone();
        let own = [
            (CLUSTER_TAG, cluster),
            (ROLE_TAG, "compute"),
            (QUEUE_TAG, &self.queue.name),
            (POOL_TAG, &self.pool.name),
            ("Name", &format!("{cluster} {}-{}", self.queue.name, self.pool.name)),
        ];
        tags.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        tags
    }
}
