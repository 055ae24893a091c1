//! The lock between processes: one that is stopped and goes on, signals, and locks that nobody can read.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/files.rs"]
mod files;
#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, Ran, differences, essence, ran};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Child, Command},
    time::{Duration, Instant},
};

const BUCKET: &str = "hpcctl-123456789012-eu-west-1";
const LOCK: &str = "clusters/minimal/lock.json";

/// A lab with a cluster, or without, and a changed file.
fn lab_of(name: &str, made: bool) -> Lab {
    let lab = Lab::new(name);
    let mut value = files::example("minimal.yaml");
    lab.write("cluster.yaml", &serde_yaml::to_string(&value).unwrap());
    value["monitoring"] = json!({ "logs": { "retention_days": 7 } });
    lab.write("changed.yaml", &serde_yaml::to_string(&value).unwrap());
    if made {
        lab.does("apply", "cluster.yaml").ends(0);
    }
    lab
}

fn begin(lab: &Lab, words: &[&str], pace: &str) -> Child {
    let mut command = lab.command(words);
    lab.start(command.env("HPCCTL_SANDBOX_PACE", pace))
}

/// The same, with a terminal that counts: whoever runs the tests may have said `nohup`.
fn begin_at_terminal(lab: &Lab, words: &[&str], pace: &str) -> Child {
    let plain = lab.command(words);
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP").arg(plain.get_program()).args(plain.get_args()).current_dir(&lab.folder);
    command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    lab.start(command.env("HPCCTL_SANDBOX_PACE", pace))
}

#[track_caller]
fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Whether a stack is being worked on.
fn at_work(lab: &Lab) -> bool {
    // Another process may be about to write it.
    let text = fs::read_to_string(lab.path("account.json")).unwrap_or_default();
    let account: Value = serde_json::from_str(&text).unwrap_or_default();
    let stacks = account["stacks"].as_object().cloned().unwrap_or_default();
    stacks.values().any(|stack| stack["status"].as_str().is_some_and(|status| status.ends_with("IN_PROGRESS")))
}

/// Stops a process while it does not hold the account's file.
fn stop_between_calls(lab: &Lab, child: &Child) {
    wait_for("a moment between two calls", || {
        send("-STOP", child);
        let free = Command::new("flock").args(["--nonblock"]).arg(lab.path("account.json.lock")).arg("true").status();
        let free = free.unwrap().success();
        if !free {
            send("-CONT", child);
        }
        free
    });
}

/// An owner that is stopped in the midst of its work, and whose lock another one takes over and finishes with, changes
/// nothing when it goes on: all is as the other one left it.
#[test]
fn an_owner_that_was_stopped_changes_nothing_when_it_goes_on() {
    for (words, file, other) in [
        (&["apply", "changed.yaml", "--auto-approve"][..], "cluster.yaml", "destroy"),
        (&["destroy", "cluster.yaml", "--auto-approve", "--approve-data-loss", "all"][..], "changed.yaml", "destroy"),
    ] {
        let lab = lab_of("stopped", true);
        let first = begin(&lab, words, "20");
        wait_for("work on a stack", || at_work(&lab));
        stop_between_calls(&lab, &first);
        let second = ["--auto-approve", "--approve-data-loss", "all", "--lock-timeout", "15"];
        let second = lab.run(&[&[other, file][..], &second].concat()).ends(0);
        assert!(second.stderr.contains("took over the lock"), "{}", second.stderr);
        let (left, calls) = (essence(&lab.account()), lab.mutations());
        send("-CONT", &first);
        let first = ran(first).ends(5);
        assert!(first.stderr.contains("HPC2021"), "{}", first.stderr);
        assert_eq!(differences(&left, &essence(&lab.account())), Vec::<String>::new(), "{}", first.stderr);
        assert!(lab.mutations() - calls <= 1, "one renewal is tried: {}", lab.mutations() - calls);
    }
}

