//! The port of STS and IAM.

use super::{
    control::{Call, Sandbox},
    world::ACCOUNT,
};
use crate::cloud::{Caller, Identity, Result};
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl Identity for Sandbox {
    async fn caller(&self) -> Result<Caller> {
        self.call(Call::look("sts", "GetCallerIdentity"), |_, _| {
            Ok(Caller { account: ACCOUNT.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:user/sandbox") })
        })
    }

    /// Users' profiles are there without anybody making them, with a role below another path and of another name.
    async fn role_of_profile(&self, profile: &str) -> Result<Option<String>> {
        self.call(Call::look("iam", "GetInstanceProfile"), |_, script| {
            let there = !script.absent.iter().any(|name| name == profile);
            Ok(there.then(|| format!("arn:aws:iam::{ACCOUNT}:role/service/{profile}-role")))
        })
    }

    async fn roles(&self, prefix: &str) -> Result<Vec<String>> {
        self.call(Call::look("iam", "ListRoles"), |world, _| {
            let all = world.resources().map(|(_, r)| r).chain(world.retained.values());
            let ours = all.filter(|r| r.kind == "AWS::IAM::Role" && r.physical.starts_with(prefix));
            Ok(ours.map(|r| r.physical.clone()).collect::<BTreeSet<_>>().into_iter().collect())
        })
    }
}
