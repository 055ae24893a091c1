//! What goes wrong, on the sandbox: every fault ends in a clear error, and nothing is lost.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    apply::{ApplyError, Claim, LockOutcome},
    cloud::{
        Cloud, ErrorKind, PutCondition, StackStatus,
        sandbox::{CallError, CallErrorKind, Crash, Fail, Fault, Files, HandEdit, Launch, Sandbox, Target, Verb},
    },
    model::StackKey,
    observe::{self, FoundLock, LockInfo, Owner, Wanted, Watch, keys},
    plan::{Action, DataFate, Obstacle, Plan, PlanError, Reason, StepAction},
    report::{
        errors::{Failure, applied_text},
        paint::Paint,
    },
};
use std::{collections::BTreeMap, fs};
use support::*;

const REGION: &str = "eu-west-1";

fn example() -> Built {
    build("fds-smv.yaml", &fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap())
}

fn changed(from: &str, to: &str) -> Built {
    let text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
    assert!(text.contains(from), "the example has no `{from}`");
    build("fds-smv.yaml", &text.replace(from, to))
}

fn fail(logical_id: &str, on: Verb, times: Option<u32>) -> Fault {
    let target = Target { logical_id: Some(logical_id.to_owned()), ..Target::default() };
    Fault::Fail(Fail { target, on, reason: Some("Resource handler returned message: no such luck".to_owned()), times })
}

async fn stack(cloud: &Cloud, name: &str) -> StackStatus {
    cloud.stacks.stack(name).await.unwrap().unwrap().status
}

fn owner(pid: u32) -> Owner {
    Owner {
        arn: "arn:aws:iam::123456789012:user/one".to_owned(),
        host: "here".to_owned(),
        pid,
        command: None,
        birth: None,
    }
}

#[test]
fn a_failed_creation_names_its_cause_and_is_made_anew() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        sandbox.add_fault(fail("ScratchFileSystem", Verb::Create, None));
        let plan = plan_for(&cloud, &built).await;
        let applied = carry_out(&cloud, &plan).await;
        let ApplyError::Stack { stack: key, status, resources, .. } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert_eq!((key, status.as_str()), (&StackKey::Storage, "ROLLBACK_COMPLETE"));
        assert_eq!(resources[0].address, "storage.scratch");
        assert!(resources[0].reason.contains("no such luck"));
        assert!(!applied.not_begun.is_empty());

        let again = plan_for(&cloud, &built).await;
        let scratch = again.changes.iter().find(|change| change.address == "storage.scratch").unwrap();
        assert_eq!(scratch.reason, Reason::StackBroken { status: "ROLLBACK_COMPLETE".to_owned() });
        assert!(again.steps.iter().any(|step| matches!(step.action, StepAction::DeleteStack { broken: true, .. })));
        carry_out_well(&cloud, &again).await;
        assert!(plan_for(&cloud, &built).await.is_empty());
    });
}

#[test]
fn a_failed_update_rolls_back_and_can_be_tried_again() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let after = build("fds-smv.yaml", &fs::read_to_string("examples/changes/fds-smv.yaml").unwrap());
        sandbox.add_fault(fail("ScratchFileSystem", Verb::Update, None));
        let applied = carry_out(&cloud, &plan_for(&cloud, &after).await).await;
        assert!(matches!(applied.failed[0].error, ApplyError::Stack { .. }));
        assert_eq!(stack(&cloud, "fds-smv-storage").await, StackStatus::UpdateRollbackComplete);
        carry_out_well(&cloud, &plan_for(&cloud, &after).await).await;
        assert!(plan_for(&cloud, &after).await.is_empty());
    });
}

