//! What people do with a cluster that runs, through the program, on the sandbox.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        CLUSTER_TAG, NODE_TAG, POOL_TAG, PutCondition, QUEUE_TAG, ROLE_TAG, Timestamp,
        sandbox::{Launch, Sandbox},
    },
    node::{Answer, Order, OrderDocument, QueueOrder, answer_key, orders_prefix},
};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};
use support::*;

const REGION: &str = "eu-west-1";
const BUCKET: &str = "hpcctl-123456789012-eu-west-1";

/// A folder with a cluster file and a sandbox of its own.
struct Place {
    folder: PathBuf,
    file: PathBuf,
}

impl Place {
    /// The example `fds-smv`, changed; not applied yet.
    fn new(name: &str, changes: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("hpcctl-operate-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "the example has no `{from}`");
            text = text.replace(from, to);
        }
        let file = folder.join("fds.yaml");
        fs::write(&file, text).unwrap();
        Self { folder, file }
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::open(&self.folder.join("sandbox.json"), REGION).unwrap()
    }

    /// `hpcctl COMMAND FILE ARGUMENT...`
    fn run(&self, command: &[&str], arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hpcctl"))
            .args(["--cloud", "sandbox", "--sandbox-state"])
            .arg(self.folder.join("sandbox.json"))
            .args(command)
            .arg(&self.file)
            .args(arguments)
            .env("HPCCTL_CATALOG", "/nonexistent")
            .env_remove("AWS_PROFILE")
            .env_remove("HPCCTL_SANDBOX_FAULTS")
            .output()
            .unwrap()
    }

