//! What is protected against deletion.

use crate::{lab::Lab, templates};
use hpcctl::cloud::StackStatus;

#[tokio::test]
async fn protection_is_read_and_met() {
    let Some(lab) = Lab::open().await else { return };
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let mut input = lab.stack("accounting", templates::PROTECTED);
    let subnet = ("Subnet".to_owned(), net.outputs["Subnet"].clone());
    input.parameters = [subnet.clone(), ("Protected".to_owned(), "true".to_owned())].into();
    let made = lab.make(&input).await;
    let in_sync = lab.cloud.stacks.resource_drift(&made.name, "Database").await.unwrap();
    assert_eq!((in_sync.status.as_str(), in_sync.differences.len()), ("IN_SYNC", 0), "{in_sync:?}");
    let head = vec![made.outputs["Head"].clone()];
    assert_eq!(lab.cloud.compute.termination_protected(&head).await.unwrap(), head);
    lab.cloud.stacks.delete(&made.id, &[], &format!("{}-d1", lab.name)).await.unwrap();
    assert_eq!(lab.settled(&made.id).await.status, StackStatus::DeleteFailed);
    let events = lab.cloud.stacks.events(&made.id, None).await.unwrap();
    let words = format!("{events:?}");
    assert!(words.contains("Cannot delete protected DB Instance"), "{words}");
}
