//! Done means done: apply ends when the head node reports the revision that it runs (AW-24).

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::{self, ApplyError, Console, Context, Event, Stop},
    cloud::{
        Cloud,
        sandbox::{CallError, CallErrorKind, Fault, HeadFault, HeadTrouble, Sandbox},
    },
    model::StackKey,
    observe::{self, HeadNode, SetUpLog, keys},
    plan::StepAction,
    report::{errors::Failure, paint::Paint, plan_text, status::Status},
};
use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Duration};
use support::*;

const REGION: &str = "eu-west-1";

fn built() -> Built {
    build("head.yaml", head::CLUSTER)
}

fn changed() -> Built {
    build("head.yaml", &head::CLUSTER.replace("max: 5", "max: 6"))
}

fn trouble(trouble: HeadTrouble) -> Fault {
    Fault::HeadNode(HeadFault { cluster: None, trouble, log: None })
}

async fn status(cloud: &Cloud, built: &Built) -> (String, serde_json::Value) {
    let live = look(cloud, built).await;
    let logins = observe::login_failures(cloud, &live).await;
    let status = Status { cluster: "head", region: REGION, live: &live, logins: &logins, rehearsal: None };
    (status.text(Paint::PLAIN), serde_json::from_str(&status.json()).unwrap())
}

/// Applies without waiting.
async fn publish(cloud: &Cloud, built: &Built) {
    let plan = plan_for(cloud, built).await;
    let events = Events::default();
    let applied = apply::execute(&Context::new(cloud, &plan, &events, Stop::default()), None).await;
    assert!(applied.failed.is_empty(), "{:?}", applied.failed);
}

#[test]
fn apply_ends_when_the_head_node_reports() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        let plan = plan_for(&cloud, &built).await;
        let last = plan.steps.last().unwrap();
        assert_eq!(last.action, StepAction::AwaitHead { limit: 1200 });
        let events = Events::default();
        let context = Context::new(&cloud, &plan, &events, Stop::default());
        let mut applied = apply::execute(&context, None).await;
        let before = cloud.clock.now();
        let live = look(&cloud, &built).await;
        assert_eq!(HeadNode::of(&live).unwrap().reported, None, "nothing is done yet");
        apply::finish(&context, &mut applied).await;
        assert!(applied.failed.is_empty() && applied.done.len() == plan.steps.len());
        assert!(cloud.clock.now().0 - before.0 > 60);
        let waited = |(_, event): &(_, Event)| matches!(event, Event::HeadAwaited { revision: 1, reported: None, .. });
        assert!(events.0.lock().unwrap().iter().any(waited), "progress is told");
        assert!(HeadNode::of(&look(&cloud, &built).await).unwrap().runs(1));
        assert!(plan_for(&cloud, &built).await.is_empty());

        // A change waits for a shorter time, and for its own revision.
        let plan = plan_for(&cloud, &changed()).await;
        assert_eq!(plan.steps.last().unwrap().action, StepAction::AwaitHead { limit: 600 });
        carry_out_well(&cloud, &plan).await;
        assert_eq!(HeadNode::of(&look(&cloud, &built).await).unwrap().reported, Some(2));
    });
}

#[test]
fn a_head_node_that_has_not_reported_is_pending_and_waited_for_later() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        publish(&cloud, &built).await;
        let (text, json) = status(&cloud, &built).await;
        assert!(text.contains("head node has not reported yet, created"), "{text}");
        assert_eq!(
            (json["head_node"]["published"].as_u64(), &json["head_node"]["reported"]),
            (Some(1), &serde_json::Value::Null)
        );

        let plan = plan_for(&cloud, &built).await;
        assert!(!plan.is_empty() && plan.only_waits() && plan.revision == 1);
        assert_eq!(plan.head_behind.as_ref().unwrap().published, 1);
        assert!(plan.clone().sealed().is_intact());
        let view = plan_text::PlanView { paint: Paint::PLAIN, verbose: false };
        let text = plan_text::plan_text(&plan, view);
        assert!(
            text.contains("No changes") && text.contains("the head node has not reported revision 1 yet"),
            "{text}"
        );
        carry_out_well(&cloud, &plan).await;
        assert!(plan_for(&cloud, &built).await.is_empty());

        publish(&cloud, &changed()).await;
        let (text, _) = status(&cloud, &built).await;
        assert!(text.contains("head node runs revision 1, 2 is published"), "{text}");
        sandbox.advance(Duration::from_secs(60));
        let (text, json) = status(&cloud, &built).await;
        assert!(!text.contains("is published"), "{text}");
        assert_eq!(json["head_node"]["reported"].as_u64(), Some(2));
    });
}