    fn apply(&self) {
        let output = self.run(&["apply"], &["--auto-approve"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Lets so many seconds pass.
    fn later(&self, seconds: u64) {
        let cloud = self.sandbox().cloud();
        on_sandbox(async {
            cloud.clock.sleep(Duration::from_secs(seconds)).await;
            cloud.identity.caller().await.unwrap();
        });
    }

    /// Launches a node of queue `cfd` that runs.
    fn launch(&self, name: &str, spot: bool) -> String {
        let sandbox = self.sandbox();
        let tags =
            [(CLUSTER_TAG, "fds-smv"), (ROLE_TAG, "compute"), (QUEUE_TAG, "cfd"), (POOL_TAG, "x"), (NODE_TAG, name)];
        let tags: BTreeMap<String, String> = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let id = sandbox
            .launch(Launch { instance_type: "c5n.18xlarge".to_owned(), spot, tags, ..Launch::default() })
            .unwrap();
        self.later(60);
        id
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that a command failed with a code and names what it must.
fn fails(output: &Output, code: &str, words: &[&str]) {
    let text = err(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in [code].iter().chain(words) {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn a_spot_node_is_interrupted_and_others_are_refused() {
    let place = Place::new("interrupt", &[]);
    place.apply();
    fails(&place.run(&["interrupt"], &["cfd"]), "HPC2081", &["the queue has no nodes now"]);
    fails(&place.run(&["interrupt"], &["cfx"]), "HPC2007", &["there is cfd"]);
    place.launch("cfd-od-1", false);
    fails(&place.run(&["interrupt"], &["cfd"]), "HPC2081", &["cfd-od-1", "on demand, running"]);
    let ids = [place.launch("cfd-spot-1", true), place.launch("cfd-spot-2", true)];

    let output = place.run(&["interrupt"], &["cfd", "--wait", "--minutes", "3"]);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(out(&output), format!("cfd-spot-1  {}\n", ids[0]));
    let said = err(&output);
    for word in ["made role", "takes the nodes back in 3 min", "completed", "deleted the role", "cfd-spot-1 is gone"] {
        assert!(said.contains(word), "no `{word}` in: {said}");
    }
    let left = on_sandbox(async { place.sandbox().cloud().compute.instances(&ids).await.unwrap() });
    assert_eq!(left.iter().map(|one| &one.id).collect::<Vec<_>>(), [&ids[1]]);

    let kept = place.run(&["interrupt"], &["cfd", "--node", "cfd-spot-2", "--keep-role"]);
    assert!(kept.status.success() && err(&kept).contains("the role stays"), "{}", err(&kept));
    fails(&place.run(&["interrupt"], &["cfd", "--node", "cfd-spot-2"]), "HPC2081", &["cfd-spot-2"]);
}

#[test]
fn orders_go_to_the_bucket_and_answers_come_back() {
    let place = Place::new("orders", &[]);
    fails(&place.run(&["queue", "drain"], &["cfd"]), "HPC2007", &["never applied"]);
    place.apply();
    fails(&place.run(&["queue", "drain"], &["cfx"]), "HPC2007", &["there is cfd"]);
    let given = place.run(&["queue", "drain"], &["cfd", "--no-wait"]);
    assert!(given.status.success() && out(&given).contains("is given"), "{}", err(&given));
    let order = newest_order(&place);
    assert_eq!(order.order, Order::Queue { name: "cfd".to_owned(), state: QueueOrder::Drain });
    assert_eq!(order.by, "arn:aws:iam::123456789012:user/sandbox");

    fails(&place.run(&["fleet", "stop"], &["--timeout", "5"]), "HPC2084", &["within 5 s", "hpcctl-sync"]);

    // The answer to an order that will be given: its id follows from who, when and what.
    for (failed, code) in [(None, None), (Some("no such partition"), Some("HPC2083"))] {
        let probe = place.run(&["queue", "resume"], &["cfd", "--no-wait"]);
        assert!(probe.status.success());
        let order = newest_order(&place);
        let answer =
            Answer { id: order.id.clone(), done: Timestamp(order.at.0 + 1), failed: failed.map(str::to_owned) };
        let body = serde_json::to_vec(&answer).unwrap();
        let key = answer_key("fds-smv", &order.id);
        on_sandbox(async {
            place.sandbox().cloud().objects.put(BUCKET, &key, body, PutCondition::Always).await.unwrap();
        });
        let output = place.run(&["queue", "resume"], &["cfd"]);
        match code {
            None => assert_eq!(out(&output), format!("queue cfd is open at {}\n", answer.done)),
            Some(code) => fails(&output, code, &["no such partition"]),
        }
        place.later(60);
    }
}

fn newest_order(place: &Place) -> OrderDocument {
    let cloud = place.sandbox().cloud();
    on_sandbox(async {
        let all = cloud.objects.list(BUCKET, &orders_prefix("fds-smv")).await.unwrap();
        let (body, _) = cloud.objects.get(BUCKET, &all.last().unwrap().key).await.unwrap().unwrap();
        serde_json::from_slice(&body).unwrap()
    })
}

#[test]
fn the_way_to_a_node_is_printed() {
    let place = Place::new("ssh", &[]);
    fails(&place.run(&["ssh"], &[]), "HPC2080", &["there is no node `head`"]);
    place.apply();
    let node = place.launch("cfd-od-1", false);
    let line = place.run(&["ssh"], &["--print", "--via", "session-manager", "--", "sinfo", "-l"]);
    assert!(out(&line).contains("--region eu-west-1"), "{}{}", out(&line), err(&line));
    let line = place.run(&["ssh"], &["cfd-od-1", "--print"]);
    assert_eq!(out(&line), format!("aws ssm start-session --target {node} --region eu-west-1\n"));
    fails(&place.run(&["ssh"], &["cfd-od-9", "--print"]), "HPC2080", &["cfd-od-1"]);
    fails(&place.run(&["ssh"], &[]), "HPC2086", &["sandbox", "--print"]);
    fails(&place.run(&["ssh"], &["cfd-od-1", "--via", "address", "--print"]), "HPC2086", &["no public address"]);

    let lines = place.run(&["dcv"], &["--print", "--via", "session-manager", "--local-port", "18443"]);
    let text = out(&lines);
    assert!(text.contains("portNumber=8443,localPortNumber=18443"), "{text}{}", err(&lines));
    assert!(text.lines().last().unwrap().contains("sudo /opt/hpcctl/libexec/dcv-url"), "{text}");
    fails(&place.run(&["dcv"], &["cfd-od-1", "--print"]), "HPC2087", &["no desktop"]);
}

#[test]
fn the_sandbox_says_that_it_has_no_logs() {
    let place = Place::new("logs", &[]);
    fails(&place.run(&["logs"], &[]), "HPC2007", &["/hpcctl/fds-smv"]);
    place.apply();
    let output = place.run(&["logs"], &["--head", "--follow"]);
    assert!(output.status.success() && out(&output).is_empty(), "{}", err(&output));
    assert!(err(&output).contains("the sandbox runs no machines"), "{}", err(&output));
    fails(&place.run(&["logs"], &["--node", "cfd-od-1"]), "HPC2080", &["cfd-od-1"]);
    assert_eq!(place.run(&["logs"], &["--since", "yesterday"]).status.code(), Some(2));
    let off = Place::new("no-logs", &[("logs: { retention_days: 30 }", "logs: { enabled: false }")]);
    fails(&off.run(&["logs"], &[]), "HPC2007", &["monitoring.logs.enabled"]);
}

#[test]
fn a_grant_is_printed_for_a_database_that_exists() {
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slurm-AbCdEf";
    let place = Place::new("grant", &[]);
    let text = fs::read_to_string(&place.file).unwrap();
    let external = format!("external: {{ host: db.example.org, user: slurm, password_secret: \"{secret}\" }}");
    fs::write(&place.file, format!("{text}\naccounting:\n  database: hpc_acct\n  {external}\n")).unwrap();
    let output = place.run(&["accounting", "grant"], &["--from", "10.1.0.0/20"]);
    let sql = out(&output);
    assert!(
        sql.contains("GRANT ALL PRIVILEGES ON `hpc\\_acct`.* TO 'slurm'@'10.1.0.0/255.255.240.0';"),
        "{sql}{}",
        err(&output)
    );
    assert!(sql.contains(secret) && sql.contains("db.example.org:3306"), "{sql}");
    let subnet = out(&place.run(&["accounting", "grant"], &[]));
    assert!(subnet.contains("/255.255.255.0'"), "the head node's subnet: {subnet}");
    fs::write(&place.file, text).unwrap();
    fails(&place.run(&["accounting", "grant"], &[]), "HPC2007", &["no `accounting`"]);
    fs::copy("examples/clusters/accounting.yaml", &place.file).unwrap();
    assert!(err(&place.run(&["accounting", "grant"], &[])).contains("nothing to do"));
}
