//! What CloudFormation itself would change: change sets, made, read and deleted.

use super::super::{ErrorKind, PreviewChange, PreviewDetail, Result, StackInput};
use super::errors::{failed, own};
use super::retry::Pauses;
use super::stacks::{CloudFormation, parameters, tags};
use super::values::{nonce, text};
use aws_sdk_cloudformation::{
    operation::describe_change_set::DescribeChangeSetOutput,
    types::{Capability, Change, ChangeSetStatus, ChangeSetType, EvaluationType, ResourceChangeDetail},
};
use std::time::Duration;

/// Large stacks take tens of seconds.
const LONGEST: Duration = Duration::from_secs(300);

impl CloudFormation {
    /// The changes of an update. The change set is deleted whatever comes of it.
    pub(super) async fn changes(&self, input: &StackInput) -> Result<Vec<PreviewChange>> {
        let id = self.make_change_set(input).await?;
        let found = self.read_change_set(&id).await;
        // One that stays is rubbish in a list, no reason to fail a plan.
        let _ = self.client.delete_change_set().change_set_name(&id).send().await;
        found
    }

    async fn make_change_set(&self, input: &StackInput) -> Result<String> {
        let template = self.template_of(&input.template);
        let name = format!("hpcctl-preview-{}", nonce());
        let made = self
            .client
            .create_change_set()
            .stack_name(&input.name)
            .change_set_name(&name)
            // Whoever repeats the call, since its answer was lost, means the same change set.
            .client_token(&name)
            .change_set_type(ChangeSetType::Update)
            .set_template_body(template.body)
            .set_template_url(template.url)
            .set_parameters(Some(parameters(input)))
            .set_tags(Some(tags(input)))
            .capabilities(Capability::CapabilityNamedIam)
            .description("made by hpcctl plan to read it; deleted at once")
            .send()
            .await
            .map_err(failed("cloudformation", "CreateChangeSet"));
        match made {
            Ok(made) => Ok(text(made.id())),
            // Nobody else has this name: it was made, and the answer was lost all the same.
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let call = self.client.describe_change_set().stack_name(&input.name).change_set_name(&name);
                let found = call.send().await.map_err(failed("cloudformation", "DescribeChangeSet"))?;
                Ok(text(found.change_set_id()))
            }
            Err(error) => Err(error),
        }
    }

    async fn read_change_set(&self, id: &str) -> Result<Vec<PreviewChange>> {
        let first = self.finished_change_set(id).await?;
        if first.status() == Some(&ChangeSetStatus::Failed) {
            return failure(first.status_reason().unwrap_or_default());
        }
        let mut changes: Vec<PreviewChange> = first.changes().iter().filter_map(change).collect();
        let mut next = first.next_token;
        while let Some(token) = next {
            let page = self.describe_change_set(id, Some(token)).await?;
            changes.extend(page.changes().iter().filter_map(change));
            next = page.next_token;
        }
        Ok(changes)
    }

    async fn finished_change_set(&self, id: &str) -> Result<DescribeChangeSetOutput> {
        let mut pauses = Pauses::within(LONGEST);
        loop {
            let page = self.describe_change_set(id, None).await?;
            match page.status() {
                Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => {}
                _ => return Ok(page),
            }
            if !pauses.wait().await {
                let message = format!("change set still not made after {} seconds", LONGEST.as_secs());
                return Err(own("cloudformation", "DescribeChangeSet", ErrorKind::Unavailable, message));
            }
        }
    }

    async fn describe_change_set(&self, id: &str, page: Option<String>) -> Result<DescribeChangeSetOutput> {
        let call = self.client.describe_change_set().change_set_name(id).set_next_token(page);
        call.send().await.map_err(failed("cloudformation", "DescribeChangeSet"))
    }
}

/// A change set without changes fails; that is no failure of ours.
fn failure(reason: &str) -> Result<Vec<PreviewChange>> {
    if reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") {
        return Ok(Vec::new());
    }
    Err(own("cloudformation", "CreateChangeSet", ErrorKind::Invalid, reason.to_owned()))
}

fn change(from: &Change) -> Option<PreviewChange> {
    let change = from.resource_change()?;
    Some(PreviewChange {
        logical_id: text(change.logical_resource_id()),
        resource_type: text(change.resource_type()),
        action: change.action().map(|action| action.as_str().to_owned()).unwrap_or_default(),
        replacement: change.replacement().map(|replacement| replacement.as_str().to_owned()),
        details: change.details().iter().filter_map(detail).collect(),
    })
}

fn detail(from: &ResourceChangeDetail) -> Option<PreviewDetail> {
    let target = from.target()?;
    let attribute = target.attribute().map(|attribute| attribute.as_str()).unwrap_or_default();
    Some(PreviewDetail {
        property: target.name().unwrap_or(attribute).to_owned(),
        recreation: target.requires_recreation().map_or("Never", |recreation| recreation.as_str()).to_owned(),
        dynamic: from.evaluation() == Some(&EvaluationType::Dynamic),
    })
}
