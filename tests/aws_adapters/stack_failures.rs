//! Stacks that fail, are refused, or whose answers get lost.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{ErrorKind, StackInput, StackStatus, TemplateSource, UpdateStart};

fn logs(lab: &Lab) -> StackInput {
    let mut input = lab.stack("logs", templates::LOGS);
    input.parameters = [("Name".into(), format!("/{}/a", lab.name)), ("Days".into(), "7".into())].into();
    input
}

#[tokio::test]
async fn a_create_that_fails_rolls_back_and_says_why() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let input = lab.stack("failing", templates::FAILING);
    let id = stacks.create(&input).await.unwrap();
    let state = lab.settled(&id).await;
    assert_eq!(state.status, StackStatus::RollbackComplete);
    let events = stacks.events(&id, None).await.unwrap();
    let failed = events.iter().find(|event| event.status == "CREATE_FAILED").unwrap();
    assert_eq!(failed.logical_id, "Group");
    assert!(failed.reason.as_ref().unwrap().contains("vpc-0123456789abcdef0"), "{failed:?}");
    lab.remove(&id).await;
}

#[tokio::test]
async fn an_update_that_fails_goes_back() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let mut input = logs(&lab);
    let made = lab.make(&input).await;
    lab.faults(r#"[{"resource": "AWS::Logs::LogGroup", "on": "update", "reason": "told to fail", "times": 1}]"#);
    input.parameters.insert("Days".into(), "30".into());
    input.token.push('2');
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    let state = lab.settled(&made.id).await;
    assert_eq!((state.status, state.parameters["Days"].as_str()), (StackStatus::UpdateRollbackComplete, "7"));
    assert_eq!(stacks.continue_rollback(&input.name, &[]).await.unwrap_err().kind, ErrorKind::Invalid);
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn a_resource_that_cannot_be_deleted_can_be_left_behind() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let made = lab.make(&logs(&lab)).await;
    lab.faults(r#"[{"resource": "AWS::Logs::LogGroup", "on": "delete", "reason": "told to stay", "times": 1}]"#);
    stacks.delete(&made.name, &[], &format!("{}-d1", lab.name)).await.unwrap();
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::DeleteFailed);
    stacks.delete(&made.name, &["Logs".to_owned()], &format!("{}-d2", lab.name)).await.unwrap();
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::DeleteComplete);
}

#[tokio::test]
async fn refusals_have_their_kind() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let mut input = logs(&lab);
    let kind = |result: hpcctl::cloud::Result<_>| result.map(|_: ()| ()).unwrap_err().kind;
    assert_eq!(kind(stacks.update(&input).await.map(drop)), ErrorKind::NotFound);
    assert_eq!(kind(stacks.template(&input.name).await.map(drop)), ErrorKind::NotFound);
    assert_eq!(kind(stacks.resources(&input.name).await.map(drop)), ErrorKind::NotFound);
    assert_eq!(kind(stacks.events(&input.name, None).await.map(drop)), ErrorKind::NotFound);
    assert_eq!(kind(stacks.preview(&input).await.map(drop)), ErrorKind::NotFound);
    assert_eq!(stacks.stack(&input.name).await.unwrap(), None);

    input.termination_protection = true;
    let made = lab.make(&input).await;
    assert!(made.termination_protection);
    input.token.push('2');
    let again = stacks.create(&input).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_deref()), (ErrorKind::AlreadyExists, Some("AlreadyExistsException")));
    assert!(again.request_id.is_some() && again.message.contains(&input.name), "{again:?}");

    let refused = stacks.delete(&input.name, &[], &input.token).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(refused.message.contains("TerminationProtection"), "{refused:?}");
    stacks.protect(&input.name, false).await.unwrap();
    assert!(!stacks.stack(&input.name).await.unwrap().unwrap().termination_protection);
    lab.remove(&made.id).await;
}

