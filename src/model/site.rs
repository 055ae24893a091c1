//! Where things stand: VPC, subnets, zones and groups, literal or from the network stack.

use super::{ParameterSource, Stack, StackKey, Val, names};
use crate::{
    catalog::{Ground, InstanceCatalog},
    spec::{Cluster, CreateNetwork, Pool, Queue, SecurityGroupId, SubnetId},
};

/// A cluster with the facts about instance types.
#[derive(Clone, Copy)]
pub(super) struct Site<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) catalog: &'c InstanceCatalog,
    pub(super) ground: &'c Ground,
}

const SUBNET: &str = "AWS::EC2::Subnet::Id";
const GROUP: &str = "AWS::EC2::SecurityGroup::Id";

impl<'c> Site<'c> {
    /// The network to create, when no VPC is given.
    pub(super) fn created(&self) -> Option<&'c CreateNetwork> {
        self.cluster.network.create.as_ref()
    }

    pub(super) fn vpc(&self, stack: &mut Stack) -> Val {
        match (&self.cluster.network.vpc_id, self.created()) {
            (_, Some(_)) => stack.take(&StackKey::Network, "VpcId", "AWS::EC2::VPC::Id"),
            (Some(vpc), None) => vpc.as_str().into(),
            (None, None) => "".into(),
        }
    }

    /// The subnet of the head node, or of a login pool with this `wish`.
    pub(super) fn head_subnet(&self, stack: &mut Stack, wish: Option<&SubnetId>) -> Val {
        match self.head_subnet_id(wish) {
            Some(subnet) => subnet.as_str().into(),
            None => stack.take(&StackKey::Network, "PublicSubnet0", SUBNET),
        }
    }

    fn head_subnet_id(&self, wish: Option<&'c SubnetId>) -> Option<&'c SubnetId> {
        let network = &self.cluster.network;
        let given = || network.head_node_subnet.as_ref().or(network.compute_subnets.first());
        wish.or_else(|| if self.created().is_some() { None } else { given() })
    }

    /// The head node's Availability Zone.
    pub(super) fn head_zone(&self, stack: &mut Stack) -> Val {
        let Some(subnet) = self.head_subnet_id(self.cluster.head_node.subnet.as_ref()) else {
            return stack.take(&StackKey::Network, "PublicSubnet0Zone", "String");
        };
        match self.zone(subnet) {
            Some(zone) => zone.into(),
            None => {
                let source = ParameterSource::SubnetZone { subnet: subnet.to_string() };
                stack.input("HeadZone", "AWS::EC2::AvailabilityZone::Name", source)
            }
        }
    }

    /// The zone of a subnet, where the file says it.
    pub(super) fn zone(&self, subnet: &SubnetId) -> Option<&'c str> {
        let zones = &self.cluster.network.subnet_zones;
        zones.iter().find(|known| known.subnet == *subnet).map(|known| known.zone.as_str())
    }

    /// The subnets that compute nodes are in unless their queue says otherwise.
    pub(super) fn compute_subnets(&self, stack: &mut Stack) -> Vec<Val> {
        let Some(create) = self.created() else { return ids(&self.cluster.network.compute_subnets) };
        (0..zone_count(create)).map(|index| self.private_subnet(stack, index)).collect()
    }

    /// The subnets of a pool: its own, the queue's, or the network's. In a network that is created, nodes that must be close
    /// are all in its first private subnet, which is that of its file systems, too.
    pub(super) fn pool_subnets(&self, stack: &mut Stack, pool: &Pool, queue: &Queue) -> Vec<Val> {
        match (&pool.subnets[..], &queue.subnets[..]) {
            ([], []) if self.created().is_some() && queue.in_one_zone(pool) => vec![self.private_subnet(stack, 0)],
            ([], []) => self.compute_subnets(stack),
            ([], queue) => ids(queue),
            (own, _) => ids(own),
        }
    }

    fn private_subnet(&self, stack: &mut Stack, index: usize) -> Val {
        stack.take(&StackKey::Network, format!("PrivateSubnet{index}"), SUBNET)
    }

    /// The security groups of a node: the cluster's, those of its kind, and the user's.
    pub(super) fn groups(&self, stack: &mut Stack, kind: Option<&str>, more: &[SecurityGroupId]) -> Vec<Val> {
        let mut groups = vec![self.group(stack, "NodesSecurityGroup")];
        groups.extend(kind.map(|output| self.group(stack, output)));
        let users = self.cluster.network.additional_security_groups.iter().chain(more);
        groups.extend(users.map(|group| Val::from(group.as_str())));
        groups
    }

    /// A security group of the storage stack.
    pub(super) fn group(&self, stack: &mut Stack, output: &str) -> Val {
        stack.take(&StackKey::Storage, output, GROUP)
    }

    /// The proxy for nodes; empty without one.
    pub(super) fn proxy(&self) -> &'c str {
        self.cluster.network.http_proxy.as_deref().unwrap_or_default()
    }

    pub(super) fn log_group_arn(&self) -> String {
        let partition = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group";
        format!("{partition}:{}", names::log_group(self.cluster))
    }
}

/// How many zones a network spans.
pub(super) fn zone_count(create: &CreateNetwork) -> usize {
    if create.zones.is_empty() { (create.availability_zones as usize).clamp(1, 6) } else { create.zones.len().min(6) }
}

fn ids(subnets: &[SubnetId]) -> Vec<Val> {
    subnets.iter().map(|subnet| subnet.as_str().into()).collect()
}
