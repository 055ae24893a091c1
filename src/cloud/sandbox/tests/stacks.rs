//! Stacks: created, updated, replaced, rolled back, deleted.

use super::help::*;
use crate::cloud::{ErrorKind, StackStatus, UpdateStart, sandbox};
use serde_json::{Value, json};

/// A security group and a file system in it.
fn storage(deployment: &str) -> Value {
    json!({
        "Resources": {
            "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
                "GroupDescription": "lustre", "VpcId": "vpc-0a1b2c3d4e5f67890",
                "SecurityGroupIngress": [
                    { "IpProtocol": "tcp", "FromPort": 988, "ToPort": 988, "CidrIp": "0.0.0.0/0" },
                ],
            }},
            "Scratch": { "Type": "AWS::FSx::FileSystem", "Properties": {
                "FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": ["subnet-0aaaaaaaaaaaaaaaa"],
                "SecurityGroupIds": [{ "Ref": "Group" }],
                "LustreConfiguration": {
                    "DeploymentType": deployment, "ImportPath": "s3://fds-bucket",
                    "ExportPath": "s3://fds-bucket/results",
                },
            }},
        },
        "Outputs": {
            "FileSystem": { "Value": { "Ref": "Scratch" } },
            "Dns": { "Value": { "Fn::GetAtt": ["Scratch", "DNSName"] } },
            "Mount": { "Value": { "Fn::GetAtt": "Scratch.LustreMountName" } },
        },
    })
}

#[test]
fn a_stack_is_created_in_order() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        let start = cloud.clock.now();
        let state = create(&cloud, "demo-storage", &storage("SCRATCH_2")).await;
        assert_eq!(state.status, StackStatus::CreateComplete);
        let fs = &state.outputs["FileSystem"];
        assert!(fs.starts_with("fs-0") && fs.len() == 20, "{fs}");
        assert_eq!(state.outputs["Dns"], format!("{fs}.fsx.eu-west-1.amazonaws.com"));
        assert_eq!(state.outputs["Mount"].len(), 8);
        let seconds = cloud.clock.now().0 - start.0;
        assert!((365..=370).contains(&seconds), "{seconds}");
        let expected = [
            "demo-storage CREATE_IN_PROGRESS",
            "Group CREATE_IN_PROGRESS",
            "Group CREATE_IN_PROGRESS",
            "Group CREATE_COMPLETE",
            "Scratch CREATE_IN_PROGRESS",
            "Scratch CREATE_IN_PROGRESS",
            "Scratch CREATE_COMPLETE",
            "demo-storage CREATE_COMPLETE",
        ];
        assert_eq!(story(&cloud, "demo-storage").await, expected);
    });
}

#[test]
fn the_same_again_changes_nothing() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        let template = storage("SCRATCH_2");
        create(&cloud, "demo-storage", &template).await;
        let mut input = input("demo-storage", &template);
        input.token = "again".to_owned();
        assert_eq!(cloud.stacks.update(&input).await, Ok(UpdateStart::NoChanges));
        assert_eq!(cloud.stacks.preview(&input).await, Ok(vec![]));
    });
}

#[test]
fn a_create_only_change_replaces() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        create(&cloud, "demo-storage", &storage("SCRATCH_2")).await;
        let before = physical(&cloud, "demo-storage", "Scratch").await;
        let preview = cloud.stacks.preview(&input("demo-storage", &storage("SCRATCH_1"))).await.unwrap();
        assert_eq!(preview.len(), 1);
        assert_eq!((preview[0].action.as_str(), preview[0].replacement.as_deref()), ("Modify", Some("True")));
        let state = update(&cloud, "demo-storage", &storage("SCRATCH_1")).await;
        assert_eq!(state.status, StackStatus::UpdateComplete);
        let after = physical(&cloud, "demo-storage", "Scratch").await;
        assert_ne!(before, after);
        assert_eq!(state.outputs["FileSystem"], after);
        assert_eq!(cloud.file_systems.file_system(&before).await, Ok(None));
        let story = story(&cloud, "demo-storage").await;
        let end = &story[story.len() - 4..];
        assert_eq!(end[0], "demo-storage UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
        assert_eq!(end[1..], ["Scratch DELETE_IN_PROGRESS", "Scratch DELETE_COMPLETE", "demo-storage UPDATE_COMPLETE"]);
    });
}

#[test]
fn what_the_schema_refuses_rolls_back() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        let state = create(&cloud, "demo-storage", &storage("SCRATCH_3")).await;
        assert_eq!(state.status, StackStatus::RollbackComplete);
        let failure = first_failure(&cloud, "demo-storage").await;
        assert_eq!(failure.logical_id, "Scratch");
        let reason = failure.reason.unwrap();
        assert!(reason.contains("DeploymentType"), "{reason}");
        let refused = cloud.stacks.update(&input("demo-storage", &storage("SCRATCH_2"))).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid);
        assert_eq!(delete(&cloud, "demo-storage").await.status, StackStatus::DeleteComplete);
        assert_eq!(cloud.stacks.stack("demo-storage").await, Ok(None));
    });
}
