//! What the account, the region and its zones have, of the things that a cluster file names.

use super::SubnetState;
use crate::{
    catalog::{Image, LustreUse, Reservation},
    cloud::Result,
};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

/// EC2, FSx, KMS, Secrets Manager, Service Quotas and IAM, asked before anything is made. What is not there is left out of an answer; it is no
/// error.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Tells what the file says of the world outside its stacks. AWS knows better; the sandbox, which has no such world,
    /// takes it for the truth where its script does not say otherwise.
    async fn suppose(&self, _: &Supposed) -> Result<()> {
        Ok(())
    }
    /// The subnets with these ids.
    async fn known_subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>>;
    /// The ids of all VPCs of the region.
    async fn vpcs(&self) -> Result<BTreeSet<String>>;
    /// The security groups with these ids, and their VPCs.
    async fn security_groups(&self, ids: &[String]) -> Result<BTreeMap<String, String>>;
    /// Those of these names that key pairs have.
    async fn key_pairs(&self, names: &[String]) -> Result<BTreeSet<String>>;
    /// The images with these ids, deprecated ones too; when an image is deprecated may lie in the future.
    async fn images(&self, ids: &[String]) -> Result<BTreeMap<String, Image>>;
    /// The zones that offer these instance types.
    async fn offerings(&self, types: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>>;
    /// Those of these capacity reservations that are not over.
    async fn reservations(&self, ids: &[String]) -> Result<BTreeMap<String, Reservation>>;
    /// How many capacity reservations are in each of these groups, by ARN; a group that is not there has none.
    async fn reservation_groups(&self, arns: &[String]) -> Result<BTreeMap<String, usize>>;
    /// The KMS keys with these ARNs, with their states.
    async fn keys(&self, arns: &[String]) -> Result<BTreeMap<String, String>>;
    /// The secrets with these ARNs, and whether they are about to be deleted.
    async fn secrets(&self, arns: &[String]) -> Result<BTreeMap<String, bool>>;
    /// What the account has of FSx for Lustre in the region, by deployment type.
    async fn lustre_use(&self) -> Result<BTreeMap<String, LustreUse>>;
    /// How many elastic IP addresses the account has in the region.
    async fn addresses(&self) -> Result<usize>;
    /// The FSx for Lustre file systems with these ids, with their mount names.
    async fn lustre(&self, ids: &[String]) -> Result<BTreeMap<String, String>>;
    /// A quota of a service (`ec2`, `vpc`); `None` where the service has no such quota in the region.
    async fn quota(&self, service: &str, code: &str) -> Result<Option<f64>>;
    /// Those of the actions that a user's or role's policies do not allow.
    async fn denied(&self, principal: &str, question: &RightsQuestion) -> Result<BTreeSet<String>>;
}

/// Whether a principal may do something to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsQuestion {
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// The actions, such as `ec2:RunInstances`; at most a hundred.
    pub actions: Vec<String>,
    /// Keys of conditions, with the values that they will have.
    pub context: Vec<(String, String)>,
}

/// What a file says of the world outside its stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supposed {
    /// The VPC of its subnets and security groups.
    pub vpc: Option<String>,
    /// The zones of subnets.
    pub zones: BTreeMap<String, String>,
    /// The mount names of file systems.
    pub mount_names: BTreeMap<String, String>,
}
