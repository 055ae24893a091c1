//! Gathering the ground: what the account has, of what a cluster file names.

use super::{Live, LiveStack, ObserveError};
use crate::{
    catalog::{self, Ground, Image, Subnet},
    cloud::{CLUSTER_TAG, Cloud, CloudError, ErrorKind, RightsQuestion, SubnetState, Supposed},
    model::{Graph, StackKey, names},
    spec::{Cluster, NamedKind, Purchase, named, subnets_in_use, subnets_with_nodes},
};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How much is asked.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Everything, and not only what the cluster is built on.
    pub all: bool,
    /// Whether the caller may do what `apply` does.
    pub rights: Vec<RightsQuestion>,
}

/// What one call found: a part of the ground.
type Part = Box<dyn FnOnce(&mut Ground) + Send>;

/// A call: what it asks for, whether the cluster cannot be built without the answer, and the call itself.
struct Ask<'c> {
    what: &'static str,
    needed: bool,
    call: BoxFuture<'c, Result<Part, CloudError>>,
}

/// Asks for everything at the same time, each kind once.
///
/// What the caller may not ask is written down as skipped, unless the cluster is built on it.
///
/// # Errors
/// When a call fails for another reason than its rights.
pub async fn ground(
    cloud: &Cloud,
    cluster: &Cluster,
    graph: &Graph,
    live: &Live,
    questions: &Questions,
) -> Result<Ground, ObserveError> {
    cloud.inventory.suppose(&supposed(cluster)).await?;
    let mut asks = foundations(cloud, cluster);
    asks.extend(log_group(cloud, cluster, live));
    if questions.all {
        asks.extend(things(cloud, cluster));
        asks.extend(quotas(cloud, cluster));
        let principal = match (&live.caller, questions.rights.is_empty()) {
            (Some(caller), false) => principal(cloud, &caller.arn).await,
            _ => None,
        };
        asks.extend(account(cloud, graph, live, principal.as_deref(), &questions.rights));
    }
    let mut ground = Ground {
        lies_in: lies_in(live),
        standing: live.stacks.contains_key(&StackKey::Storage),
        running: live.instances.iter().filter(|instance| instance.is_compute()).count() as u64,
        caller: live.caller.as_ref().map(|caller| caller.arn.clone()),
        images_missing: live.images_missing.clone(),
        calls: asks.len(),
        ..Ground::default()
    };
    let whats: Vec<(&str, bool)> = asks.iter().map(|ask| (ask.what, ask.needed)).collect();
    let answers = join_all(asks.into_iter().map(|ask| ask.call)).await;
    for ((what, needed), answer) in whats.into_iter().zip(answers) {
        match answer {
            Ok(part) => part(&mut ground),
            Err(error) if !needed && may_be_skipped(error.kind) => {
                ground.skipped.insert(what, error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ground)
}

/// A call that is denied, or that an endpoint does not know, tells nothing about the file.
fn may_be_skipped(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Credentials | ErrorKind::Network | ErrorKind::Crash)
}

fn supposed(cluster: &Cluster) -> Supposed {
    let network = &cluster.network;
    let lustre = cluster.storage.iter().filter_map(|storage| storage.fsx_lustre.as_ref());
    let names = lustre.filter_map(|one| Some((one.file_system_id.as_ref()?.to_string(), one.mount_name.clone()?)));
    Supposed {
        vpc: network.vpc_id.as_ref().map(ToString::to_string),
        zones: network.subnet_zones.iter().map(|told| (told.subnet.to_string(), told.zone.to_string())).collect(),
        mount_names: names.collect(),
    }
}

/// Subnets in which resources of the storage stack lie, by logical id.
fn lies_in(live: &Live) -> BTreeMap<String, String> {
    let template = live.stacks.get(&StackKey::Storage).map(|stack| &stack.template);
    let resources = template.and_then(|template| template.get("Resources")?.as_object());
    let subnet = |resource: &Value| {
        let path = match resource.get("Type")?.as_str()? {
            "AWS::FSx::FileSystem" => "/Properties/SubnetIds/0",
            "AWS::EFS::MountTarget" => "/Properties/SubnetId",
            _ => return None,
        };
        resource.pointer(path)?.as_str().map(str::to_owned)
    };
    let found = resources.into_iter().flatten();
    found.filter_map(|(logical_id, resource)| Some((logical_id.clone(), subnet(resource)?))).collect()
}

fn ask<'c, T: Send + 'static>(
    what: &'static str,
    needed: bool,
    call: impl Future<Output = Result<T, CloudError>> + Send + 'c,
    part: impl FnOnce(T, &mut Ground) + Send + 'static,
) -> Ask<'c> {
    let call = async move {
        let answer = call.await?;
        Ok(Box::new(move |ground: &mut Ground| part(answer, ground)) as Part)
    };
    Ask { what, needed, call: call.boxed() }
}

fn ids(cluster: &Cluster, kind: NamedKind) -> Vec<String> {
    let all: BTreeSet<String> = named(cluster).into_iter().filter(|one| one.kind == kind).map(|one| one.id).collect();
    all.into_iter().collect()
}

/// What the templates follow from.
fn foundations<'c>(cloud: &'c Cloud, cluster: &Cluster) -> Vec<Ask<'c>> {
    let mut asks = Vec::new();
    let inventory = &cloud.inventory;
    let subnets: Vec<String> = subnets_in_use(cluster).into_iter().map(ToString::to_string).collect();
    if !subnets.is_empty() {
        let call = async move { inventory.known_subnets(&subnets).await };
        asks.push(ask("subnets", zones_needed(cluster), call, |found, ground| ground.subnets = Some(by_id(found))));
    }
    let images = ids(cluster, NamedKind::Image);
    if !images.is_empty() {
        let call = async move { inventory.images(&images).await };
        let now = cloud.clock.now().to_string();
        asks.push(ask("images", true, call, |found, ground| ground.images = Some(as_of(now, found))));
    }
    let lustre = ids(cluster, NamedKind::Lustre);
    if !lustre.is_empty() {
        let mut all = cluster.storage.iter().filter_map(|storage| storage.fsx_lustre.as_ref());
        let needed = all.any(|one| one.file_system_id.is_some() && one.mount_name.is_none());
        let call = async move { inventory.lustre(&lustre).await };
        asks.push(ask("file systems", needed, call, |found, ground| ground.lustre = Some(found)));
    }
    asks
}

