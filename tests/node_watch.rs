//! `hpcctl node watch` on the sandbox's metadata, with stand-ins for Slurm's and the system's commands, and a `/proc` made up.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use hpcctl::{
    cloud::sandbox::{Launch, Sandbox},
    node::{self, Event, Home, Machine, SaveWhy, Told, Unmounted, Watch},
    render::PoolConfig,
    report::node::event_lines,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};
use support::{build, on_sandbox};

const NODE: &str = "q-spot-3";

/// Every command writes down what it was asked. A job is a file in `jobs` (as squeue shows it) and a slurmstepd in `proc`; both
/// go when the job ends. `away` is a slurmctld that does not answer; `busy` keeps `/fsx` mounted until KILL.
const COMMAND: &str = r#"#!/bin/bash
here=@HERE@ me=$(basename "$0")
printf '%s\n' "$me $*" >>"$here/calls"
gone() { rm -rf "$here/jobs/$1" "$here"/proc/"$1"?; }
case "$me $*" in
"setpriv "*) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
"getent passwd 1000") echo "ann:x:1000:1000:Ann:/home/ann:/bin/bash"; exit ;;
"getent "*) exit 2 ;;
"umount /fsx") [ ! -e "$here/busy" ] || { echo "umount: /fsx: target is busy." >&2; exit 32; } ;;
"fuser --kill -KILL "*) rm -f "$here/busy" ;;
esac
case $me in scontrol | squeue | scancel) [ ! -e "$here/away" ] || { echo "$me: error: Unable to contact slurm controller" >&2; exit 1; } ;; esac
case "$me $*" in
"squeue "*) cat "$here"/jobs/* 2>/dev/null ;;
"scancel --batch "*) [ -e "$here/deaf" ] || gone "${@: -1}" ;;
"scontrol requeue "*) gone "${@: -1}" ;;
esac
exit 0
"#;

struct Node {
    sandbox: Sandbox,
    instance: String,
    home: Home,
    machine: Machine,
    pool: PoolConfig,
    folder: PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Node {
    fn new(name: &str, pool: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hpcctl-watch-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for part in ["bin", "jobs", "proc/self", "state"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        for command in ["scontrol", "squeue", "scancel", "setpriv", "getent", "umount", "fuser", "systemctl"] {
            let to = folder.join("bin").join(command);
            fs::write(&to, COMMAND.replace("@HERE@", folder.to_str().unwrap())).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(
            folder.join("proc/self/mounts"),
            "/dev/root / ext4 rw 0 0\n10.0.0.9@tcp:/abcd /fsx lustre rw,flock 0 0\n",
        )
        .unwrap();
        let built = build(name, &cluster(pool));
        let mut pool: PoolConfig = serde_json::from_str(&built.rendered.files["compute/q/spot.json"].content).unwrap();
        pool.slurm_bin = folder.join("bin").to_str().unwrap().to_owned();
        let sandbox = Sandbox::in_memory("eu-west-1");
        let instance = sandbox.launch(Launch { spot: true, ..Launch::default() }).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
        let machine = Machine {
            proc: folder.join("proc"),
            fetched_conf: folder.join("fetched.conf"),
            path: Some(path),
            ..Machine::default()
        };
        let home = Home { etc: folder.join("etc"), state: folder.join("state") };
        Self { sandbox: sandbox.on_instance(&instance), instance, home, machine, pool, folder }
    }

    /// A job of this node: whether its script has a trap for TERM, and whether it may be requeued.
    fn job(&self, id: u32, trap: bool, requeue: bool) {
        let line = format!("{id}   |1000 |1000 |1 |{} |RUNNING |\n", u8::from(requeue));
        fs::write(self.folder.join("jobs").join(id.to_string()), line).unwrap();
        self.process(&format!("{id}1"), 1, 0, false, "slurmstepd", &format!("slurmstepd: [{id}.batch]"));
        self.process(&format!("{id}2"), format!("{id}1").parse().unwrap(), 1000, trap, "bash", "bash");
    }

    fn process(&self, pid: &str, parent: u32, uid: u32, trap: bool, name: &str, title: &str) {
        let folder = self.folder.join("proc").join(pid);
        fs::create_dir_all(&folder).unwrap();
        let caught = if trap { "0000000000014002" } else { "0000000000010002" };
        let status = format!(
            "Name:\t{name}\nState:\tS (sleeping)\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n\
             Gid:\t{uid}\t{uid}\t{uid}\t{uid}\nSigCgt:\t{caught}\n"
        );
        fs::write(folder.join("status"), status).unwrap();
        fs::write(folder.join("cmdline"), title).unwrap();
    }

    fn has(&self, mark: &str) {
        fs::write(self.folder.join(mark), "").unwrap();
    }

    /// Watches until the node powers off; EC2 gives its notice after so many seconds.
    fn watch(&self, notice_after: u64) -> Vec<Event> {
        let cloud = self.sandbox.cloud();
        let mut events = Vec::new();
        let mut keep = |event: Event| events.push(event);
        let of = Watch {
            cloud: &cloud,
            home: &self.home,
            machine: &self.machine,
            pool: &self.pool,
            node: NODE,
            head: Some("10.0.0.10"),
        };
        on_sandbox(async {
            let notice = async {
                cloud.clock.sleep(Duration::from_secs(notice_after)).await;
                self.sandbox.interrupt(&self.instance).unwrap();
            };
            let (result, ()) = tokio::join!(node::watch(&of, &mut keep), notice);
            result.unwrap();
        });
        events
    }

    /// What the commands were asked, those that matter alone.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.folder.join("calls"));
        let matters = |line: &&str| !line.starts_with("squeue") && !line.starts_with("getent");
        text.lines().filter(matters).map(str::to_owned).collect()
    }
}

fn cluster(pool: &str) -> String {
    format!(
        "
version: 1
name: watched
region: eu-west-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: {{ instance_type: c5.large }}
queues:
  - name: q
    default: true
    pools:
      - {{ name: spot, purchase: spot, instance_types: [c5.xlarge], max: 9, {pool} }}
storage:
  - name: scratch
    mount: /fsx
    fsx_lustre: {{ deployment: SCRATCH_2, capacity_gib: 1200 }}
"
    )
}

fn checkpoint(command: &str, more: &str) -> String {
    format!(
        "on_interruption: checkpoint, checkpoint: {{ command: {}, directory: /fsx/checkpoints, {more} }}",
        serde_json::to_string(command).unwrap()
    )
}

/// The events of the last two minutes, with what was left at each.
fn last(events: &[Event]) -> Vec<(i64, &Event)> {
    let left = |event| match event {
        &Event::Left { seconds, ref what } => Some((seconds, &**what)),
        _ => None,
    };
    events.iter().filter_map(left).collect()
}

fn told(events: &[Event]) -> Vec<(i64, u64, Told)> {
    let one = |(left, event): (i64, &Event)| match event {
        Event::Told { job, told } => Some((left, *job, *told)),
        _ => None,
    };
    last(events).into_iter().filter_map(one).collect()
}

fn order(calls: &[String], wanted: &[&str]) {
    let mut rest = calls.iter();
    for want in wanted {
        assert!(rest.any(|call| call.contains(want)), "`{want}` does not come in its place: {calls:#?}");
    }
}

const END: [&str; 3] = [
    "umount /fsx",
    "scontrol update nodename=q-spot-3 state=down reason=hpcctl: spot interruption",
    "systemctl poweroff",
];

#[test]
fn jobs_go_back_into_the_queue_each_in_its_way() {
    let node = Node::new("requeue", "on_interruption: requeue");
    node.job(7, true, true);
    node.job(8, false, true);
    node.job(9, false, false);
    let events = node.watch(12);
    let told = told(&events);
    assert_eq!(told, [(117, 7, Told::Script), (117, 8, Told::Requeue), (117, 9, Told::All)]);
    let calls = node.calls();
    order(
        &calls,
        &[
            "scontrol update nodename=q-spot-3 state=drain reason=hpcctl: spot interruption",
            "scancel --batch --signal=TERM 7",
        ],
    );
    order(&calls, &["scancel --full --signal=TERM 9"]);
    order(&calls, &["scontrol requeue 8"]);
    order(&calls, &END);
    let stay = last(&events).into_iter().find_map(|(left, event)| match event {
        Event::JobsEnded { stay } => Some((left, stay.clone())),
        _ => None,
    });
    assert_eq!(stay, Some((20, vec![9])), "a job that may not be requeued gets all the time there is");
    let conf = fs::read_to_string(node.home.state.join("slurm.conf")).unwrap();
    assert_eq!(conf, "ClusterName=watched\nSlurmctldHost=head(10.0.0.10)\n");
}

#[test]
fn a_job_that_does_not_heed_its_trap_is_requeued_by_force() {
    let node = Node::new("deaf", "on_interruption: requeue");
    node.has("deaf");
    node.job(7, true, true);
    let events = node.watch(0);
    let story: Vec<Told> = told(&events).into_iter().map(|(_, _, told)| told).collect();
    assert_eq!(story, [Told::Script, Told::All, Told::Requeue]);
    let times: Vec<i64> = told(&events).into_iter().map(|(left, _, _)| left).collect();
    assert!(times[0] >= 114 && (94..=100).contains(&times[1]) && (68..=76).contains(&times[2]), "{times:?}");
    assert!(last(&events).iter().any(|(left, event)| matches!(event, Event::PoweringOff) && *left > 60));
}

#[test]
fn jobs_are_saved_first_as_their_user() {
    let command = "mkdir -p \"$OUT/$SLURM_JOB_ID\"; env >\"$OUT/$SLURM_JOB_ID/env\"";
    let node = Node::new("save", &checkpoint(&command.replace("$OUT", "@"), "budget_seconds: 60"));
    let out = node.folder.join("saved");
    let mut node = node;
    node.pool.checkpoint.as_mut().unwrap().command = command.replace("$OUT", out.to_str().unwrap());
    node.job(7, true, true);
    node.job(8, true, true);
    let events = node.watch(0);
    for job in [7, 8] {
        let text = fs::read_to_string(out.join(format!("{job}/env"))).unwrap();
        let left = text.lines().find_map(|line| line.strip_prefix("HPCCTL_SECONDS_LEFT=")).unwrap();
        assert!((55..=60).contains(&left.parse::<u32>().unwrap()), "{left}");
        for line in [
            format!("SLURM_JOB_ID={job}"),
            format!("HPCCTL_CHECKPOINT_DIR=/fsx/checkpoints/{job}"),
            "HPCCTL_CHECKPOINT_REASON=interruption".to_owned(),
            "SLURMD_NODENAME=q-spot-3".to_owned(),
            "HOME=/home/ann".to_owned(),
            "USER=ann".to_owned(),
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert!(!text.contains("CARGO"), "nothing of the program's own environment: {text}");
    }
    let calls = node.calls();
    order(
        &calls,
        &["setpriv --reuid=1000 --regid=1000 --init-groups -- /bin/sh -c", "scancel --batch --signal=TERM", "umount"],
    );
    let saved = |event: &Event| matches!(event, Event::Saved { why: SaveWhy::Interruption, .. });
    assert_eq!(last(&events).iter().filter(|(_, event)| saved(event)).count(), 2);
    // A program that is started again in the middle does not save what is saved.
    node.job(7, true, true);
    node.job(9, true, true);
    let again = node.watch(0);
    let of = |event: &Event| if let Event::Saved { job, .. } = event { Some(*job) } else { None };
    assert_eq!(last(&again).iter().filter_map(|(_, event)| of(event)).collect::<Vec<_>>(), [9]);
}

#[test]
fn a_save_that_hangs_is_cut_off_and_the_rest_comes_all_the_same() {
    let node = Node::new(
        "hang",
        &checkpoint("echo out of space >&2; [ $SLURM_JOB_ID = 7 ] || sleep 600; exit 3", "budget_seconds: 5"),
    );
    node.job(7, true, true);
    node.job(8, true, true);
    let begin = std::time::Instant::now();
    let events = node.watch(0);
    assert!(begin.elapsed() < Duration::from_secs(20));
    let lines: Vec<String> = events.iter().flat_map(|event| event_lines(hpcctl::cloud::Timestamp(0), event)).collect();
    let has = |part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
    has("failed to save job 7: ");
    has("exit status: 3: out of space");
    has("did not end within 5 s");
    has("s left] unmounted /fsx");
    order(&node.calls(), &END);
}

#[test]
fn without_slurmctld_scripts_get_term_lustre_goes_and_the_node_powers_off() {
    let node = Node::new("away", "on_interruption: requeue");
    node.has("away");
    let mark = node.folder.join("trapped");
    let line = format!("trap 'touch {}; exit 200' TERM; while :; do sleep 0.1; done", mark.display());
    let mut script = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).spawn().unwrap();
    node.process("71", 1, 0, false, "slurmstepd", "slurmstepd: [7.batch]");
    node.process(&script.id().to_string(), 71, 1000, true, "bash", "bash");
    std::thread::sleep(Duration::from_millis(300));
    let events = node.watch(0);
    assert_eq!(script.wait().unwrap().code(), Some(200));
    assert!(mark.exists());
    assert!(last(&events).iter().any(|(left, event)| matches!(event, Event::JobsEnded { .. }) && *left >= 19));
    order(&node.calls(), &["umount /fsx", "state=down", "systemctl poweroff"]);
}

#[test]
fn users_of_lustre_are_ended_and_it_is_never_another_file_system() {
    let node = Node::new("busy", "on_interruption: requeue");
    node.has("busy");
    let events = node.watch(0);
    let how = |event: &Event| if let Event::Unmounted { at, how } = event { Some((at.clone(), *how)) } else { None };
    let found: Vec<_> = last(&events).iter().filter_map(|(_, event)| how(event)).collect();
    assert_eq!(found, [("/fsx".to_owned(), Unmounted::Ended)]);
    order(
        &node.calls(),
        &[
            "umount /fsx",
            "fuser --kill -TERM --ismountpoint --mount /fsx",
            "umount /fsx",
            "fuser --kill -KILL",
            "umount /fsx",
        ],
    );
}

#[test]
fn a_rebalance_recommendation_drains_once() {
    let node = Node::new("rebalance", "on_interruption: requeue");
    node.job(7, true, true);
    node.sandbox.recommend_rebalance(&node.instance).unwrap();
    let events = node.watch(300);
    let recommended = |event: &&Event| matches!(event, Event::Rebalance { .. });
    assert_eq!(events.iter().filter(recommended).count(), 1);
    let drains: Vec<String> =
        node.calls().into_iter().filter(|call| call.contains("rebalance recommendation")).collect();
    assert_eq!(drains, ["scontrol update nodename=q-spot-3 state=drain reason=hpcctl: rebalance recommendation"]);
    node.watch(0);
    assert!(!node.calls().iter().any(|call| call.contains("rebalance")), "people may have resumed it");
}

#[test]
fn jobs_are_saved_every_interval_too() {
    let node = Node::new("interval", &checkpoint("sleep 0.2", "interval_minutes: 1"));
    node.job(7, true, true);
    let events = node.watch(200);
    let every = events.iter().chain(last(&events).into_iter().map(|(_, event)| event));
    let why: Vec<SaveWhy> =
        every.filter_map(|event| if let Event::Saved { why, .. } = event { Some(*why) } else { None }).collect();
    assert_eq!((why.first(), why.last()), (Some(&SaveWhy::Interval), Some(&SaveWhy::Interruption)));
}

#[test]
fn a_pool_that_lets_jobs_die_is_not_watched() {
    let node = Node::new("none", "on_interruption: none");
    assert!(!node.pool.watch);
    let events = node.watch(0);
    assert!(matches!(events[..], [Event::NotWatched { .. }]));
    assert_eq!(node.calls(), [] as [String; 0]);
}
