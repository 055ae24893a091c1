//! CloudWatch Logs' port: groups are made by stacks, but nothing runs here that would write to them.

use super::{
    control::{Call, Sandbox},
    eval::plain,
    resource::Resource,
};
use crate::{
    catalog::LogGroup,
    cloud::{LogEvent, LogQuery, Logs, Result},
};
use async_trait::async_trait;

#[async_trait]
impl Logs for Sandbox {
    async fn events(&self, query: &LogQuery) -> Result<Option<Vec<LogEvent>>> {
        self.call(Call::look("logs", "FilterLogEvents"), |world, _| {
            let mut all = world.resources().map(|(_, resource)| resource).chain(world.retained.values());
            let there = all.any(|r| r.kind == "AWS::Logs::LogGroup" && r.physical == query.group);
            Ok(there.then(Vec::new))
        })
    }

    async fn group(&self, name: &str) -> Result<Option<LogGroup>> {
        self.call(Call::look("logs", "DescribeLogGroups"), |world, _| {
            let all = world.resources().map(|(_, resource)| resource).chain(world.retained.values());
            let mut here = all.filter(|r| r.is_in(&self.region) && r.kind == "AWS::Logs::LogGroup");
            let days = |r: &Resource| r.actual().get("RetentionInDays").map(plain).and_then(|days| days.parse().ok());
            Ok(here.find(|r| r.physical == name).map(|r| LogGroup { name: name.to_owned(), days: days(r) }))
        })
    }
}
