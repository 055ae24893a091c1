//! A second mount target in a zone, in EFS's words (AW-15).

use super::help::*;
use crate::cloud::{
    Cloud, StackStatus,
    sandbox::{Sandbox, Script},
};
use serde_json::{Value, json};

const A: [&str; 2] = ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"];
const FIRST: &str = "fs-0123456789abcdef1";
const OTHER: &str = "fs-0123456789abcdef2";
const B: &str = "subnet-0bbbbbbbbbbbbbbb1";

fn target(file_system: &str, subnet: &str) -> Value {
    let properties = json!({ "FileSystemId": file_system, "SubnetId": subnet, "SecurityGroups": ["sg-0123456789abcdef0"] });
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
    let sandbox = Sandbox::in_memory(REGION);
    let zones = [(A[0], "eu-west-1a"), (A[1], "eu-west-1a"), (B, "eu-west-1b")];
    let subnet_zones = zones.map(|(subnet, zone)| (subnet.to_owned(), zone.to_owned())).into();
    sandbox.set_script(Script { subnet_zones, ..Script::default() });
    let cloud = sandbox.cloud();
    run(async {
        assert_eq!(made(&cloud, "demo-a", target(FIRST, A[0])).await, Ok(()));
        let refused = made(&cloud, "demo-b", target(FIRST, A[1])).await.unwrap_err();
        assert!(refused.contains("mount target already exists in this AZ"), "{refused}");
        assert_eq!(made(&cloud, "demo-c", target(FIRST, B)).await, Ok(()), "another zone");
        assert_eq!(made(&cloud, "demo-d", target(OTHER, A[1])).await, Ok(()), "another file system");
        // CloudFormation makes what takes a place before it deletes what had it.
        let renamed = json!({ "Resources": { "Renamed": target(FIRST, A[0]) } });
        assert_eq!(update(&cloud, "demo-a", &renamed).await.status, StackStatus::UpdateRollbackComplete);
        delete(&cloud, "demo-a").await;
        assert_eq!(made(&cloud, "demo-e", target(FIRST, A[1])).await, Ok(()), "the place is free");
    });
}