#[test]
fn a_failed_set_up_ends_apply_with_the_line_that_failed() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        sandbox.add_fault(trouble(HeadTrouble::SetUpFailed));
        let applied = carry_out(&cloud, &plan_for(&cloud, &built).await).await;
        let ApplyError::HeadFailed { revision: 1, failure, .. } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert_eq!(failure.line, "set-up failed in line 191: mount_all");
        assert!(!failure.tries_again);
        let said: Failure = applied.failed[0].error.clone().into();
        assert_eq!((said.code, said.exit), ("HPC2140", 1));
        assert!(said.message.ends_with("set-up failed in line 191: mount_all"), "{}", said.message);
        let (text, json) = status(&cloud, &built).await;
        assert!(text.contains("set-up of revision 1 failed: set-up failed in line 191: mount_all"), "{text}");
        assert_eq!(json["head_node"]["set_up_failed"]["tries_again"], false);

        // It is pending, and fails at once when nothing tries again.
        let plan = plan_for(&cloud, &built).await;
        assert!(plan.only_waits() && plan.head_behind.as_ref().unwrap().failed.is_some());
        let before = cloud.clock.now();
        assert!(matches!(carry_out(&cloud, &plan).await.failed[0].error, ApplyError::HeadFailed { .. }));
        assert_eq!(cloud.clock.now(), before);
    });
}

/// Who looks is told which login nodes nobody can use: they have no right to say it but on their consoles.
#[test]
fn status_names_login_nodes_whose_set_up_failed() {
    on_sandbox(async {
        let login = "login_nodes: [{ name: in, instance_type: c5.large, count: 1, ssh_from: [203.0.113.0/24] }]\n";
        let built = build("head.yaml", &format!("{}{login}", head::CLUSTER));
        let mut said = Vec::new();
        for fails in [true, false] {
            let sandbox = Sandbox::in_memory(REGION);
            let cloud = sandbox.cloud();
            if fails {
                sandbox.add_fault(trouble(HeadTrouble::SetUpFailed));
            }
            publish(&cloud, &built).await;
            cloud.clock.sleep(Duration::from_secs(120)).await;
            said.push(status(&cloud, &built).await);
        }
        let (text, json) = &said[0];
        assert!(text.contains("  set-up failed: the head node has not said where it is; it tries again"), "{text}");
        let first = &json["login_failures"][0];
        assert!(text.contains(first["instance"].as_str().unwrap()) && first["tries_again"] == true, "{json}");
        let (text, json) = &said[1];
        assert!(!text.contains("login node") && json["login_failures"] == serde_json::json!([]), "{text}");
    });
}

#[test]
fn a_set_up_that_is_tried_again_may_still_come() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        sandbox.add_fault(trouble(HeadTrouble::SetUpFailed));
        let applied = carry_out(&cloud, &plan_for(&cloud, &changed()).await).await;
        let ApplyError::HeadFailed { revision: 2, failure, .. } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert!(failure.tries_again);
        // In an apply that has just published the revision every failure of it is new.
        let bucket = look(&cloud, &built).await.bucket.unwrap().name;
        let wait = apply::HeadWait { bucket, cluster: "head".to_owned(), revision: 2, limit: 600, again: false };
        let before = cloud.clock.now();
        let at_once = apply::await_head(&cloud, &wait, &Events::default(), &Stop::default()).await;
        assert!(matches!(at_once, Err(ApplyError::HeadFailed { .. })) && cloud.clock.now() == before);
        // Who applies again waits for the next try; the old failure counts when time is up.
        let plan = plan_for(&cloud, &changed()).await;
        assert!(plan.only_waits());
        let before = cloud.clock.now();
        assert!(matches!(carry_out(&cloud, &plan).await.failed[0].error, ApplyError::HeadFailed { .. }));
        assert!(cloud.clock.now().0 - before.0 >= 600);
        // Without the fault the next try succeeds.
        let mended = sandbox.reborn().cloud();
        carry_out_well(&mended, &plan_for(&mended, &changed()).await).await;
        assert!(plan_for(&mended, &changed()).await.is_empty());
    });
}

