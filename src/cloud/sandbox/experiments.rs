//! Fault Injection Service's port: an experiment marks instances, and EC2 takes them back in time.

use super::{
    control::{Call, Sandbox},
    ids::hex,
    instance::NOTICE,
    world::World,
};
use crate::cloud::{
    EXPERIMENT_ROLE, ErrorKind, ExperimentRole, ExperimentState, ExperimentStatus, Experiments, InterruptInput,
    MOST_INTERRUPTED, Result, RoleInput, Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

const SERVICE: &str = "fis";

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Experiment {
    pub template: String,
    pub token: String,
    pub started: Timestamp,
    /// When it has done what it was to do.
    pub ends: Timestamp,
}

#[async_trait]
impl Experiments for Sandbox {
    async fn make_role(&self, input: &RoleInput) -> Result<ExperimentRole> {
        self.call(Call::change("iam", "CreateRole"), |world, _| {
            let RoleInput { account, partition, path, boundary: _ } = input;
            let made = world.experiment_role.is_none();
            let own = || format!("arn:{partition}:iam::{account}:role{path}{EXPERIMENT_ROLE}");
            Ok(ExperimentRole { arn: world.experiment_role.get_or_insert_with(own).clone(), made })
        })
    }

    async fn remove_role(&self) -> Result<()> {
        self.call(Call::change("iam", "DeleteRole"), |world, _| {
            world.experiment_role = None;
            Ok(())
        })
    }

    async fn interrupt(&self, input: &InterruptInput) -> Result<ExperimentState> {
        let call = Call::change(SERVICE, "StartExperiment");
        self.call(call, |world, _| {
            if let Some((id, known)) = world.experiments.iter().find(|(_, known)| known.token == input.token) {
                return Ok(state(id, known, world.now));
            }
            check(world, call, input)?;
            let ends = world.now.plus(i64::from(input.minutes) * 60);
            for id in input.instances.iter().filter_map(|arn| arn.rsplit('/').next()) {
                let now = world.now;
                if let Some(instance) = world.instances.get_mut(id) {
                    // FIS begins with the recommendation.
                    instance.rebalance.get_or_insert(now);
                    instance.interrupted.get_or_insert(ends.plus(-NOTICE));
                }
            }
            let name = |what: &str| format!("{what}{}", hex(&[&self.region, what, &input.token], 16));
            let (id, template) = (name("EXP"), name("EXT"));
            let made = Experiment { template, token: input.token.clone(), started: world.now, ends };
            let state = state(&id, &made, world.now);
            world.experiments.insert(id, made);
            Ok(state)
        })
    }

    async fn experiment(&self, id: &str) -> Result<Option<ExperimentState>> {
        self.call(Call::look(SERVICE, "GetExperiment"), |world, _| {
            Ok(world.experiments.get(id).map(|found| state(id, found, world.now)))
        })
    }

    /// Experiments stay to be read after their templates are gone.
    async fn forget(&self, _: &str) -> Result<()> {
        self.call(Call::change(SERVICE, "DeleteExperimentTemplate"), |_, _| Ok(()))
    }
}

fn check(world: &World, call: Call, input: &InterruptInput) -> Result<()> {
    let wrong = |words: String| Err(call.error(ErrorKind::Invalid, "ValidationException", words));
    if world.experiment_role.as_ref() != Some(&input.role) {
        return wrong(format!("The role {} cannot be assumed", input.role));
    }
    if input.instances.is_empty() || input.instances.len() > MOST_INTERRUPTED || !(2..=15).contains(&input.minutes) {
        return wrong("The template is not valid".to_owned());
    }
    let spot = |arn: &&String| {
        let found = arn.rsplit('/').next().and_then(|id| world.instances.get(id));
        found.is_some_and(|instance| instance.spot && instance.state(world.now) == Some("running"))
    };
    match input.instances.iter().find(|arn| !spot(arn)) {
        Some(arn) => wrong(format!("Target resolution failed: {arn} is no running spot instance")),
        None => Ok(()),
    }
}

fn state(id: &str, experiment: &Experiment, now: Timestamp) -> ExperimentState {
    let status = if now < experiment.ends { ExperimentStatus::Running } else { ExperimentStatus::Completed };
    ExperimentState {
        id: id.to_owned(),
        template: experiment.template.clone(),
        status,
        reason: None,
        started: Some(experiment.started),
    }
}
