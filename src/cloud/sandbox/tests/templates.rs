//! Templates: functions, conditions, what is refused before anything is made.

use super::help::*;
use crate::cloud::{CloudError, ErrorKind, MAX_TEMPLATE_BODY, StackStatus, TemplateSource, sandbox};
use serde_json::{Value, json};

/// A log group, and an output with this value.
fn output(value: Value) -> Value {
    json!({
        "Parameters": {
            "Name": { "Type": "String", "Default": "fds" },
            "Subnets": { "Type": "CommaDelimitedList", "Default": "subnet-1, subnet-2" },
        },
        "Mappings": { "Sizes": { "small": { "GiB": 1200 } } },
        "Conditions": {
            "Yes": { "Fn::Equals": [{ "Ref": "Name" }, "fds"] },
            "No": { "Fn::Not": [{ "Condition": "Yes" }] },
            "Both": { "Fn::And": [{ "Condition": "Yes" }, { "Fn::Or": [{ "Condition": "No" }, { "Condition": "Yes" }] }] },
        },
        "Resources": {
            "Logs": { "Type": "AWS::Logs::LogGroup", "Properties": {
                "LogGroupName": { "Fn::Sub": "/hpc/${Name}" },
                "RetentionInDays": { "Fn::If": ["No", 30, { "Ref": "AWS::NoValue" }] },
            }},
            "Never": { "Type": "AWS::Logs::LogGroup", "Condition": "No", "Properties": {} },
        },
        "Outputs": {
            "Value": { "Value": value },
            "Absent": { "Condition": "No", "Value": "x" },
        },
    })
}

fn evaluated(value: Value) -> String {
    let cloud = sandbox::in_memory(REGION);
    let state = run(create(&cloud, "demo-logs", &output(value)));
    assert_eq!(state.status, StackStatus::CreateComplete);
    assert!(!state.outputs.contains_key("Absent"));
    state.outputs["Value"].clone()
}

#[test]
fn functions_are_evaluated() {
    let cases = [
        (json!({ "Ref": "Name" }), "fds"),
        (json!({ "Ref": "Logs" }), "/hpc/fds"),
        (json!({ "Ref": "AWS::Partition" }), "aws"),
        (json!({ "Fn::GetAtt": ["Logs", "Arn"] }), "arn:aws:logs:eu-west-1:123456789012:log-group:/hpc/fds:*"),
        (json!({ "Fn::Sub": "${!Name}=${Name} ${Logs} ${AWS::Region}" }), "${Name}=fds /hpc/fds eu-west-1"),
        (json!({ "Fn::Sub": ["${A}-${Name}", { "A": { "Fn::Join": ["+", ["x", { "Ref": "Name" }]] } }] }), "x+fds-fds"),
        (json!({ "Fn::Select": [1, { "Fn::Split": ["/", "a/b/c"] }] }), "b"),
        (json!({ "Fn::Select": ["1", { "Ref": "Subnets" }] }), "subnet-2"),
        (json!({ "Fn::Select": [0, { "Fn::GetAZs": "" }] }), "eu-west-1a"),
        (json!({ "Fn::FindInMap": ["Sizes", "small", "GiB"] }), "1200"),
        (json!({ "Fn::Base64": { "Fn::Sub": "${Name}" } }), "ZmRz"),
        (json!({ "Fn::If": ["Both", "both", "one"] }), "both"),
    ];
    for (value, expected) in cases {
        assert_eq!(evaluated(value), expected);
    }
}

fn refused(template: &Value) -> CloudError {
    let cloud = sandbox::in_memory(REGION);
    let error = run(cloud.stacks.create(&input("demo-x", template))).unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("ValidationError")));
    assert_eq!(run(cloud.stacks.stack("demo-x")), Ok(None));
    error
}

fn group(properties: Value) -> Value {
    json!({ "Type": "AWS::EC2::SecurityGroup", "Properties": properties })
}

#[test]
fn wrong_templates_are_refused_at_once() {
    let cases = [
        (json!({ "Resources": {} }), "At least one Resources member"),
        (
            json!({ "Resources": { "A": { "Type": "AWS::EC2::Grop" } } }),
            "Unrecognized resource types: [AWS::EC2::Grop]",
        ),
        (
            json!({ "Resources": { "A": group(json!({ "VpcId": { "Ref": "Vpc" } })) } }),
            "Unresolved resource dependencies [Vpc]",
        ),
        (
            json!({ "Resources": {
                "A": group(json!({ "VpcId": { "Ref": "B" } })), "B": group(json!({ "VpcId": { "Fn::Sub": "${A.GroupId}" } })),
            }}),
            "Circular dependency between resources: [A, B]",
        ),
        (
            json!({ "Resources": { "A": group(json!({})) }, "Outputs": { "O": { "Value": { "Fn::GetAtt": ["A", "Nope"] } } } }),
            "does not support attribute type Nope",
        ),
        (
            json!({ "Parameters": { "P": { "Type": "String" } }, "Resources": { "A": group(json!({})) } }),
            "Parameters: [P] must have values",
        ),
    ];
    for (template, expected) in cases {
        let error = refused(&template);
        assert!(error.message.contains(expected), "{error}");
    }
}

#[test]
fn long_templates_go_through_a_bucket() {
    let cloud = sandbox::in_memory(REGION);
    let mut template = output(json!("x"));
    template["Description"] = Value::from("x".repeat(MAX_TEMPLATE_BODY));
    assert!(refused(&template).message.contains("51200"));
    run(async {
        let body = template.to_string().into_bytes();
        cloud.objects.put("a-bucket", "t.json", body, crate::cloud::PutCondition::Always).await.unwrap();
        let mut input = input("demo-x", &template);
        input.template = TemplateSource::Object { bucket: "a-bucket".to_owned(), key: "t.json".to_owned() };
        cloud.stacks.create(&input).await.unwrap();
        assert_eq!(settled(&cloud, "demo-x").await.status, StackStatus::CreateComplete);
        assert_eq!(cloud.stacks.template("demo-x").await.unwrap(), template.to_string());
    });
}

/// EC2 takes few letters in descriptions of security groups and rules, which no provider schema says.
#[test]
fn a_description_with_a_letter_that_ec2_does_not_take_is_refused() {
    let rule = |words: &str| json!([{ "IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": words }]);
    let of = |properties: &Value| super::super::violations::of("Group", "AWS::EC2::SecurityGroup", properties);
    let group = |own: &str, words: &str| json!({ "VpcId": "vpc-1", "GroupDescription": own, "SecurityGroupEgress": rule(words) });
    assert_eq!(of(&group("Group of nodes", "Nothing out; (all) of it: #1")), None);
    for bad in
        [group("Group", "the nodes' group"), group("the node\u{2019}s group", "out"), group("Group", &"a".repeat(256))]
    {
        assert!(of(&bad).is_some_and(|words| words.contains("Invalid rule description")), "{bad}");
    }
}
