//! Spot interruptions on purpose: which nodes, and the experiment that does it.

use super::{Machine, OperateError};
use crate::{
    apply::Stop,
    cloud::{Cloud, ExperimentState, ExperimentStatus, InterruptInput, MOST_INTERRUPTED, RoleInput},
    spec::Cluster,
};
use std::{collections::BTreeSet, time::Duration};

/// So long a new role stays unknown to FIS, as AWS's own examples wait.
const ROLE_SPREADS: Duration = Duration::from_secs(10);
/// Between looks at the experiment.
const LOOK: Duration = Duration::from_secs(5);
/// So much longer than its own minutes an experiment may take, and an instance to end.
const PATIENCE: i64 = 600;

/// What is to be interrupted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The queue.
    pub queue: String,
    /// Only this pool.
    pub pool: Option<String>,
    /// These nodes, by name or instance id; none: any.
    pub nodes: Vec<String>,
    /// How many of those that fit; all that are named in `nodes`.
    pub count: usize,
}

/// A node that will be interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its instance's id.
    pub instance: String,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterruptEvent {
    /// The role was made.
    RoleMade {
        /// Its ARN.
        arn: String,
    },
    /// The experiment runs.
    Started {
        /// It.
        experiment: String,
        /// When EC2 will take the nodes back, in minutes from now.
        minutes: u32,
    },
    /// It has done what it was to do.
    Completed {
        /// It.
        experiment: String,
    },
    /// A node is gone.
    Gone {
        /// Its name.
        node: String,
    },
    /// The role that was made is deleted.
    RoleRemoved,
    /// The role stays, and why.
    RoleStays {
        /// It was there before this command.
        before: bool,
    },
}

/// Chooses among the running spot nodes of the queue, in the order of their names.
pub fn choose(machines: &[Machine], wish: &Wish) -> Result<Vec<Chosen>, OperateError> {
    let of_queue = |machine: &&Machine| machine.queue() == Some(&wish.queue);
    let in_pool = |machine: &&Machine| wish.pool.is_none() || machine.pool() == wish.pool.as_deref();
    let spot = |machine: &&Machine| machine.instance.spot && machine.runs();
    let candidates: Vec<&Machine> = machines.iter().filter(of_queue).filter(in_pool).filter(spot).collect();
    let named = |name: &String| {
        candidates.iter().copied().find(|machine| machine.name == *name || machine.instance.id == *name)
    };
    let none = |wanted: String| OperateError::NoSpotNode {
        wanted,
        there: machines.iter().filter(of_queue).map(describe).collect(),
    };
    let chosen: Vec<&Machine> = if wish.nodes.is_empty() {
        candidates.iter().copied().take(wish.count).collect()
    } else {
        let found: Result<Vec<&Machine>, &String> = wish.nodes.iter().map(|name| named(name).ok_or(name)).collect();
        found.map_err(|name| none(format!("spot node `{name}` that runs")))?
    };
    let mut seen = BTreeSet::new();
    let chosen: Vec<Chosen> = chosen
        .into_iter()
        .filter(|machine| seen.insert(machine.instance.id.as_str()))
        .map(|machine| Chosen { name: machine.name.clone(), instance: machine.instance.id.clone() })
        .collect();
    match chosen.len() {
        0 => Err(none("spot node that runs".to_owned())),
        count if count > MOST_INTERRUPTED => Err(OperateError::TooMany { chosen: count, most: MOST_INTERRUPTED }),
        _ => Ok(chosen),
    }
}

fn describe(machine: &Machine) -> String {
    let kind = if machine.instance.spot { "spot" } else { "on demand" };
    format!("{}  {}  {kind}, {}", machine.name, machine.instance.id, machine.instance.state)
}

/// Interrupts the nodes and follows the experiment to its end; with `wait` until the instances are gone, too.
///
/// The template is deleted as soon as the experiment runs, which does not need it any more, so nothing of it is left
/// whatever happens here. A role that this call made is deleted at the end unless it is to be kept.
pub async fn interrupt(
    cloud: &Cloud,
    cluster: &Cluster,
    chosen: &[Chosen],
    minutes: u32,
    keep: Keep,
    stop: &Stop,
    tell: &mut dyn FnMut(InterruptEvent),
) -> Result<(), OperateError> {
    let caller = cloud.identity.caller().await?;
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws").to_owned();
    let input = InterruptInput {
        cluster: cluster.name.to_string(),
        instances: chosen
            .iter()
            .map(|one| format!("arn:{partition}:ec2:{}:{}:instance/{}", cloud.region, caller.account, one.instance))
            .collect(),
        role: String::new(),
        minutes,
        token: format!("hpcctl-{}-{}", cluster.name, cloud.clock.now().0),
    };
    let role = cloud.experiments.make_role(&role_input(cluster, caller.account, partition)).await?;
    if role.made {
        tell(InterruptEvent::RoleMade { arn: role.arn.clone() });
        cloud.clock.sleep(ROLE_SPREADS).await;
    }
    let result = run(cloud, InterruptInput { role: role.arn, ..input }, stop, tell).await;
    match (&result, role.made, keep.role) {
        // The experiment goes on and still needs it.
        (Err(OperateError::Interrupted), ..) | (_, false, _) | (_, _, true) => {
            tell(InterruptEvent::RoleStays { before: !role.made });
        }
        (_, true, false) => match cloud.experiments.remove_role().await {
            Ok(()) => tell(InterruptEvent::RoleRemoved),
            // What went wrong before comes first.
            Err(_) if result.is_err() => tell(InterruptEvent::RoleStays { before: false }),
            Err(error) => return Err(error.into()),
        },
    }
    result?;
    if keep.watching { gone(cloud, chosen, stop, tell).await } else { Ok(()) }
}

