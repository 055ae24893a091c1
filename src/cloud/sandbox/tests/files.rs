//! File systems, tasks, objects.

use super::help::*;
use crate::cloud::{
    Cloud, ErrorKind, PutCondition, TaskInput, TaskKind, TaskLifecycle, TaskState, sandbox,
    sandbox::{Fault, Files, Sandbox},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

fn lustre(linked: bool) -> Value {
    let mut lustre = json!({ "DeploymentType": "SCRATCH_2" });
    if linked {
        lustre["ImportPath"] = json!("s3://fds-bucket");
        lustre["ExportPath"] = json!("s3://fds-bucket/results");
    }
    json!({ "Resources": { "Scratch": { "Type": "AWS::FSx::FileSystem", "Properties": {
        "FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": ["subnet-0aaaaaaaaaaaaaaaa"],
        "LustreConfiguration": lustre,
    }}}})
}

fn export(file_system: &str, token: &str) -> TaskInput {
    TaskInput {
        file_system: file_system.to_owned(),
        kind: TaskKind::ExportToRepository,
        paths: vec![],
        report: Some("s3://fds-bucket/results/reports".to_owned()),
        token: token.to_owned(),
        tags: BTreeMap::new(),
    }
}

async fn ended(cloud: &Cloud, id: &str) -> TaskState {
    loop {
        let task = cloud.file_systems.task(id).await.unwrap().unwrap();
        if task.lifecycle.ended() {
            return task;
        }
        cloud.clock.sleep(Duration::from_secs(30)).await;
    }
}

#[test]
fn an_export_writes_objects() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        create(&cloud, "demo-storage", &lustre(true)).await;
        let found = cloud.file_systems.file_systems_of("demo").await.unwrap();
        let id = found[0].id.clone();
        assert_eq!((found[0].lifecycle.as_str(), found[0].capacity_gib), ("AVAILABLE", 1200));
        assert_eq!(found[0].repositories[0].export.as_deref(), Some("s3://fds-bucket/results"));
        let task = cloud.file_systems.start_task(&export(&id, "one")).await.unwrap();
        assert_eq!(task.lifecycle, TaskLifecycle::Pending);
        assert_eq!(cloud.file_systems.start_task(&export(&id, "one")).await.unwrap().id, task.id);
        let busy = cloud.file_systems.start_task(&export(&id, "two")).await.unwrap_err();
        assert_eq!(busy.kind, ErrorKind::Busy);
        cloud.clock.sleep(Duration::from_secs(90)).await;
        let half = cloud.file_systems.task(&task.id).await.unwrap().unwrap();
        assert_eq!(half.lifecycle, TaskLifecycle::Executing);
        assert!(half.succeeded > 0 && half.succeeded < half.total);
        let done = ended(&cloud, &task.id).await;
        assert_eq!((done.lifecycle, done.succeeded, done.failed), (TaskLifecycle::Succeeded, done.total, 0));
        let objects = cloud.objects.list("fds-bucket", "results/").await.unwrap();
        assert_eq!(objects.len() as u64, done.total);
    });
}

#[test]
fn files_that_fail_are_in_the_report() {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    sandbox.add_fault(Fault::Files(Files { count: Some(2), ..Files::default() }));
    run(async {
        create(&cloud, "demo-storage", &lustre(true)).await;
        let id = physical(&cloud, "demo-storage", "Scratch").await;
        let task = cloud.file_systems.start_task(&export(&id, "one")).await.unwrap();
        let done = ended(&cloud, &task.id).await;
        assert_eq!((done.lifecycle, done.failed), (TaskLifecycle::Failed, 2));
        let key = format!("results/reports/{}/failures.csv", task.id);
        let (report, _) = cloud.objects.get("fds-bucket", &key).await.unwrap().unwrap();
        let report = String::from_utf8(report).unwrap();
        assert_eq!(report.lines().count(), 2);
        assert!(report.lines().all(|line| line.ends_with(",failed,S3AccessDenied")), "{report}");
        let again = cloud.file_systems.start_task(&export(&id, "two")).await.unwrap();
        assert_eq!(ended(&cloud, &again.id).await.lifecycle, TaskLifecycle::Succeeded);
        assert_eq!(cloud.file_systems.tasks_of(&id).await.unwrap()[0].id, again.id);
    });
}

#[test]
fn a_task_needs_a_repository_and_can_be_cancelled() {
    let cloud = sandbox::in_memory(REGION);
    run(async {
        create(&cloud, "demo-a", &lustre(false)).await;
        let id = physical(&cloud, "demo-a", "Scratch").await;
        assert_eq!(cloud.file_systems.start_task(&export(&id, "x")).await.unwrap_err().kind, ErrorKind::Invalid);
        create(&cloud, "demo-b", &lustre(true)).await;
        let id = physical(&cloud, "demo-b", "Scratch").await;
        let task = cloud.file_systems.start_task(&export(&id, "y")).await.unwrap();
        cloud.clock.sleep(Duration::from_secs(60)).await;
        cloud.file_systems.cancel_task(&task.id).await.unwrap();
        assert_eq!(ended(&cloud, &task.id).await.lifecycle, TaskLifecycle::Canceled);
        let mut outside = export(&id, "z");
        outside.report = Some("s3://fds-bucket/elsewhere".to_owned());
        assert_eq!(cloud.file_systems.start_task(&outside).await.unwrap_err().kind, ErrorKind::Invalid);
    });
}

#[test]
fn conditions_on_objects_hold_or_fail() {
    let cloud = sandbox::in_memory(REGION);
    let put = |body: &[u8], condition| cloud.objects.put("b", "lock", body.to_vec(), condition);
    run(async {
        let etag = put(b"1", PutCondition::IfAbsent).await.unwrap();
        assert_eq!(put(b"2", PutCondition::IfAbsent).await.unwrap_err().kind, ErrorKind::PreconditionFailed);
        let next = put(&[0xff, 0], PutCondition::IfMatch(etag.clone())).await.unwrap();
        assert_eq!(put(b"3", PutCondition::IfMatch(etag)).await.unwrap_err().kind, ErrorKind::PreconditionFailed);
        assert_eq!(cloud.objects.get("b", "lock").await, Ok(Some((vec![0xff, 0], next))));
        cloud.objects.delete("b", "lock").await.unwrap();
        assert_eq!(cloud.objects.get("b", "lock").await, Ok(None));
    });
}
