//! What the tests share.

use crate::cloud::{CLUSTER_TAG, Cloud, StackEvent, StackInput, StackState, TemplateSource};
use serde_json::Value;
use std::{collections::BTreeMap, future::Future, time::Duration};

pub const REGION: &str = "eu-west-1";

/// Runs a future to its end, as `commands` does.
pub fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A request for a stack of cluster `demo`.
pub fn input(name: &str, template: &Value) -> StackInput {
    StackInput {
        name: name.to_owned(),
        template: TemplateSource::Body(template.to_string()),
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([(CLUSTER_TAG.to_owned(), "demo".to_owned())]),
        token: format!("{name}-{:x}", template.to_string().len()),
        termination_protection: false,
    }
}

/// Polls a stack until nothing runs any more.
pub async fn settled(cloud: &Cloud, name: &str) -> StackState {
    loop {
        let state = cloud.stacks.stack(name).await.unwrap().unwrap();
        if !state.status.in_progress() {
            return state;
        }
        cloud.clock.sleep(Duration::from_secs(5)).await;
    }
}

/// Creates a stack and waits.
pub async fn create(cloud: &Cloud, name: &str, template: &Value) -> StackState {
    let id = cloud.stacks.create(&input(name, template)).await.unwrap();
    settled(cloud, &id).await
}

/// Updates a stack and waits.
pub async fn update(cloud: &Cloud, name: &str, template: &Value) -> StackState {
    let mut input = input(name, template);
    input.token = format!("update-{}", cloud.clock.now());
    cloud.stacks.update(&input).await.unwrap();
    settled(cloud, name).await
}

/// Deletes a stack and waits.
pub async fn delete(cloud: &Cloud, name: &str) -> StackState {
    let id = cloud.stacks.stack(name).await.unwrap().unwrap().id;
    cloud.stacks.delete(name, &[], &format!("delete-{}", cloud.clock.now())).await.unwrap();
    settled(cloud, &id).await
}

/// The events as `LogicalId STATUS`.
pub async fn story(cloud: &Cloud, name: &str) -> Vec<String> {
    let events = cloud.stacks.events(name, None).await.unwrap();
    events.iter().map(|e| format!("{} {}", e.logical_id, e.status)).collect()
}

/// The first reason of a failed event.
pub async fn first_failure(cloud: &Cloud, name: &str) -> StackEvent {
    let events = cloud.stacks.events(name, None).await.unwrap();
    events.into_iter().find(|e| e.status.ends_with("_FAILED")).unwrap()
}

/// The physical id of a resource.
pub async fn physical(cloud: &Cloud, stack: &str, logical: &str) -> String {
    let all = cloud.stacks.resources(stack).await.unwrap();
    all.into_iter().find(|r| r.logical_id == logical).unwrap().physical_id
}

/// A folder for a state file, gone at the end.
pub struct Folder(std::path::PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hpcctl-sandbox-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.0.join("state.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What carries the tag of the cluster `demo` and is there: tags alone outlive what carried them.
pub async fn there(cloud: &Cloud) -> Vec<crate::cloud::TaggedResource> {
    let tagged = cloud.compute.tagged("demo").await.unwrap();
    cloud.compute.still_there(tagged).await.unwrap()
}
