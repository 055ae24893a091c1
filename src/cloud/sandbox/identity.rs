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

    async fn roles(&self, prefix: &str) -> Result<Vec<String>> {
        self.call(Call::look("iam", "ListRoles"), |world, _| {
            let all = world.resources().map(|(_, r)| r).chain(world.retained.values());
            let ours = all.filter(|r| r.kind == "AWS::IAM::Role" && r.physical.starts_with(prefix));
            Ok(ours.map(|r| r.physical.clone()).collect::<BTreeSet<_>>().into_iter().collect())
        })
    }
}
