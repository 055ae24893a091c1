//! The launch templates of a pool.
//!
//! One template serves all instance types of a pool as long as they need the same CPU options and the same
//! network interfaces. CPU options name a number of cores and EFA needs an interface on each card, so where
//! types differ in that, each type has a template of its own; `CreateFleet` takes several at once.

use super::names;
use crate::{
    catalog::{InstanceCatalog, InstanceType},
    spec::{InstanceTypeName, Pool, Queue},
};

/// One launch template of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolTemplate {
    /// Its logical id in the queue's stack. The outputs `<logical id>Id` and `<logical id>Version` have
    /// the template's id and newest version.
    pub logical_id: String,
    /// Its address in plans.
    pub address: String,
    /// Its name in EC2.
    pub name: String,
    /// Whether it stands for a single type of a pool that has several templates.
    pub typed: bool,
    /// The instance types that are launched from it, with their index in the pool.
    pub instance_types: Vec<(usize, InstanceTypeName)>,
}

/// The launch templates of a pool, in the order of the pool's instance types.
pub fn pool_templates(cluster: &str, queue: &Queue, pool: &Pool, catalog: &InstanceCatalog) -> Vec<PoolTemplate> {
    let types = || pool.instance_types.iter().cloned().enumerate();
    let (queue_name, pool_name) = (queue.name.as_str(), pool.name.as_str());
    let address = format!("queue.{queue_name}.launch_template.{pool_name}");
    let pool_id = names::camel(pool_name);
    let mut shapes = pool.instance_types.iter().map(|name| shape(queue, catalog.get(name.as_str()).as_ref()));
    let first = shapes.next();
    if shapes.all(|shape| Some(shape) == first) {
        return vec![PoolTemplate {
            logical_id: format!("LaunchTemplate{pool_id}"),
            address,
            name: names::launch_template(cluster, queue_name, pool_name, None),
            typed: false,
            instance_types: types().collect(),
        }];
    }
    let typed = |(index, name): (usize, InstanceTypeName)| PoolTemplate {
        logical_id: format!("TypedLaunchTemplate{}For{pool_id}", names::camel(name.as_str())),
        address: format!("{address}.{name}"),
        name: names::launch_template(cluster, queue_name, pool_name, Some(name.as_str())),
        typed: true,
        instance_types: vec![(index, name)],
    };
    types().map(typed).collect()
}

/// What of an instance type a launch template depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    cores: Option<u32>,
    interfaces: u32,
}

fn shape(queue: &Queue, known: Option<&InstanceType>) -> Shape {
    Shape { cores: cores(queue, known), interfaces: interfaces(queue, known) }
}

/// The cores to ask for, where hyperthreading is to be off and can be.
fn cores(queue: &Queue, known: Option<&InstanceType>) -> Option<u32> {
    let known = known.filter(|_| !queue.hyperthreading)?;
    super::machine::one_thread(known).map(|_| known.cores)
}

/// How many EFA interfaces a node has: one on each card that can carry one. A type that nobody knows is
/// taken at the queue's word and has one.
pub(super) fn interfaces(queue: &Queue, known: Option<&InstanceType>) -> u32 {
    match known {
        _ if !queue.efa => 0,
        None => 1,
        Some(known) => known.efa.map_or(0, |efa| efa.max_interfaces.min(known.network_cards.max(1))),
    }
}
