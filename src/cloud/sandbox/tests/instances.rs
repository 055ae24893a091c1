//! Instances, groups of them, and launch templates.

use super::help::*;
use crate::cloud::{
    CLUSTER_TAG, StackStatus,
    sandbox::{self, Launch, Sandbox},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

fn group(instance_type: &str, count: u32) -> Value {
    json!({ "Resources": {
        "Template": { "Type": "AWS::EC2::LaunchTemplate", "Properties": {
            "LaunchTemplateName": "demo-login",
            "LaunchTemplateData": { "InstanceType": instance_type, "ImageId": "ami-1" },
        }},
        "Group": { "Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {
            "MinSize": "0", "MaxSize": "9", "DesiredCapacity": count.to_string(),
            "VPCZoneIdentifier": ["subnet-0aaaaaaaaaaaaaaaa"],
            "LaunchTemplate": {
                "LaunchTemplateId": { "Ref": "Template" }, "Version": { "Fn::GetAtt": ["Template", "LatestVersionNumber"] },
            },
        }},
    }, "Outputs": { "Version": { "Value": { "Fn::GetAtt": ["Template", "LatestVersionNumber"] } } } })
}

#[test]
fn a_group_launches_what_it_wants() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        assert_eq!(create(&cloud, "demo-login", &group("c5.large", 2)).await.outputs["Version"], "1");
        let found = cloud.compute.instances_of("demo").await.unwrap();
        assert_eq!((found.len(), found[0].instance_type.as_str()), (2, "c5.large"));
        let request = input("demo-login", &group("c6i.large", 1));
        let preview = cloud.stacks.preview(&request).await.unwrap();
        let modified: Vec<&str> = preview.iter().map(|change| change.logical_id.as_str()).collect();
        assert_eq!(modified, ["Group", "Template"], "the new version reaches the group");
        let state = update(&cloud, "demo-login", &group("c6i.large", 1)).await;
        assert_eq!((state.status, state.outputs["Version"].as_str()), (StackStatus::UpdateComplete, "2"));
        cloud.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(cloud.compute.instances_of("demo").await.unwrap().len(), 1);
        delete(&cloud, "demo-login").await;
        assert_eq!(there(&cloud).await, vec![]);
    });
}

#[test]
fn a_launched_node_boots_and_ends() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    let tags = BTreeMap::from([(CLUSTER_TAG.to_owned(), "demo".to_owned())]);
    let id = sandbox
        .launch(Launch { instance_type: "c5n.18xlarge".to_owned(), tags, spot: true, ..Launch::default() })
        .unwrap();
    let state = || {
        let found = run(cloud.compute.instances_of("demo")).unwrap();
        found.first().map(|instance| instance.state.clone())
    };
    assert_eq!(state().as_deref(), Some("pending"));
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(state().as_deref(), Some("running"));
    run(cloud.compute.terminate(&[id])).unwrap();
    assert_eq!(state().as_deref(), Some("shutting-down"));
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(state(), None);
}

#[test]
fn a_spot_instance_that_is_taken_back_says_so_two_minutes_before() {
    let sandbox = Sandbox::in_memory(REGION);
    let tags = BTreeMap::from([(CLUSTER_TAG.to_owned(), "demo".to_owned())]);
    let id = sandbox.launch(Launch { spot: true, tags, ..Launch::default() }).unwrap();
    let there = sandbox.on_instance(&id).cloud();
    assert_eq!(run(there.metadata.instance_id()).unwrap(), id);
    assert_eq!(run(there.metadata.tag(CLUSTER_TAG)).unwrap().as_deref(), Some("demo"));
    assert_eq!(run(there.metadata.interruption()), Ok(None));
    sandbox.recommend_rebalance(&id).unwrap();
    assert_eq!(run(there.metadata.rebalance()), Ok(Some(there.clock.now())));
    sandbox.interrupt(&id).unwrap();
    let notice = run(there.metadata.interruption()).unwrap().unwrap();
    assert_eq!((notice.action.as_str(), notice.at.0 - there.clock.now().0), ("terminate", 120));
    let state = || run(there.compute.instances_of("demo")).unwrap().pop().map(|instance| instance.state);
    sandbox.advance(Duration::from_secs(119));
    assert_eq!(state().as_deref(), Some("running"));
    sandbox.advance(Duration::from_secs(2));
    assert_eq!(state().as_deref(), Some("shutting-down"));
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(state(), None);
    assert!(run(there.metadata.interruption()).is_err(), "nobody is there to ask");
    let other = sandbox.launch(Launch::default()).unwrap();
    assert!(sandbox.interrupt(&other).is_err(), "on-demand instances are not interrupted");
}
