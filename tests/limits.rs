//! Numbers and sizes that AWS limits: counted before the plan, and refused by the double.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        StackInput, TemplateSource,
        sandbox::{Sandbox, Script},
    },
    render,
};
use serde_json::{Value, json};
use std::time::Duration;
use support::*;

/// What CloudFormation says of a stack with one resource, and of its change to another.
async fn made(script: Script, kind: &str, first: Value, then: Option<Value>) -> String {
    let sandbox = Sandbox::in_memory("eu-west-1");
    sandbox.set_script(script);
    let cloud = sandbox.cloud();
    let input = |properties: &Value, token: &str| StackInput {
        name: "fld-storage".to_owned(),
        template: TemplateSource::Body(
            json!({"Resources": {"One": {"Type": kind, "Properties": properties}}}).to_string(),
        ),
        parameters: Default::default(),
        tags: Default::default(),
        token: token.to_owned(),
        termination_protection: false,
    };
    cloud.stacks.create(&input(&first, "one")).await.unwrap();
    cloud.clock.sleep(Duration::from_secs(3600)).await;
    if let Some(then) = then {
        cloud.stacks.update(&input(&then, "two")).await.unwrap();
        cloud.clock.sleep(Duration::from_secs(3600)).await;
    }
    format!("{:?}", cloud.stacks.events("fld-storage", None).await.unwrap())
}

fn group(rules: usize) -> Value {
    let rule =
        |n: usize| json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": format!("10.0.{n}.0/24")});
    json!({
        "GroupDescription": "many rules",
        "VpcId": "vpc-0a1b2c3d4e5f67890",
        "SecurityGroupIngress": (0..rules).map(rule).collect::<Vec<_>>(),
    })
}

fn role(policies: usize, letters: usize) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}", "x".repeat(letters))}]});
    json!({
        "AssumeRolePolicyDocument": trust,
        "ManagedPolicyArns": (0..policies).map(|n| format!("arn:aws:iam::123456789012:policy/p{n}")).collect::<Vec<_>>(),
        "Policies": [{"PolicyName": "node", "PolicyDocument": document}],
    })
}

/// AW-47: in AWS's words, when something is made and when it is changed.
#[test]
fn the_double_refuses_what_is_too_much() {
    const GROUP: &str = "AWS::EC2::SecurityGroup";
    const ROLE: &str = "AWS::IAM::Role";
    let full = "maximum number of rules per security group has been reached";
    let many = "Cannot exceed quota for PoliciesPerRole: 10";
    let long = "Maximum policy size of 10240 bytes exceeded for role";
    let cases = [
        (GROUP, group(60), group(61), full),
        (ROLE, role(10, 9), role(11, 9), many),
        (ROLE, role(0, 10_000), role(0, 10_240), long),
    ];
    on_sandbox(async {
        for (kind, fits, too_much, words) in cases {
            let none = Script::default;
            let said = made(none(), kind, fits.clone(), None).await;
            assert!(!said.contains(words) && said.contains("CREATE_COMPLETE"), "{said}");
            assert!(made(none(), kind, too_much.clone(), None).await.contains(words), "{words}: made");
            assert!(made(none(), kind, fits, Some(too_much)).await.contains(words), "{words}: changed");
        }
        let raised = Script { quotas: [("L-0EA8095F".to_owned(), 100.0)].into(), ..Script::default() };
        assert!(!made(raised, GROUP, group(61), None).await.contains(full), "a quota can be raised");
    });
}

/// What is counted before the plan is no more than what IAM counts, and near it.
#[test]
fn roles_are_as_long_as_they_are_said_to_be() {
    let mut longest = 0;
    for (name, example) in files::examples() {
        let built = build("cluster.yaml", &serde_yaml::to_string(&example).unwrap());
        for (at, characters) in render::role_sizes(&built.graph) {
            assert!((100..10_240).contains(&characters), "{name}: {at} has {characters}");
            longest = longest.max(characters);
        }
    }
    assert!(longest > 3000, "{longest}");
}
