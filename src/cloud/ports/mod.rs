//! The ports: what hpcctl needs of a cloud, and nothing else.
//!
//! All calls are idempotent where the cloud allows it (client tokens), page to the end by themselves, and
//! retry throttling and passing failures before they give a [`CloudError`](super::CloudError).

mod compute;
mod experiments;
mod file_systems;
mod fleet;
mod identity;
mod inventory;
mod logs;
mod metadata;
mod objects;
mod stacks;
mod time;

pub use compute::*;
pub use experiments::*;
pub use file_systems::*;
pub use fleet::*;
pub use identity::*;
pub use inventory::*;
pub use logs::*;
pub use metadata::*;
pub use objects::*;
pub use stacks::*;
pub use time::*;

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The tag that every resource of a cluster carries; its value is the cluster's name.
pub const CLUSTER_TAG: &str = "hpcctl:cluster";
/// The tag with a resource's part in the cluster: `head`, `compute`, `login`, `storage` ...
pub const ROLE_TAG: &str = "hpcctl:role";
/// The tag with the region of a role: IAM is one for all regions.
pub const REGION_TAG: &str = "hpcctl:region";
/// The tag by which people say that something stays although its cluster goes.
pub const KEPT_TAG: &str = "hpcctl:kept";
/// The tag with the queue of a compute node.
pub const QUEUE_TAG: &str = "hpcctl:queue";
/// The tag with the pool of a compute node.
pub const POOL_TAG: &str = "hpcctl:pool";
/// The tag with the Slurm node name of a compute node.
pub const NODE_TAG: &str = "hpcctl:node";
/// The tag with the launch that a compute node came from: `clusters/CLUSTER/launches/LAUNCH.json` in the
/// artifact bucket says which node it is.
pub const LAUNCH_TAG: &str = "hpcctl:launch";

/// A cloud: one implementation of every port.
#[derive(Clone)]
pub struct Cloud {
    /// `aws` or `sandbox`.
    pub kind: CloudKind,
    /// The region that the ports speak to.
    pub region: String,
    /// CloudFormation.
    pub stacks: Arc<dyn Stacks>,
    /// S3.
    pub objects: Arc<dyn Objects>,
    /// FSx.
    pub file_systems: Arc<dyn FileSystems>,
    /// EC2.
    pub compute: Arc<dyn Compute>,
    /// STS and IAM.
    pub identity: Arc<dyn Identity>,
    /// What account, region and zones have.
    pub inventory: Arc<dyn Inventory>,
    /// Fault Injection Service.
    pub experiments: Arc<dyn Experiments>,
    /// CloudWatch Logs.
    pub logs: Arc<dyn Logs>,
    /// The metadata of the instance that this program runs on.
    pub metadata: Arc<dyn Metadata>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Which cloud it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloudKind {
    /// Amazon Web Services, or an emulator at `AWS_ENDPOINT_URL`.
    Aws,
    /// The in-process sandbox.
    Sandbox,
}
