//! The program's streams, files and words: nothing good is lost to a bad disk, who works is told, every failure names the
//! cure.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, Ran, ran};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A lab with an example in `cluster.yaml`, made when asked.
fn lab_of(name: &str, example: &str, made: bool) -> Lab {
    let lab = Lab::new(name);
    lab.write("cluster.yaml", &serde_yaml::to_string(&files::example(example)).unwrap());
    if made {
        lab.does("apply", "cluster.yaml").ends(0);
    }
    lab
}

/// A command of the lab whose files may have 4 KiB and no more; what it is told about that reads "File too large".
fn cramped(lab: &Lab, words: &[&str]) -> Ran {
    let plain = lab.command(words);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(plain.get_args());
    command.current_dir(&lab.folder).stdin(Stdio::null());
    for (key, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    ran(lab.start(&mut command))
}

/// FT-25.
#[test]
fn a_plan_that_cannot_be_saved_leaves_the_one_before_it() {
    let lab = lab_of("save", "minimal.yaml", false);
    lab.run(&["plan", "cluster.yaml", "--offline", "--out", "plan.json"]).ends(0);
    let good = fs::read(lab.path("plan.json")).unwrap();
    assert!(good.len() > 4096, "the plan is too small for this test");
    let ran = cramped(&lab, &["plan", "cluster.yaml", "--offline", "--out", "plan.json"]).ends(1);
    assert!(ran.stderr.contains("HPC2005") && ran.stderr.contains("plan.json"), "{}", ran.stderr);
    assert_eq!(fs::read(lab.path("plan.json")).unwrap(), good);
    let left: Vec<_> = fs::read_dir(&lab.folder).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".next")), "{left:?}");
}