#[test]
fn a_crash_at_any_call_is_gone_on_from() {
    for at in [2, 5, 14, 27] {
        on_sandbox(async {
            let folder = std::env::temp_dir().join(format!("hpcctl-crash-{}-{at}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let state = folder.join("sandbox.json");
            let built = example();
            let first = Sandbox::open(&state, REGION).unwrap();
            let plan = plan_for(&first.cloud(), &built).await;
            first.add_fault(Fault::Crash(Crash { at, effect: at % 2 == 0 }));
            let applied = carry_out(&first.cloud(), &plan).await;
            drop(first);

            let cloud = Sandbox::open(&state, REGION).unwrap().cloud();
            let died = applied
                .failed
                .iter()
                .any(|one| matches!(&one.error, ApplyError::Cloud(error) if error.kind == ErrorKind::Crash));
            assert!(died, "no crash at call {at}: {:?}", applied.failed);
            // The very same plan goes on: nothing of what it did itself counts as moved.
            let live = look(&cloud, &built).await;
            assert_eq!(plan.moved(&live), vec![], "crash at call {at}");
            carry_out_well(&cloud, &plan).await;
            let again = plan_for(&cloud, &built).await;
            assert!(again.is_empty(), "crash at call {at}: {:?}", again.changes);
            fs::remove_dir_all(&folder).unwrap();
        });
    }
}

#[test]
fn a_plan_is_stale_when_somebody_else_applied() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = example();
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let mine = changed("retention_days: 30", "retention_days: 60");
        let theirs = changed("retention_days: 30", "retention_days: 90");
        let plan = plan_for(&cloud, &mine).await;
        carry_out_well(&cloud, &plan_for(&cloud, &theirs).await).await;
        let moved = plan.moved(&look(&cloud, &mine).await);
        let items: Vec<&str> = moved.iter().map(|moved| moved.item.as_str()).collect();
        assert_eq!(items, ["revision", "stack head"]);
        assert!(moved.iter().all(|moved| moved.then.is_some() && moved.now.is_some()));
    });
}

#[test]
fn an_edited_plan_is_seen() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let plan = plan_for(&cloud, &example()).await;
        assert!(plan.is_intact());
        let text =
            serde_json::to_string(&plan).unwrap().replace("\"max\": 100", "\"max\": 999").replace("CREATE", "create");
        let mut edited: Plan = serde_json::from_str(&text).unwrap();
        edited.steps.pop();
        assert!(!edited.is_intact());
    });
}

#[test]
fn two_people_cannot_apply_at_once() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = example();
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let bucket = keys::bucket_name(&cloud.identity.caller().await.unwrap().account, REGION);
        let acquire = async |pid| claim(&bucket, owner(pid)).acquire(&cloud).await.unwrap();
        let LockOutcome::Held(lock) = acquire(1).await else { panic!("the lock is free") };
        let LockOutcome::Refused(found) = acquire(2).await else { panic!("the lock is held") };
        assert_eq!(found.info.unwrap().owner.pid, 1);
        lock.release().await.unwrap();
        let LockOutcome::Held(_) = acquire(3).await else { panic!("the lock is free again") };

        // A dead owner's lock is taken over at once, a silent one's after its lease.
        let dead = |_: &Owner| true;
        let taken = Claim { is_dead: &dead, ..claim(&bucket, owner(4)) }.acquire(&cloud).await.unwrap();
        assert!(matches!(taken, LockOutcome::TakenOver(..)));
        cloud.clock.sleep(std::time::Duration::from_secs(601)).await;
        assert!(matches!(acquire(5).await, LockOutcome::TakenOver(..)));
    });
}

fn claim(bucket: &str, owner: Owner) -> Claim<'_> {
    let (is_dead, waits) = (&|_: &Owner| false, &|_: &FoundLock| true);
    Claim { bucket, cluster: "fds-smv", owner, plan: "plan", until: None, watch: Watch::default(), is_dead, waits }
}

/// FT-07: the times in a lock are another machine's. A lock that is renewed is nobody else's, however old it seems.
#[test]
fn a_slow_clock_loses_no_lock() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = example();
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let bucket = keys::bucket_name(&cloud.identity.caller().await.unwrap().account, REGION);
        let key = keys::lock("fds-smv");
        let write = async |renewed: i64| {
            let at = cloud.clock.now().plus(renewed - 3600);
            let info = LockInfo {
                owner: owner(1),
                plan: "plan".to_owned(),
                since: at,
                renewed: at,
                token: "theirs".to_owned(),
                renewals: 0,
            };
            let body = serde_json::to_vec(&info).unwrap();
            cloud.objects.put(&bucket, &key, body, PutCondition::Always).await.unwrap();
        };
        write(0).await;
        let looks = std::cell::Cell::new(0);
        let waits = |_: &FoundLock| {
            looks.set(looks.get() + 1);
            true
        };
        let mine = async { Claim { waits: &waits, ..claim(&bucket, owner(2)) }.acquire(&cloud).await.unwrap() };
        let theirs = async {
            cloud.clock.sleep(std::time::Duration::from_secs(60)).await;
            write(60).await;
        };
        let (outcome, ()) = tokio::join!(mine, theirs);
        assert!(matches!(outcome, LockOutcome::Refused(_)), "the lock of a living owner was taken over");
        assert!(looks.get() > 0);
        // Whoever does not want to wait is refused as well.
        let refused = Claim { waits: &|_| false, ..claim(&bucket, owner(2)) }.acquire(&cloud).await.unwrap();
        assert!(matches!(refused, LockOutcome::Refused(_)));
    });
}

