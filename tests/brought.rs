//! A volume that somebody else made (`volume_id`) and that leaves the cluster file: the head node gives it back.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        Cloud,
        sandbox::{Fail, Fault, Sandbox, Target, Verb},
    },
    model::StackKey,
    observe::Live,
    plan::{self, Action, Note, Plan, PlanError, StepAction},
    report::{
        paint::Paint,
        plan_text::{PlanView, plan_text},
    },
};
use std::time::Duration;
use support::{head::CLUSTER, *};

const REGION: &str = "eu-west-1";
const ID: &str = "vol-0a1b2c3d4e5f67890";
const LOGIN: &str = "login_nodes:\n  - { name: in, instance_type: m6i.large, count: 1, ssh_from: [203.0.113.0/24] }\n";

fn with(more: &str) -> Built {
    let theirs = format!("storage:\n  - {{ name: theirs, mount: /theirs, ebs: {{ volume_id: {ID} }} }}\n");
    build("head.yaml", &format!("{CLUSTER}{theirs}{more}"))
}

fn without(more: &str) -> Built {
    build("head.yaml", &format!("{CLUSTER}{more}"))
}

async fn made(cloud: &Cloud, built: &Built) -> String {
    carry_out_well(cloud, &plan_for(cloud, built).await).await;
    let head = plan::head_id(&look(cloud, built).await).unwrap().to_owned();
    assert_eq!(holder(cloud).await, Some(head.clone()));
    head
}

async fn holder(cloud: &Cloud) -> Option<String> {
    let found = cloud.compute.volumes(&[ID.to_owned()]).await.unwrap().remove(0);
    found.attachment.map(|one| one.instance)
}

fn place(plan: &Plan, wanted: impl Fn(&StepAction) -> bool) -> Option<usize> {
    plan.steps.iter().position(|step| wanted(&step.action))
}

fn releases(action: &StepAction) -> bool {
    *action == StepAction::Release { file_systems: Vec::new(), volumes: vec![ID.to_owned()] }
}

#[test]
fn it_is_given_back_before_the_right_to_do_so_is() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let head = made(&cloud, &with(LOGIN)).await;
        let plan = plan_for(&cloud, &without(LOGIN)).await;
        let hold = place(&plan, |one| matches!(one, StepAction::HoldQueues { .. })).unwrap();
        let release = place(&plan, releases).unwrap();
        let update = place(&plan, |one| *one == StepAction::UpdateStack { stack: StackKey::Head }).unwrap();
        let publish = place(&plan, |one| *one == StepAction::Publish { last: true }).unwrap();
        let logins = place(&plan, |one| matches!(one, StepAction::ReplaceLogins { .. })).unwrap();
        let open = place(&plan, |one| *one == StepAction::OpenQueues).unwrap();
        assert!([hold, release, update, publish, logins, open].is_sorted(), "{:?}", plan.steps);
        assert!(follows(&plan, update, release), "{:?}", plan.steps);
        assert_eq!(plan.notes, [Note::VolumeGivenBack { name: "theirs".to_owned(), volume: ID.to_owned() }]);
        let text = plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: false });
        let words = format!("the head node gives {ID} of storage.theirs back; it stays as it is");
        assert!(text.contains(&words) && plan.losses().next().is_none(), "{text}");
        carry_out_well(&cloud, &plan).await;
        assert_eq!(holder(&cloud).await, None);
        let again = plan_for(&cloud, &without(LOGIN)).await;
        assert!(again.is_empty() && again.outside.is_empty() && again.notes.is_empty(), "{:?}", again.steps);
        assert_eq!(plan::head_id(&look(&cloud, &without(LOGIN)).await), Some(head.as_str()));
        // It may come again.
        carry_out_well(&cloud, &plan_for(&cloud, &with(LOGIN)).await).await;
    });
}

/// Whether a step waits for another, through whatever lies between.
fn follows(plan: &Plan, later: usize, earlier: usize) -> bool {
    plan.steps[later].after.iter().any(|before| before - 1 == earlier || follows(plan, before - 1, earlier))
}

