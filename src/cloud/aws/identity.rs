//! STS and IAM: who calls, and which roles there are.

use super::super::{Caller, ErrorKind, Identity, Result};
use super::config::Settings;
use super::errors::failed;
use super::retry::UntrustedForGood;
use super::values::text;
use async_trait::async_trait;

/// STS and IAM.
pub(super) struct Accounts {
    sts: aws_sdk_sts::Client,
    iam: aws_sdk_iam::Client,
}

impl Accounts {
    pub(super) fn new(settings: &Settings) -> Self {
        let sts = aws_sdk_sts::config::Builder::from(&settings.sdk).retry_classifier(UntrustedForGood);
        let iam = aws_sdk_iam::config::Builder::from(&settings.sdk).retry_classifier(UntrustedForGood);
        Self { sts: aws_sdk_sts::Client::from_conf(sts.build()), iam: aws_sdk_iam::Client::from_conf(iam.build()) }
    }
}

#[async_trait]
impl Identity for Accounts {
    async fn caller(&self) -> Result<Caller> {
        let caller = self.sts.get_caller_identity().send().await.map_err(failed("sts", "GetCallerIdentity"))?;
        Ok(Caller { account: text(caller.account()), arn: text(caller.arn()) })
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

    /// IAM cannot search names (only paths), so all roles of the account are read.
    async fn roles(&self, prefix: &str) -> Result<Vec<String>> {
        let mut pages = self.iam.list_roles().into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(role) = pages.next().await {
            let role = role.map_err(failed("iam", "ListRoles"))?;
            names.extend(Some(role.role_name).filter(|name| name.starts_with(prefix)));
        }
        names.sort();
        Ok(names)
    }
}