#[test]
fn a_replaced_file_system_is_exported_first_and_nothing_is_deleted_when_that_fails() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let after = changed("deployment: SCRATCH_2", "deployment: SCRATCH_1");
        let plan = plan_for(&cloud, &after).await;
        let scratch = plan.changes.iter().find(|change| change.address == "storage.scratch").unwrap();
        assert_eq!(scratch.action, Action::Replace);
        assert_eq!(scratch.data.as_ref().unwrap().fate, DataFate::ExportedFirst);
        let export = plan.steps.iter().find(|step| matches!(step.action, StepAction::Export { .. })).unwrap();
        let update =
            plan.steps.iter().find(|step| step.action == StepAction::UpdateStack { stack: StackKey::Storage }).unwrap();
        assert!(update.after.contains(&export.number));

        sandbox.add_fault(Fault::Files(Files {
            count: Some(3),
            code: Some("S3AccessDenied".to_owned()),
            ..Files::default()
        }));
        let applied = carry_out(&cloud, &plan).await;
        let ApplyError::Transfer(failure) = &applied.failed[0].error else { panic!("{:?}", applied.failed) };
        assert_eq!((failure.lifecycle.as_str(), failure.files.len()), ("FAILED", 3));
        let live = look(&cloud, &built).await;
        assert_eq!(live.file_systems.len(), 1);
        assert_eq!(live.file_systems.values().next().unwrap().state.lifecycle, "AVAILABLE");
        assert_eq!(stack(&cloud, "fds-smv-storage").await, StackStatus::CreateComplete);
    });
}

#[test]
fn destroy_keeps_the_file_system_when_its_export_fails() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        sandbox.add_fault(Fault::Files(Files {
            count: Some(1),
            code: Some("S3AccessDenied".to_owned()),
            ..Files::default()
        }));
        let applied = carry_out(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(matches!(applied.failed[0].error, ApplyError::Transfer(..)));
        assert_eq!(look(&cloud, &built).await.file_systems.len(), 1);
        carry_out_well(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(look(&cloud, &built).await.stacks.is_empty());
    });
}

#[test]
fn destroy_terminates_what_slurm_launched() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        for number in 1..=3 {
            let tags = [("hpcctl:cluster", "fds-smv"), ("hpcctl:role", "compute"), ("hpcctl:queue", "cfd")];
            let mut tags: BTreeMap<String, String> =
                tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            tags.insert("hpcctl:node".to_owned(), format!("cfd-od-{number}"));
            sandbox.launch(Launch { instance_type: "c5n.18xlarge".to_owned(), tags, ..Launch::default() }).unwrap();
        }
        let plan = plan_destroy(&cloud, &built).await;
        assert_eq!(plan.impact.running_instances, 3);
        carry_out_well(&cloud, &plan).await;
        assert!(cloud.compute.instances_of("fds-smv").await.unwrap().is_empty());
    });
}

#[test]
fn a_stack_stuck_in_delete_failed_is_deleted_again() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        sandbox.add_fault(fail("HeadRole", Verb::Delete, Some(1)));
        let applied = carry_out(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(matches!(&applied.failed[0].error, ApplyError::Stack { status, .. } if status == "DELETE_FAILED"));
        carry_out_well(&cloud, &plan_destroy(&cloud, &built).await).await;
        assert!(plan_destroy(&cloud, &built).await.is_empty());
    });
}