/// The plan of somebody else's half-done work says who is at it.
#[test]
fn what_somebody_else_is_at_names_him() {
    let lab = lab_of("named", true);
    let first = begin(&lab, &["apply", "changed.yaml", "--auto-approve"], "20");
    wait_for("work on a stack", || at_work(&lab));
    let planned = lab.run(&["plan", "cluster.yaml", "--no-preflight"]).ends(5);
    assert!(
        planned.stderr.contains("HPC2003")
            && planned.stderr.contains("somebody works on the cluster: by ")
            && planned.stderr.contains("running `hpcctl apply changed.yaml"),
        "{}",
        planned.stderr
    );
    // Who is refused by the lock itself hears of its owner once.
    let refused = lab.does("apply", "cluster.yaml").ends(5);
    assert!(
        refused.stderr.contains("HPC2020") && !refused.stderr.contains("somebody works on the"),
        "{}",
        refused.stderr
    );
    ran(first).ends(0);
    // Nobody is named who is not there.
    lab.faults(&json!([{ "error": { "operation": "DescribeStacks", "error": "busy" } }]));
    let planned = lab.run(&["plan", "cluster.yaml", "--no-preflight"]).ends(1);
    assert!(!planned.stderr.contains("somebody works on the cluster"), "{}", planned.stderr);
    lab.faults(&json!([{ "crash": { "at": lab.mutations() + 1, "effect": true } }]));
    lab.does("destroy", "cluster.yaml");
    lab.faults(&json!([{ "error": { "operation": "DescribeStacks", "error": "busy", "message": "once more" } }]));
    assert!(lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout.contains("is locked"));
    let planned = lab.run(&["plan", "cluster.yaml", "--no-preflight"]).ends(1);
    assert!(!planned.stderr.contains("somebody works on the cluster"), "who is dead does not work: {}", planned.stderr);
}

/// The signals that a process catches, as the kernel knows them.
fn catches(child: &Child, signal: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
    u64::from_str_radix(&mask, 16).unwrap() >> (signal - 1) & 1 == 1
}

/// Who is told to end before it has begun anything ends, and whoever holds a lock gives it back: in the first moments, too,
/// and when the terminal is closed.
#[test]
fn whoever_is_told_to_end_ends_in_order() {
    for (name, number) in [("-TERM", 15), ("-HUP", 1), ("-INT", 2)] {
        let lab = lab_of("told", true);
        // The file is a pipe: nothing has been read, and the process waits.
        assert!(Command::new("mkfifo").arg(lab.path("pipe.yaml")).status().unwrap().success());
        let early = begin_at_terminal(&lab, &["apply", "pipe.yaml", "--auto-approve"], "20");
        wait_for("a handler before the file is read", || catches(&early, number));
        send(name, &early);
        ran(early).ends(130);

        let late =
            begin_at_terminal(&lab, &["destroy", "cluster.yaml", "--auto-approve", "--approve-data-loss", "all"], "20");
        wait_for("work on a stack", || at_work(&lab));
        send(name, &late);
        let late = ran(late).ends(130);
        assert!(late.stderr.contains("HPC2090"), "{}", late.stderr);
        assert!(lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout.contains("is not locked"), "{name}");
        lab.does("destroy", "cluster.yaml").ends(0);
    }
}

/// The shell and the kernel both tell of a closed terminal; the second word is no wish to break off at once. A second Ctrl-C is.
#[test]
fn a_second_signal_breaks_off_unless_it_is_the_terminal_again() {
    for (second, locked) in [("-HUP", false), ("-TERM", true)] {
        let lab = lab_of("second", true);
        // Time that hardly moves: whoever looks for the wish to stop does not get there.
        let child =
            begin_at_terminal(&lab, &["destroy", "cluster.yaml", "--auto-approve", "--approve-data-loss", "all"], "1");
        wait_for("work on a stack", || at_work(&lab));
        send("-HUP", &child);
        std::thread::sleep(Duration::from_millis(30));
        send(second, &child);
        ran(child).ends(130);
        let shown = lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout;
        assert_eq!(shown.contains("is locked"), locked, "{second}: {shown}");
    }
}

/// `nohup`: whoever wants a command to go on without the terminal gets that.
#[test]
fn a_command_that_ignores_the_terminal_goes_on_without_it() {
    let lab = lab_of("nohup", true);
    let program = lab.command(&[]).get_program().to_owned();
    let mut command = Command::new("sh");
    let line = "trap '' HUP; exec \"$0\" apply changed.yaml --auto-approve";
    command.args(["-c", line]).arg(program).current_dir(&lab.folder).env("HPCCTL_SANDBOX_PACE", "60");
    for (key, value) in lab.command(&[]).get_envs().filter(|(key, _)| *key != "HPCCTL_SANDBOX_PACE") {
        command.env(key, value.unwrap());
    }
    let child = lab.start(&mut command);
    wait_for("work on a stack", || at_work(&lab));
    send("-HUP", &child);
    ran(child).ends(0);
}

/// Puts a lock into the account, as anybody with the right to may.
fn put_lock(lab: &Lab, text: &str) {
    let mut account = lab.account();
    account["buckets"][BUCKET]["objects"][LOCK] = json!([{ "body": { "text": text }, "at": account["now"] }]);
    fs::write(lab.path("account.json"), account.to_string()).unwrap();
}