/// A link leads on to where it led, and a device is written to.
#[test]
fn a_plan_is_saved_through_links_and_to_devices() {
    let lab = lab_of("links", "minimal.yaml", false);
    lab.write("real.json", "");
    std::os::unix::fs::symlink(lab.path("real.json"), lab.path("plan.json")).unwrap();
    lab.run(&["plan", "cluster.yaml", "--offline", "--out", "plan.json"]).ends(0);
    assert!(fs::symlink_metadata(lab.path("plan.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(lab.path("real.json")).unwrap().starts_with('{'));
    lab.run(&["plan", "cluster.yaml", "--offline", "--out", "/dev/null"]).ends(0);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// FT-26: nobody reads on, and the work is done.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let lab = lab_of("reader", "minimal.yaml", false);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = lab.command(&["apply", "cluster.yaml", "--auto-approve"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(lab.run(&["history", "cluster.yaml"]).ends(0).stdout.contains("    1  "));
}

/// FT-27.
#[test]
fn output_that_cannot_be_written_is_told() {
    let lab = lab_of("full", "minimal.yaml", false);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = lab.command(&["plan", "cluster.yaml", "--offline"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("HPC2005") && stderr.contains("No space left"), "{stderr}");
}

/// FT-28: to move the state away helps where the state is damaged, and nowhere else.
#[test]
fn a_state_that_cannot_be_written_is_not_called_damaged() {
    let lab = lab_of("state", "minimal.yaml", true);
    let good = fs::read(lab.path("account.json")).unwrap();
    let ran = cramped(&lab, &["destroy", "cluster.yaml", "--auto-approve", "--approve-data-loss", "all"]).ends(1);
    assert!(ran.stderr.contains("cannot be written") && !ran.stderr.contains("move it away"), "{}", ran.stderr);
    assert_eq!(fs::read(lab.path("account.json")).unwrap(), good);
    lab.write("account.json", "{ torn");
    let ran = lab.run(&["status", "cluster.yaml"]).ends(1);
    assert!(ran.stderr.contains("move it away"), "{}", ran.stderr);
}

/// FT-29.
#[test]
fn a_fault_that_would_never_strike_is_refused() {
    let lab = lab_of("slip", "minimal.yaml", false);
    lab.faults(&json!([{ "error": { "operation": "CreateStak", "error": "busy" } }]));
    let ran = lab.run(&["plan", "cluster.yaml"]).ends(1);
    assert!(ran.stderr.contains("did you mean `CreateStack`"), "{}", ran.stderr);
}

fn error(operation: &str, error: &str) -> Value {
    json!([{ "error": { "operation": operation, "error": error, "times": 1 } }])
}

/// FT-20: IAM knows some calls by another name.
#[test]
fn who_may_not_call_is_told_the_action_to_ask_for() {
    let lab = lab_of("denied", "minimal.yaml", true);
    for (operation, action) in [("ListObjectsV2", "s3:ListBucket"), ("DescribeInstances", "ec2:DescribeInstances")] {
        lab.faults(&error(operation, "access_denied"));
        let ran = lab.run(&["plan", "cluster.yaml"]).ends(1);
        assert!(ran.stderr.contains("HPC2004") && ran.stderr.contains(&format!("`{action}`")), "{}", ran.stderr);
    }
}

/// FT-22, FT-24: what helps is said for the command that failed.
#[test]
fn a_failure_says_how_to_go_on_from_the_command_that_failed() {
    let lab = lab_of("remedy", "minimal.yaml", true);
    lab.faults(&json!([{ "fail": { "target": { "stack": "minimal-head" }, "on": "delete", "reason": "in use" } }]));
    let ran = lab.does("destroy", "cluster.yaml").ends(1);
    assert!(ran.stderr.contains("HPC2030") && ran.stderr.contains("run the same command again"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("apply again"), "{}", ran.stderr);
    let lab = lab_of("invalid", "minimal.yaml", false);
    lab.faults(&error("CreateStack", "invalid"));
    let ran = lab.does("apply", "cluster.yaml").ends(1);
    assert!(ran.stderr.contains("running it again changes nothing"), "{}", ran.stderr);
}

/// FT-12: what somebody else deleted between the list and the look is gone, and no failure.
#[test]
fn a_stack_that_goes_between_two_looks_is_gone() {
    let lab = lab_of("between", "minimal.yaml", true);
    for operation in ["GetTemplate", "ListStackResources"] {
        let lab = lab.copy(operation);
        lab.faults(&error(operation, "not_found"));
        // The other one is not really gone: what is left of it is told, and a second destroy finishes.
        let ran = lab.does("destroy", "cluster.yaml");
        assert!(!ran.stderr.contains("HPC2001"), "{}", ran.stderr);
        lab.does("destroy", "cluster.yaml").ends(0);
    }
}

/// FT-10: who works is told before anything is waited for; who only reads is not stopped.
#[test]
fn who_works_on_the_cluster_is_told_first() {
    let lab = lab_of("locked", "minimal.yaml", true);
    let mut changed = files::example("minimal.yaml");
    changed["monitoring"] = json!({ "logs": { "retention_days": 7 } });
    lab.write("changed.yaml", &serde_yaml::to_string(&changed).unwrap());
    let mut slow = lab.command(&["apply", "changed.yaml", "--auto-approve"]);
    let first = lab.start(slow.env("HPCCTL_SANDBOX_PACE", "20"));
    let began = Instant::now();
    while !lab.run(&["lock", "show", "cluster.yaml"]).stdout.contains("is locked") {
        assert!(began.elapsed() < Duration::from_secs(60), "the first command never took the lock");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = lab.does("destroy", "cluster.yaml").ends(5);
    assert!(
        second.stderr.contains("HPC2020") && second.stderr.contains("hpcctl apply changed.yaml"),
        "{}",
        second.stderr
    );
    assert!(!second.stderr.contains("waiting for"), "{}", second.stderr);
    let shown = lab.run(&["lock", "show", "cluster.yaml", "--format", "json"]).ends(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["lock"]["owner"]["pid"], first.id());
    assert!(lab.run(&["status", "cluster.yaml"]).ends(0).stdout.contains("running `hpcctl apply changed.yaml"));
    let mut watching = lab.command(&["lock", "release", "cluster.yaml"]);
    let refused = ran(lab.start(watching.env("HPCCTL_SANDBOX_PACE", "20"))).ends(3);
    assert!(refused.stderr.contains("HPC2022"), "{}", refused.stderr);
    let patient = lab.run(&["apply", "changed.yaml", "--auto-approve", "--lock-timeout", "60"]).ends(0);
    assert!(patient.stderr.contains("who works on the cluster"), "{}", patient.stderr);
    ran(first).ends(0);
    assert!(lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout.contains("is not locked"));
}

/// The lock of a process that was killed is released without force, and a command that reads says nothing of it.
#[test]
fn the_lock_of_who_is_gone_is_released() {
    let lab = lab_of("gone", "minimal.yaml", true);
    lab.faults(&json!([{ "crash": { "at": lab.mutations() + 5, "effect": true } }]));
    lab.does("destroy", "cluster.yaml");
    lab.faults(&json!([]));
    assert!(lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout.contains("running `hpcctl destroy"));
    let released = lab.run(&["lock", "release", "cluster.yaml"]).ends(0);
    assert!(released.stdout.contains("released minimal"), "{}", released.stdout);
    lab.does("destroy", "cluster.yaml").ends(0);
}

/// FT-23: a transfer goes on without the command that began it, and can be followed or ended.
#[test]
fn an_interrupted_export_names_the_task_that_goes_on() {
    let lab = lab_of("export", "fds-smv.yaml", true);
    let mut slow = lab.command(&["export-fsx", "cluster.yaml"]);
    let child = lab.start(slow.env("HPCCTL_SANDBOX_PACE", "20"));
    let began = Instant::now();
    while !lab.account()["tasks"].to_string().contains("EXPORT") {
        assert!(began.elapsed() < Duration::from_secs(60), "no task was begun: {}", lab.account()["tasks"]);
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ran = ran(child).ends(130);
    assert!(
        ran.stderr.contains("goes on in FSx") && ran.stderr.contains("cancel-data-repository-task"),
        "{}",
        ran.stderr
    );
    lab.run(&["export-fsx", "cluster.yaml"]).ends(0);
}

/// Roles and keys that the file brings are in the policy of who applies: by name, and no others.
#[test]
fn the_policy_of_who_applies_has_the_roles_and_keys_of_the_file() {
    let lab = Lab::new("policy");
    let mut value = files::example("minimal.yaml");
    value["head_node"]["iam"] = json!({ "role": "arn:aws:iam::123456789012:role/site/head" });
    value["queues"][0]["iam"] = json!({ "instance_profile": "arn:aws:iam::123456789012:instance-profile/site/nodes" });
    let key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    value["head_node"]["data_volume"] = json!({ "kms_key": key });
    lab.write("cluster.yaml", &serde_yaml::to_string(&value).unwrap());
    let ran = lab.run(&["iam", "policy", "apply", "cluster.yaml", "--account", "123456789012"]).ends(0);
    assert!(ran.stderr.contains("instance-profile/site/nodes"), "{}", ran.stderr);
    let policy: Value = serde_json::from_str(&ran.stdout).unwrap();
    let statement = |sid: &str| policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == sid).unwrap();
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    assert_eq!(
        statement("PassRoles")["Resource"],
        json!([role("hpcctl/minimal/*"), role("nodes"), role("site/head"), role("site/nodes")])
    );
    let volumes = statement("EncryptedVolumes");
    assert_eq!(volumes["Resource"], json!([key]));
    assert!(volumes["Action"].as_array().unwrap().contains(&json!("kms:Decrypt")) && !volumes["Condition"].is_null());
    let plain = lab_of("plain", "minimal.yaml", false);
    let ran = plain.run(&["iam", "policy", "apply", "cluster.yaml", "--account", "123456789012"]).ends(0);
    assert!(!ran.stdout.contains("EncryptedVolumes") && !ran.stdout.contains("kms:Decrypt"), "{}", ran.stdout);
}

/// The plan in README.md is the one that the tour shows: line by line, but for its id and for what is cut.
#[test]
fn the_plan_in_the_readme_is_what_is_planned() {
    let lab = lab_of("readme", "fds-smv.yaml", false);
    let example = |path: &str| fs::read_to_string(format!("{}/examples/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    fs::create_dir_all(lab.path("examples/changes")).unwrap();
    lab.write("cluster.yaml", &example("clusters/fds-smv.yaml"));
    lab.write("examples/changes/fds-smv.yaml", &example("changes/fds-smv.yaml"));
    lab.does("apply", "cluster.yaml").ends(0);
    let planned = lab.run(&["plan", "examples/changes/fds-smv.yaml"]).ends(0).stdout;
    let readme = fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let block = readme.split("<!-- plan:begin -->\n```text\n").nth(1).unwrap().split("```").next().unwrap();
    let (mut checked, mut lines) = (0, planned.lines());
    for line in block.lines().skip(1).filter(|line| !line.ends_with("cut here)")) {
        let shown = line.trim_end_matches('…');
        let found = lines.any(|said| if line.ends_with('…') { said.starts_with(shown) } else { said == shown });
        assert!(found, "README.md has a line that is not said, or not there: {line}");
        checked += 1;
    }
    assert!(checked > 30);
}