/// AW-13, AW-14: CloudFormation says it when the change set is made, FSx when the update comes to it.
#[tokio::test]
async fn types_stay_and_storage_does_not_shrink() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let mut input = lab.stack("lustre", templates::LUSTRE);
    input.parameters =
        [("Subnet".to_owned(), net.outputs["Subnet"].clone()), ("Gib".to_owned(), "2400".to_owned())].into();
    let made = lab.make(&input).await;
    input.parameters.insert("Gib".to_owned(), "1200".to_owned());
    input.token.push('2');
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::UpdateRollbackComplete);
    let events = stacks.events(&made.id, None).await.unwrap();
    let failed = events.iter().find(|event| event.status == "UPDATE_FAILED").unwrap();
    assert!(failed.reason.as_ref().unwrap().contains("at least 10 percent"), "{failed:?}");

    input.template = TemplateSource::Body(templates::OTHER_TYPE.to_owned());
    input.parameters.clear();
    input.token.push('3');
    for refused in [stacks.preview(&input).await.map(drop), stacks.update(&input).await.map(drop)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid);
        assert!(refused.message.contains("Update of resource type is not permitted"), "{refused:?}");
    }
    lab.remove(&made.id).await;
    lab.remove(&net.id).await;
}

/// AW-10, AW-11: what a clean-up gives up is told three times, and is in no stack.
#[tokio::test]
async fn a_clean_up_that_gives_up_is_seen_in_the_events() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let mut input = lab.stack("group", templates::GROUP);
    input.parameters = [("Vpc".to_owned(), net.outputs["Vpc"].clone())].into();
    let made = lab.make(&input).await;
    // A mount target beside the stack's has its group.
    let group = made.outputs["Group"].clone();
    let beside = lab.stack("beside", templates::TARGET);
    let parameters = [("Subnet".to_owned(), net.outputs["Subnet"].clone()), ("Group".to_owned(), group.clone())];
    let beside = StackInput { parameters: parameters.into(), ..beside };
    let beside = lab.make(&beside).await;
    input.template = TemplateSource::Body(templates::NO_GROUP.to_owned());
    input.token.push('2');
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::UpdateComplete);
    let events = stacks.events(&made.id, None).await.unwrap();
    let left: Vec<_> = events.iter().filter(|event| event.status == "DELETE_FAILED").collect();
    assert!(left.len() == 3 && left.iter().all(|one| one.physical_id.as_deref() == Some(&group)), "{left:?}");
    assert!(left[0].reason.as_ref().unwrap().contains("has a dependent object"), "{left:?}");
    let listed = stacks.resources(&made.name).await.unwrap();
    assert!(!listed.iter().any(|one| one.logical_id == "Group"), "{listed:?}");
    lab.remove(&beside.id).await;
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_second_wish() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let mut input = logs(&lab);
    lab.rules(r#"[{"op": "cloudformation:CreateStack", "times": 1, "after": true, "drop": true}]"#);
    let made = lab.make(&input).await;

    lab.rules(r#"[{"op": "cloudformation:UpdateStack", "times": 1, "after": true, "drop": true}]"#);
    lab.faults(r#"[{"resource": "AWS::Logs::LogGroup", "on": "update", "sleep": 4}]"#);
    input.parameters.insert("Days".into(), "30".into());
    input.token.push('2');
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::UpdateComplete);

    // A change set is made once, whoever hears of it.
    lab.rules(r#"[{"op": "cloudformation:CreateChangeSet", "times": 1, "after": true, "drop": true}]"#);
    input.parameters.insert("Days".into(), "14".into());
    assert_eq!(stacks.preview(&input).await.unwrap().len(), 1);

    lab.rules(r#"[{"op": "cloudformation:DeleteStack", "times": 1, "after": true, "drop": true}]"#);
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn throttled_and_cut_calls_are_tried_again() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    lab.rules(
        r#"[{"op": "cloudformation:DescribeStacks", "times": 2, "code": "Throttling", "status": 400,
             "message": "Rate exceeded"},
            {"op": "cloudformation:DescribeStacks", "times": 1, "drop": true}]"#,
    );
    let before = lab.calls("DescribeStacks");
    assert_eq!(stacks.stack(&lab.name).await.unwrap(), None);
    assert_eq!(lab.calls("DescribeStacks") - before, 4);
}