/// A lock that cannot be read is one, for everybody; it is released when nobody renews it.
#[test]
fn a_lock_that_cannot_be_read_is_shown_and_released() {
    let lab = lab_of("unread", true);
    put_lock(&lab, "{");
    let show = || lab.run(&["lock", "show", "cluster.yaml"]).ends(0).stdout;
    assert!(show().contains("is locked") && show().contains("cannot be read"), "{}", show());
    let shown = lab.run(&["lock", "show", "cluster.yaml", "--format", "json"]).ends(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["lock"], json!({ "unreadable": true }));
    assert!(lab.run(&["status", "cluster.yaml"]).ends(0).stdout.contains("by somebody unknown"));
    let refused = lab.run(&["apply", "changed.yaml", "--auto-approve", "--lock-timeout", "0"]).ends(5);
    assert!(refused.stderr.contains("HPC2020") && refused.stderr.contains("cannot be read"), "{}", refused.stderr);
    assert!(show().contains("is locked"));
    let released = lab.run(&["lock", "release", "cluster.yaml"]).ends(0);
    assert!(released.stderr.contains("watching the lock of somebody unknown"), "{}", released.stderr);
    assert!(released.stdout.contains("released minimal: somebody unknown had it\n"), "{}", released.stdout);
    assert!(show().contains("is not locked"));
    put_lock(&lab, "{");
    let forced = lab.run(&["lock", "release", "cluster.yaml", "--force"]).ends(0);
    assert!(!forced.stderr.contains("watching") && show().contains("is not locked"), "{}", forced.stderr);
    put_lock(&lab, "{");
    let taken = lab.run(&["apply", "changed.yaml", "--auto-approve"]).ends(0);
    assert!(taken.stderr.contains("took over the lock of somebody unknown"), "{}", taken.stderr);
}

/// What stands in a lock does not reach the terminal as it is.
#[test]
fn nothing_in_a_lock_steers_the_terminal() {
    let lab = lab_of("steers", true);
    let evil = "\u{1b}]0;gone\u{7}\r\u{9b}2J";
    let owner = json!({ "arn": evil, "host": evil, "pid": 1, "command": evil });
    put_lock(
        &lab,
        &json!({ "owner": owner, "plan": evil, "since": 1_767_225_600, "renewed": 9_999_999_999_i64 }).to_string(),
    );
    for (words, code) in [
        (&["lock", "show", "cluster.yaml"][..], 0),
        (&["lock", "show", "cluster.yaml", "--format", "json"], 0),
        (&["status", "cluster.yaml"], 0),
        (&["plan", "changed.yaml", "--no-preflight"], 0),
        (&["apply", "changed.yaml", "--auto-approve"], 5),
        (&["apply", "changed.yaml", "--auto-approve", "--lock-timeout", "1"], 5),
        (&["lock", "release", "cluster.yaml"], 0),
    ] {
        let Ran { stdout, stderr, .. } = lab.run(words).ends(code);
        let all = stdout + &stderr;
        assert!(!all.chars().any(|letter| letter.is_control() && letter != '\n'), "{words:?}: {all:?}");
        assert!(all.contains("gone"), "{words:?}: {all}");
    }
}

/// A lock stands still by the clock of who looks at it, however far ahead its owner's clock was.
#[test]
fn a_lock_of_the_future_is_taken_over_when_it_stands_still() {
    let lab = lab_of("future", true);
    let owner = json!({ "arn": "arn:aws:iam::123456789012:user/one", "host": "elsewhere", "pid": 1 });
    put_lock(
        &lab,
        &json!({ "owner": owner, "plan": "p", "since": 1_767_225_600, "renewed": 9_999_999_999_i64 }).to_string(),
    );
    let taken = lab.run(&["apply", "changed.yaml", "--auto-approve", "--lock-timeout", "11"]).ends(0);
    assert!(taken.stderr.contains("took over the lock of arn:aws:iam::123456789012:user/one"), "{}", taken.stderr);
}

/// Two exports that begin in the same second are two: FSx gives the old task to whoever comes with its token.
#[test]
fn an_export_within_the_same_second_is_another_one() {
    let lab = Lab::new("second-export");
    lab.write("cluster.yaml", &serde_yaml::to_string(&files::example("fds-smv.yaml")).unwrap());
    lab.does("apply", "cluster.yaml").ends(0);
    let tokens: Vec<Value> = [lab.copy("one"), lab.copy("other")]
        .iter()
        .map(|lab| {
            lab.run(&["export-fsx", "cluster.yaml"]).ends(0);
            let account = lab.account();
            account["tasks"].as_array().unwrap().iter().map(|task| task["input"]["token"].clone()).collect()
        })
        .collect();
    assert!(tokens[0][0].is_string());
    assert_ne!(tokens[0], tokens[1]);
}
