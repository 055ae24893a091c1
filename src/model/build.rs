//! From a cluster to its graph.

use super::{
    Graph, Stack, accounting::accounting, architecture, facts::node_facts, head::head, monitoring::monitoring,
    names::CLUSTER_TAG, network::network, queue::queue, retention::keep_ground, site::Site, storage::storage,
    unused::drop_unused,
};
use crate::{
    catalog::{Ground, InstanceCatalog},
    spec::{Architecture, Cluster},
};
use std::collections::BTreeSet;

/// The graph of a cluster. Its stacks come in an order in which they can be made.
///
/// It is made for clusters that passed the checks, and gives something for any other: instance types
/// that the catalogue does not have are taken without CPU options and, where the queue wants EFA, with one
/// interface.
pub fn build(cluster: &Cluster, catalog: &InstanceCatalog) -> Graph {
    build_on(cluster, catalog, Ground::nowhere())
}

/// The graph of a cluster on the ground of an account: root devices are those of the images, and file systems stay
/// where they lie. What the file leaves to AWS is expected to be filled in (see [`completed`](super::completed)).
pub fn build_on(cluster: &Cluster, catalog: &InstanceCatalog, ground: &Ground) -> Graph {
    let site = Site { cluster, catalog, ground };
    let mut tags = cluster.tags.clone();
    tags.insert(CLUSTER_TAG.to_owned(), cluster.name.to_string());
    let mut stacks: Vec<Stack> = Vec::with_capacity(cluster.queues.len() + 5);
    stacks.extend(network(site));
    stacks.push(storage(site));
    stacks.extend(accounting(site));
    stacks.push(head(site));
    stacks.extend(cluster.queues.iter().enumerate().map(|(index, wish)| queue(site, index, wish)));
    stacks.extend(monitoring(site));
    keep_ground(&mut stacks);
    stacks.iter_mut().for_each(drop_unused);
    Graph {
        cluster: cluster.name.to_string(),
        region: cluster.region.to_string(),
        tags,
        termination_protection: cluster.deletion_protection,
        stacks,
        facts: node_facts(cluster),
        architectures: architectures(site),
    }
}

/// The processors of all nodes. A pool's types have the same one.
fn architectures(site: Site<'_>) -> BTreeSet<Architecture> {
    let Site { cluster, catalog, ground: _ } = site;
    let pools = cluster.queues.iter().flat_map(|queue| &queue.pools);
    let types = pools.filter_map(|pool| pool.instance_types.first());
    let nodes = std::iter::once(&cluster.head_node.instance_type)
        .chain(cluster.login_nodes.iter().map(|login| &login.instance_type));
    nodes.chain(types).map(|name| architecture(catalog, name)).collect()
}
