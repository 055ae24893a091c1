//! CloudFormation's descriptions in our own words.

use super::super::{ErrorKind, Result, StackResource, StackState, StackStatus};
use super::errors::own;
use super::values::{maybe, pairs, text, time};
use aws_sdk_cloudformation::types::{Stack, StackResourceSummary};

/// A stack.
///
/// # Errors
/// When its status is none that we know: to guess whether it may be touched would be worse.
pub(super) fn stack(from: &Stack) -> Result<StackState> {
    let word = from.stack_status().map(|status| status.as_str()).unwrap_or_default();
    let status = StackStatus::parse(word).ok_or_else(|| {
        let message = format!("stack `{}` has the unknown status `{word}`", text(from.stack_name()));
        own("cloudformation", "DescribeStacks", ErrorKind::Other, message)
    })?;
    Ok(StackState {
        name: text(from.stack_name()),
        id: text(from.stack_id()),
        status,
        reason: maybe(from.stack_status_reason()),
        parameters: pairs(from.parameters().iter().map(|p| (p.parameter_key(), p.parameter_value()))),
        outputs: pairs(from.outputs().iter().map(|o| (o.output_key(), o.output_value()))),
        tags: pairs(from.tags().iter().map(|t| (t.key(), t.value()))),
        created: time(from.creation_time()),
        updated: from.last_updated_time().map(|at| time(Some(at))),
        termination_protection: from.enable_termination_protection().unwrap_or_default(),
    })
}

/// A resource.
pub(super) fn resource(from: &StackResourceSummary) -> StackResource {
    StackResource {
        logical_id: text(from.logical_resource_id()),
        physical_id: text(from.physical_resource_id()),
        resource_type: text(from.resource_type()),
        status: from.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
    }
}
