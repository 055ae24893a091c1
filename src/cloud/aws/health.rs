//! Status checks and scheduled events of instances.

use super::super::{InstanceHealth, Result};
use super::errors::failed;
use super::values::text;
use aws_sdk_ec2::{
    Client,
    types::{InstanceStatus, SummaryStatus},
};

/// Ids in one `DescribeInstanceStatus`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html>
const BATCH: usize = 100;

/// Running instances with a failed status check or an event to come, by id.
pub(super) async fn ailing(client: &Client, ids: &[String]) -> Result<Vec<InstanceHealth>> {
    let mut found = Vec::new();
    for batch in ids.chunks(BATCH) {
        let call = client.describe_instance_status().set_instance_ids(Some(batch.to_vec())).send().await;
        let page = call.map_err(failed("ec2", "DescribeInstanceStatus"))?;
        found.extend(page.instance_statuses().iter().map(health).filter(|one| one.impaired || !one.events.is_empty()));
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn health(from: &InstanceStatus) -> InstanceHealth {
    let checks = [from.instance_status(), from.system_status()];
    let failed = |check: Option<&SummaryStatus>| check == Some(&SummaryStatus::Impaired);
    let events = from.events().iter().map(|event| {
        let code = event.code().map(|code| code.as_str().to_owned()).unwrap_or_default();
        (code, text(event.description()))
    });
    // EC2 keeps events for a week after they are over and says so in front of their description.
    let to_come = events.filter(|(_, words)| !words.starts_with("[Completed]") && !words.starts_with("[Canceled]"));
    InstanceHealth {
        id: text(from.instance_id()),
        impaired: checks.into_iter().flatten().any(|check| failed(check.status())),
        events: to_come.collect(),
    }
}
