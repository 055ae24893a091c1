//! Who calls, and roles.

use crate::{
    lab::{self, Lab},
    templates,
};
use hpcctl::cloud::{
    ErrorKind,
    aws::{self, AwsOptions},
};
use std::process::Command;

#[tokio::test]
async fn the_caller_and_roles_are_known() {
    let Some(lab) = Lab::open().await else { return };
    let caller = lab.cloud.identity.caller().await.unwrap();
    assert_eq!(caller.account, "123456789012");
    assert!(caller.arn.starts_with("arn:aws:"));

    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let roles = lab.cloud.identity.roles("/").await.unwrap();
    assert!(roles.iter().any(|role| role.name == format!("{}-net-role", lab.name)), "{roles:?}");
    assert!(lab.cloud.identity.roles("/nobody/").await.unwrap().is_empty());
    lab.remove(&net.id).await;
}

/// `--profile` wins over the keys in the environment: else it would be another account.
/// Role and profile have names of their own. AW-44.
#[tokio::test]
async fn the_role_of_a_profile_is_asked_for() {
    let Some(lab) = Lab::open().await else { return };
    let trust = r#"{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
    let template = format!(
        r#"{{"Resources": {{
          "Role": {{"Type": "AWS::IAM::Role", "Properties": {{
            "RoleName": "{0}-reader", "Path": "/site/", "AssumeRolePolicyDocument": {trust}}}}},
          "Profile": {{"Type": "AWS::IAM::InstanceProfile", "Properties": {{
            "InstanceProfileName": "{0}-nodes", "Roles": [{{"Ref": "Role"}}]}}}}}}}}"#,
        lab.name
    );
    let made = lab.make(&lab.stack("profile", &template)).await;
    let identity = &lab.cloud.identity;
    let role = identity.role_of_profile(&format!("{}-nodes", lab.name)).await.unwrap().unwrap();
    assert!(role.ends_with(&format!(":role/site/{}-reader", lab.name)), "{role}");
    assert_eq!(identity.role_of_profile(&format!("{}-nobody", lab.name)).await.unwrap(), None);
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn a_named_profile_is_the_only_source() {
    let Some(_lab) = Lab::open().await else { return };
    let options = AwsOptions { profile: Some("no-such-profile".to_owned()), ..AwsOptions::default() };
    let error = aws::open(options).await.unwrap().identity.caller().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Credentials, "{error}");
    assert!(error.message.contains("no-such-profile"), "{error}");
}

#[tokio::test]
async fn without_credentials_the_remedy_is_named() {
    if lab::running() {
        child("identity::child::no_credentials", &[("AWS_ACCESS_KEY_ID", None), ("HOME", Some("/nonexistent"))]);
        child("identity::child::no_region", &[("AWS_REGION", None), ("AWS_DEFAULT_REGION", None)]);
        child("identity::child::no_ca_file", &[("AWS_CA_BUNDLE", Some("/nonexistent/ca.pem"))]);
        child("identity::child::no_service", &[("AWS_ENDPOINT_URL", Some("http://127.0.0.1:9"))]);
    }
}

/// Runs one of the tests below in a process with another environment: a test cannot change its own.
pub fn child(test: &str, environment: &[(&str, Option<&str>)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--quiet"]);
    for (key, value) in environment {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {text}");
}

mod child {
    use super::*;

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn no_credentials() {
        let cloud = aws::open(AwsOptions::default()).await.unwrap();
        let error = cloud.identity.caller().await.unwrap_err();
        assert_eq!((error.kind, error.operation), (ErrorKind::Credentials, "GetCallerIdentity"), "{error}");
        assert!(error.message.contains("aws sso login"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn no_region() {
        let error = aws::open(AwsOptions::default()).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains("AWS_REGION"), "{error}");
        let options = AwsOptions { region: Some("eu-west-1".to_owned()), ..AwsOptions::default() };
        assert_eq!(aws::open(options).await.unwrap().region, "eu-west-1");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn no_ca_file() {
        let error = aws::open(AwsOptions::default()).await.err().unwrap();
        assert!(error.message.contains("/nonexistent/ca.pem"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn no_service() {
        let cloud = aws::open(AwsOptions::default()).await.unwrap();
        let error = cloud.identity.caller().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network, "{error}");
        assert!(error.message.contains("refused"), "{error}");
    }
}
