//! Functions of the set-up of head and login nodes, run by bash with stand-ins for what they call: what the next head node
//! takes over, what is told of a run, and what a new configuration changes.
#![allow(clippy::unwrap_used)]

use hpcctl::{catalog::InstanceCatalog, render::node_files, spec};
use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::PathBuf, process::Command};

const CLUSTER: &str = "
version: 1
name: nodes
region: eu-west-1
image: { os: ubuntu2404 }
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0aaaaaaaaaaaaaaaa
  compute_subnets: [subnet-0bbbbbbbbbbbbbbbb]
head_node: { instance_type: c5.large }
queues:
  - { name: q, default: true, pools: [{ name: od, instance_types: [c5.large], max: 2 }] }
";

fn files(more: &str) -> BTreeMap<String, String> {
    let cluster = spec::read("cluster.yaml", &format!("{CLUSTER}{more}")).cluster.unwrap();
    let files = node_files(&cluster, InstanceCatalog::embedded()).unwrap();
    files.into_iter().map(|(name, file)| (name, file.content)).collect()
}

/// A function of the head node's set-up, in a place of the test's own.
fn head_function(name: &str) -> String {
    function_of(&files("")["head/setup.sh"], name)
}

fn function_of(setup: &str, name: &str) -> String {
    let from = setup.find(&format!("\n{name}() {{")).unwrap();
    let line = setup[from + 1..].lines().next().unwrap();
    let end = if line.ends_with('}') { line.len() } else { setup[from + 1..].find("\n}\n").unwrap() + 3 };
    setup[from + 1..from + 1 + end].to_owned()
}

fn run_in(root: &std::path::Path, script: &str, vars: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new("bash");
    command.args(["-Eeuo", "pipefail", "-c", script]).env("ROOT", root).envs(vars.iter().copied());
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

fn fresh(name: &str, folders: &[&str]) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&root).ok();
    for folder in folders {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    root
}

/// The key pair of a new head node gets into home directories that outlived the old one; that one's does not stay, and
/// people's own keys do.
#[test]
fn the_key_pair_of_the_moment_gets_in() {
    let root = fresh("node-scripts-key", &["home/.ssh", "data"]);
    let script = format!(
        "log() {{ echo \"$*\"; }}\nHEAD_DATA=$ROOT/data\n\
         getent() {{ echo ubuntu:x:1000:1000::$ROOT/home:/bin/bash; }}\nrunuser() {{ shift 3; \"$@\"; }}\n\
         imds() {{ [[ -z $CODE ]] || return $CODE; echo \"$KEY\"; }}\n{}\nput_login_key\n",
        head_function("put_login_key")
    );
    let file = root.join("home/.ssh/authorized_keys");
    fs::write(&file, "ssh-ed25519 AAAAfriend friend\nssh-rsa AAAAone+/= one").unwrap();
    let keys = |code: &str, key: &str| {
        let (good, said) = run_in(&root, &script, &[("CODE", code), ("KEY", key)]);
        assert!(good, "{said}");
        fs::read_to_string(&file).unwrap()
    };
    let friend = "ssh-ed25519 AAAAfriend friend\n";
    // The first head node: cloud-init has written it already.
    assert_eq!(keys("", "ssh-rsa AAAAone+/= one"), format!("{friend}ssh-rsa AAAAone+/= one"));
    let second = format!("{friend}ssh-rsa AAAAtwo== two\n");
    assert_eq!(keys("", "ssh-rsa AAAAtwo== two"), second);
    // The service does not answer: nobody is shut out. A head node without a key pair shuts the last one out.
    assert_eq!(keys("7", ""), second);
    assert_eq!(keys("22", ""), friend);
    assert_eq!(keys("", "ssh-rsa AAAAtwo== two"), second);
}

