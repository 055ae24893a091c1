//! Stacks in trouble: rollbacks, deletes that fail, what services refuse.

use super::help::*;
use crate::cloud::{
    CLUSTER_TAG, ErrorKind, PutCondition, StackStatus,
    sandbox::{self, Fail, Fault, Launch, Sandbox, Target, Verb},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn groups(description: &str, second: bool) -> Value {
    let mut template = json!({ "Resources": {
        "First": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "first", "VpcId": "vpc-0a1b2c3d4e5f67890",
            "Tags": [{ "Key": "note", "Value": description }],
        }},
    }});
    if second {
        template["Resources"]["Second"] = json!({ "Type": "AWS::EC2::SecurityGroup", "DependsOn": "First", "Properties": {
            "GroupDescription": "second", "VpcId": "vpc-0a1b2c3d4e5f67890",
        }});
    }
    template
}

fn fail(logical: &str, on: Verb, times: u32) -> Fault {
    let target = Target { logical_id: Some(logical.to_owned()), ..Target::default() };
    Fault::Fail(Fail { target, on, reason: Some("scripted".to_owned()), times: Some(times) })
}

#[test]
fn a_failed_update_is_undone() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    run(async {
        create(&cloud, "demo-x", &groups("old", false)).await;
        let before = cloud.stacks.resources("demo-x").await.unwrap();
        sandbox.add_fault(fail("Second", Verb::Create, 1));
        let state = update(&cloud, "demo-x", &groups("new", true)).await;
        assert_eq!(state.status, StackStatus::UpdateRollbackComplete);
        assert_eq!(cloud.stacks.template("demo-x").await.unwrap(), groups("old", false).to_string());
        let after = cloud.stacks.resources("demo-x").await.unwrap();
        assert_eq!(after.len(), 1);
        assert_eq!((&before[0].physical_id, after[0].status.as_str()), (&after[0].physical_id, "UPDATE_COMPLETE"));
        assert_eq!(update(&cloud, "demo-x", &groups("new", true)).await.status, StackStatus::UpdateComplete);
        assert_eq!(update(&cloud, "demo-x", &groups("new", false)).await.status, StackStatus::UpdateComplete);
        assert_eq!(cloud.stacks.resources("demo-x").await.unwrap().len(), 1);
    });
}

#[test]
fn a_failed_rollback_can_be_continued() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    run(async {
        create(&cloud, "demo-x", &groups("old", false)).await;
        sandbox.add_fault(fail("Second", Verb::Create, 1));
        let mut second = fail("First", Verb::Update, 1);
        if let Fault::Fail(fail) = &mut second {
            fail.reason = None;
        }
        // The first update of `First` passes: the fault is added once it is done.
        cloud.stacks.update(&input("demo-x", &groups("new", true))).await.unwrap();
        cloud.clock.sleep(std::time::Duration::from_secs(5)).await;
        cloud.stacks.stack("demo-x").await.unwrap();
        sandbox.add_fault(second);
        assert_eq!(settled(&cloud, "demo-x").await.status, StackStatus::UpdateRollbackFailed);
        cloud.stacks.continue_rollback("demo-x", &[]).await.unwrap();
        assert_eq!(settled(&cloud, "demo-x").await.status, StackStatus::UpdateRollbackComplete);
    });
}

#[test]
fn a_delete_that_fails_can_retain() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    run(async {
        create(&cloud, "demo-x", &groups("old", true)).await;
        sandbox.add_fault(fail("First", Verb::Delete, 99));
        assert_eq!(delete(&cloud, "demo-x").await.status, StackStatus::DeleteFailed);
        let id = cloud.stacks.stack("demo-x").await.unwrap().unwrap().id;
        cloud.stacks.delete("demo-x", &["First".to_owned()], "retain").await.unwrap();
        assert_eq!(settled(&cloud, &id).await.status, StackStatus::DeleteComplete);
        let left = there(&cloud).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].kind, "security-group");
    });
}