/// A head node that is started anew in the same edit does not take it back, nor does the next one.
#[test]
fn it_stays_away_from_a_head_node_that_starts_anew() {
    on_sandbox(async {
        let restarted = CLUSTER.replace("c5.large", "c5.2xlarge");
        let replaced = format!("{CLUSTER}image: {{ os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }}\n");
        for (text, action, asked) in [(restarted, Action::Update, true), (replaced, Action::Replace, false)] {
            let cloud = Sandbox::in_memory(REGION).cloud();
            made(&cloud, &with("")).await;
            let after = build("head.yaml", &text);
            let plan = plan_for(&cloud, &after).await;
            let head = plan.changes.iter().find(|change| change.address == "head.instance").unwrap();
            assert_eq!((head.action, place(&plan, releases).is_some()), (action, asked));
            carry_out_well(&cloud, &plan).await;
            cloud.clock.sleep(Duration::from_secs(600)).await;
            assert_eq!(holder(&cloud).await, None, "{action:?}");
            assert!(plan_for(&cloud, &after).await.is_empty());
        }
    });
}

#[test]
fn it_comes_back_when_something_fails() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let head = made(&cloud, &with("")).await;
        let target = Target { stack: Some(StackKey::Head.stack_name("head")), ..Target::default() };
        sandbox.add_fault(Fault::Fail(Fail {
            target,
            on: Verb::Update,
            reason: Some("no".to_owned()),
            times: Some(1),
        }));
        let plan = plan_for(&cloud, &without("")).await;
        assert_eq!(carry_out(&cloud, &plan).await.failed.len(), 1);
        cloud.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(holder(&cloud).await, Some(head));
        carry_out_well(&cloud, &plan_for(&cloud, &without("")).await).await;
        assert_eq!(holder(&cloud).await, None);
    });
}

/// Who cannot let go is named; what another instance has is that one's business.
#[test]
fn only_a_head_node_that_runs_is_asked() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let head = made(&cloud, &with("")).await;
        let live = look(&cloud, &without("")).await;
        let mut stopped = live.clone();
        stopped.instances.iter_mut().find(|one| one.id == head).unwrap().state = "stopped".to_owned();
        let Err(PlanError::Attached { attached }) = try_plan(&stopped, &without("")) else { panic!("a plan") };
        assert_eq!((attached[0].address.as_str(), attached[0].volume.as_str()), ("storage.theirs", ID));
        assert_eq!((attached[0].head.as_deref(), attached.len()), (Some("stopped"), 1));
        let elsewhere = |holder: Option<&str>| -> Live {
            let mut live = live.clone();
            let volume = live.volumes.iter_mut().find(|one| one.id == ID).unwrap();
            let held = volume.attachment.take().zip(holder);
            volume.attachment = held.map(|(mut one, holder)| {
                holder.clone_into(&mut one.instance);
                one
            });
            live
        };
        for holder in [Some("i-0123456789abcdef0"), None] {
            let plan = try_plan(&elsewhere(holder), &without("")).unwrap();
            assert!(plan.notes.is_empty() && place(&plan, releases).is_none(), "{holder:?}");
            assert!(place(&plan, |one| matches!(one, StepAction::HoldQueues { .. })).is_none());
        }
    });
}

/// The script's own look at `/etc/fstab`: set aside is what no boot brings back.
#[test]
fn a_boot_leaves_alone_what_was_set_aside() {
    let folder = std::env::temp_dir().join(format!("hpcctl-away-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = &with("").rendered.files["head/storage.sh"].content;
    std::fs::write(folder.join("storage.sh"), script).unwrap();
    let run = r#"cd "$1"; mode=$2; . ./storage.sh; FSTAB=$1/fstab
        attach_volumes() { echo "attach $*"; }; mount_volume() { echo "mount $*"; }
        put_data_in_place() { :; }; data_is_there() { true; }; mount_volumes"#;
    let lines = "UUID=h /home ext4 noauto 0 0\n";
    let both = "attach theirs\nmount theirs /theirs\n";
    for (mode, fstab, said) in [
        ("attach", "UUID=a /theirs ext4 noauto 0 0\n", both),
        ("attach", "#away UUID=a /theirs ext4 noauto 0 0\n", ""),
        ("attach", "#away UUID=a /theirs/in ext4 noauto 0 0\n", both),
        ("update", "#away UUID=a /theirs ext4 noauto 0 0\n", both),
    ] {
        std::fs::write(folder.join("fstab"), format!("{lines}{fstab}")).unwrap();
        let ran =
            std::process::Command::new("bash").args(["-ec", run, "bash"]).arg(&folder).arg(mode).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout), said, "{mode} {fstab}: {ran:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
