//! One launch: what was asked of EC2 at once, and which instance became which node.

use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One launch, in the head node's ledger and, for the nodes to read, in the artifact bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// `hpcctl/launch`.
    pub kind: String,
    /// `1.0`.
    pub format_version: String,
    /// 32 hex digits: the client token at EC2, and the tag `hpcctl:launch` of its instances.
    pub launch: String,
    /// The cluster.
    pub cluster: String,
    /// The queue.
    pub queue: String,
    /// The pool.
    pub pool: String,
    /// When it began.
    pub at: Timestamp,
    /// The nodes that were asked for and are neither assigned nor given up.
    pub wanted: Vec<String>,
    /// The instances that became nodes, by id.
    pub nodes: BTreeMap<String, LaunchedNode>,
    /// Whether the nodes still have to be told their names: it failed. Only in the ledger.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
}

/// What an instance became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedNode {
    /// The node's name in Slurm.
    pub name: String,
    /// Its private address.
    pub address: String,
}

impl Launch {
    /// A launch that is about to begin.
    pub fn new(launch: String, cluster: &str, queue: &str, pool: &str, at: Timestamp, wanted: Vec<String>) -> Self {
        Self {
            kind: "hpcctl/launch".to_owned(),
            format_version: "1.0".to_owned(),
            launch,
            cluster: cluster.to_owned(),
            queue: queue.to_owned(),
            pool: pool.to_owned(),
            at,
            wanted,
            nodes: BTreeMap::new(),
            untold: false,
        }
    }

    /// The order of launches: by their beginning; of two of one second the same one is always the newer.
    pub fn order(&self) -> (Timestamp, &str) {
        (self.at, &self.launch)
    }

    /// Whether nothing is left of it.
    pub fn is_over(&self) -> bool {
        self.wanted.is_empty() && self.nodes.is_empty()
    }
}
