//! File systems in FSx, and their tasks.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{ErrorKind, StackState, TaskInput, TaskKind, TaskLifecycle, TaskState};
use std::time::Duration;

/// A bucket, a network and file systems, made by stacks.
struct Storage {
    stacks: [StackState; 3],
    bucket: String,
    scratch: String,
    legacy: String,
}

impl Storage {
    async fn make(lab: &Lab) -> Self {
        let bucket = lab.make(&lab.stack("bucket", templates::BUCKET)).await;
        let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
        let mut input = lab.stack("storage", templates::STORAGE);
        let parameter = |from: &StackState, key: &str| (key.to_owned(), from.outputs[key].clone());
        input.parameters = [parameter(&bucket, "Bucket"), parameter(&net, "Subnet")].into();
        let storage = lab.make(&input).await;
        Self {
            bucket: bucket.outputs["Bucket"].clone(),
            scratch: storage.outputs["Scratch"].clone(),
            legacy: storage.outputs["Legacy"].clone(),
            stacks: [storage, net, bucket],
        }
    }

    fn task(&self, lab: &Lab, file_system: &str, token: &str) -> TaskInput {
        TaskInput {
            file_system: file_system.to_owned(),
            kind: TaskKind::ExportToRepository,
            paths: vec![],
            report: Some(format!("s3://{}/{}/reports", self.bucket, self.export_prefix(file_system))),
            token: format!("{}-{token}", lab.name),
            tags: [("hpcctl:cluster".to_owned(), lab.name.clone())].into(),
        }
    }

    /// A report must lie within the export path.
    fn export_prefix(&self, file_system: &str) -> &str {
        if file_system == self.legacy { "export" } else { "results" }
    }

    async fn remove(self, lab: &Lab) {
        lab.cloud.objects.purge(&self.bucket, "").await.unwrap();
        for stack in &self.stacks {
            lab.remove(&stack.id).await;
        }
    }
}

