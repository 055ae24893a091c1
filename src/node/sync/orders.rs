//! Carrying out what people ordered from elsewhere.

use super::{Hold, HoldWhy, Memory, storage};
use crate::{
    cloud::{Cloud, PutCondition, Timestamp},
    node::{
        Answer, Cluster, Event, Events, FleetOrder, Home, Machine, NodeError, ORDER_KIND, ORDER_VERSION, Order,
        OrderDocument, Pools, QueueOrder, Slurm, answer_key, objects::find, orders_prefix,
    },
};

/// Carries out every order in the bucket, the oldest first, each once: an order that has its answer is only deleted.
///
/// # Errors
/// When S3 does not answer; what is left is done in the next pass.
pub(super) async fn carry_out(
    cloud: &Cloud,
    cluster: &Cluster,
    home: &Home,
    machine: &Machine,
    memory: &mut Memory,
    events: Events<'_>,
) -> Result<(), NodeError> {
    let (bucket, name) = (cluster.bucket()?, &cluster.config.cluster);
    for object in cloud.objects.list(bucket, &orders_prefix(name)).await? {
        let Some((body, _)) = cloud.objects.get(bucket, &object.key).await? else { continue };
        let order = parse(&body, &object.key);
        let id = order.as_ref().map_or_else(|(id, _)| id.clone(), |order| order.id.clone());
        if order.as_ref().is_ok_and(|order| storage::is_early(&order.order, cluster)) {
            continue;
        }
        let answer = answer_key(name, &id);
        if find(cloud, bucket, &answer).await?.is_none() {
            let result = match &order {
                Ok(order) => {
                    let of_storage = storage::one(&order.order, cloud, cluster, home, machine, memory, events).await;
                    let result = match of_storage {
                        Some(result) => result,
                        None => one(&order.order, cluster, home, cloud.clock.now(), memory).await,
                    };
                    result.map_err(|error| error.to_string())
                }
                Err((_, words)) => Err(words.clone()),
            };
            // What was done is remembered before anybody hears of it.
            memory.write(home)?;
            let failed = result.err();
            let body = Answer { id, done: cloud.clock.now(), failed: failed.clone() };
            let body = serde_json::to_vec_pretty(&body).unwrap_or_default();
            cloud.objects.put(bucket, &answer, body, PutCondition::Always).await?;
            events(Event::Ordered { order: order.ok(), failed });
        }
        cloud.objects.delete(bucket, &object.key).await?;
    }
    Ok(())
}

/// The order in an object; the id and the words of an answer when it is none.
pub(in crate::node) fn parse(body: &[u8], key: &str) -> Result<OrderDocument, (String, String)> {
    let name = key.rsplit('/').next().unwrap_or(key).trim_end_matches(".json");
    let id = name.split_once('-').map_or(name, |(_, id)| id).to_owned();
    let order: OrderDocument = serde_json::from_slice(body).map_err(|error| (id, error.to_string()))?;
    // The id becomes part of a key.
    let plain = !order.id.is_empty() && order.id.chars().all(|one| one.is_ascii_alphanumeric() || "-_".contains(one));
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if order.kind != ORDER_KIND || major(&order.format_version) != major(ORDER_VERSION) || !plain {
        let words = format!("`{}` {} is no order that this hpcctl understands", order.kind, order.format_version);
        return Err((name.to_owned(), words));
    }
    Ok(order)
}

async fn one(
    order: &Order,
    cluster: &Cluster,
    home: &Home,
    now: Timestamp,
    memory: &mut Memory,
) -> Result<(), NodeError> {
    let slurm = cluster.slurm();
    let all = || cluster.config.queues.iter().map(|queue| queue.name.as_str());
    match order {
        Order::Queue { name, .. } if !all().any(|queue| queue == name) => {
            Err(NodeError::Missing(format!("a queue `{name}`")))
        }
        Order::Queue { name, state: QueueOrder::Drain } => hold(&slurm, name, HoldWhy::Drained, now, memory).await,
        Order::Queue { name, state: QueueOrder::Resume } => open(&slurm, home, name, memory).await,
        Order::Fleet(FleetOrder::Stop) => {
            for queue in all() {
                hold(&slurm, queue, HoldWhy::Stopped, now, memory).await?;
            }
            Ok(())
        }
        // These have a place of their own.
        Order::Storage(_) => Ok(()),
        Order::Fleet(FleetOrder::Start) => {
            for queue in all() {
                open(&slurm, home, queue, memory).await?;
            }
            Ok(())
        }
    }
}

async fn hold(
    slurm: &Slurm,
    queue: &str,
    why: HoldWhy,
    since: Timestamp,
    memory: &mut Memory,
) -> Result<(), NodeError> {
    // While a file system goes every queue is closed; what is ordered meanwhile counts afterwards.
    if memory.storage.is_none() {
        slurm.update_partition(queue, why.state()).await?;
    }
    memory.holds.insert(queue.to_owned(), Hold { since, why });
    Ok(())
}

pub(super) async fn open(slurm: &Slurm, home: &Home, queue: &str, memory: &mut Memory) -> Result<(), NodeError> {
    if memory.storage.is_none() {
        slurm.update_partition(queue, "up").await?;
    }
    memory.holds.remove(queue);
    Pools::change(home, |pools| pools.failures.remove(queue)).map(drop)
}
