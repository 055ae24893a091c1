//! A stack's events.

use super::super::{Result, StackEvent};
use super::errors::failed;
use super::values::{maybe, text, time};
use aws_sdk_cloudformation::{Client, types};

/// The type of the event that tells of the stack itself.
const STACK: &str = "AWS::CloudFormation::Stack";

/// The events after the one with id `after`, oldest first. CloudFormation gives the newest first, so only the
/// pages up to `after` are read.
pub(super) async fn since(client: &Client, stack: &str, after: Option<&str>) -> Result<Vec<StackEvent>> {
    let mut pages = client.describe_stack_events().stack_name(stack).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(event) = pages.next().await {
        let event = event.map_err(failed("cloudformation", "DescribeStackEvents"))?;
        if after.is_some() && event.event_id() == after {
            break;
        }
        found.push(state(&event));
    }
    found.reverse();
    Ok(found)
}

/// Whether the stack's last operation was begun with this token: the answer to a call whose own answer was lost.
pub(super) async fn last_token_is(client: &Client, stack: &str, token: &str) -> Result<bool> {
    let mut pages = client.describe_stack_events().stack_name(stack).into_paginator().items().send();
    while let Some(event) = pages.next().await {
        let event = event.map_err(failed("cloudformation", "DescribeStackEvents"))?;
        if event.resource_type() == Some(STACK) && event.physical_resource_id() == event.stack_id() {
            return Ok(event.client_request_token() == Some(token));
        }
    }
    Ok(false)
}

fn state(from: &types::StackEvent) -> StackEvent {
    StackEvent {
        id: text(from.event_id()),
        logical_id: text(from.logical_resource_id()),
        physical_id: maybe(from.physical_resource_id()),
        resource_type: text(from.resource_type()),
        status: from.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: maybe(from.resource_status_reason()),
        at: time(from.timestamp()),
        token: maybe(from.client_request_token()),
    }
}
