//! CloudWatch Logs.

use super::super::{ErrorKind, LogEvent, LogQuery, Logs, Result};
use super::config::{Settings, client};
use super::errors::failed;
use super::values::{count, text};
use crate::catalog::LogGroup;
use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::{Client, types::FilteredLogEvent};
use std::collections::VecDeque;

/// CloudWatch Logs.
pub(super) struct CloudWatchLogs {
    client: Client,
}

impl CloudWatchLogs {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { client: client!(aws_sdk_cloudwatchlogs, settings) }
    }
}

#[async_trait]
impl Logs for CloudWatchLogs {
    /// `FilterLogEvents` begins with the oldest: all pages are read, and the newest events kept.
    async fn events(&self, query: &LogQuery) -> Result<Option<Vec<LogEvent>>> {
        let call = self
            .client
            .filter_log_events()
            .log_group_name(&query.group)
            .set_log_stream_name_prefix(Some(common_prefix(&query.streams)).filter(|prefix| !prefix.is_empty()))
            .set_filter_pattern(query.pattern.clone())
            .start_time(query.since.0 * 1000);
        let mut pages = call.into_paginator().send();
        let mut newest: VecDeque<LogEvent> = VecDeque::new();
        while let Some(page) = pages.next().await {
            let page = match page.map_err(failed("logs", "FilterLogEvents")) {
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
                page => page?,
            };
            newest.extend(page.events().iter().map(event).filter(|found| is_wanted(found, &query.streams)));
            newest.drain(..newest.len().saturating_sub(query.limit));
        }
        // Pages come in the order of time; two streams of one page need not.
        let mut events: Vec<LogEvent> = newest.into();
        events.sort_by(|a, b| a.millis.cmp(&b.millis).then_with(|| a.stream.cmp(&b.stream)));
        Ok(Some(events))
    }

    async fn group(&self, name: &str) -> Result<Option<LogGroup>> {
        let mut pages = self.client.describe_log_groups().log_group_name_prefix(name).into_paginator().items().send();
        while let Some(group) = pages.next().await {
            let group = group.map_err(failed("logs", "DescribeLogGroups"))?;
            if group.log_group_name() == Some(name) {
                return Ok(Some(LogGroup {
                    name: name.to_owned(),
                    days: group.retention_in_days().map(|days| count(Some(days))),
                }));
            }
        }
        Ok(None)
    }
}

/// The call takes one prefix: the longest that all have.
fn common_prefix(of: &[String]) -> String {
    let Some(first) = of.first() else { return String::new() };
    let shared = |other: &String| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = of.iter().map(shared).min().unwrap_or(0);
    first.get(..length).unwrap_or_default().to_owned()
}

fn is_wanted(event: &LogEvent, streams: &[String]) -> bool {
    streams.is_empty() || streams.iter().any(|prefix| event.stream.starts_with(prefix.as_str()))
}

fn event(from: &FilteredLogEvent) -> LogEvent {
    LogEvent {
        stream: text(from.log_stream_name()),
        millis: from.timestamp().unwrap_or_default(),
        message: text(from.message()),
        id: text(from.event_id()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_asks_for_no_more_than_it_must() {
        let prefix = |of: &[&str]| common_prefix(&of.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(prefix(&[]), "");
        assert_eq!(prefix(&["head/"]), "head/");
        assert_eq!(prefix(&["compute/i-01/", "compute/i-02/"]), "compute/i-0");
        assert_eq!(prefix(&["head/", "compute/"]), "");
    }
}