/// A log group of the cluster's name that no stack of its has: kept when a cluster of that name went, for one.
fn log_group<'c>(cloud: &'c Cloud, cluster: &Cluster, live: &Live) -> Option<Ask<'c>> {
    let made = |stack: &LiveStack| {
        let mut all = stack.resources.iter();
        all.any(|one| one.resource_type == "AWS::Logs::LogGroup" && one.is_there())
    };
    if !cluster.monitoring.logs.enabled || live.stacks.get(&StackKey::Head).is_some_and(made) {
        return None;
    }
    let name = names::log_group(cluster);
    let call = async move { cloud.logs.group(&name).await };
    Some(ask("log groups", false, call, |found, ground| ground.log_group = found))
}

/// The images, of which none will only later be deprecated. Times are of the form `2026-01-31T12:00:00`, whatever follows.
fn as_of(now: String, mut images: BTreeMap<String, Image>) -> BTreeMap<String, Image> {
    let seconds = |time: &str| time.chars().take(19).collect::<String>();
    for image in images.values_mut() {
        image.deprecated = image.deprecated.take().filter(|time| seconds(time) <= seconds(&now));
    }
    images
}

/// Whether an EFS file system's mount targets follow from zones that the file does not tell.
fn zones_needed(cluster: &Cluster) -> bool {
    let made =
        cluster.storage.iter().any(|storage| storage.efs.as_ref().is_some_and(|efs| efs.file_system_id.is_none()));
    let told = |subnet: &&crate::spec::SubnetId| cluster.network.subnet_zones.iter().any(|one| one.subnet == **subnet);
    made && !subnets_with_nodes(cluster).iter().all(told)
}