/// The next head node has the host keys of the first one, with the owner and the mode that its system gives them.
#[test]
fn host_keys_come_along() {
    let root = fresh("node-scripts-host", &["first", "second", "data"]);
    let script = |node: &str| {
        format!(
            "HEAD_DATA=$ROOT/data SSH_ETC=$ROOT/{node}\nsystemctl() {{ echo \"$*\"; }}\n{}\nkeep_host_keys\n",
            head_function("keep_host_keys")
        )
    };
    for (node, key) in [("first", "one"), ("second", "two")] {
        fs::write(root.join(node).join("ssh_host_rsa_key"), key).unwrap();
        fs::write(root.join(node).join("ssh_host_rsa_key.pub"), format!("{key}.pub")).unwrap();
    }
    assert_eq!(run_in(&root, &script("first"), &[]), (true, String::new()));
    assert_eq!(fs::metadata(root.join("data/ssh")).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(root.join("data/ssh/ssh_host_rsa_key")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(run_in(&root, &script("second"), &[]), (true, "try-restart ssh sshd\n".to_owned()));
    let read = |file: &str| fs::read_to_string(root.join("second").join(file)).unwrap();
    assert_eq!((read("ssh_host_rsa_key"), read("ssh_host_rsa_key.pub")), ("one".to_owned(), "one.pub".to_owned()));
    // Once more changes nothing.
    assert_eq!(run_in(&root, &script("second"), &[]), (true, String::new()));
}

/// A second run of the set-up leaves what the first one said; what failed is told of the last one alone.
#[test]
fn the_log_of_a_set_up_outlives_the_next_one() {
    let root = fresh("node-scripts-log", &["logs"]);
    let (from, to) = ("\nLOGS=", "\ntell_failure() {");
    let setup = files("")["head/setup.sh"].clone();
    let part = &setup[setup.find(from).unwrap()..setup.find(to).unwrap()];
    let run = |words: &str| {
        let script = format!(
            "LOGS=$ROOT/logs mode=update\nlog() {{ echo \"now hpcctl: $*\"; }}\n{part}\necho {words}\nsleep 0.3\n\
             this_run >$ROOT/told\n"
        );
        assert!(run_in(&root, &script, &[]).0);
        fs::read_to_string(root.join("told")).unwrap()
    };
    assert_eq!(run("first"), "now hpcctl: set-up begins (update)\nfirst\n");
    assert_eq!(run("second"), "now hpcctl: set-up begins (update)\nsecond\n");
    let log = fs::read_to_string(root.join("logs/set-up.log")).unwrap();
    assert!(log.contains("first\n") && log.ends_with("second\n"), "{log}");
}

/// A job's credential outlives the prolog: slurmd refuses a job whose credential has expired.
#[test]
fn credentials_outlive_the_prolog() {
    let gpus =
        "  - { name: g, gpu_health_check: true, pools: [{ name: od, instance_types: [p4d.24xlarge], max: 2 }] }\n";
    for more in ["", gpus] {
        let files = files(more);
        let number = |text: &str, word: &str| -> u32 {
            let all = text.split(word).skip(1);
            all.filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<u32>().ok()).sum()
        };
        let prolog = files.get("compute/libexec/prolog").map_or(0, |file| number(file, "timeout "));
        let lives = number(&files["head/slurm.conf"], "\nAuthInfo=cred_expire=");
        assert_eq!(prolog > 0, !more.is_empty());
        assert!(lives >= prolog + 30, "{lives} s, and the prolog takes {prolog} s");
    }
}

const LOGIN: &str = "login_nodes: [{ name: in, instance_type: c5.large, count: 1, ssh_from: [203.0.113.0/24] }]\n";

/// A login node has the configuration of the newest revision, as a whole or not at all.
#[test]
fn login_nodes_have_the_newest_configuration() {
    let root = fresh("login-refresh", &["etc", "current"]);
    let files = files(LOGIN);
    let timer = &files["login/systemd/hpcctl-refresh.timer"];
    assert!(timer.contains("OnUnitInactiveSec=2min") && files["login/setup.sh"].contains("\nstart_refresh\n"));
    let setup = &files["login/setup.sh"];
    let of_setup = ["configure_slurm", "fetch_conf", "refresh"].map(|name| function_of(setup, name)).join("\n");
    let of_common = ["fact", "fill_head", "put"].map(|name| function_of(&files["login/common.sh"], name)).join("\n");
    // Of the AWS CLI the copy of a folder and that of a file.
    let script = format!(
        "log() {{ echo \"$*\"; }}\ndie() {{ echo \"died: $*\"; exit 1; }}\nhead_address() {{ echo 10.0.0.9; }}\n\
         aws() {{ case \"$*\" in *'s3 cp'*) [[ -e $ROOT/current/slurm.conf ]] && cp $ROOT/current/* \"${{@: -1}}\" ;; *) \
         cp $ROOT/current/cluster.json \"${{@: -1}}\" ;; esac; }}\n\
         SLURM_ETC=$ROOT/etc CLUSTER=c BUCKET=b ACCOUNT=1\n{of_common}\n{of_setup}\nrefresh\n"
    );
    let read = |file: &str| fs::read_to_string(root.join("etc").join(file)).ok();
    fs::write(root.join("etc/slurm-queue-old.conf"), "old").unwrap();
    let (good, said) = run_in(&root, &script, &[]);
    assert!(good && said.contains("it stays as it is") && read("slurm-queue-old.conf").is_some(), "{said}");
    fs::write(root.join("current/slurm.conf"), "SlurmctldHost=@@HEAD_HOSTNAME@@(@@HEAD_ADDRESS@@)\n").unwrap();
    fs::write(root.join("current/slurm-queue-new.conf"), "new\n").unwrap();
    fs::write(root.join("current/cluster.json"), r#"{"head": {"hostname": "ip-9"}}"#).unwrap();
    let (good, said) = run_in(&root, &script, &[]);
    assert!(good && said.is_empty(), "{said}");
    assert_eq!(read("slurm.conf").as_deref(), Some("SlurmctldHost=ip-9(10.0.0.9)\n"));
    assert_eq!((read("slurm-queue-new.conf").as_deref(), read("slurm-queue-old.conf")), (Some("new\n"), None));
}
