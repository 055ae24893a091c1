//! The port of STS and IAM.

use super::{
    control::{Call, Sandbox},
    world::ACCOUNT,
};
use crate::cloud::{Caller, Identity, Result, RoleState};
use async_trait::async_trait;
use std::collections::BTreeMap;

#[async_trait]
impl Identity for Sandbox {
    async fn caller(&self) -> Result<Caller> {
        self.call(Call::look("sts", "GetCallerIdentity"), |_, script| {
            let arn = script.caller.clone().unwrap_or_else(|| format!("arn:aws:iam::{ACCOUNT}:user/sandbox"));
            Ok(Caller { account: ACCOUNT.to_owned(), arn })
        })
    }

    async fn role_arn(&self, role: &str) -> Result<Option<String>> {
        self.call(Call::look("iam", "GetRole"), |_, script| {
            let there = !script.absent.iter().any(|name| name == role);
            Ok(there.then(|| arn_of(role, &self.region)))
        })
    }

    /// Users' profiles are there without anybody making them, with a role below another path and of another name.
    async fn role_of_profile(&self, profile: &str) -> Result<Option<String>> {
        self.call(Call::look("iam", "GetInstanceProfile"), |_, script| {
            let there = !script.absent.iter().any(|name| name == profile);
            Ok(there.then(|| format!("arn:aws:iam::{ACCOUNT}:role/service/{profile}-role")))
        })
    }

    async fn roles(&self, path: &str) -> Result<Vec<RoleState>> {
        self.call(Call::look("iam", "ListRoles"), |world, _| {
            let all = world.resources().map(|(_, r)| r).chain(world.retained.values()).chain(world.ghosts());
            let ours = all.filter(|r| r.kind == "AWS::IAM::Role" && r.text("Path").unwrap_or("/").starts_with(path));
            let roles: BTreeMap<String, RoleState> = ours
                .map(|r| (r.physical.clone(), RoleState { name: r.physical.clone(), tags: r.tags.clone() }))
                .collect();
            Ok(roles.into_values().collect())
        })
    }
}

/// A role's ARN. Those of IAM Identity Center are below a path of its own.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>
pub(super) fn arn_of(role: &str, region: &str) -> String {
    let path = match role.starts_with("AWSReservedSSO_") {
        true => format!("aws-reserved/sso.amazonaws.com/{region}/"),
        false => String::new(),
    };
    format!("arn:aws:iam::{ACCOUNT}:role/{path}{role}")
}