fn by_id(found: Vec<SubnetState>) -> BTreeMap<String, Subnet> {
    let one =
        |state: SubnetState| (state.id, Subnet { vpc: state.vpc_id, zone: state.zone, free: state.free_addresses });
    found.into_iter().map(one).collect()
}

/// Whether what the file names is there.
fn things<'c>(cloud: &'c Cloud, cluster: &Cluster) -> Vec<Ask<'c>> {
    let mut asks = Vec::new();
    let inventory = &cloud.inventory;
    asks.push(ask("VPCs", false, inventory.vpcs(), |found, ground| ground.vpcs = Some(found)));
    let groups = ids(cluster, NamedKind::SecurityGroup);
    if !groups.is_empty() {
        let call = async move { inventory.security_groups(&groups).await };
        asks.push(ask("security groups", false, call, |found, ground| ground.security_groups = Some(found)));
    }
    let names = ids(cluster, NamedKind::KeyPair);
    if !names.is_empty() {
        let call = async move { inventory.key_pairs(&names).await };
        asks.push(ask("key pairs", false, call, |found, ground| ground.key_pairs = Some(found)));
    }
    let reservations = ids(cluster, NamedKind::Reservation);
    if !reservations.is_empty() {
        let call = async move { inventory.reservations(&reservations).await };
        asks.push(ask("capacity reservations", false, call, |found, ground| ground.reservations = Some(found)));
    }
    let groups = ids(cluster, NamedKind::ReservationGroup);
    if !groups.is_empty() {
        let call = async move { inventory.reservation_groups(&groups).await };
        let part = |found, ground: &mut Ground| ground.reservation_groups = Some(found);
        asks.push(ask("groups of capacity reservations", false, call, part));
    }
    let keys = ids(cluster, NamedKind::Key);
    if !keys.is_empty() {
        let call = async move { inventory.keys(&keys).await };
        asks.push(ask("KMS keys", false, call, |found, ground| ground.keys = Some(found)));
    }
    let secrets = ids(cluster, NamedKind::Secret);
    if !secrets.is_empty() {
        let call = async move { inventory.secrets(&secrets).await };
        asks.push(ask("secrets", false, call, |found, ground| ground.secrets = Some(found)));
    }
    for bucket in ids(cluster, NamedKind::Bucket) {
        let name = bucket.clone();
        let call = async move { cloud.objects.bucket_exists(&name).await };
        asks.push(ask("buckets", false, call, move |found, ground| {
            ground.buckets.insert(bucket, found);
        }));
    }
    let types = instance_types(cluster);
    let call = async move { inventory.offerings(&types).await };
    asks.push(ask("instance type offerings", false, call, |found, ground| ground.offerings = Some(found)));
    asks
}

fn instance_types(cluster: &Cluster) -> Vec<String> {
    let pools = cluster.queues.iter().flat_map(|queue| &queue.pools).flat_map(|pool| &pool.instance_types);
    let login = cluster.login_nodes.iter().map(|pool| &pool.instance_type);
    let all: BTreeSet<String> =
        pools.chain(login).chain([&cluster.head_node.instance_type]).map(ToString::to_string).collect();
    all.into_iter().collect()
}

