//! The role that FIS takes on.

use super::super::{EXPERIMENT_ROLE, ErrorKind, ExperimentRole, Result, RoleInput};
use super::errors::failed;
use super::values::text;
use aws_sdk_iam::{Client, types::Tag};
use serde_json::{Value, json};

const POLICY: &str = "interrupt";

/// Makes the role, or makes sure of the policy of one that is there.
pub(super) async fn make(client: &Client, input: &RoleInput) -> Result<ExperimentRole> {
    let tag = Tag::builder().key("hpcctl:role").value("interrupt").build();
    let call = client
        .create_role()
        .role_name(EXPERIMENT_ROLE)
        .path(&input.path)
        .description("hpcctl interrupt: what Fault Injection Service may do")
        .assume_role_policy_document(trust(input).to_string())
        .set_permissions_boundary(input.boundary.clone())
        .set_tags(tag.ok().map(|tag| vec![tag]));
    let role = match call.send().await.map_err(failed("iam", "CreateRole")) {
        Ok(made) => ExperimentRole { arn: text(made.role().map(|role| role.arn())), made: true },
        Err(error) if error.kind == ErrorKind::AlreadyExists => {
            let found = client.get_role().role_name(EXPERIMENT_ROLE).send().await.map_err(failed("iam", "GetRole"))?;
            ExperimentRole { arn: text(found.role().map(|role| role.arn())), made: false }
        }
        Err(error) => return Err(error),
    };
    let put = client.put_role_policy().role_name(EXPERIMENT_ROLE).policy_name(POLICY);
    let put = put.policy_document(policy(&input.partition).to_string());
    put.send().await.map_err(failed("iam", "PutRolePolicy"))?;
    Ok(role)
}

/// Deletes the role.
pub(super) async fn remove(client: &Client) -> Result<()> {
    let policy = client.delete_role_policy().role_name(EXPERIMENT_ROLE).policy_name(POLICY).send().await;
    gone_is_fine(policy.map(drop).map_err(failed("iam", "DeleteRolePolicy")))?;
    let role = client.delete_role().role_name(EXPERIMENT_ROLE).send().await;
    gone_is_fine(role.map(drop).map_err(failed("iam", "DeleteRole")))
}

fn gone_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// FIS, and only for experiments of this account: nobody else's can borrow the role.
/// <https://docs.aws.amazon.com/fis/latest/userguide/getting-started-iam-service-role.html>
fn trust(input: &RoleInput) -> Value {
    let RoleInput { account, partition, path: _, boundary: _ } = input;
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "fis.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": format!("arn:{partition}:fis:*:{account}:experiment/*") },
        },
    }] })
}

/// The policy that AWS documents for FIS's actions on EC2.
fn policy(partition: &str) -> Value {
    let instances = format!("arn:{partition}:ec2:*:*:instance/*");
    let allow = |sid: &str, actions: &[&str], resource: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource });
    let on = ["ec2:RebootInstances", "ec2:StopInstances", "ec2:StartInstances", "ec2:TerminateInstances"];
    json!({ "Version": "2012-10-17", "Statement": [
        allow("AllowFISExperimentRoleEC2ReadOnly", &["ec2:DescribeInstances"], "*"),
        allow("AllowFISExperimentRoleEC2Actions", &on, &instances),
        allow("AllowFISExperimentRoleSpotInstanceActions", &["ec2:SendSpotInstanceInterruptions"], &instances),
    ] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_the_services_and_the_accounts() {
        let input = RoleInput {
            account: "123456789012".to_owned(),
            partition: "aws".to_owned(),
            path: "/".to_owned(),
            boundary: None,
        };
        let statement = &trust(&input)["Statement"][0];
        assert_eq!(statement["Condition"]["StringEquals"]["aws:SourceAccount"], "123456789012");
        let policy = policy("aws-us-gov");
        assert_eq!(policy["Statement"][2]["Resource"], "arn:aws-us-gov:ec2:*:*:instance/*");
        assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(3));
    }
}
