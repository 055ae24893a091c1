//! Fault Injection Service.

use super::super::{
    CLUSTER_TAG, CloudError, ErrorKind, ExperimentRole, ExperimentState, ExperimentStatus, Experiments, InterruptInput,
    Result, RoleInput,
};
use super::config::{Settings, client};
use super::errors::{failed, own};
use super::experiment_role;
use super::retry::Pauses;
use super::values::{maybe, text, time};
use async_trait::async_trait;
use aws_sdk_fis::{
    Client,
    error::BuildError,
    operation::create_experiment_template::builders::CreateExperimentTemplateFluentBuilder,
    types::{
        CreateExperimentTemplateActionInput, CreateExperimentTemplateStopConditionInput,
        CreateExperimentTemplateTargetInput, Experiment, ExperimentStatus as Status,
    },
};
use std::time::Duration;

/// ARNs of one target.
/// <https://docs.aws.amazon.com/fis/latest/APIReference/API_CreateExperimentTemplateTargetInput.html>
const TARGET: usize = 5;
/// How long IAM may take to tell FIS of a new role.
const ROLE_SPREADS: Duration = Duration::from_secs(60);

/// Fault Injection Service.
pub(super) struct Fis {
    client: Client,
    iam: aws_sdk_iam::Client,
}

impl Fis {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { client: client!(aws_sdk_fis, settings), iam: client!(aws_sdk_iam, settings) }
    }

    /// The template's id. FIS looks whether it can take the role on, and a new role takes a while to be known.
    async fn template(&self, input: &InterruptInput) -> Result<String> {
        let mut pauses = Pauses::within(ROLE_SPREADS);
        loop {
            let call = template(&self.client, input)?.send().await;
            match call.map_err(failed("fis", "CreateExperimentTemplate")) {
                Ok(made) => return Ok(text(made.experiment_template().and_then(|template| template.id()))),
                Err(error) if is_about_role(&error) && pauses.wait().await => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[async_trait]
impl Experiments for Fis {
    async fn make_role(&self, input: &RoleInput) -> Result<ExperimentRole> {
        experiment_role::make(&self.iam, input).await
    }

    async fn remove_role(&self) -> Result<()> {
        experiment_role::remove(&self.iam).await
    }

    async fn interrupt(&self, input: &InterruptInput) -> Result<ExperimentState> {
        let template = self.template(input).await?;
        let call = self.client.start_experiment().client_token(&input.token).experiment_template_id(&template);
        let started = call.tags(CLUSTER_TAG, &input.cluster).send().await.map_err(failed("fis", "StartExperiment"));
        match started {
            Ok(started) => Ok(state(started.experiment(), &template)),
            // A template that nobody will start must not stay.
            Err(error) => self.forget(&template).await.and(Err(error)),
        }
    }

    async fn experiment(&self, id: &str) -> Result<Option<ExperimentState>> {
        match self.client.get_experiment().id(id).send().await.map_err(failed("fis", "GetExperiment")) {
            Ok(found) => Ok(found.experiment().map(|found| state(Some(found), ""))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn forget(&self, template: &str) -> Result<()> {
        let call = self.client.delete_experiment_template().id(template).send().await;
        match call.map(drop).map_err(failed("fis", "DeleteExperimentTemplate")) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// A target takes five instances and an action one target: as many of both as are needed, all at once.
/// <https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#send-spot-instance-interruptions>
fn template(client: &Client, input: &InterruptInput) -> Result<CreateExperimentTemplateFluentBuilder> {
    let none = CreateExperimentTemplateStopConditionInput::builder().source("none").build();
    let mut call = client
        .create_experiment_template()
        .client_token(&input.token)
        .description(format!("hpcctl interrupt: spot nodes of {}", input.cluster))
        .role_arn(&input.role)
        .tags(CLUSTER_TAG, &input.cluster)
        .stop_conditions(none.map_err(unbuilt)?);
    for (number, arns) in input.instances.chunks(TARGET).enumerate() {
        let nodes = format!("nodes-{number}");
        let target = CreateExperimentTemplateTargetInput::builder()
            .resource_type("aws:ec2:spot-instance")
            .set_resource_arns(Some(arns.to_vec()))
            .selection_mode("ALL")
            .build();
        let action = CreateExperimentTemplateActionInput::builder()
            .action_id("aws:ec2:send-spot-instance-interruptions")
            .parameters("durationBeforeInterruption", format!("PT{}M", input.minutes))
            .targets("SpotInstances", &nodes)
            .build();
        call = call.targets(nodes, target.map_err(unbuilt)?);
        call = call.actions(format!("interrupt-{number}"), action.map_err(unbuilt)?);
    }
    Ok(call)
}

/// A part of the template lacks what FIS wants.
fn unbuilt(error: BuildError) -> CloudError {
    own("fis", "CreateExperimentTemplate", ErrorKind::Invalid, error.to_string())
}

fn is_about_role(error: &CloudError) -> bool {
    let message = error.message.to_ascii_lowercase();
    matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound)
        && message.contains("role")
        && (message.contains("assume") || message.contains("not exist") || message.contains("not found"))
}

fn state(from: Option<&Experiment>, template: &str) -> ExperimentState {
    let now = from.and_then(|experiment| experiment.state());
    let status = match now.and_then(|now| now.status()) {
        Some(Status::Completed) => ExperimentStatus::Completed,
        Some(Status::Failed) => ExperimentStatus::Failed,
        Some(Status::Stopped | Status::Cancelled) => ExperimentStatus::Stopped,
        _ => ExperimentStatus::Running,
    };
    let known = from.and_then(|experiment| maybe(experiment.experiment_template_id()));
    ExperimentState {
        id: text(from.and_then(|experiment| experiment.id())),
        template: known.unwrap_or_else(|| template.to_owned()),
        status,
        reason: now.and_then(|now| maybe(now.reason())),
        started: from.and_then(|experiment| experiment.start_time()).map(|at| time(Some(at))),
    }
}