/// What stays, or goes on, at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// The role stays.
    pub role: bool,
    /// The call goes on until the instances are gone.
    pub watching: bool,
}

fn role_input(cluster: &Cluster, account: String, partition: String) -> RoleInput {
    let iam = cluster.iam.as_ref();
    RoleInput {
        account,
        partition,
        path: iam.and_then(|iam| iam.path.clone()).unwrap_or_else(|| "/".to_owned()),
        boundary: iam.and_then(|iam| iam.permissions_boundary.as_ref()).map(ToString::to_string),
    }
}

async fn run(
    cloud: &Cloud,
    input: InterruptInput,
    stop: &Stop,
    tell: &mut dyn FnMut(InterruptEvent),
) -> Result<(), OperateError> {
    let mut state = cloud.experiments.interrupt(&input).await?;
    cloud.experiments.forget(&state.template).await?;
    tell(InterruptEvent::Started { experiment: state.id.clone(), minutes: input.minutes });
    let until = cloud.clock.now().plus(i64::from(input.minutes) * 60 + PATIENCE);
    while state.status == ExperimentStatus::Running && cloud.clock.now() < until {
        pause(cloud, stop).await?;
        if let Some(now) = cloud.experiments.experiment(&state.id).await? {
            state = now;
        }
    }
    let ExperimentState { id, status, reason, template: _, started: _ } = state;
    if status != ExperimentStatus::Completed {
        return Err(OperateError::Experiment { id, status, reason });
    }
    tell(InterruptEvent::Completed { experiment: id });
    Ok(())
}

/// Waits until the instances are gone.
async fn gone(
    cloud: &Cloud,
    chosen: &[Chosen],
    stop: &Stop,
    tell: &mut dyn FnMut(InterruptEvent),
) -> Result<(), OperateError> {
    let mut left: Vec<&Chosen> = chosen.iter().collect();
    let until = cloud.clock.now().plus(PATIENCE);
    while cloud.clock.now() < until {
        let ids: Vec<String> = left.iter().map(|one| one.instance.clone()).collect();
        let found = cloud.compute.instances(&ids).await?;
        let there = |one: &&Chosen| found.iter().any(|i| i.id == one.instance && !ENDED.contains(&i.state.as_str()));
        let (still, ended): (Vec<&Chosen>, Vec<&Chosen>) = left.into_iter().partition(there);
        ended.into_iter().for_each(|one| tell(InterruptEvent::Gone { node: one.name.clone() }));
        left = still;
        if left.is_empty() {
            return Ok(());
        }
        pause(cloud, stop).await?;
    }
    Err(OperateError::StillThere { nodes: left.into_iter().map(|one| one.name.clone()).collect() })
}

/// EC2's words for an instance that is no more, whatever its pool asked for at an interruption.
const ENDED: [&str; 2] = ["terminated", "stopped"];

async fn pause(cloud: &Cloud, stop: &Stop) -> Result<(), OperateError> {
    if stop.is_set() {
        return Err(OperateError::Interrupted);
    }
    cloud.clock.sleep(LOOK).await;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::machines::tests::sample;
    use super::*;

    fn wish(nodes: &[&str], count: usize) -> Wish {
        let nodes = nodes.iter().map(ToString::to_string).collect();
        Wish { queue: "cfd".to_owned(), pool: None, nodes, count }
    }

    fn names(wish: &Wish) -> Result<Vec<String>, OperateError> {
        choose(&sample(), wish).map(|all| all.into_iter().map(|one| one.name).collect())
    }

    #[test]
    fn only_spot_nodes_that_run_are_chosen() {
        assert_eq!(names(&wish(&[], 1)).unwrap(), ["cfd-spot-2"]);
        assert_eq!(names(&wish(&[], 9)).unwrap(), ["cfd-spot-2", "cfd-spot-10"]);
        assert_eq!(names(&wish(&["i-4", "cfd-spot-10"], 1)).unwrap(), ["cfd-spot-10"]);
        let OperateError::NoSpotNode { wanted, there } = names(&wish(&["cfd-od-1"], 1)).unwrap_err() else {
            panic!("chosen");
        };
        assert!(wanted.contains("cfd-od-1"));
        assert_eq!(there[0], "cfd-od-1  i-6  on demand, running");
        assert_eq!(there.len(), 4, "all of the queue");
        let od = Wish { pool: Some("od".to_owned()), ..wish(&[], 1) };
        assert!(matches!(names(&od), Err(OperateError::NoSpotNode { .. })));
        let other = Wish { queue: "viz".to_owned(), ..wish(&[], 1) };
        assert_eq!(
            names(&other),
            Err(OperateError::NoSpotNode { wanted: "spot node that runs".into(), there: vec![] })
        );
    }
}
