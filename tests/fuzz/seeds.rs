//! What cases are made from: what the product itself writes, the examples, lines as other programs write them, and the
//! cases that broke something once (`tests/fuzz/corpus/KIND-*`).

use crate::support::{build, carry_out_well, on_sandbox, plan_for};
use hpcctl::cloud::sandbox::{Sandbox, Script};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The longest case of the corpus that others are made from, in bytes: long ones take their time.
const LONGEST: usize = 4096;

/// Lines of other programs.
const WRITTEN: &[(&str, &[&str])] = &[
    ("host-list", &["cfd-od-[1-3,7],cfd-spot-2", "n[08-10]", "r[1-2]n[1-2]", "login"]),
    (
        "resume-file",
        &[r#"{"all_nodes":"q-od-[1-2]","jobs":[{"job_id":7,"nodes_resume":"q-od-1"},{"job_id":8,"nodes":"q-od-2"}]}"#],
    ),
    (
        "ledger",
        &[
            r#"{"kind":"hpcctl/launch","format_version":"1.0","launch":"0123456789abcdef0123456789abcdef","cluster":"c","queue":"q","pool":"od","at":1767225600,"wanted":["q-od-1"],"nodes":{"i-0a":{"name":"q-od-2","address":"10.0.0.7"}},"untold":true}"#,
        ],
    ),
    (
        "sync-memory",
        &[
            r#"{"since":{"gone q-od-1":1767225600},"relaunched":{"q-od-1":1767225600},"counted":["i-0a"],"repeats":{"q/od":2},"holds":{"q":{"since":1767225600,"why":"drained"}},"storage":null,"booted":"x","reported":"{}"}"#,
        ],
    ),
    ("pools-memory", &[r#"{"q/od":{"until":1767225600,"code":"InsufficientInstanceCapacity"}}"#]),
    ("head-address", &[r#"{"kind":"hpcctl/head-address","format_version":"1.0","address":"10.0.0.9"}"#]),
    (
        "order",
        &[
            r#"{"kind":"hpcctl/order","format_version":"1.0","id":"0a1b","at":1767225600,"by":"me","order":{"queue":{"name":"q","state":"drain"}}}"#,
        ],
    ),
    (
        "order-document",
        &[
            r#"{"kind":"hpcctl/order","format_version":"1.0","id":"0a1b","at":1767225600,"by":"me","order":{"fleet":"stop"}}"#,
        ],
    ),
    ("answer", &[r#"{"id":"0a1b","done":1767225600,"failed":"no such queue"}"#]),
    (
        "scontrol-node",
        &[
            "NodeName=q-od-1 Arch=x86_64 NodeAddr=10.0.0.7 State=IDLE+CLOUD+POWERED_DOWN* Partitions=q,r Reason=not responding [root@2026-01-31T12:00:00]",
        ],
    ),
    ("scontrol-partition", &["PartitionName=q AllowGroups=ALL State=UP TotalCPUs=4"]),
    ("squeue", &["7|PENDING|q,r|launch failed requeued held|q-od-[1-2]"]),
    ("squeue-node", &["1204    |1000   |1001   |1       |0       |RUNNING      |"]),
    (
        "task-report",
        &["FilePath,FileSystemPath,ErrorCode,ErrorMessage\n/a/b,/fsx/a/b,S3AccessDenied,\"no, not allowed\"\n"],
    ),
    (
        "metadata-request",
        &["PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n\r\n"],
    ),
    (
        "faults",
        &[
            r#"{"faults":[{"crash":{"at":3,"effect":true}},{"error":{"operation":"CreateStack","error":"busy","times":2}}],"absent":["b"]}"#,
        ],
    ),
    (
        "iam-policy",
        &[
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*"],"Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*"]}}}]}"#,
        ],
    ),
    (
        "lock",
        &[
            r#"{"owner":{"arn":"arn:aws:iam::123456789012:user/u","host":"h","pid":7,"command":"apply","birth":{"boot":"b","namespace":"n","started":1}},"plan":"0a","since":1767225600,"renewed":1767225600}"#,
        ],
    ),
    (
        "kept",
        &[
            r#"[{"id":"fs-0a","address":"storage.scratch","resource_type":"AWS::FSx::FileSystem","revision":3,"network":"vpc-0a"}]"#,
        ],
    ),
    ("head-report", &[REPORT]),
    ("status-of-head", &[REPORT]),
    (
        "set-up-log",
        &[
            "hpcctl set-up failed: revision=3 instance=i-0a mode=start at=2026-01-31T12:00:00Z\n+ mount /fsx\nset-up failed in line 7: mount_all\n",
        ],
    ),
    ("cluster-path", &["queues[0].pools[1].max", "/queues/0/pools"]),
    (
        "answer-of-aws",
        &[
            "<?xml version=\"1.0\"?>\n<!-- x --><DescribeStacksResponse xmlns=\"x\"><a/></DescribeStacksResponse>\n",
            "{\"a\":1}",
            "<html></html>",
            "<A/>",
        ],
    ),
];

const REPORT: &str = r#"{"kind":"hpcctl/slurm-report","format_version":"1.1","cluster":"c","revision":3,"instance":"i-0a","at":1767225600,"set_up_failed":null,"queues":[{"name":"q","state":"UP","held":{"why":"drained","since":1767225600},"failed_starts":1,"running":1,"pending":2,"held_jobs":[{"id":7,"reason":"held"}],"busy_nodes":1,"pools":[{"name":"od","nodes":{"idle":3},"rest":{"until":1767225600,"code":"x"}}],"last_failed_starts":[{"node":"q-od-1","at":1767225600,"words":"w"}],"failing":[{"name":"q-od-2","reason":"r"}]}]}"#;

/// The seeds of each kind.
pub fn seeds() -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut add = |kind: &str, text: Vec<u8>| found.entry(kind.to_owned()).or_default().push(text);
    for (kind, texts) in WRITTEN {
        texts.iter().for_each(|text| add(kind, text.as_bytes().to_vec()));
    }
    for folder in ["examples/clusters", "tests/mistakes"] {
        for (_, text) in files(folder).into_iter().filter(|(name, _)| name.ends_with(".yaml")) {
            // As JSON, which is YAML as well: its values are changed one by one.
            if let Ok(value) = serde_yaml::from_slice::<serde_json::Value>(&text) {
                add("cluster-file", value.to_string().into_bytes());
            }
            add("cluster-file", text);
        }
    }
    for (kind, text) in of_the_product() {
        add(kind, text);
    }
    for (name, text) in corpus().into_iter().filter(|(_, text)| text.len() <= LONGEST) {
        add(kind_of(&name), text);
    }
    found
}

/// The cases that broke something once, by the name of their file.
pub fn corpus() -> Vec<(String, Vec<u8>)> {
    files("tests/fuzz/corpus")
}

/// `host-list` of `host-list-many-brackets`.
pub fn kind_of(name: &str) -> &str {
    let kinds = crate::parsers();
    let kind = kinds.iter().map(|(kind, _)| *kind).filter(|kind| name.starts_with(&format!("{kind}-")));
    kind.max_by_key(|kind| kind.len()).unwrap_or_else(|| panic!("tests/fuzz/corpus/{name} is of no kind"))
}

/// What a cluster that was made on the sandbox leaves: plan, state, documents of its bucket, templates.
fn of_the_product() -> Vec<(&'static str, Vec<u8>)> {
    // Tests run beside each other: each has an account of its own.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("hpcctl-fuzz-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("account.json");
    let text = fs::read_to_string("examples/clusters/minimal.yaml").unwrap();
    let built = build("minimal.yaml", &text);
    let sandbox = Sandbox::open_with(&file, &built.graph.region, Script::default(), None).unwrap();
    let cloud = sandbox.cloud();
    let mut found = Vec::new();
    on_sandbox(async {
        let plan = plan_for(&cloud, &built).await;
        found.push(("plan", serde_json::to_vec(&plan).unwrap()));
        carry_out_well(&cloud, &plan).await;
        for stack in cloud.stacks.all_stacks().await.unwrap() {
            found.push(("template", cloud.stacks.template(&stack.name).await.unwrap().into_bytes()));
        }
        let bucket = hpcctl::observe::keys::bucket_name("123456789012", &built.graph.region);
        for object in cloud.objects.list(&bucket, "").await.unwrap() {
            let (body, _) = cloud.objects.get(&bucket, &object.key).await.unwrap().unwrap();
            for (end, kind) in
                [("/revision.json", "revision"), ("head/hpcctl.json", "node-config"), ("/od.json", "pool-config")]
            {
                if object.key.ends_with(end) {
                    found.push((kind, body.clone()));
                }
            }
        }
    });
    drop((cloud, sandbox));
    found.push(("sandbox-state", fs::read(&file).unwrap()));
    found.push(("instance-catalog", fs::read("src/catalog/data/instance-types.txt").unwrap()));
    fs::remove_dir_all(&folder).unwrap();
    found
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(Path::new(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}
