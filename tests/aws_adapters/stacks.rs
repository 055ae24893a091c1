//! A stack's life.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{CLUSTER_TAG, MAX_TEMPLATE_BODY, PutCondition, StackStatus, TemplateSource, UpdateStart};

#[tokio::test]
async fn a_stack_is_made_read_and_found_by_its_cluster() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let mut input = lab.stack("logs", templates::LOGS);
    input.parameters = [("Name".into(), format!("/{}/a", lab.name)), ("Days".into(), "7".into())].into();
    let made = lab.make(&input).await;

    assert_eq!((&made.name, &made.parameters), (&input.name, &input.parameters));
    assert_eq!(made.tags.get(CLUSTER_TAG), Some(&lab.name));
    assert!(made.outputs["Arn"].starts_with("arn:aws:logs:") && made.created.0 > 1_600_000_000);
    assert_eq!(stacks.template(&input.name).await.unwrap(), templates::LOGS, "to the letter");

    let resources = stacks.resources(&input.name).await.unwrap();
    assert_eq!(resources.len(), 1);
    assert_eq!((resources[0].logical_id.as_str(), resources[0].status.as_str()), ("Logs", "CREATE_COMPLETE"));
    assert_eq!(resources[0].physical_id, input.parameters["Name"]);

    let names = |found: Vec<hpcctl::cloud::StackState>| found.into_iter().map(|s| s.name).collect::<Vec<_>>();
    assert_eq!(names(stacks.stacks_of(&lab.name).await.unwrap()), [input.name.clone()]);
    assert!(names(stacks.all_stacks().await.unwrap()).contains(&input.name));

    lab.remove(&made.id).await;
    assert_eq!(stacks.stack(&input.name).await.unwrap(), None);
    assert!(stacks.stacks_of(&lab.name).await.unwrap().is_empty());
    let last = stacks.events(&made.id, None).await.unwrap().pop().unwrap();
    assert_eq!(last.status, "DELETE_COMPLETE", "events are found by id after the end");
}

#[tokio::test]
async fn updates_and_events_follow_each_other() {
    let Some(lab) = Lab::open().await else { return };
    let stacks = &lab.cloud.stacks;
    let mut input = lab.stack("logs", templates::LOGS);
    input.parameters = [("Name".into(), format!("/{}/a", lab.name)), ("Days".into(), "7".into())].into();
    let made = lab.make(&input).await;
    let events = stacks.events(&made.id, None).await.unwrap();
    assert_eq!((events[0].status.as_str(), events[0].token.as_ref()), ("CREATE_IN_PROGRESS", Some(&input.token)));
    assert_eq!(events[0].resource_type, "AWS::CloudFormation::Stack");
    assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "oldest first");

    input.token = format!("{}-2", lab.name);
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::NoChanges);
    assert!(stacks.preview(&input).await.unwrap().is_empty());

    input.parameters.insert("Days".into(), "30".into());
    let preview = stacks.preview(&input).await.unwrap();
    assert_eq!((preview[0].action.as_str(), preview[0].replacement.as_deref()), ("Modify", Some("False")));
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    let state = lab.settled(&made.id).await;
    assert_eq!((state.status, state.parameters["Days"].as_str()), (StackStatus::UpdateComplete, "30"));
    assert!(state.updated.is_some());
    let newer = stacks.events(&input.name, Some(&events.last().unwrap().id)).await.unwrap();
    assert!(!newer.is_empty() && newer.iter().all(|event| !events.contains(event)));
    assert_eq!(newer[0].status, "UPDATE_IN_PROGRESS");

    input.token = format!("{}-3", lab.name);
    input.parameters.insert("Name".into(), format!("/{}/b", lab.name));
    let preview = stacks.preview(&input).await.unwrap();
    assert_eq!((preview[0].logical_id.as_str(), preview[0].replacement.as_deref()), ("Logs", Some("True")));
    assert_eq!(stacks.update(&input).await.unwrap(), UpdateStart::Running);
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::UpdateComplete);
    assert_eq!(stacks.resources(&input.name).await.unwrap()[0].physical_id, input.parameters["Name"]);
    assert_eq!(lab.change_sets(&input.name).await, 0, "none stays behind");
    lab.remove(&made.id).await;
}

#[tokio::test]
async fn a_template_too_long_for_a_request_comes_from_s3() {
    let Some(lab) = Lab::open().await else { return };
    let bucket = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
    let (name, key) = (bucket.outputs["Bucket"].clone(), "templates/large +1.json".to_owned());
    let template = templates::large();
    assert!(template.len() > MAX_TEMPLATE_BODY);
    lab.cloud.objects.put(&name, &key, template.clone().into_bytes(), PutCondition::Always).await.unwrap();

    let mut input = lab.stack("large", "");
    input.template = TemplateSource::Object { bucket: name.clone(), key };
    let made = lab.make(&input).await;
    assert_eq!(lab.cloud.stacks.resources(&made.id).await.unwrap().len(), 150, "more than one page");
    assert_eq!(lab.cloud.stacks.template(&made.id).await.unwrap(), template);
    assert!(lab.cloud.stacks.events(&made.id, None).await.unwrap().len() > 300);

    lab.remove(&made.id).await;
    lab.cloud.objects.purge(&name, "").await.unwrap();
    lab.remove(&bucket.id).await;
}

#[tokio::test]
async fn what_was_changed_by_hand_is_found() {
    let Some(lab) = Lab::open().await else { return };
    let made = lab.make(&lab.stack("net", templates::NETWORK)).await;
    assert_eq!(lab.cloud.stacks.drift(&made.name).await.unwrap(), []);

    lab.open_port(&made.outputs["Group"], 22).await;
    let drift = lab.cloud.stacks.drift(&made.name).await.unwrap();
    assert_eq!((drift.len(), drift[0].logical_id.as_str(), drift[0].status.as_str()), (1, "Group", "MODIFIED"));
    assert!(drift[0].differences.iter().any(|d| d.path.starts_with("/SecurityGroupIngress")), "{drift:#?}");
    lab.remove(&made.id).await;
}
