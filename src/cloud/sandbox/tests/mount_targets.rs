//! A second mount target in a zone, in EFS's words (AW-15).

use super::help::*;
use crate::cloud::{Cloud, StackStatus, sandbox};
use serde_json::{Value, json};

const FIRST: &str = "fs-0123456789abcdef1";
const OTHER: &str = "fs-0123456789abcdef2";

fn target(file_system: &str, subnet: &str) -> Value {
    let properties =
        json!({ "FileSystemId": file_system, "SubnetId": subnet, "SecurityGroups": ["sg-0123456789abcdef0"] });
    json!({ "Type": "AWS::EFS::MountTarget", "Properties": properties })
}

/// Makes a stack of its own for a target; what CloudFormation says of it.
async fn made(cloud: &Cloud, stack: &str, target: Value) -> Result<(), String> {
    let state = create(cloud, stack, &json!({ "Resources": { "Target": target } })).await;
    if state.status == StackStatus::CreateComplete {
        return Ok(());
    }
    let events = cloud.stacks.events(&state.id, None).await.unwrap();
    let failed = events.into_iter().find(|event| event.status == "CREATE_FAILED").unwrap();
    Err(failed.reason.unwrap())
}

#[test]
fn a_zone_takes_one_mount_target_of_a_file_system() {
    let cloud = sandbox::in_memory(REGION);
    let subnet = |zone: &str, net: u8| {
        let cidr = format!("10.0.{net}.0/24");
        let properties = json!({ "VpcId": "vpc-0a1b2c3d4e5f67890", "AvailabilityZone": zone, "CidrBlock": cidr });
        json!({ "Type": "AWS::EC2::Subnet", "Properties": properties })
    };
    run(async {
        let net = json!({ "Resources": {
            "A0": subnet("eu-west-1a", 0), "A1": subnet("eu-west-1a", 1), "B0": subnet("eu-west-1b", 2),
        } });
        create(&cloud, "demo-net", &net).await;
        let id = async |logical: &str| physical(&cloud, "demo-net", logical).await;
        let (a0, a1, b0) = (&id("A0").await, &id("A1").await, &id("B0").await);
        assert_eq!(made(&cloud, "demo-a", target(FIRST, a0)).await, Ok(()));
        let refused = made(&cloud, "demo-b", target(FIRST, a1)).await.unwrap_err();
        assert!(refused.contains("mount target already exists in this AZ"), "{refused}");
        assert_eq!(made(&cloud, "demo-c", target(FIRST, b0)).await, Ok(()), "another zone");
        assert_eq!(made(&cloud, "demo-d", target(OTHER, a1)).await, Ok(()), "another file system");
        // CloudFormation makes what takes a place before it deletes what had it.
        let renamed = json!({ "Resources": { "Renamed": target(FIRST, a0) } });
        assert_eq!(update(&cloud, "demo-a", &renamed).await.status, StackStatus::UpdateRollbackComplete);
        delete(&cloud, "demo-a").await;
        assert_eq!(made(&cloud, "demo-e", target(FIRST, a1)).await, Ok(()), "the place is free");
    });
}