/// The quotas that nodes, file systems and a created network count to.
fn quotas<'c>(cloud: &'c Cloud, cluster: &Cluster) -> Vec<Ask<'c>> {
    let inventory = &cloud.inventory;
    let mut wanted: BTreeSet<(&'static str, &'static str)> = BTreeSet::new();
    for pool in cluster.queues.iter().flat_map(|queue| &queue.pools) {
        let quota = |name: &crate::spec::InstanceTypeName| {
            catalog::vcpu_quota(name.as_str(), pool.purchase == Purchase::Spot).map(|(code, _)| ("ec2", code))
        };
        if matches!(pool.purchase, Purchase::Spot | Purchase::OnDemand) {
            wanted.extend(pool.instance_types.iter().filter_map(quota));
        }
    }
    let mut asks = Vec::new();
    let lustre = cluster.storage.iter().filter_map(|storage| storage.fsx_lustre.as_ref());
    let deployments: BTreeSet<&str> =
        lustre.filter(|one| one.file_system_id.is_none()).map(|one| one.deployment.word()).collect();
    for deployment in &deployments {
        let (file_systems, capacity, _) = catalog::lustre_quotas(deployment);
        wanted.extend([("fsx", file_systems), ("fsx", capacity)]);
    }
    if !deployments.is_empty() {
        let call = inventory.lustre_use();
        asks.push(ask("FSx for Lustre in use", false, call, |found, ground| ground.lustre_use = Some(found)));
    }
    if cluster.network.create.is_some() {
        wanted.insert(("vpc", catalog::VPCS));
    }
    if cluster.network.create.is_some() || cluster.head_node.elastic_ip {
        wanted.insert(("ec2", catalog::ADDRESSES));
        let call = inventory.addresses();
        asks.push(ask("elastic IP addresses", false, call, |found, ground| ground.addresses = Some(found)));
    }
    asks.extend(wanted.into_iter().map(|(service, code)| {
        let call = async move { inventory.quota(service, code).await };
        ask("quotas", false, call, move |found, ground| {
            ground.quotas.extend(found.map(|value| (code.to_owned(), value)));
        })
    }));
    asks
}

/// Stacks of the cluster's names that are not its own, and the caller's rights.
fn account<'c>(
    cloud: &'c Cloud,
    graph: &Graph,
    live: &Live,
    principal: Option<&str>,
    rights: &[RightsQuestion],
) -> Vec<Ask<'c>> {
    let mut asks = Vec::new();
    for stack in graph.stacks.iter().filter(|stack| !live.stacks.contains_key(&stack.key)) {
        let name = stack.key.stack_name(&graph.cluster);
        let ask_for = name.clone();
        let call = async move { cloud.stacks.stack(&ask_for).await };
        asks.push(ask("stacks", false, call, move |found, ground| {
            let foreign = found.is_some_and(|state| !state.tags.contains_key(CLUSTER_TAG));
            ground.foreign_stacks.extend(foreign.then_some(name));
        }));
    }
    for (principal, question) in principal.iter().flat_map(|one| rights.iter().map(move |question| (one, question))) {
        let (principal, question) = ((*principal).to_owned(), question.clone());
        let call = async move { cloud.inventory.denied(&principal, &question).await };
        asks.push(ask("the caller's rights", false, call, |found, ground| {
            ground.denied.get_or_insert_default().extend(found);
        }));
    }
    asks
}

/// The user or role whose policies decide: that of an assumed role's session is the role itself. The session does not tell
/// the role's path, which is part of its ARN: IAM is asked. The root user has no policies.
async fn principal(cloud: &Cloud, caller: &str) -> Option<String> {
    let known = who(caller)?;
    match role_of_session(caller) {
        // Who may not ask has a role without a path, as most have, or gets no answer.
        Some(role) => Some(cloud.identity.role_arn(role).await.ok().flatten().unwrap_or(known)),
        None => Some(known),
    }
}

fn role_of_session(caller: &str) -> Option<&str> {
    let (_, resource) = caller.rsplit_once(':')?;
    resource.strip_prefix("assumed-role/")?.split('/').next()
}

/// As far as the caller's ARN itself tells it.
fn who(caller: &str) -> Option<String> {
    let (rest, resource) = caller.rsplit_once(':')?;
    match (role_of_session(caller), resource.split_once('/')) {
        (Some(role), _) => Some(format!("{}:role/{role}", rest.replacen(":sts:", ":iam:", 1))),
        (None, Some(("user" | "role", _))) => Some(caller.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn a_session_is_asked_about_by_its_role() {
        let session = "arn:aws:sts::123456789012:assumed-role/ci/build-7";
        assert_eq!(who(session).as_deref(), Some("arn:aws:iam::123456789012:role/ci"));
        let user = "arn:aws:iam::123456789012:user/people/one";
        assert_eq!(who(user).as_deref(), Some(user));
        assert_eq!(who("arn:aws:iam::123456789012:root"), None);
    }
}
