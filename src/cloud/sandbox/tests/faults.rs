//! Scripted faults.

use super::help::*;
use crate::cloud::{
    ErrorKind, StackStatus,
    sandbox::{CallError, CallErrorKind, Crash, Fault, HandEdit, Sandbox, Script, Slow, Target},
};
use serde_json::{Value, json};

fn group() -> Value {
    json!({ "Resources": { "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "x", "SecurityGroupIngress": [
            { "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8" },
        ],
    }}}})
}

#[test]
fn calls_are_throttled_so_often() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    sandbox.add_fault(Fault::Error(CallError {
        operation: "CreateStack".to_owned(),
        error: CallErrorKind::Throttled,
        message: None,
        after: 0,
        times: Some(2),
    }));
    run(async {
        for _ in 0..2 {
            let error = cloud.stacks.create(&input("demo-x", &group())).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Throttled, Some("Throttling")));
        }
        assert_eq!(create(&cloud, "demo-x", &group()).await.status, StackStatus::CreateComplete);
    });
}

#[test]
fn a_crash_ends_the_process_and_not_the_stack() {
    let folder = Folder::new("crash");
    let script = Script { faults: vec![Fault::Crash(Crash { at: 1, effect: true })], ..Script::default() };
    let cloud = Sandbox::open_with(&folder.file(), REGION, script.clone(), None).unwrap().cloud();
    run(async {
        assert_eq!(cloud.stacks.create(&input("demo-x", &group())).await.unwrap_err().kind, ErrorKind::Crash);
        assert_eq!(cloud.stacks.stack("demo-x").await.unwrap_err().kind, ErrorKind::Crash);
        let next = Sandbox::open_with(&folder.file(), REGION, script, None).unwrap().cloud();
        assert_eq!(next.stacks.stack("demo-x").await.unwrap().unwrap().status, StackStatus::CreateInProgress);
        next.stacks.create(&input("demo-x", &group())).await.unwrap();
        assert_eq!(settled(&next, "demo-x").await.status, StackStatus::CreateComplete);
    });
}

#[test]
fn a_hand_edit_is_drift() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    sandbox.add_fault(Fault::HandEdit(HandEdit {
        stack: "demo-x".to_owned(),
        logical_id: "Group".to_owned(),
        path: "SecurityGroupIngress/0/CidrIp".to_owned(),
        value: json!("0.0.0.0/0"),
    }));
    run(async {
        create(&cloud, "demo-x", &group()).await;
        cloud.stacks.stack("demo-x").await.unwrap();
        let drift = cloud.stacks.drift("demo-x").await.unwrap();
        assert_eq!((drift.len(), drift[0].status.as_str()), (1, "MODIFIED"));
        let difference = &drift[0].differences[0];
        assert_eq!(difference.path, "/SecurityGroupIngress/0/CidrIp");
        assert_eq!((difference.expected.as_str(), difference.actual.as_str()), ("10.0.0.0/8", "0.0.0.0/0"));
        assert_eq!(difference.kind, "NOT_EQUAL");
    });
}

#[test]
fn slow_is_slow() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    sandbox.add_fault(Fault::Slow(Slow { target: Target::default(), factor: 100.0 }));
    run(async {
        let start = cloud.clock.now();
        create(&cloud, "demo-x", &group()).await;
        assert!(cloud.clock.now().0 - start.0 >= 500);
    });
}

/// The example in the documentation is one that can be read, and has every kind of fault.
#[test]
fn the_documented_script_is_valid() {
    let page = include_str!("../../../../docs/sandbox.md");
    let example = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let script: Script = serde_json::from_str(example).unwrap();
    let mut kinds: Vec<String> = script
        .faults
        .iter()
        .map(|f| {
            let value = serde_json::to_value(f).unwrap();
            value.as_object().unwrap().keys().next().unwrap().clone()
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["crash", "error", "fail", "files", "hand_edit", "head_node", "jobs", "no_capacity", "slow"]);
}