/// AW-10, AW-11: three tries, then the resource is in no stack, still there, and the update is complete.
#[test]
fn a_clean_up_gives_up_after_three_tries() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    run(async {
        create(&cloud, "demo-x", &groups("old", true)).await;
        let group = physical(&cloud, "demo-x", "Second").await;
        sandbox.launch(Launch { security_groups: vec![group.clone()], ..Launch::default() }).unwrap();
        assert_eq!(update(&cloud, "demo-x", &groups("old", false)).await.status, StackStatus::UpdateComplete);
        let failures: Vec<String> = cloud
            .stacks
            .events("demo-x", None)
            .await
            .unwrap()
            .into_iter()
            .filter(|event| event.status == "DELETE_FAILED")
            .filter_map(|event| event.reason)
            .collect();
        assert_eq!(failures.len(), 3);
        assert!(failures[0].contains("DependencyViolation"), "{failures:?}");
        assert!(cloud.stacks.resources("demo-x").await.unwrap().iter().all(|one| one.physical_id != group));
        assert!(cloud.compute.tagged("demo").await.unwrap().iter().any(|one| one.id == group));
    });
}

/// What holds on to a resource so that its service does not delete it, in the service's words.
#[test]
fn what_is_used_is_not_deleted() {
    let subnets = json!(["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]);
    let group = json!({ "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "x" } });
    let lustre = json!({ "DeploymentType": "SCRATCH_2" });
    // FSx makes no file system in a group that keeps Lustre out.
    let lustre_group = json!({ "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "x",
        "SecurityGroupIngress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }] } });
    let cases = [
        (
            lustre_group,
            json!({ "Type": "AWS::FSx::FileSystem", "Properties": {
            "FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["@"], "LustreConfiguration": lustre } }),
            "DependencyViolation",
        ),
        (
            group.clone(),
            json!({ "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {
            "Type": "network", "Subnets": subnets, "SecurityGroups": ["@"] } }),
            "DependencyViolation",
        ),
        (
            group.clone(),
            json!({ "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": "sg-0123456789abcdef0", "SourceSecurityGroupId": "@", "IpProtocol": "-1" } }),
            "DependencyViolation",
        ),
        (
            json!({ "Type": "AWS::EC2::Volume", "DeletionPolicy": "Delete", "Properties": { "AvailabilityZone": "eu-west-1a", "Size": 8 } }),
            json!({ "Type": "AWS::EC2::Instance", "Properties": { "InstanceType": "c5.large", "ImageId": "ami-1",
            "Volumes": [{ "Device": "/dev/sdf", "VolumeId": "@" }] } }),
            "VolumeInUse",
        ),
        (
            json!({ "Type": "AWS::EC2::PlacementGroup", "Properties": { "Strategy": "cluster" } }),
            json!({ "Type": "AWS::EC2::Instance", "Properties": { "InstanceType": "c5.large", "ImageId": "ami-1",
            "PlacementGroupName": "@" } }),
            "InvalidPlacementGroup.InUse",
        ),
        (
            json!({ "Type": "AWS::RDS::DBParameterGroup", "Properties": { "Family": "mysql8.4", "Description": "x" } }),
            json!({ "Type": "AWS::RDS::DBInstance", "Properties": { "DBInstanceClass": "db.t4g.medium",
            "DBParameterGroupName": "@" } }),
            "InvalidDBParameterGroupState",
        ),
    ];
    for (provider, user, words) in cases {
        let cloud = sandbox::in_memory(REGION);
        run(async {
            let template = |resource: Value| json!({ "Resources": { "It": resource } });
            assert_eq!(create(&cloud, "demo-a", &template(provider.clone())).await.status, StackStatus::CreateComplete);
            let id = physical(&cloud, "demo-a", "It").await;
            let user: Value = serde_json::from_str(&user.to_string().replace('@', &id)).unwrap();
            assert_eq!(
                create(&cloud, "demo-b", &template(user.clone())).await.status,
                StackStatus::CreateComplete,
                "{user}"
            );
            let state = delete(&cloud, "demo-a").await;
            assert_eq!(state.status, StackStatus::DeleteFailed, "{provider}");
            let events = cloud.stacks.events(&state.id, None).await.unwrap();
            let failure = events.iter().find(|event| event.status == "DELETE_FAILED").unwrap();
            assert!(failure.reason.as_ref().unwrap().contains(words), "{failure:?}");
            delete(&cloud, "demo-b").await;
            assert_eq!(delete(&cloud, "demo-a").await.status, StackStatus::DeleteComplete);
        });
    }
}

/// A name is taken in its own region alone; IAM has one for all.
#[test]
fn names_are_by_region() {
    let here = Sandbox::in_memory(REGION);
    let there = here.in_region("us-east-1").cloud();
    let here = here.cloud();
    let of = |kind: &str, name: &str, more: Value| {
        let mut properties = more;
        properties[name] = "shared".into();
        json!({ "Resources": { "It": { "Type": kind, "Properties": properties } } })
    };
    let group = of("AWS::Logs::LogGroup", "LogGroupName", json!({}));
    let template = of("AWS::EC2::LaunchTemplate", "LaunchTemplateName", json!({ "LaunchTemplateData": {} }));
    let role = of("AWS::IAM::Role", "RoleName", json!({ "AssumeRolePolicyDocument": {} }));
    run(async {
        for (stack, template, status) in [
            ("demo-a", &group, StackStatus::CreateComplete),
            ("demo-b", &template, StackStatus::CreateComplete),
            ("demo-c", &role, StackStatus::RollbackComplete),
        ] {
            assert_eq!(create(&here, stack, template).await.status, StackStatus::CreateComplete);
            assert_eq!(create(&there, stack, template).await.status, status, "{template}");
        }
    });
}

#[test]
fn a_bucket_must_be_empty_and_a_group_unused() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    let mut template = groups("x", false);
    template["Resources"]["Bucket"] = json!({ "Type": "AWS::S3::Bucket", "Properties": {
        "BucketName": "hpcctl-123456789012", "VersioningConfiguration": { "Status": "Enabled" },
    }});
    run(async {
        assert_eq!(cloud.objects.bucket_exists("hpcctl-123456789012").await, Ok(false));
        create(&cloud, "demo-x", &template).await;
        cloud.objects.put("hpcctl-123456789012", "k", b"v".to_vec(), PutCondition::IfAbsent).await.unwrap();
        let tags = BTreeMap::from([(CLUSTER_TAG.to_owned(), "demo".to_owned())]);
        let group = physical(&cloud, "demo-x", "First").await;
        let node = sandbox.launch(Launch { security_groups: vec![group], tags, ..Launch::default() }).unwrap();
        let state = delete(&cloud, "demo-x").await;
        assert_eq!(state.status, StackStatus::DeleteFailed);
        assert_eq!(state.reason.unwrap(), "The following resource(s) failed to delete: [Bucket, First]. ");
        assert_eq!(cloud.compute.instances_of("demo").await.unwrap().len(), 1);
        cloud.compute.terminate(&[node]).await.unwrap();
        cloud.objects.delete("hpcctl-123456789012", "k").await.unwrap();
        assert_eq!(cloud.objects.purge("hpcctl-123456789012", "").await, Ok(2));
        assert_eq!(delete(&cloud, "demo-x").await.status, StackStatus::DeleteComplete);
        assert_eq!(there(&cloud).await, vec![]);
    });
}

#[test]
fn statuses_and_names_are_guarded() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        let mut request = input("demo-x", &groups("x", false));
        request.termination_protection = true;
        let id = cloud.stacks.create(&request).await.unwrap();
        assert_eq!(cloud.stacks.create(&request).await, Ok(id.clone()), "the same token is the same request");
        let again = cloud.stacks.create(&input("demo-x", &groups("other", true))).await.unwrap_err();
        assert_eq!(again.kind, ErrorKind::AlreadyExists);
        let busy = cloud.stacks.update(&input("demo-x", &groups("new", false))).await.unwrap_err();
        assert_eq!(busy.kind, ErrorKind::Busy);
        settled(&cloud, "demo-x").await;
        assert!(cloud.stacks.delete("demo-x", &[], "d").await.unwrap_err().message.contains("TerminationProtection"));
        cloud.stacks.protect("demo-x", false).await.unwrap();
        assert!(cloud.stacks.delete("demo-x", &["First".to_owned()], "d").await.is_err());
        cloud.stacks.delete("demo-x", &[], "d").await.unwrap();
        assert_eq!(settled(&cloud, &id).await.status, StackStatus::DeleteComplete);
    });
}

/// What a stack of one resource fails with.
fn refusal(kind: &str, properties: Value) -> String {
    let cloud = sandbox::in_memory(REGION);
    let template = json!({ "Resources": { "It": { "Type": kind, "Properties": properties } } });
    run(async {
        assert_eq!(create(&cloud, "demo-x", &template).await.status, StackStatus::RollbackComplete, "{template}");
        first_failure(&cloud, "demo-x").await.reason.unwrap()
    })
}

fn lustre(capacity: u32, lustre: Value) -> Value {
    json!({ "FileSystemType": "LUSTRE", "StorageCapacity": capacity, "SubnetIds": ["subnet-1"], "LustreConfiguration": lustre })
}

#[test]
fn services_refuse_what_schemas_allow() {
    let fsx = "AWS::FSx::FileSystem";
    let rule = json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0" });
    let long = sandbox::base64::encode(&vec![b'x'; 16_385]);
    let cases = [
        (fsx, lustre(1500, json!({ "DeploymentType": "SCRATCH_2" })), "multiple of 2400"),
        (fsx, lustre(1200, json!({ "DeploymentType": "SCRATCH_2", "PerUnitStorageThroughput": 200 })), "not supported"),
        (fsx, lustre(1200, json!({ "DeploymentType": "SCRATCH_2", "ExportPath": "s3://b" })), "need an ImportPath"),
        (fsx, lustre(1200, json!({ "DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 50 })), "125"),
        (
            "AWS::EC2::SecurityGroup",
            json!({ "GroupDescription": "x", "SecurityGroupIngress": [rule, rule] }),
            "Duplicate",
        ),
        ("AWS::EC2::LaunchTemplate", json!({ "LaunchTemplateData": { "UserData": long } }), "16384"),
        ("AWS::EC2::LaunchTemplate", json!({ "LaunchTemplateData": { "UserData": "#!/bin/sh" } }), "BASE64"),
        (
            "AWS::RDS::DBSubnetGroup",
            json!({ "DBSubnetGroupDescription": "x", "SubnetIds": ["subnet-1"] }),
            "AZ coverage",
        ),
        ("AWS::CloudWatch::Dashboard", json!({ "DashboardBody": "{" }), "no JSON"),
        ("AWS::EC2::SecurityGroup", json!({ "GroupDescription": "x", "Vpc": "y" }), "extraneous key [Vpc]"),
        ("AWS::EC2::SecurityGroup", json!({}), "required key [GroupDescription] not found"),
    ];
    for (kind, properties, expected) in cases {
        let reason = refusal(kind, properties);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_name_is_taken_once_and_not_replaced() {
    let cloud = sandbox::in_memory(REGION);
    let role = |path: &str| {
        json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role", "Properties": {
            "RoleName": "demo-head", "Path": path, "AssumeRolePolicyDocument": {},
        }}}})
    };
    run(async {
        create(&cloud, "demo-x", &role("/")).await;
        assert_eq!(cloud.identity.roles("/").await.unwrap()[0].name, "demo-head");
        assert_eq!(create(&cloud, "demo-y", &role("/")).await.status, StackStatus::RollbackComplete);
        assert!(first_failure(&cloud, "demo-y").await.reason.unwrap().contains("already exists"));
        assert_eq!(update(&cloud, "demo-x", &role("/other/")).await.status, StackStatus::UpdateRollbackComplete);
        assert!(first_failure(&cloud, "demo-x").await.reason.unwrap().contains("custom-named"));
    });
}