#[test]
fn a_head_node_without_network_is_heard_by_its_console() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        sandbox.add_fault(trouble(HeadTrouble::NoNetwork));
        let before = cloud.clock.now();
        let applied = carry_out(&cloud, &plan_for(&cloud, &built).await).await;
        let error = &applied.failed[0].error;
        let ApplyError::HeadSilent(silence) = error else { panic!("{:?}", applied.failed) };
        assert!((1200..1300).contains(&silence.seconds) && cloud.clock.now().0 - before.0 > 1200);
        let Console::Lines(lines) = &silence.console else { panic!("{silence:?}") };
        assert!(lines.last().unwrap().ends_with("trying again in 60 s: install_aws"));
        let said: Failure = error.clone().into();
        assert_eq!((said.code, said.exit), ("HPC2141", 1));
        assert!(said.details.iter().any(|line| line.starts_with("its console says last: trying again")), "{said:?}");
        // Who may not see the console still gets the rest.
        sandbox.add_fault(Fault::Error(CallError {
            operation: "GetConsoleOutput".to_owned(),
            error: CallErrorKind::AccessDenied,
            message: None,
            after: 0,
            times: None,
        }));
        let applied = carry_out(&cloud, &plan_for(&cloud, &built).await).await;
        let ApplyError::HeadSilent(silence) = &applied.failed[0].error else { panic!("{:?}", applied.failed) };
        assert!(matches!(silence.console, Console::Unknown(_)));
    });
}

/// What is said of a head node that is silent, and ends after so many seconds.
fn silent_until(at: u64) -> Box<apply::HeadSilence> {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        sandbox.add_fault(trouble(HeadTrouble::Silent));
        publish(&cloud, &built).await;
        let id = HeadNode::of(&look(&cloud, &built).await).unwrap().instance;
        let ending = async {
            cloud.clock.sleep(Duration::from_secs(at)).await;
            cloud.compute.terminate(&[id]).await.unwrap();
        };
        let plan = plan_for(&cloud, &built).await;
        let (applied, ()) = futures_util::future::join(carry_out(&cloud, &plan), ending).await;
        let ApplyError::HeadSilent(silence) = &applied.failed[0].error else { panic!("{:?}", applied.failed) };
        silence.clone()
    })
}

/// The instance itself is looked at each minute, no sooner and no later.
#[test]
fn a_silent_head_node_is_not_waited_for_once_it_has_ended() {
    let silence = silent_until(55);
    assert_eq!(silence.state.as_deref(), Some("shutting-down"));
    for (at, seen) in [(3, 60), (55, 60), (66, 120), (126, 180)] {
        let seconds = silent_until(at).seconds;
        assert!((seen..seen + 10).contains(&seconds), "ended after {at} s, seen after {seconds} s");
    }
}

/// Who waits is told each minute.
#[test]
fn progress_is_told_each_minute() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        sandbox.add_fault(trouble(HeadTrouble::Silent));
        publish(&cloud, &built).await;
        let bucket = look(&cloud, &built).await.bucket.unwrap().name;
        let wait = apply::HeadWait { bucket, cluster: "head".to_owned(), revision: 1, limit: 600, again: false };
        let events = Events::default();
        apply::await_head(&cloud, &wait, &events, &Stop::default()).await.unwrap_err();
        let told: Vec<i64> = events
            .0
            .lock()
            .unwrap()
            .iter()
            .filter_map(|(_, event)| match event {
                Event::HeadAwaited { seconds, .. } => Some(*seconds),
                _ => None,
            })
            .collect();
        assert!((8..=9).contains(&told.len()) && told[0] >= 60, "{told:?}");
        assert!(told.windows(2).all(|two| (60..70).contains(&(two[1] - two[0]))), "{told:?}");
    });
}

#[test]
fn a_laptop_without_network_asks_again_and_whoever_is_tired_goes() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        publish(&cloud, &built).await;
        let plan = plan_for(&cloud, &built).await;
        sandbox.add_fault(Fault::Error(CallError {
            operation: "GetObject".to_owned(),
            error: CallErrorKind::Network,
            message: None,
            after: 0,
            times: Some(7),
        }));
        let events = Events::default();
        let stop = Stop::default();
        let context = Context::new(&cloud, &plan, &events, stop.clone());
        let mut applied = apply::Applied::default();
        apply::finish(&context, &mut applied).await;
        assert!(applied.failed.is_empty(), "{:?}", applied.failed);
        let unseen = |(_, event): &&(_, Event)| matches!(event, Event::HeadUnseen { .. });
        assert_eq!(events.0.lock().unwrap().iter().filter(unseen).count(), 1, "said once");

        publish(&cloud, &changed()).await;
        let plan = plan_for(&cloud, &changed()).await;
        stop.set();
        let context = Context::new(&cloud, &plan, &events, stop);
        let mut applied = apply::Applied::default();
        apply::finish(&context, &mut applied).await;
        let error = applied.failed[0].error.clone();
        assert_eq!(error, ApplyError::StoppedWaiting { revision: 2 });
        let said: Failure = error.into();
        assert_eq!(said.exit, 130);
        assert!(said.message.contains("the cluster goes on by itself"));
    });
}

