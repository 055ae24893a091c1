//! The record of rejected traffic.

use super::{
    DataHolding, DeletionPolicy, Resource, Stack, Val, iam,
    policy::{Statement, document},
    site::Site,
    tags,
};
use crate::spec::Path;

/// Records the rejected traffic of the stack's `Vpc`.
pub(super) fn record(site: Site<'_>, stack: &mut Stack, cause: &Path) {
    let group = log_group(site, "network.flow_log_group", cause.clone())
        .set("Tags", tags::named(site.cluster, "network", "flow-logs"));
    let group = stack.add("FlowLogGroup", group);
    // https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    let write = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"];
    let policy = document([Statement::allow("Write", &write).on_val(Val::att("FlowLogGroup", "Arn"))]);
    let role = iam::role(site, "network.flow_log_role", cause.clone(), "vpc-flow-logs.amazonaws.com")
        .set("Policies", iam::inline("write", policy));
    stack.add("FlowLogRole", role);
    let log = Resource::new("AWS::EC2::FlowLog", "network.flow_log", cause.clone())
        .set("ResourceId", Val::reference("Vpc"))
        .set("ResourceType", "VPC")
        .set("TrafficType", "REJECT")
        .set("LogDestinationType", "cloud-watch-logs")
        .set("LogGroupName", group)
        .set("DeliverLogsPermissionArn", Val::att("FlowLogRole", "Arn"))
        .set("MaxAggregationInterval", 600_u32)
        .set("Tags", tags::named(site.cluster, "network", "flow-log"));
    stack.add("FlowLog", log);
}

/// A log group as `monitoring.logs` wants it.
pub(super) fn log_group(site: Site<'_>, address: &str, cause: Path) -> Resource {
    let logs = &site.cluster.monitoring.logs;
    let deletion = if logs.keep_on_destroy { DeletionPolicy::Retain } else { DeletionPolicy::Delete };
    let from = |key: &str| Path::from("monitoring.logs").key(key);
    Resource::new("AWS::Logs::LogGroup", address, cause)
        .set("RetentionInDays", logs.retention_days)
        .maybe("KmsKeyId", logs.kms_key.as_ref().map(|key| key.as_str()))
        .because("RetentionInDays", from("retention_days"))
        .because("KmsKeyId", from("kms_key"))
        .holding(DataHolding::Logs, deletion)
}