async fn ended(lab: &Lab, task: &TaskState) -> TaskState {
    for _ in 0..200 {
        let task = lab.cloud.file_systems.task(&task.id).await.unwrap().unwrap();
        if task.lifecycle.ended() {
            return task;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{task:?} does not end");
}

#[tokio::test]
async fn file_systems_and_their_links_are_read() {
    let Some(lab) = Lab::open().await else { return };
    let storage = Storage::make(&lab).await;
    let fsx = &lab.cloud.file_systems;
    let scratch = fsx.file_system(&storage.scratch).await.unwrap().unwrap();
    assert_eq!((scratch.lifecycle.as_str(), scratch.capacity_gib), ("AVAILABLE", 1200));
    assert_eq!(scratch.deployment.as_deref(), Some("SCRATCH_2"));
    assert!(scratch.mount_name.is_some() && scratch.dns_name.is_some() && scratch.created.0 > 1_600_000_000);
    let link = &scratch.repositories[0];
    assert_eq!((link.path.as_str(), link.association.is_some()), ("/results", true));
    assert_eq!(link.export, Some(format!("s3://{}/results", storage.bucket)));

    let legacy = fsx.file_system(&storage.legacy).await.unwrap().unwrap();
    let link = &legacy.repositories[0];
    assert_eq!((link.path.as_str(), &link.association), ("/", &None));
    assert_eq!(link.import, Some(format!("s3://{}", storage.bucket)));
    assert_eq!(link.export, Some(format!("s3://{}/export", storage.bucket)));

    let ids: Vec<String> = fsx.file_systems_of(&lab.name).await.unwrap().into_iter().map(|fs| fs.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&storage.scratch) && ids.contains(&storage.legacy));
    assert_eq!(fsx.file_system("fs-0123456789abcdef0").await.unwrap(), None);
    assert!(fsx.file_systems_of("nobody").await.unwrap().is_empty());
    storage.remove(&lab).await;
}

#[tokio::test]
async fn an_export_runs_to_its_end_and_reports_failures() {
    let Some(lab) = Lab::open().await else { return };
    let storage = Storage::make(&lab).await;
    let fsx = &lab.cloud.file_systems;
    let input = storage.task(&lab, &storage.legacy, "x1");
    let begun = fsx.start_task(&input).await.unwrap();
    assert_eq!((begun.kind, &begun.file_system), (TaskKind::ExportToRepository, &storage.legacy));
    assert_eq!(begun.report, input.report);
    assert_eq!(fsx.start_task(&input).await.unwrap().id, begun.id, "the same token is the same request");
    let done = ended(&lab, &begun).await;
    assert_eq!((done.lifecycle, done.failed, done.failure), (TaskLifecycle::Succeeded, 0, None));
    assert!(done.succeeded > 0 && done.succeeded == done.total && done.ended.is_some());
    assert!(!lab.cloud.objects.list(&storage.bucket, "export/").await.unwrap().is_empty());

    lab.faults(
        r#"[{"action": "CreateDataRepositoryTask", "files": {"results/case.out": "S3AccessDenied"}, "times": 1}]"#,
    );
    let begun = fsx.start_task(&storage.task(&lab, &storage.scratch, "x2")).await.unwrap();
    let done = ended(&lab, &begun).await;
    assert_eq!((done.lifecycle, done.failed), (TaskLifecycle::Failed, 1));
    let reports = lab.cloud.objects.list(&storage.bucket, &format!("results/reports/{}/", begun.id)).await.unwrap();
    let (report, _) = lab.cloud.objects.get(&storage.bucket, &reports[0].key).await.unwrap().unwrap();
    assert!(String::from_utf8(report).unwrap().contains("S3AccessDenied"));
    storage.remove(&lab).await;
}

#[tokio::test]
async fn tasks_are_listed_refused_and_cancelled() {
    let Some(lab) = Lab::open().await else { return };
    let storage = Storage::make(&lab).await;
    let fsx = &lab.cloud.file_systems;
    lab.faults(r#"[{"action": "CreateDataRepositoryTask", "sleep": 3, "times": 1}]"#);
    let mut input = storage.task(&lab, &storage.legacy, "c1");
    input.report = None;
    let begun = fsx.start_task(&input).await.unwrap();
    assert_eq!(begun.report, None);
    let second = fsx.start_task(&storage.task(&lab, &storage.legacy, "c2")).await.unwrap_err();
    assert_eq!(second.kind, ErrorKind::Busy, "{second:?}");
    fsx.cancel_task(&begun.id).await.unwrap();
    assert_eq!(ended(&lab, &begun).await.lifecycle, TaskLifecycle::Canceled);
    fsx.cancel_task(&begun.id).await.unwrap();

    let mut import = storage.task(&lab, &storage.legacy, "c3");
    import.kind = TaskKind::ImportMetadataFromRepository;
    import.paths = vec!["results".to_owned()];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = fsx.start_task(&import).await.unwrap_err();
    assert!(refused.kind == ErrorKind::Invalid && refused.message.contains("s3://bucket/prefix"), "{refused:?}");
    import.token.push('b');
    import.paths = vec![format!("s3://{}/results", storage.bucket)];
    let import = fsx.start_task(&import).await.unwrap();
    assert_eq!(ended(&lab, &import).await.paths, [format!("s3://{}/results", storage.bucket)]);
    let ids: Vec<String> = fsx.tasks_of(&storage.legacy).await.unwrap().into_iter().map(|task| task.id).collect();
    assert_eq!(ids, [import.id, begun.id], "newest first");
    assert!(fsx.tasks_of(&storage.scratch).await.unwrap().is_empty());
    assert_eq!(fsx.task("task-0123456789abcdef0").await.unwrap(), None);
    assert_eq!(fsx.cancel_task("task-0123456789abcdef0").await.unwrap_err().kind, ErrorKind::NotFound);
    storage.remove(&lab).await;
}

#[tokio::test]
async fn automatic_export_is_switched_and_keeps_its_import() {
    let Some(lab) = Lab::open().await else { return };
    let storage = Storage::make(&lab).await;
    let fsx = &lab.cloud.file_systems;
    let state = fsx.file_system(&storage.scratch).await.unwrap().unwrap();
    let link = state.repositories[0].association.clone().unwrap();
    assert_eq!((state.linked(), state.repositories[0].auto_export.len()), (vec!["/results".to_owned()], 0));
    let settled = async || {
        for _ in 0..100 {
            let state = fsx.file_system(&storage.scratch).await.unwrap().unwrap();
            if state.repositories[0].lifecycle == "AVAILABLE" {
                return state.repositories[0].clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the association does not settle");
    };
    settled().await;
    fsx.set_auto_export(&link, &["NEW".to_owned(), "CHANGED".to_owned()]).await.unwrap();
    assert_eq!(settled().await.auto_export, ["NEW", "CHANGED"]);
    let refused = fsx.start_task(&storage.task(&lab, &storage.scratch, "a1")).await.unwrap_err();
    assert!(refused.message.contains("cannot run at the same time"), "{refused:?}");
    fsx.set_auto_export(&link, &[]).await.unwrap();
    assert!(settled().await.auto_export.is_empty());
    let begun = fsx.start_task(&storage.task(&lab, &storage.scratch, "a2")).await.unwrap();
    let done = ended(&lab, &begun).await;
    // Three files lie on it, two of them in the linked directory.
    assert_eq!((done.lifecycle, done.total), (TaskLifecycle::Succeeded, 2));
    storage.remove(&lab).await;
}

/// A listener in the place of the services, and its address.
fn service() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Runs a test of `child` against it.
fn against(endpoint: &str, test: &str) {
    let variables = [
        ("AWS_ENDPOINT_URL", Some(endpoint)),
        ("AWS_REGION", Some("eu-west-1")),
        ("AWS_ACCESS_KEY_ID", Some("AKIAIOSFODNN7EXAMPLE")),
        ("AWS_SECRET_ACCESS_KEY", Some("none")),
        ("NO_PROXY", Some("127.0.0.1")),
    ];
    crate::identity::child(test, &variables);
}

/// A proxy, or a connection that is cut, may leave nothing of an answer but its status. FT-04.
#[test]
fn an_answer_that_says_nothing_of_a_file_system_is_none() {
    let (listener, endpoint) = service();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(nothing(stream))));
    against(&endpoint, "file_systems::child::says_nothing");
}

/// An update that leaves the import policy out switches it off. AW-36.
#[test]
fn a_switched_association_keeps_its_import_policy() {
    let (listener, endpoint) = service();
    let serving = std::thread::spawn(move || {
        let described = r#"{"Associations":[{"AssociationId":"dra-1","S3":{"AutoImportPolicy":{"Events":["NEW"]}}}]}"#;
        let answers = [described, "{}", described, "{}"];
        answers.map(|answer| answered(listener.accept().unwrap().0, answer).unwrap())
    });
    against(&endpoint, "file_systems::child::switches");
    let [_, off, _, on] = serving.join().unwrap();
    let s3 = |body: &serde_json::Value| body["S3"].clone();
    let import = serde_json::json!({ "Events": ["NEW"] });
    assert_eq!(s3(&off), serde_json::json!({ "AutoImportPolicy": import }));
    let export = serde_json::json!({ "Events": ["CHANGED"] });
    assert_eq!(s3(&on), serde_json::json!({ "AutoImportPolicy": import, "AutoExportPolicy": export }));
}

/// Answers one request of a connection; gives the request's document.
fn answered(mut stream: std::net::TcpStream, answer: &str) -> std::io::Result<serde_json::Value> {
    use std::io::{BufRead, BufReader, Read, Write};
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(found) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = found.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let kind = "content-type: application/x-amz-json-1.1";
    let length = answer.len();
    let head = format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{answer}").as_bytes())?;
    Ok(serde_json::from_slice(&body)?)
}

/// Answers one request with an empty document.
fn nothing(mut stream: std::net::TcpStream) -> std::io::Result<()> {
    use std::io::{Read, Write};
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    // Head and body of so small a request, which names the file system at its end.
    while !request.ends_with(b"]}") {
        let length = stream.read(&mut part)?;
        if length == 0 {
            break;
        }
        request.extend_from_slice(&part[..length]);
    }
    let kind = "content-type: application/x-amz-json-1.1";
    stream.write_all(
        format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}").as_bytes(),
    )
}

mod child {
    use hpcctl::cloud::{
        ErrorKind,
        aws::{self, AwsOptions},
    };

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn says_nothing() {
        let cloud = aws::open(AwsOptions::default()).await.unwrap();
        let error = cloud.file_systems.file_system("fs-0123456789abcdef0").await.unwrap_err();
        assert_eq!((error.kind, error.operation), (ErrorKind::Unavailable, "DescribeFileSystems"), "{error}");
        assert!(error.message.contains("fs-0123456789abcdef0"), "{error}");
    }

    #[tokio::test]
    #[ignore = "run by its parent"]
    async fn switches() {
        let cloud = aws::open(AwsOptions::default()).await.unwrap();
        cloud.file_systems.set_auto_export("dra-1", &[]).await.unwrap();
        cloud.file_systems.set_auto_export("dra-1", &["CHANGED".to_owned()]).await.unwrap();
    }
}
