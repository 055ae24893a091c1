//! STS and IAM: who calls, and which roles there are.

use super::super::{Caller, ErrorKind, Identity, Result, RoleState};
use super::config::{Settings, client};
use super::errors::{failed, said};
use super::values::{pairs, text};
use async_trait::async_trait;

/// STS and IAM.
pub(super) struct Accounts {
    sts: aws_sdk_sts::Client,
    iam: aws_sdk_iam::Client,
}

impl Accounts {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { sts: client!(aws_sdk_sts, settings), iam: client!(aws_sdk_iam, settings) }
    }
}

#[async_trait]
impl Identity for Accounts {
    async fn caller(&self) -> Result<Caller> {
        let caller = self.sts.get_caller_identity().send().await.map_err(failed("sts", "GetCallerIdentity"))?;
        Ok(Caller { account: said("sts", "GetCallerIdentity", caller.account())?, arn: text(caller.arn()) })
    }

    async fn role_of_profile(&self, profile: &str) -> Result<Option<String>> {
        let call = self.iam.get_instance_profile().instance_profile_name(profile).send().await;
        match call.map_err(failed("iam", "GetInstanceProfile")) {
            Ok(found) => {
                let roles = found.instance_profile.map(|profile| profile.roles).unwrap_or_default();
                Ok(roles.into_iter().next().map(|role| role.arn))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn role_arn(&self, role: &str) -> Result<Option<String>> {
        match self.iam.get_role().role_name(role).send().await.map_err(failed("iam", "GetRole")) {
            Ok(found) => Ok(found.role.map(|role| role.arn)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `ListRoles` does not give tags, and still shows a role for a while after its end.
    async fn roles(&self, path: &str) -> Result<Vec<RoleState>> {
        let mut pages = self.iam.list_roles().path_prefix(path).into_paginator().items().send();
        let mut roles = Vec::new();
        while let Some(role) = pages.next().await {
            let name = role.map_err(failed("iam", "ListRoles"))?.role_name;
            let tags = self.iam.list_role_tags().role_name(&name).send().await;
            match tags.map_err(failed("iam", "ListRoleTags")) {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                tags => {
                    let tags = pairs(tags?.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
                    roles.push(RoleState { name, tags });
                }
            }
        }
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(roles)
    }
}
