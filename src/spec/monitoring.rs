//! Logs, dashboard, alarms, budget, and the directory.

use super::{Arn, Email};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Logs, dashboard and alarms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitoring {
    /// Logs of all nodes in CloudWatch Logs.
    pub logs: Logs,
    /// A CloudWatch dashboard.
    pub dashboard: bool,
    /// Alarms on the head node: status checks, disk, memory.
    pub alarms: bool,
    /// Who is told of alarms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Email>,
    /// CloudWatch's detailed (one-minute) metrics for compute nodes.
    pub detailed: bool,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self { logs: Logs::default(), dashboard: true, alarms: true, notify: Vec::new(), detailed: false }
    }
}

/// Logs of all nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logs {
    /// Send logs to CloudWatch.
    pub enabled: bool,
    /// Days that logs are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
    /// 2922, 3288 or 3653.
    #[schemars(range(min = 1, max = 3653))]
    pub retention_days: u32,
    /// Keep the log group when the cluster is destroyed.
    pub keep_on_destroy: bool,
    /// A KMS key for the log group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Arn>,
}

impl Default for Logs {
    fn default() -> Self {
        Self { enabled: true, retention_days: 30, keep_on_destroy: false, kms_key: None }
    }
}

/// A monthly budget (AWS Budgets) for everything tagged with the cluster's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The limit in USD a month.
    #[schemars(range(min = 1.0, max = 100000000.0))]
    pub monthly_usd: f64,
    /// Percentages of the limit at which people are told.
    #[serde(default = "thresholds")]
    #[schemars(length(min = 1, max = 5))]
    pub thresholds_percent: Vec<u32>,
    /// Who is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub notify: Vec<Email>,
}

/// Users from a directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoryService {
    /// The domain, such as `dc=corp,dc=example,dc=org`.
    pub domain: String,
    /// The servers, such as `ldaps://corp.example.org`.
    #[schemars(length(min = 1))]
    pub servers: Vec<String>,
    /// The user that reads the directory.
    pub read_only_user: String,
    /// The secret in Secrets Manager that holds that user's password.
    pub password_secret: Arn,
}

fn thresholds() -> Vec<u32> {
    vec![80, 100]
}
