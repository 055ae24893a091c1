//! Secrets are planted wherever the program can see them, and every byte that it writes or prints is looked through.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, Ran, ran};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// What the environment of a pipeline holds.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("AWS_ACCESS_KEY_ID", "AKIACANARYCANARY0001"),
    ("AWS_SECRET_ACCESS_KEY", "canary0002/wJalrXUtnFEMI/K7MDENG"),
    ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjCANARY0003CANARY0003CANARY0003"),
    ("HTTPS_PROXY", "http://proxyuser:canary0004@proxy.example.org:3128"),
    ("DATABASE_PASSWORD", "canary0005-of-the-database"),
    ("GITHUB_TOKEN", "ghp_canary0006canary0006canary0006canary"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/canary0007/token"),
    ("SIGNED_URL", "https://b.s3.amazonaws.com/k?X-Amz-Signature=canary0008"),
    ("SLURM_JWT", "eyJcanary0009"),
];

/// Words that stand in every planted secret, in any case.
const CANARY: &str = "canary0";

#[track_caller]
fn silent(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    if let Some(at) = text.find(CANARY).or_else(|| text.find("canarycanary")) {
        let around: String = text[..at].chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what} has a secret after `{around}`");
    }
}

/// Everything in a folder; files whose names are given were planted.
fn look_through(folder: &Path, planted: &[&str]) -> usize {
    let mut looked_at = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            looked_at += look_through(&path, planted);
        } else if !planted.iter().any(|name| path.ends_with(name)) {
            silent(&path.display().to_string(), &fs::read(&path).unwrap());
            looked_at += 1;
        }
    }
    looked_at
}

/// A command in an environment with secrets, all of whose words are looked through.
fn says(lab: &Lab, words: &[&str]) -> Ran {
    let mut command: Command = lab.command(words);
    command.envs(ENVIRONMENT).env("HOME", &lab.folder);
    let said = ran(lab.start(&mut command));
    silent(&format!("stdout of {words:?}"), said.stdout.as_bytes());
    silent(&format!("stderr of {words:?}"), said.stderr.as_bytes());
    said
}

fn write(lab: &Lab, name: &str, value: &Value) {
    lab.write(name, &serde_yaml::to_string(value).unwrap());
}

/// The whole life of the cluster with every key: no secret of the environment is in anything.
#[test]
fn no_secret_of_the_environment_is_written() {
    let lab = Lab::new("canary");
    let example = files::example("everything.yaml");
    let mut changed = example.clone();
    changed["head_node"]["key_name"] = json!("another");
    changed["storage"][0]["fsx_lustre"]["capacity_gib"] = json!(4800);
    write(&lab, "cluster.yaml", &example);
    write(&lab, "changed.yaml", &changed);
    let yes = ["--auto-approve", "--approve-data-loss", "all", "-v"];
    let with = |words: &[&'static str]| -> Vec<&'static str> { words.iter().copied().chain(yes).collect() };
    for words in [
        &["validate", "cluster.yaml"][..],
        &["validate", "cluster.yaml", "--format", "json"],
        &["render", "cluster.yaml", "--out", "rendered"],
        &["graph", "cluster.yaml"],
        &["plan", "cluster.yaml", "--out", "plan.json", "-v"],
        &["show", "plan.json", "-v"],
        &["show", "plan.json", "--format", "json"],
        &["show", "plan.json", "--format", "markdown"],
    ] {
        assert!(matches!(says(&lab, words).code, Some(0 | 2)), "{words:?}");
    }
    // Errors of every kind on the way.
    for error in ["credentials", "access_denied", "network", "unreadable"] {
        lab.faults(&json!([{ "error": { "operation": "CreateStack", "error": error } }]));
        assert_eq!(says(&lab, &with(&["apply", "plan.json", "--progress", "json"])).code, Some(1), "{error}");
    }
    lab.faults(&json!([]));
    says(&lab, &with(&["apply", "plan.json", "--progress", "json"])).ends(0);
    for words in [
        &["status", "cluster.yaml", "-v"][..],
        &["list"],
        &["history", "cluster.yaml"],
        &["history", "cluster.yaml", "--format", "json"],
        &["plan", "changed.yaml", "--drift", "-v"],
        &["export-fsx", "cluster.yaml", "--file-system", "scratch", "-v"],
        &["import-fsx", "cluster.yaml", "--file-system", "scratch", "-v"],
        &["iam", "policy", "apply"],
        &["queue", "drain", "cluster.yaml", "farm", "--no-wait"],
        &["ssh", "cluster.yaml"],
        &["logs", "cluster.yaml"],
        &["node", "sync", "--once"],
        &["no-such-command"],
    ] {
        says(&lab, words);
    }
    lab.faults(&json!([{ "files": { "count": 3, "code": "S3AccessDenied" } }]));
    says(&lab, &["export-fsx", "cluster.yaml", "--file-system", "scratch", "-v"]).ends(1);
    lab.faults(&json!([]));
    says(&lab, &with(&["apply", "changed.yaml"])).ends(0);
    look_through(&lab.folder, &[]);
    says(&lab, &with(&["destroy", "changed.yaml"])).ends(0);
    assert!(look_through(&lab.folder, &[]) > 20);
}

/// A secret that was typed into a cluster file goes no further: not into the account, and not into the words about it.
#[test]
fn a_secret_in_a_cluster_file_goes_nowhere() {
    let secrets = [
        "AKIACANARYCANARY0001",
        "password=canary0002",
        "https://me:canary0003@example.org/x",
        "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=canary0004",
        "https://b.s3.amazonaws.com/k?x-amz-security-token=canary0005",
        "IQoJb3JpZ2luX2VjCANARY0006CANARY0006CANARY0006",
        "-----BEGIN RSA PRIVATE KEY-----\ncanary0007\n-----END RSA PRIVATE KEY-----\n",
        "glpat-canary0008canary0008canary0008",
    ];
    let places: [fn(&mut Value, &str); 4] = [
        |file, secret| file["tags"]["note"] = json!(secret),
        |file, secret| file["slurm"]["options"]["DebugFlags"] = json!(secret),
        |file, secret| file["queues"][0]["partition_options"]["Comment"] = json!(secret),
        |file, secret| file["head_node"]["custom_actions"]["on_start"][0]["args"] = json!(["--with", secret]),
    ];
    let example = files::example("everything.yaml");
    for secret in secrets {
        let lab = Lab::new("planted");
        for place in places {
            let mut file = example.clone();
            place(&mut file, secret);
            write(&lab, "planted.yaml", &file);
            for words in [
                &["validate", "planted.yaml"][..],
                &["validate", "planted.yaml", "--format", "json"],
                &["validate", "planted.yaml", "--format", "sarif"],
                &["validate", "planted.yaml", "--format", "github"],
                &["plan", "planted.yaml", "--out", "plan.json", "-v"],
                &["apply", "planted.yaml", "--auto-approve", "-v"],
            ] {
                let said = says(&lab, words).ends(1);
                assert!(format!("{}{}", said.stdout, said.stderr).contains("HPC1125"), "{secret} {words:?}");
            }
            look_through(&lab.folder, &["planted.yaml"]);
        }
    }
}
