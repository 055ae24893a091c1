//! CloudFormation's stacks.

use super::super::{
    CLUSTER_TAG, CloudError, ErrorKind, PreviewChange, ResourceDrift, Result, StackEvent, StackInput, StackResource,
    StackState, StackStatus, Stacks, TemplateSource, UpdateStart,
};
use super::config::{Settings, client};
use super::errors::{failed, own, said};
use super::template_url::template_url;
use super::{drift, events, stack_state};
use async_trait::async_trait;
use aws_sdk_cloudformation::{
    Client,
    types::{Capability, OnFailure, Parameter, Tag, TemplateStage},
};

/// CloudFormation.
pub(super) struct CloudFormation {
    pub(super) client: Client,
    region: String,
}

/// A template as a request carries it: one of the two.
pub(super) struct Template {
    pub(super) body: Option<String>,
    pub(super) url: Option<String>,
}

impl CloudFormation {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { client: client!(aws_sdk_cloudformation, settings), region: settings.region.clone() }
    }

    pub(super) fn template_of(&self, source: &TemplateSource) -> Template {
        match source {
            TemplateSource::Body(body) => Template { body: Some(body.clone()), url: None },
            TemplateSource::Object { bucket, key } => {
                Template { body: None, url: Some(template_url(&self.region, bucket, key)) }
            }
        }
    }

    /// All stacks that are not deleted and whose tags `wanted` likes, by name. CloudFormation cannot search tags.
    async fn stacks_where(&self, wanted: impl Fn(&StackState) -> bool) -> Result<Vec<StackState>> {
        let mut pages = self.client.describe_stacks().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(stack) = pages.next().await {
            let stack = stack.map_err(failed("cloudformation", "DescribeStacks"))?;
            if stack.tags().iter().any(|tag| tag.key() == Some(CLUSTER_TAG)) {
                found.push(stack_state::stack(&stack)?);
            }
        }
        found.retain(|stack| stack.status != StackStatus::DeleteComplete && wanted(stack));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A create that was refused because the stack exists may have been our own first attempt, whose answer was
    /// lost on the way.
    async fn created_before(&self, input: &StackInput, refusal: CloudError) -> Result<String> {
        if refusal.kind == ErrorKind::AlreadyExists
            && let Some(stack) = self.stack(&input.name).await?
            && events::last_token_is(&self.client, &stack.id, &input.token).await?
        {
            return Ok(stack.id);
        }
        Err(refusal)
    }

    /// The same for an update, which is refused while one runs.
    async fn updated_before(&self, input: &StackInput, refusal: CloudError) -> Result<UpdateStart> {
        if refusal.kind == ErrorKind::Invalid && refusal.message.contains("No updates are to be performed") {
            return Ok(UpdateStart::NoChanges);
        }
        if matches!(refusal.kind, ErrorKind::Busy | ErrorKind::AlreadyExists)
            && events::last_token_is(&self.client, &input.name, &input.token).await?
        {
            return Ok(UpdateStart::Running);
        }
        Err(refusal)
    }
}

