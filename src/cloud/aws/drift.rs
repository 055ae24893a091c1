//! What was changed by hand: CloudFormation's drift detection.

use super::super::{DriftDifference, ErrorKind, ResourceDrift, Result};
use super::errors::{failed, own};
use super::retry::Pauses;
use super::values::text;
use aws_sdk_cloudformation::{
    Client,
    types::{PropertyDifference, StackDriftDetectionStatus, StackResourceDrift, StackResourceDriftStatus},
};
use std::time::Duration;

/// Detection reads every resource: minutes for a large stack.
const LONGEST: Duration = Duration::from_secs(900);

/// Detects drift; gives the resources that are modified or deleted. Resources that CloudFormation cannot check
/// are not among them.
///
/// # Errors
/// Also when detection failed for some resource (most often for want of a permission to read it): to say nothing
/// of it would pass for "in sync".
pub(super) async fn detect(client: &Client, stack: &str) -> Result<Vec<ResourceDrift>> {
    let begun = client.detect_stack_drift().stack_name(stack).send().await;
    let id = text(begun.map_err(failed("cloudformation", "DetectStackDrift"))?.stack_drift_detection_id());
    wait(client, &id).await?;
    drifted(client, stack).await
}

/// Detects the drift of one resource, while the call waits.
pub(super) async fn detect_one(client: &Client, stack: &str, logical_id: &str) -> Result<ResourceDrift> {
    const OPERATION: &str = "DetectStackResourceDrift";
    let call = client.detect_stack_resource_drift().stack_name(stack).logical_resource_id(logical_id).send().await;
    let said = call.map_err(failed("cloudformation", OPERATION))?;
    said.stack_resource_drift().map(resource).ok_or_else(|| {
        own("cloudformation", OPERATION, ErrorKind::Other, format!("CloudFormation said nothing of {logical_id}"))
    })
}

async fn wait(client: &Client, id: &str) -> Result<()> {
    const OPERATION: &str = "DescribeStackDriftDetectionStatus";
    let mut pauses = Pauses::within(LONGEST);
    loop {
        let call = client.describe_stack_drift_detection_status().stack_drift_detection_id(id).send().await;
        let status = call.map_err(failed("cloudformation", OPERATION))?;
        match status.detection_status() {
            Some(StackDriftDetectionStatus::DetectionComplete) => return Ok(()),
            Some(StackDriftDetectionStatus::DetectionFailed) => {
                let message = text(status.detection_status_reason());
                return Err(own("cloudformation", "DetectStackDrift", ErrorKind::Other, message));
            }
            _ => {}
        }
        if !pauses.wait().await {
            let message = format!("still not done after {} seconds", LONGEST.as_secs());
            return Err(own("cloudformation", OPERATION, ErrorKind::Unavailable, message));
        }
    }
}

async fn drifted(client: &Client, stack: &str) -> Result<Vec<ResourceDrift>> {
    let mut pages = client
        .describe_stack_resource_drifts()
        .stack_name(stack)
        .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
        .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed("cloudformation", "DescribeStackResourceDrifts"))?;
        found.extend(page.stack_resource_drifts().iter().map(resource));
    }
    found.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    Ok(found)
}

fn resource(from: &StackResourceDrift) -> ResourceDrift {
    let status = from.stack_resource_drift_status();
    ResourceDrift {
        logical_id: text(from.logical_resource_id()),
        resource_type: text(from.resource_type()),
        status: status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        differences: from.property_differences().iter().map(difference).collect(),
    }
}

fn difference(from: &PropertyDifference) -> DriftDifference {
    DriftDifference {
        path: text(from.property_path()),
        expected: text(from.expected_value()),
        actual: text(from.actual_value()),
        kind: from.difference_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
    }
}
