//! Numbers for CloudWatch: a line of JSON a minute, in the embedded metric format, in a log that its agent ships.
//!
//! CloudWatch makes metrics of such log events by itself, whoever sends them.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use crate::{
    cloud::Timestamp,
    model::names::{CLUSTER_DIMENSION, JOBS_PENDING, JOBS_RUNNING, METRICS, NODES_ALLOCATED, NODES_DOWN, NODES_IDLE},
    node::SlurmJob,
    observe::{NodeReport, SlurmReport},
};
use serde_json::{Value, json};

/// The log's name.
pub(super) const LOG: &str = "metrics.log";
/// The log begins anew when it has so many bytes.
pub(super) const MOST: u64 = 1 << 20;

/// One line.
pub fn line(report: &SlurmReport, jobs: &[SlurmJob], at: Timestamp) -> String {
    let nodes = |states: &[NodeReport]| states.iter().map(|state| report.nodes(*state)).sum::<u32>();
    let waiting = jobs.iter().filter(|job| job.state == "PENDING").count();
    let values = [
        (NODES_ALLOCATED, u64::from(nodes(&[NodeReport::Allocated]))),
        (NODES_IDLE, u64::from(nodes(&[NodeReport::Idle]))),
        (NODES_DOWN, u64::from(nodes(&[NodeReport::Down, NodeReport::Drained]))),
        (JOBS_RUNNING, (jobs.len() - waiting) as u64),
        (JOBS_PENDING, waiting as u64),
    ];
    let names: Vec<Value> = values.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": at.0 * 1000,
            "CloudWatchMetrics": [{ "Namespace": METRICS, "Dimensions": [[CLUSTER_DIMENSION]], "Metrics": names }],
        },
        CLUSTER_DIMENSION: report.cluster,
    });
    for (name, value) in values {
        line[name] = json!(value);
    }
    line.to_string()
}