#[async_trait]
impl Stacks for CloudFormation {
    async fn stack(&self, name: &str) -> Result<Option<StackState>> {
        let described = self.client.describe_stacks().stack_name(name).send().await;
        match described.map_err(failed("cloudformation", "DescribeStacks")) {
            Ok(page) => page.stacks().first().map(stack_state::stack).transpose(),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn stacks_of(&self, cluster: &str) -> Result<Vec<StackState>> {
        self.stacks_where(|stack| stack.tags.get(CLUSTER_TAG).is_some_and(|value| value == cluster)).await
    }

    async fn all_stacks(&self) -> Result<Vec<StackState>> {
        self.stacks_where(|_| true).await
    }

    async fn template(&self, name: &str) -> Result<String> {
        let call = self.client.get_template().stack_name(name).template_stage(TemplateStage::Original);
        let template = call.send().await.map_err(failed("cloudformation", "GetTemplate"))?;
        template.template_body.ok_or_else(|| {
            let message = format!("CloudFormation gave no template for stack `{name}`");
            own("cloudformation", "GetTemplate", ErrorKind::Other, message)
        })
    }

    async fn resources(&self, name: &str) -> Result<Vec<StackResource>> {
        let mut pages = self.client.list_stack_resources().stack_name(name).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(resource) = pages.next().await {
            found.push(stack_state::resource(&resource.map_err(failed("cloudformation", "ListStackResources"))?));
        }
        Ok(found)
    }

    async fn events(&self, name_or_id: &str, after: Option<&str>) -> Result<Vec<StackEvent>> {
        events::since(&self.client, name_or_id, after).await
    }

    async fn create(&self, input: &StackInput) -> Result<String> {
        let template = self.template_of(&input.template);
        let created = self
            .client
            .create_stack()
            .stack_name(&input.name)
            .set_template_body(template.body)
            .set_template_url(template.url)
            .set_parameters(Some(parameters(input)))
            .set_tags(Some(tags(input)))
            .capabilities(Capability::CapabilityNamedIam)
            .on_failure(OnFailure::Rollback)
            .enable_termination_protection(input.termination_protection)
            .client_request_token(&input.token)
            .send()
            .await;
        match created.map_err(failed("cloudformation", "CreateStack")) {
            Ok(created) => said("cloudformation", "CreateStack", created.stack_id()),
            Err(refusal) => self.created_before(input, refusal).await,
        }
    }

    /// Termination protection is no part of an update: see [`Stacks::protect`].
    async fn update(&self, input: &StackInput) -> Result<UpdateStart> {
        let template = self.template_of(&input.template);
        let updated = self
            .client
            .update_stack()
            .stack_name(&input.name)
            .set_template_body(template.body)
            .set_template_url(template.url)
            .set_parameters(Some(parameters(input)))
            .set_tags(Some(tags(input)))
            .capabilities(Capability::CapabilityNamedIam)
            .client_request_token(&input.token)
            .send()
            .await;
        match updated.map_err(failed("cloudformation", "UpdateStack")) {
            Ok(_) => Ok(UpdateStart::Running),
            Err(refusal) => self.updated_before(input, refusal).await,
        }
    }

    async fn delete(&self, name: &str, retain: &[String], token: &str) -> Result<()> {
        let call = self.client.delete_stack().stack_name(name).client_request_token(token);
        let call = call.set_retain_resources((!retain.is_empty()).then(|| retain.to_vec()));
        call.send().await.map(drop).map_err(failed("cloudformation", "DeleteStack"))
    }

    async fn continue_rollback(&self, name: &str, skip: &[String]) -> Result<()> {
        let call = self.client.continue_update_rollback().stack_name(name);
        let call = call.set_resources_to_skip((!skip.is_empty()).then(|| skip.to_vec()));
        call.send().await.map(drop).map_err(failed("cloudformation", "ContinueUpdateRollback"))
    }

    async fn protect(&self, name: &str, on: bool) -> Result<()> {
        let call = self.client.update_termination_protection().stack_name(name).enable_termination_protection(on);
        call.send().await.map(drop).map_err(failed("cloudformation", "UpdateTerminationProtection"))
    }

    async fn preview(&self, input: &StackInput) -> Result<Vec<PreviewChange>> {
        self.changes(input).await
    }

    async fn drift(&self, name: &str) -> Result<Vec<ResourceDrift>> {
        drift::detect(&self.client, name).await
    }

    async fn resource_drift(&self, name: &str, logical_id: &str) -> Result<ResourceDrift> {
        drift::detect_one(&self.client, name, logical_id).await
    }
}

pub(super) fn parameters(input: &StackInput) -> Vec<Parameter> {
    let one = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
    input.parameters.iter().map(|(key, value)| one((key.as_str(), value.as_str()))).collect()
}

pub(super) fn tags(input: &StackInput) -> Vec<Tag> {
    input.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