#[test]
fn a_busy_stack_is_not_planned_over() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let built = example();
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        cloud.stacks.delete("fds-smv-monitoring", &[], "token").await.unwrap();
        let live = look(&cloud, &built).await;
        let source = plan_for_source(&built);
        let refused = hpcctl::plan::destroy("fds-smv", REGION, source, &live, &Default::default());
        assert!(matches!(refused, Err(PlanError::Busy { .. })));
    });
}

#[test]
fn a_protected_cluster_is_not_destroyed() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
        let built = build("fds-smv.yaml", &format!("{text}\ndeletion_protection: true\n"));
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let live = look(&cloud, &built).await;
        let plan = plan_destroy(&cloud, &built).await;
        let refused = hpcctl::plan::obstacles(&plan, &live, &Default::default());
        assert_eq!(refused.len(), live.stacks.len(), "every stack of it: {refused:?}");
        assert!(matches!(refused[0], Obstacle::Stack { .. }));
        // The way out is an apply that switches the protection off.
        let open = example();
        carry_out_well(&cloud, &plan_for(&cloud, &open).await).await;
        carry_out_well(&cloud, &plan_destroy(&cloud, &open).await).await;
    });
}

#[test]
fn drift_is_told_apart_from_intent() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        sandbox
            .hand_edit(HandEdit {
                stack: "fds-smv-head".to_owned(),
                logical_id: "LogGroup".to_owned(),
                path: "RetentionInDays".to_owned(),
                value: 1.into(),
            })
            .unwrap();
        let live = observe::observe(&cloud, "fds-smv", &Wanted::by(&built.graph, true)).await.unwrap();
        let drift = live.drift.as_ref().unwrap();
        assert_eq!(drift.keys().collect::<Vec<_>>(), [&StackKey::Head]);
        assert_eq!(drift[&StackKey::Head][0].logical_id, "LogGroup");
        assert!(plan_for(&cloud, &built).await.changes.is_empty());
    });
}

#[test]
fn passing_failures_of_the_cloud_are_clear_errors() {
    for (kind, wanted) in [
        (CallErrorKind::Throttled, ErrorKind::Throttled),
        (CallErrorKind::AccessDenied, ErrorKind::AccessDenied),
        (CallErrorKind::Network, ErrorKind::Network),
        (CallErrorKind::Credentials, ErrorKind::Credentials),
    ] {
        on_sandbox(async {
            let sandbox = Sandbox::in_memory(REGION);
            let (cloud, built) = (sandbox.cloud(), example());
            let plan = plan_for(&cloud, &built).await;
            let operation = "CreateStack".to_owned();
            sandbox.add_fault(Fault::Error(CallError { operation, error: kind, message: None, after: 1, times: None }));
            let applied = carry_out(&cloud, &plan).await;
            assert!(
                matches!(&applied.failed[0].error, ApplyError::Cloud(error) if error.kind == wanted),
                "{:?}",
                applied.failed
            );
            // The same plan goes on from there.
            assert_eq!(plan.moved(&look(&cloud, &built).await), vec![]);
            carry_out_well(&cloud, &plan).await;
        });
    }
}

fn plan_for_source(built: &Built) -> hpcctl::plan::Source {
    hpcctl::plan::Source { name: built.document.name.clone(), sha256: String::new(), text: built.document.text.clone() }
}

/// A first apply in an account begins with the artifact bucket: what is wrong with it is said in CloudFormation's words.
#[test]
fn a_bucket_that_cannot_be_made_names_its_cause_and_is_made_anew() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let (cloud, built) = (sandbox.cloud(), example());
        sandbox.add_fault(fail("Artifacts", Verb::Create, Some(1)));
        let applied = carry_out(&cloud, &plan_for(&cloud, &built).await).await;
        let ApplyError::Bootstrap { status, resources, .. } = &applied.failed[0].error else {
            panic!("{:?}", applied.failed)
        };
        assert_eq!(status, "ROLLBACK_COMPLETE");
        let named: Vec<&str> = resources.iter().map(|failed| failed.address.as_str()).collect();
        assert_eq!(named, ["Artifacts"]);
        let first: Failure = applied.failed[0].error.clone().into();
        let text = applied_text(&applied, &first, Paint::PLAIN);
        assert!(text.contains("stack hpcctl-bootstrap ended in ROLLBACK_COMPLETE"), "{text}");
        assert!(text.contains("no such luck"), "{text}");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        assert!(plan_for(&cloud, &built).await.is_empty());
    });
}
