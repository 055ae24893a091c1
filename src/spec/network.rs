//! Where the cluster lives.

use super::{AvailabilityZone, Cidr, Cluster, SecurityGroupId, SubnetId, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Subnets that exist (`vpc_id`, `head_node_subnet`, `compute_subnets`), or a network to `create`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The VPC that exists already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<VpcId>,
    /// The subnet of the head node and the login nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_node_subnet: Option<SubnetId>,
    /// The subnets of compute nodes, unless a queue or pool names its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compute_subnets: Vec<SubnetId>,
    /// The zones of the subnets above, so that checks and node features need no call to AWS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnet_zones: Vec<SubnetZone>,
    /// Build a VPC for this cluster instead of using one that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<CreateNetwork>,
    /// Security groups that every node joins besides the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_security_groups: Vec<SecurityGroupId>,
    /// An HTTP proxy for the nodes, such as `http://proxy.example.org:3128`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "a proxy such as `http://proxy.example.org:3128`", regex(pattern = "^https?://[^\\s/]+$"))]
    pub http_proxy: Option<String>,
    /// Hosts and domains (`.ec2.eu-west-1.amazonaws.com`) that nodes reach without the proxy: those with an endpoint in
    /// the VPC. The instance metadata, and S3 in a network that hpcctl builds, need no entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = "^[A-Za-z0-9.:/_-]+$")))]
    pub no_proxy: Vec<String>,
}

/// The Availability Zone of a subnet that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubnetZone {
    /// The subnet.
    pub subnet: SubnetId,
    /// Its zone.
    pub zone: AvailabilityZone,
}

/// A VPC built for the cluster: public subnets for head and login nodes, private subnets for compute nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNetwork {
    /// The VPC's addresses, /16 to /24.
    #[serde(default = "default_cidr")]
    pub cidr: Cidr,
    /// How many Availability Zones get a private subnet.
    #[serde(default = "default_zones")]
    #[schemars(range(min = 1, max = 6))]
    pub availability_zones: u32,
    /// Which zones, in this order; default: the region's first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<AvailabilityZone>,
    /// How private subnets reach the internet.
    #[serde(default)]
    pub nat: Nat,
    /// Record rejected traffic of the VPC in CloudWatch Logs.
    #[serde(default = "yes")]
    pub flow_logs: bool,
    /// A gateway endpoint for S3, so that S3 traffic of private subnets costs nothing.
    #[serde(default = "yes")]
    pub s3_endpoint: bool,
}

/// How private subnets reach the internet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// One NAT gateway for all zones.
    #[default]
    Single,
    /// One NAT gateway in each zone.
    PerZone,
    /// No way out.
    None,
}

fn default_cidr() -> Cidr {
    Cidr("10.42.0.0/16".to_owned())
}

fn default_zones() -> u32 {
    2
}

fn yes() -> bool {
    true
}

/// Every subnet that nodes may be in, each once, compute subnets first.
pub fn subnets_with_nodes(cluster: &Cluster) -> Vec<&SubnetId> {
    let network = &cluster.network;
    let of_queues = cluster
        .queues
        .iter()
        .flat_map(|queue| queue.subnets.iter().chain(queue.pools.iter().flat_map(|pool| &pool.subnets)));
    let head = cluster.head_node.subnet.iter().chain(&network.head_node_subnet);
    let login = cluster.login_nodes.iter().filter_map(|pool| pool.subnet.as_ref());
    once(network.compute_subnets.iter().chain(of_queues).chain(head).chain(login))
}

/// Every subnet that the cluster uses, for nodes, file systems and the database, each once.
pub fn subnets_in_use(cluster: &Cluster) -> Vec<&SubnetId> {
    let lustre = cluster.storage.iter().filter_map(|storage| storage.fsx_lustre.as_ref()?.subnet.as_ref());
    let rds = cluster.accounting.as_ref().and_then(|accounting| accounting.rds.as_ref());
    let rds = rds.into_iter().flat_map(|rds| &rds.subnets);
    once(subnets_with_nodes(cluster).into_iter().chain(lustre).chain(rds))
}

fn once<'c>(all: impl Iterator<Item = &'c SubnetId>) -> Vec<&'c SubnetId> {
    let mut seen = std::collections::BTreeSet::new();
    all.filter(|subnet| seen.insert(subnet.as_str())).collect()
}