#[test]
fn what_an_earlier_head_node_reported_counts_for_nothing() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), built());
        sandbox.add_fault(trouble(HeadTrouble::Silent));
        publish(&cloud, &built).await;
        let bucket = look(&cloud, &built).await.bucket.unwrap().name;
        let report = |instance: &str| {
            serde_json::to_vec(&serde_json::json!({
                "kind": "hpcctl/slurm-report", "format_version": "1.1", "cluster": "head", "revision": 1,
                "instance": instance, "at": 0, "set_up_failed": null, "queues": [],
            }))
            .unwrap()
        };
        let put = |body| {
            cloud.objects.put(&bucket, "clusters/head/status/slurm.json", body, hpcctl::cloud::PutCondition::Always)
        };
        assert_eq!(keys::slurm_report("head"), "clusters/head/status/slurm.json");
        put(report("i-0123456789abcdef0")).await.unwrap();
        assert!(plan_for(&cloud, &built).await.only_waits(), "another instance said so");
        let own = HeadNode::of(&look(&cloud, &built).await).unwrap().instance;
        put(report(&own)).await.unwrap();
        assert!(plan_for(&cloud, &built).await.is_empty());
    });
}

/// The head node's own script, which fails at its mounts: what it puts into the bucket is what apply reads.
#[test]
fn a_set_up_that_fails_says_so_in_the_bucket() {
    let folder = std::env::temp_dir().join(format!("hpcctl-set-up-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("bin")).unwrap();
    let files = built().rendered.files;
    for name in ["common.sh", "storage.sh"] {
        fs::write(folder.join(name), &files[&format!("head/{name}")].content).unwrap();
    }
    fs::write(folder.join("cluster.json"), "{\n  \"cluster\": \"head\",\n  \"revision\": 7\n}\n").unwrap();
    let (functions, _) = files["head/setup.sh"].content.split_once("\nremember_node\n").unwrap();
    let mounts = "mount_all() {\n  echo 'mount.lustre: no such host' >&2\n  false\n}\nmount_all\n";
    fs::write(folder.join("setup.sh"), format!("{functions}\n{mounts}")).unwrap();
    let stub = |name: &str, line: &str| {
        let path = folder.join("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{line}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    stub("curl", "echo i-0aaaaaaaaaaaaaaaa");
    stub("aws", &format!("cp \"$4\" {0}/uploaded && echo \"$5\" >{0}/to", folder.display()));
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let ended = Command::new("bash")
        .arg(folder.join("setup.sh"))
        .arg("start")
        .envs([("PATH", path.as_str()), ("CLUSTER", "head"), ("BUCKET", "hpcctl-1-r")])
        .env("NODE_TREE", &folder)
        .env("LOGS", folder.join("logs"))
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(
        fs::read_to_string(folder.join("to")).unwrap().trim(),
        "s3://hpcctl-1-r/clusters/head/status/set-up.log"
    );
    let log = SetUpLog::parse(&fs::read(folder.join("uploaded")).unwrap()).unwrap();
    assert_eq!((log.revision, log.instance.as_str(), log.first_boot), (7, "i-0aaaaaaaaaaaaaaaa", true));
    assert!(log.lines.contains(&"mount.lustre: no such host".to_owned()), "{log:?}");
    assert!(log.line().starts_with("set-up failed in line ") && log.line().ends_with(": false"), "{log:?}");
    // hpcctl node sync reads the last line of what went wrong from the error output.
    assert!(String::from_utf8_lossy(&ended.stderr).contains("no such host"));
    fs::remove_dir_all(&folder).unwrap();
}

/// The address that stays is the one to connect to.
#[test]
fn status_shows_the_elastic_address_of_the_head_node() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let text = head::CLUSTER.replacen("head_node: {", "head_node: { elastic_ip: true,", 1);
        assert_ne!(text, head::CLUSTER);
        let built = build("head.yaml", &text);
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let outputs = look(&cloud, &built).await.stacks[&StackKey::Head].state.outputs.clone();
        let (shown, _) = status(&cloud, &built).await;
        assert!(shown.contains(&outputs["HeadElasticIp"]), "{outputs:?}\n{shown}");
        assert!(!shown.contains(&outputs["HeadPrivateIp"]), "{shown}");
    });
}
