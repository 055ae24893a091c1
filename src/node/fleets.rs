//! Asking EC2 for the nodes of one pool.

use super::{Cluster, NodeError, PoolRef, assign::Came, ledger::OwnLaunch};
use crate::cloud::{Cloud, CloudError, ErrorKind, FleetError, FleetInput, InstanceState, LAUNCH_TAG, is_lack};
use std::{collections::BTreeSet, time::Duration};

/// Pauses between looks at instances that EC2 has launched but does not show yet.
const LOOKS: [u64; 9] = [100, 200, 400, 800, 1500, 3000, 5000, 8000, 10000];

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome<'c> {
    /// The pool.
    pub pool: PoolRef<'c>,
    /// The launch.
    pub own: OwnLaunch,
    /// Instances with an address.
    pub came: Vec<Came>,
    /// Instances that EC2 launched and never showed alive.
    pub lost: Vec<String>,
    /// Why others did not come.
    pub errors: Vec<FleetError>,
    /// The request failed as a whole, and not for lack of capacity.
    pub failed: Option<NodeError>,
}

/// Launches the nodes that `own` wants.
pub(super) async fn launch<'c>(
    cloud: &Cloud,
    cluster: &Cluster,
    pool: PoolRef<'c>,
    own: OwnLaunch,
    all_or_nothing: bool,
) -> Outcome<'c> {
    let mut outcome = Outcome { pool, own, came: Vec::new(), lost: Vec::new(), errors: Vec::new(), failed: None };
    let fleet = match input(cluster, pool, &outcome.own, all_or_nothing) {
        Ok(input) => cloud.compute.create_fleet(&input).await.map_err(NodeError::from),
        Err(error) => Err(error),
    };
    match fleet {
        Ok(fleet) => {
            outcome.errors = fleet.errors;
            let wanted: BTreeSet<String> = fleet.instances.into_iter().collect();
            match addresses(cloud, &outcome.own.launch.launch, &wanted).await {
                Ok((came, ended)) => {
                    outcome.came = came;
                    outcome.errors.extend(ended);
                }
                Err(error) => outcome.failed = Some(error.into()),
            }
            let known: BTreeSet<&String> = outcome.came.iter().map(|(id, _)| id).collect();
            outcome.lost = wanted.iter().filter(|id| !known.contains(id)).cloned().collect();
        }
        Err(NodeError::Cloud(error)) if lacks_capacity(&error) => outcome.errors = vec![as_fleet_error(error)],
        Err(error) => outcome.failed = Some(error),
    }
    outcome
}

fn input(cluster: &Cluster, pool: PoolRef<'_>, own: &OwnLaunch, all_or_nothing: bool) -> Result<FleetInput, NodeError> {
    let launch = &own.launch;
    let mut tags = pool.tags(&cluster.config.cluster);
    tags.insert(LAUNCH_TAG.to_owned(), launch.launch.clone());
    Ok(FleetInput {
        token: launch.launch.clone(),
        count: u32::try_from(launch.wanted.len()).unwrap_or(u32::MAX),
        all_or_nothing,
        purchase: pool.purchase(),
        strategy: pool.strategy(),
        spot_price: pool.pool.spot_price,
        templates: cluster.templates(pool.pool)?,
        subnets: cluster.subnets(pool.pool)?,
        tags,
    })
}

/// The addresses of instances, as soon as EC2 shows them all, or of those that it shows after half a minute; and why others
/// ended at once, as far as EC2 says.
async fn addresses(
    cloud: &Cloud,
    launch: &str,
    wanted: &BTreeSet<String>,
) -> Result<(Vec<Came>, Vec<FleetError>), CloudError> {
    if wanted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut pauses = LOOKS.iter();
    loop {
        let shown = cloud.compute.launched(launch).await?;
        let ours = || shown.iter().filter(|one| wanted.contains(&one.id));
        let ended: Vec<FleetError> = ours().filter(|one| !one.is_alive()).filter_map(ended).collect();
        let address = |one: &InstanceState| one.private_ip.clone().filter(|address| !address.is_empty());
        let came: Vec<Came> =
            ours().filter(|one| one.is_alive()).filter_map(|one| Some((one.id.clone(), address(one)?))).collect();
        match pauses.next() {
            Some(pause) if came.len() + ended.len() < wanted.len() => {
                cloud.clock.sleep(Duration::from_millis(*pause)).await;
            }
            _ => return Ok((came, ended)),
        }
    }
}

/// EC2 took the launch on and then ended the instance: `Client.InternalError: Client error on launch` is what it says when
/// the key of a disk cannot be used.
fn ended(instance: &InstanceState) -> Option<FleetError> {
    let message = instance.reason.clone()?;
    let code = message.split(':').next().unwrap_or_default().to_owned();
    Some(FleetError { code, message, instance_type: Some(instance.instance_type.clone()), subnet: None })
}

/// A request that EC2 refuses as a whole may still be refused for capacity or a quota: then the next pool is to
/// be tried, as when single types are short.
fn lacks_capacity(error: &CloudError) -> bool {
    let lacks = |code: &str| is_lack(code, &error.message);
    matches!(error.kind, ErrorKind::Capacity | ErrorKind::Quota) || error.code.as_deref().is_some_and(lacks)
}

fn as_fleet_error(error: CloudError) -> FleetError {
    FleetError {
        code: error.code.unwrap_or_else(|| "InsufficientInstanceCapacity".to_owned()),
        message: error.message,
        instance_type: None,
        subnet: None,
    }
}
