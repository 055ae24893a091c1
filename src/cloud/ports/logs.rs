//! CloudWatch Logs.

use crate::{
    catalog::LogGroup,
    cloud::{Result, Timestamp},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// CloudWatch Logs.
#[async_trait]
pub trait Logs: Send + Sync {
    /// The events of a log group in the order of time; `None` when the group does not exist.
    async fn events(&self, query: &LogQuery) -> Result<Option<Vec<LogEvent>>>;
    /// The log group of this name, when it exists.
    async fn group(&self, name: &str) -> Result<Option<LogGroup>>;
}

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// The group.
    pub group: String,
    /// What the names of streams begin with, any of these; none: all streams.
    pub streams: Vec<String>,
    /// Not older than this.
    pub since: Timestamp,
    /// A filter pattern in CloudWatch's own language; none: everything.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>
    pub pattern: Option<String>,
    /// The most events; the newest are given.
    pub limit: usize,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// The stream.
    pub stream: String,
    /// When, in milliseconds since 1970.
    pub millis: i64,
    /// The line.
    pub message: String,
    /// CloudWatch's id of the event.
    pub id: String,
}
