//! From a cluster to its graph.

use super::{
    Graph, Stack, accounting::accounting, head::head, monitoring::monitoring, names::CLUSTER_TAG, network::network,
    queue::queue, site::Site, storage::storage,
};
use crate::{catalog::InstanceCatalog, spec::Cluster};

/// The graph of a cluster. Its stacks come in an order in which they can be made.
///
/// It is made for clusters that passed the checks, and gives something for any other: instance types
/// that the catalogue does not have are taken without CPU options and, where the queue wants EFA, with one
/// interface.
pub fn build(cluster: &Cluster, catalog: &InstanceCatalog) -> Graph {
    let site = Site { cluster, catalog };
    let mut tags = cluster.tags.clone();
    tags.insert(CLUSTER_TAG.to_owned(), cluster.name.to_string());
    let mut stacks: Vec<Stack> = Vec::with_capacity(cluster.queues.len() + 5);
    stacks.extend(network(site));
    stacks.push(storage(site));
    stacks.extend(accounting(site));
    stacks.push(head(site));
    stacks.extend(cluster.queues.iter().enumerate().map(|(index, wish)| queue(site, index, wish)));
    stacks.extend(monitoring(site));
    Graph {
        cluster: cluster.name.to_string(),
        region: cluster.region.to_string(),
        tags,
        termination_protection: cluster.deletion_protection,
        stacks,
    }
}
