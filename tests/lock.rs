//! The lock and its owner's right to write: whoever is not the owner any more, or cannot know, changes nothing.

#![allow(clippy::unwrap_used)]

mod support;

use futures_util::FutureExt;
use hpcctl::{
    apply::{self, ApplyError, Care, Claim, Context, Event, Listener, Lock, LockOutcome, Released, Stop},
    cloud::{
        Clock, Cloud, ErrorKind, PutCondition, Timestamp,
        sandbox::{CallError, CallErrorKind, Fault, Sandbox, Script, Slow, Target},
    },
    observe::{self, FoundLock, LockInfo, Owner, Watch, keys},
    plan::{Plan, StepAction},
};
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::*;

const REGION: &str = "eu-west-1";
const CLUSTER: &str = "fds-smv";
const BUCKET: &str = "hpcctl-123456789012-eu-west-1";

fn example() -> Built {
    build("fds-smv.yaml", &fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap())
}

/// Another queue, another retention, and a file system that is replaced: something of each kind.
fn changed() -> Built {
    let text = fs::read_to_string("examples/clusters/fds-smv.yaml").unwrap();
    build(
        "fds-smv.yaml",
        &text
            .replace("retention_days: 30", "retention_days: 7")
            .replace("deployment: SCRATCH_2", "deployment: SCRATCH_1"),
    )
}

async fn made() -> Sandbox {
    let sandbox = Sandbox::in_memory(REGION);
    let cloud = sandbox.cloud();
    carry_out_well(&cloud, &plan_for(&cloud, &example()).await).await;
    sandbox
}

fn owner(name: &str) -> Owner {
    let arn = format!("arn:aws:iam::123456789012:user/{name}");
    Owner { arn, host: "here".to_owned(), pid: 1, command: None, birth: None }
}

fn claim(name: &str) -> Claim<'static> {
    Claim {
        bucket: BUCKET,
        cluster: CLUSTER,
        owner: owner(name),
        plan: "plan",
        until: None,
        watch: Watch::default(),
        is_dead: &|_| false,
        waits: &|_| true,
    }
}

/// A lock as somebody else writes it.
fn foreign(name: &str, renewals: u64) -> Vec<u8> {
    let (plan, token) = ("other".to_owned(), format!("token-of-{name}"));
    let at = Timestamp(2_000_000_000);
    serde_json::to_vec(&LockInfo { owner: owner(name), plan, since: at, renewed: at, token, renewals }).unwrap()
}

async fn write(cloud: &Cloud, body: Vec<u8>) -> String {
    cloud.objects.put(BUCKET, &keys::lock(CLUSTER), body, PutCondition::Always).await.unwrap()
}

async fn there(cloud: &Cloud) -> Option<FoundLock> {
    observe::lock(cloud, BUCKET, CLUSTER).await.unwrap()
}

fn whose(found: Option<FoundLock>) -> String {
    found.unwrap().info.unwrap().owner.arn.rsplit_once('/').unwrap().1.to_owned()
}

async fn held(cloud: &Cloud, name: &str) -> Lock {
    let LockOutcome::Held(lock) = claim(name).acquire(cloud).await.unwrap() else { panic!("the lock is not free") };
    lock
}

fn call_error(operation: &str, error: CallErrorKind, after: u32, times: u32) -> CallError {
    CallError { operation: operation.to_owned(), error, message: None, after, times: Some(times) }
}

/// Whether an error says that the lock is gone.
fn lost(error: &ApplyError) -> bool {
    *error == ApplyError::LockLost
}

// ---- who sleeps -----------------------------------------------------------------------------------------------------

/// Falls asleep at an event, and loses the lock in its sleep.
struct Sleeper {
    sandbox: Sandbox,
    cloud: Cloud,
    at: usize,
    seen: AtomicUsize,
    /// Calls that changed something before it woke up.
    before: AtomicU64,
    begun: Mutex<Vec<StepAction>>,
}

impl Listener for Sleeper {
    fn event(&self, _: Timestamp, event: &Event) {
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        if number == self.at {
            self.sandbox.advance(Duration::from_secs(1000));
            write(&self.cloud, foreign("two", 0)).now_or_never().unwrap();
            self.before.store(self.sandbox.mutations(), Ordering::SeqCst);
        } else if number > self.at
            && let Event::StepStarted { action, .. } = event
        {
            self.begun.lock().unwrap().push(action.clone());
        }
    }
}

/// Carries a plan out and falls asleep at an event; gives what is wrong with what happened then, or nothing when there
/// were not so many events.
async fn asleep_at(sandbox: &Sandbox, plan: &Plan, at: usize) -> Option<Vec<String>> {
    let sandbox = sandbox.reborn();
    let cloud = sandbox.cloud();
    let sleeper = Sleeper {
        cloud: sandbox.reborn().cloud(),
        sandbox: sandbox.clone(),
        at,
        seen: AtomicUsize::new(0),
        before: AtomicU64::new(u64::MAX),
        begun: Mutex::new(Vec::new()),
    };
    let sleeper = Sleeper { cloud: cloud.clone(), ..sleeper };
    let context = Context::new(&cloud, plan, &sleeper, Stop::default());
    let lock = held(&cloud, "one").await;
    let applied = apply::execute(&context, Some(&lock)).await;
    let before = sleeper.before.load(Ordering::SeqCst);
    if before == u64::MAX {
        return None;
    }
    lock.release().await.unwrap();
    let mut wrong = Vec::new();
    // One renewal is tried, and refused.
    let calls = sandbox.mutations() - before;
    if calls > 1 {
        wrong.push(format!("event {at}: {calls} calls changed something, or tried to"));
    }
    let begun = sleeper.begun.into_inner().unwrap();
    if !begun.is_empty() {
        wrong.push(format!("event {at}: began {begun:?}"));
    }
    let finished = applied.not_begun.is_empty() && applied.failed.is_empty();
    if !finished && !applied.failed.iter().any(|failure| lost(&failure.error)) {
        wrong.push(format!("event {at}: does not say that the lock is lost: {:?}", applied.failed));
    }
    if whose(there(&cloud).await) != "two" {
        wrong.push(format!("event {at}: the lock of the other one is gone"));
    }
    Some(wrong)
}

/// At every event of a replacement and of a destruction: whoever wakes up without the lock changes nothing more.
#[test]
fn an_owner_that_slept_and_lost_its_lock_changes_nothing_more() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        for plan in [plan_for(&cloud, &changed()).await, plan_destroy(&cloud, &example()).await] {
            let (mut at, mut wrong) = (0, Vec::new());
            while let Some(found) = asleep_at(&sandbox, &plan, at).await {
                wrong.extend(found);
                at += 1;
            }
            assert!(at > 30, "there were {at} events only");
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
    });
}

/// Passes the lock on when a stack is being deleted.
struct PassedOn(Cloud, Mutex<Option<Timestamp>>);

impl Listener for PassedOn {
    fn event(&self, at: Timestamp, event: &Event) {
        let mut passed = self.1.lock().unwrap();
        if passed.is_none() && matches!(event, Event::Resource { status, .. } if status == "DELETE_IN_PROGRESS") {
            write(&self.0, foreign("two", 0)).now_or_never().unwrap();
            *passed = Some(at);
        }
    }
}

/// Whoever only follows what it began sees within a minute that the lock is lost, and follows no longer.
#[test]
fn a_lock_that_is_lost_ends_the_run_at_the_next_renewal() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        let plan = plan_destroy(&cloud, &example()).await;
        let listener = PassedOn(cloud.clone(), Mutex::new(None));
        let lock = held(&cloud, "one").await;
        sandbox.add_fault(Fault::Slow(Slow { target: Target::default(), factor: 1000.0 }));
        let context = Context::new(&cloud, &plan, &listener, Stop::default());
        let applied = apply::execute(&context, Some(&lock)).await;
        assert!(applied.failed.iter().any(|failure| lost(&failure.error)), "{:?}", applied.failed);
        let after = cloud.clock.now().0 - listener.1.lock().unwrap().unwrap().0;
        assert!((1..=66).contains(&after), "{after} s");
    });
}

/// Whoever wakes up and still has the lock goes on.
#[test]
fn an_owner_that_slept_and_kept_its_lock_goes_on() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        let lock = held(&cloud, "one").await;
        let etag = there(&cloud).await.unwrap().etag;
        sandbox.advance(Duration::from_secs(100));
        lock.assure(Care::Makes).await.unwrap();
        assert_eq!(there(&cloud).await.unwrap().etag, etag, "a young lease needs no renewal");
        sandbox.advance(Duration::from_secs(20));
        lock.assure(Care::Makes).await.unwrap();
        let renewed = there(&cloud).await.unwrap().etag;
        assert_ne!(renewed, etag, "an old one does");
        lock.assure(Care::Takes).await.unwrap();
        let again = there(&cloud).await.unwrap().etag;
        assert_ne!(again, renewed, "what takes away asks each time, and each renewal gives another entity tag");
        sandbox.advance(Duration::from_secs(86_400));
        lock.assure(Care::Makes).await.unwrap();
        lock.release().await.unwrap();
        assert_eq!(there(&cloud).await, None);
    });
}

/// A clock that calls somebody each time that it is asked how old something is.
struct Watched {
    inner: Arc<dyn Clock>,
    asked: Box<dyn Fn() + Send + Sync>,
}

#[async_trait::async_trait]
impl Clock for Watched {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn elapsed(&self) -> Duration {
        (self.asked)();
        self.inner.elapsed()
    }

    fn unique(&self) -> String {
        self.inner.unique()
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
}

/// A renewal that took longer than it is good for is repeated: the machine slept while the answer was on its way.
#[test]
fn a_renewal_whose_answer_came_late_is_repeated() {
    on_sandbox(async {
        let sandbox = made().await;
        let (plain, sleeps) = (sandbox.cloud(), Arc::new(AtomicUsize::new(0)));
        let (left, asleep) = (sleeps.clone(), sandbox.clone());
        // Asked when a renewal begins, and when its answer is there.
        let asked = move || {
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok_and(|n| n == 1) {
                asleep.advance(Duration::from_secs(700));
            }
        };
        let clock = Arc::new(Watched { inner: plain.clock.clone(), asked: Box::new(asked) });
        let cloud = Cloud { clock, ..plain.clone() };
        let lock = held(&cloud, "one").await;
        let before = there(&plain).await.unwrap().info.unwrap().renewals;
        sleeps.store(2, Ordering::SeqCst);
        lock.assure(Care::Takes).await.unwrap();
        assert_eq!(there(&plain).await.unwrap().info.unwrap().renewals, before + 2);
        lock.assure(Care::Makes).await.unwrap();
        assert_eq!(there(&plain).await.unwrap().info.unwrap().renewals, before + 2, "and is good then");
    });
}

// ---- every call -----------------------------------------------------------------------------------------------------

/// The methods of a port, each with its text.
fn methods(path: &str, port: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap();
    let begin = text.find(&format!("impl {port} for ")).unwrap();
    let text = &text[begin..begin + text[begin..].find("\n}\n").unwrap()];
    let one = |part: &str| (part.split('(').next().unwrap().to_owned(), part.to_owned());
    text.split("async fn ").skip(1).map(one).collect()
}

/// What changes something on the sandbox is what looks at the lock first: in each port that a step uses.
#[test]
fn every_call_that_changes_something_looks_at_the_lock() {
    let ports = [
        ("Stacks", "stacks", "guard"),
        ("Objects", "objects", "guard"),
        ("FileSystems", "file_systems", "guard_machines"),
        ("Compute", "compute", "guard_machines"),
    ];
    let mut changing = 0;
    for (port, double, guard) in ports {
        let guarded = methods(&format!("src/apply/{guard}.rs"), port);
        for (name, text) in methods(&format!("src/cloud/sandbox/{double}.rs"), port) {
            let (_, here) = guarded.iter().find(|(other, _)| *other == name).unwrap();
            // `purge` is `purge_but` there.
            let changes = text.contains("Call::change") || name == "purge";
            assert_eq!(changes, here.contains("self.may("), "{port}::{name}");
            assert!(here.contains(&format!(".{name}(")), "{port}::{name} calls something else");
            changing += usize::from(changes);
        }
    }
    assert!(changing > 20, "{changing}");
    // Nothing that a step does goes past these ports.
    for file in fs::read_dir("src/apply").unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for port in ["experiments", "inventory"] {
            assert!(!text.contains(&format!("cloud.{port}.")), "{} uses {port}", path.display());
        }
    }
}

/// What can take something away asks S3 each time.
#[test]
fn what_takes_away_asks_s3_first() {
    on_sandbox(async {
        let sandbox = made().await;
        let plain = sandbox.cloud();
        let lock = held(&plain, "one").await;
        let cloud = apply::guarded(&plain, &lock);
        let young = async || {
            let before = there(&plain).await.unwrap().etag;
            move |after: FoundLock| before != after.etag
        };
        let none = || "no-such-thing".to_owned();
        let renewed = young().await;
        cloud.objects.put(BUCKET, "x", vec![1], PutCondition::Always).await.unwrap();
        assert!(!renewed(there(&plain).await.unwrap()), "what is written needs a young lease");
        for call in 0..9 {
            let renewed = young().await;
            let _ = match call {
                0 => cloud.stacks.delete("no-such-stack", &[], "t").await.is_ok(),
                1 => cloud.stacks.continue_rollback("no-such-stack", &[]).await.is_ok(),
                2 => cloud.objects.delete(BUCKET, "x").await.is_ok(),
                3 => cloud.objects.delete_if(BUCKET, "x", "\"0\"").await.is_ok(),
                4 => cloud.objects.purge(BUCKET, "x").await.is_ok(),
                5 => cloud.objects.purge_but(BUCKET, "x", "y").await.is_ok(),
                6 => cloud.compute.terminate(&[none()]).await.is_ok(),
                7 => cloud.compute.stop(&none()).await.is_ok(),
                _ => cloud.compute.detach_volume(&none()).await.is_ok(),
            };
            assert!(renewed(there(&plain).await.unwrap()), "call {call}");
        }
        write(&plain, foreign("two", 0)).await;
        let refused = cloud.objects.delete(BUCKET, "x").await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::LockLost);
        assert!(lost(&refused.into()));
        assert_eq!(
            cloud.objects.put(BUCKET, "x", vec![1], PutCondition::Always).await.unwrap_err().kind,
            ErrorKind::LockLost
        );
    });
}

/// Whoever has given the lock back writes nothing in its name.
#[test]
fn a_lock_that_was_given_back_is_no_right_to_write() {
    on_sandbox(async {
        let sandbox = made().await;
        let plain = sandbox.cloud();
        let lock = held(&plain, "one").await;
        let cloud = apply::guarded(&plain, &lock);
        lock.release().await.unwrap();
        let before = sandbox.mutations();
        assert!(cloud.objects.put(BUCKET, "x", vec![1], PutCondition::Always).await.is_err());
        assert!(cloud.compute.stop("i-1").await.is_err());
        assert_eq!(sandbox.mutations(), before);
    });
}

// ---- renewals that fail ---------------------------------------------------------------------------------------------

/// Lets all writes to S3 fail as soon as something of a stack is deleted.
struct Cut {
    sandbox: Sandbox,
    error: CallErrorKind,
    at: Mutex<Option<Timestamp>>,
    begun: Mutex<Vec<(i64, StepAction)>>,
}

impl Listener for Cut {
    fn event(&self, at: Timestamp, event: &Event) {
        let mut cut = self.at.lock().unwrap();
        match (*cut, event) {
            (None, Event::Resource { .. }) => {
                self.sandbox.add_fault(Fault::Error(call_error("PutObject", self.error, 0, u32::MAX)));
                *cut = Some(at);
            }
            (Some(since), Event::StepStarted { action, .. }) => {
                self.begun.lock().unwrap().push((at.0 - since.0, action.clone()));
            }
            _ => {}
        }
    }
}

/// A lease that cannot be renewed ends: nothing is begun after two thirds of it, and at its end the command stops and says why.
#[test]
fn renewals_that_fail_for_good_end_the_run() {
    on_sandbox(async {
        for (error, factor) in [(CallErrorKind::Credentials, 1000.0), (CallErrorKind::Unavailable, 3.0)] {
            let sandbox = made().await;
            let cloud = sandbox.cloud();
            let plan = plan_destroy(&cloud, &example()).await;
            sandbox.add_fault(Fault::Slow(Slow { target: Target::default(), factor }));
            let cut = Cut { sandbox: sandbox.clone(), error, at: Mutex::new(None), begun: Mutex::new(Vec::new()) };
            let context = Context::new(&cloud, &plan, &cut, Stop::default());
            let lock = held(&cloud, "one").await;
            let applied = apply::execute(&context, Some(&lock)).await;
            let ended = cloud.clock.now().0 - cut.at.lock().unwrap().unwrap().0;
            let causes: Vec<&String> = applied
                .failed
                .iter()
                .filter_map(|failure| match &failure.error {
                    ApplyError::LeaseEnded { cause } => Some(cause),
                    _ => None,
                })
                .collect();
            assert_eq!(causes.len(), 1, "{:?}", applied.failed);
            let interrupted = |failure: &apply::StepFailure| failure.error == ApplyError::Interrupted;
            assert!(!applied.failed.iter().any(interrupted), "nobody interrupted: {:?}", applied.failed);
            assert!(causes[0].starts_with("s3 PutObject ("), "{causes:?}");
            assert!(!applied.not_begun.is_empty());
            let late: Vec<_> = cut.begun.lock().unwrap().iter().filter(|(after, _)| *after > 400).cloned().collect();
            assert_eq!(late, vec![]);
            assert!(ended <= 700, "{ended} s");
            if factor > 100.0 {
                assert!(ended >= 590, "what was begun is followed to the end of the lease: {ended} s");
            } else {
                assert!(!cut.begun.lock().unwrap().is_empty(), "a failure that may pass stops nothing at once");
            }
        }
    });
}

/// A failure that passes is no loss, also within the last third.
#[test]
fn a_renewal_that_succeeds_again_is_enough() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        let lock = held(&cloud, "one").await;
        let fails = |times| Script {
            faults: vec![Fault::Error(call_error("PutObject", CallErrorKind::Unavailable, 0, times))],
            ..Script::default()
        };
        sandbox.set_script(fails(4));
        sandbox.advance(Duration::from_secs(399));
        lock.assure(Care::Makes).await.unwrap();
        sandbox.advance(Duration::from_secs(1));
        for care in [Care::Makes, Care::Takes] {
            assert!(matches!(lock.assure(care).await, Err(ApplyError::LeaseEnded { .. })));
        }
        let refused = apply::guarded(&cloud, &lock).objects.delete(BUCKET, "x").await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::LeaseEnded);
        lock.assure(Care::Takes).await.unwrap();
        lock.release().await.unwrap();
    });
}

// ---- answers that are lost ------------------------------------------------------------------------------------------

#[test]
fn a_lock_whose_answer_was_lost_is_ours() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        let lose = |times| Script {
            faults: vec![Fault::Unheard(call_error("PutObject", CallErrorKind::Network, 0, times))],
            ..Script::default()
        };
        sandbox.set_script(lose(1));
        let lock = held(&cloud, "one").await;
        // The same for a renewal: the next one finds another entity tag, and its own token.
        sandbox.set_script(lose(2));
        lock.assure(Care::Takes).await.unwrap();
        lock.assure(Care::Takes).await.unwrap();
        lock.assure(Care::Takes).await.unwrap();
        // And before it is given back.
        sandbox.set_script(lose(3));
        lock.assure(Care::Takes).await.unwrap();
        lock.release().await.unwrap();
        assert_eq!(there(&cloud).await, None);

        // A lock that is taken over.
        sandbox.set_script(Script::default());
        write(&cloud, foreign("two", 0)).await;
        sandbox.set_script(lose(4));
        let taken = Claim { is_dead: &|_| true, ..claim("one") }.acquire(&cloud).await.unwrap();
        let LockOutcome::TakenOver(lock, before) = taken else { panic!("not taken over") };
        assert_eq!(whose(Some(before)), "two");
        // What is somebody else's is not ours, whatever was lost.
        sandbox.set_script(Script::default());
        write(&cloud, foreign("two", 1)).await;
        assert!(lost(&lock.assure(Care::Takes).await.unwrap_err()));
        assert!(lost(&lock.assure(Care::Makes).await.unwrap_err()), "and stays lost");
        assert_eq!(whose(there(&cloud).await), "two");
        // Whoever cannot see whose it is has lost it; and so has whoever finds no bucket.
        for (operation, error) in [("GetObject", CallErrorKind::Unavailable), ("PutObject", CallErrorKind::NotFound)] {
            cloud.objects.delete(BUCKET, &keys::lock(CLUSTER)).await.unwrap();
            let lock = held(&cloud, "one").await;
            if operation == "GetObject" {
                write(&cloud, foreign("two", 1)).await;
            }
            let fault = Fault::Error(call_error(operation, error, 0, 2));
            sandbox.set_script(Script { faults: vec![fault], ..Script::default() });
            assert!(lost(&lock.assure(Care::Takes).await.unwrap_err()), "{operation}");
            assert!(lost(&lock.assure(Care::Makes).await.unwrap_err()), "{operation}");
        }
        // A call that failed without effect is a failure.
        cloud.objects.delete(BUCKET, &keys::lock(CLUSTER)).await.unwrap();
        sandbox.set_script(Script {
            faults: vec![Fault::Error(call_error("PutObject", CallErrorKind::Network, 0, 5))],
            ..Script::default()
        });
        assert_eq!(claim("one").acquire(&cloud).await.err().unwrap().kind, ErrorKind::Network);
    });
}

/// What takes something away is not begun before S3 has said whose the lock is.
#[test]
fn what_takes_away_waits_for_an_answer() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        let lock = held(&cloud, "one").await;
        let failing = |times| Script {
            faults: vec![Fault::Error(call_error("PutObject", CallErrorKind::Network, 0, times))],
            ..Script::default()
        };
        sandbox.set_script(failing(2));
        let before = cloud.clock.now();
        lock.assure(Care::Takes).await.unwrap();
        assert!(cloud.clock.now().0 - before.0 >= 10, "it waited");
        sandbox.set_script(failing(10_000));
        lock.assure(Care::Makes).await.unwrap();
        let ended = lock.assure(Care::Takes).await.unwrap_err();
        assert!(matches!(ended, ApplyError::LeaseEnded { .. }), "{ended:?}");
    });
}

/// Old locks have no token: nobody takes one for his own.
#[test]
fn a_lock_without_a_token_is_nobodys_own() {
    on_sandbox(async {
        let cloud = made().await.cloud();
        let lock = held(&cloud, "one").await;
        let mut old: serde_json::Value = serde_json::from_slice(&foreign("two", 0)).unwrap();
        old.as_object_mut().unwrap().retain(|key, _| key != "token" && key != "renewals");
        write(&cloud, serde_json::to_vec(&old).unwrap()).await;
        assert!(lost(&lock.assure(Care::Takes).await.unwrap_err()));
        assert_eq!(whose(there(&cloud).await), "two");
    });
}

// ---- locks that cannot be read, and waits ---------------------------------------------------------------------------

/// How long a claim took, and whether it got the lock.
async fn asked(sandbox: &Sandbox, minutes: Option<u64>) -> (i64, bool) {
    let cloud = sandbox.cloud();
    let began = cloud.clock.now();
    let until = minutes.map(|minutes| cloud.clock.elapsed() + Duration::from_secs(minutes * 60));
    let outcome = Claim { until, ..claim("one") }.acquire(&cloud).await.unwrap();
    (cloud.clock.now().0 - began.0, !matches!(outcome, LockOutcome::Refused(_)))
}

/// A lock that cannot be read is somebody's: it is taken when it stands still for a lease, and not before.
#[test]
fn a_lock_that_cannot_be_read_is_held_by_somebody() {
    on_sandbox(async {
        for body in [&b"\xff{"[..], b"", b"null", b"{\"owner\": 1}"] {
            let sandbox = made().await;
            let cloud = sandbox.cloud();
            write(&cloud, body.to_vec()).await;
            assert_eq!(there(&cloud).await.unwrap().info, None);
            assert_eq!(asked(&sandbox, Some(0)).await, (0, false));
            assert_eq!(there(&cloud).await.unwrap().info, None, "it is as it was");
            let (seconds, taken) = asked(&sandbox, None).await;
            assert!(taken && (600..=610).contains(&seconds), "{seconds}");
            assert_eq!(whose(there(&cloud).await), "one");
        }
    });
}

/// How long somebody waits is his word, whatever the lock looks like; and a lock stands still by one's own clock alone.
#[test]
fn a_wait_is_as_long_as_it_was_said() {
    on_sandbox(async {
        for (renewed, minutes, seconds, taken) in [
            // It seems to be silent.
            (0, Some(2), 120..=125, false),
            (0, Some(0), 0..=0, false),
            (0, Some(11), 600..=605, true),
            (0, None, 600..=605, true),
            // It seems to be held: its owner's clock is years ahead, and it is silent.
            (2_000_000_000, Some(2), 120..=125, false),
            (2_000_000_000, Some(11), 600..=605, true),
            (2_000_000_000, None, 0..=0, false),
        ] {
            let sandbox = made().await;
            let mut body: LockInfo = serde_json::from_slice(&foreign("two", 0)).unwrap();
            body.renewed = Timestamp(renewed);
            write(&sandbox.cloud(), serde_json::to_vec(&body).unwrap()).await;
            let (took, got) = asked(&sandbox, minutes).await;
            assert!(seconds.contains(&took) && got == taken, "{renewed} {minutes:?}: {took} s, {got}");
        }
    });
}

/// Whoever was faster has it, and whoever does not want to wait does not.
#[test]
fn a_lock_that_changes_hands_is_not_taken_over() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        write(&cloud, foreign("gone", 0)).await;
        let dies = |owner: &Owner| {
            let gone = owner.arn.ends_with("gone");
            if gone {
                write(&cloud, foreign("two", 0)).now_or_never().unwrap();
            }
            gone
        };
        let outcome = Claim { is_dead: &dies, ..claim("one") }.acquire(&cloud).await.unwrap();
        let LockOutcome::Refused(found) = outcome else { panic!("taken from who has just taken it over") };
        assert_eq!((whose(Some(found)), whose(there(&cloud).await)), ("two".to_owned(), "two".to_owned()));

        write(&cloud, b"?".to_vec()).await;
        let now = cloud.clock.now();
        let refused = Claim { waits: &|_| false, ..claim("one") }.acquire(&cloud).await.unwrap();
        assert!(matches!(refused, LockOutcome::Refused(_)));
        assert_eq!(cloud.clock.now(), now);
    });
}

/// What a lock says may be anybody's.
#[test]
fn times_of_a_lock_that_are_no_times_do_no_harm() {
    on_sandbox(async {
        for renewed in [i64::MAX, i64::MIN] {
            let sandbox = made().await;
            let mut body: LockInfo = serde_json::from_slice(&foreign("two", 0)).unwrap();
            (body.renewed, body.since) = (Timestamp(renewed), Timestamp(renewed));
            body.owner.host = "\u{1b}]0;x\u{7}".to_owned();
            write(&sandbox.cloud(), serde_json::to_vec(&body).unwrap()).await;
            let found = there(&sandbox.cloud()).await.unwrap();
            let words = hpcctl::report::words::lock(&found).join("\n");
            assert!(words.contains("\\u{1b}]0;x\\u{7}") && !words.contains('\u{1b}'), "{words}");
            assert_eq!(asked(&sandbox, Some(0)).await, (0, false));
        }
    });
}

// ---- releasing ------------------------------------------------------------------------------------------------------

/// Releases the lock as it is now, while somebody renews it, passes it on or lets it be after so many seconds.
async fn released(cloud: &Cloud, forced: bool, after: u64, then: Option<Vec<u8>>) -> (Released, i64) {
    let (found, began) = (there(cloud).await.unwrap(), cloud.clock.now());
    let release = apply::unlock(cloud, BUCKET, CLUSTER, found, forced, &|| true);
    let meanwhile = async {
        cloud.clock.sleep(Duration::from_secs(after)).await;
        if let Some(body) = then {
            write(cloud, body).await;
        }
    };
    let (released, ()) = tokio::join!(release, meanwhile);
    (released.unwrap(), cloud.clock.now().0 - began.0)
}

#[test]
fn a_lock_is_released_that_stands_still_and_no_other() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        write(&cloud, foreign("one", 0)).await;
        let (done, seconds) = released(&cloud, false, 1, None).await;
        assert!(done == Released::Done && (600..=605).contains(&seconds), "{done:?} {seconds}");
        assert_eq!(there(&cloud).await, None);

        for at in [3, 595] {
            write(&cloud, foreign("one", 0)).await;
            let (renewed, _) = released(&cloud, false, at, Some(foreign("one", 1))).await;
            assert!(matches!(renewed, Released::Renewed(_)), "{renewed:?}");
            let (passed, _) = released(&cloud, false, at, Some(foreign("two", 0))).await;
            assert!(matches!(passed, Released::Passed(_)), "{passed:?}");
            assert_eq!(whose(there(&cloud).await), "two");
        }
        write(&cloud, b"?".to_vec()).await;
        let (done, seconds) = released(&cloud, false, 1, None).await;
        assert!(done == Released::Done && seconds >= 600, "one that cannot be read, too: {done:?}");

        // By force: as it was found, or renewed since; not another one.
        write(&cloud, foreign("one", 0)).await;
        let found = there(&cloud).await.unwrap();
        let force =
            async |found: FoundLock| apply::unlock(&cloud, BUCKET, CLUSTER, found, true, &|| true).await.unwrap();
        write(&cloud, foreign("one", 1)).await;
        assert_eq!(force(found.clone()).await, Released::Done);
        assert_eq!(force(found.clone()).await, Released::Gone);
        write(&cloud, foreign("two", 0)).await;
        assert!(matches!(force(found.clone()).await, Released::Passed(_)));
        assert_eq!(whose(there(&cloud).await), "two");
        // Old locks have no token: two of them are two.
        let old = |host: &str| {
            format!(
                r#"{{"owner": {{"arn": "x/{host}", "host": "{host}", "pid": 1}}, "plan": "p", "since": 1, "renewed": 1}}"#
            )
        };
        write(&cloud, old("one").into()).await;
        let found = there(&cloud).await.unwrap();
        write(&cloud, old("two").into()).await;
        assert!(matches!(force(found).await, Released::Passed(_)));
        assert_eq!(whose(there(&cloud).await), "two");
        let found = there(&cloud).await.unwrap();
        let unknown = apply::unlock(&cloud, BUCKET, CLUSTER, found, false, &|| false).await.unwrap();
        assert_eq!(unknown, Released::Unknown, "whoever does not look on releases nothing");
        assert_eq!(whose(there(&cloud).await), "two");
    });
}

/// What was given back or buried is not somebody else's.
#[test]
fn only_ones_own_lock_is_given_back() {
    on_sandbox(async {
        let sandbox = made().await;
        let cloud = sandbox.cloud();
        for for_good in [false, true] {
            let lock = held(&cloud, "one").await;
            write(&cloud, foreign("two", 0)).await;
            if for_good {
                lock.forget().await.unwrap()
            } else {
                lock.release().await.unwrap()
            }
            assert_eq!(whose(there(&cloud).await), "two");
            cloud.objects.delete(BUCKET, &keys::lock(CLUSTER)).await.unwrap();
        }
        held(&cloud, "one").await.forget().await.unwrap();
        assert_eq!(cloud.objects.purge(BUCKET, &keys::lock(CLUSTER)).await, Ok(0), "no version is left");

        // Buried: of a dead owner, as it was found.
        write(&cloud, foreign("one", 0)).await;
        apply::bury(&cloud, BUCKET, CLUSTER, &|_| false).await.unwrap();
        assert_eq!(whose(there(&cloud).await), "one");
        let taken = AtomicBool::new(false);
        let dies = |_: &Owner| {
            if !taken.swap(true, Ordering::SeqCst) {
                write(&cloud, foreign("two", 0)).now_or_never().unwrap();
            }
            true
        };
        apply::bury(&cloud, BUCKET, CLUSTER, &dies).await.unwrap();
        assert_eq!(whose(there(&cloud).await), "two", "somebody took it over in between");
        apply::bury(&cloud, BUCKET, CLUSTER, &|_| true).await.unwrap();
        assert_eq!(cloud.objects.purge(BUCKET, &keys::lock(CLUSTER)).await, Ok(0), "no version is left");
    });
}

/// S3 deletes on a condition, and what was is not what is.
#[test]
fn the_double_deletes_on_a_condition() {
    on_sandbox(async {
        let cloud = made().await.cloud();
        let objects = &cloud.objects;
        let put = async |body: &str| objects.put(BUCKET, "x", body.into(), PutCondition::Always).await.unwrap();
        let kind = |answer: Result<(), hpcctl::cloud::CloudError>| answer.err().map(|error| error.kind);
        assert_eq!(kind(objects.delete_if(BUCKET, "x", "\"0\"").await), Some(ErrorKind::PreconditionFailed));
        let (one, two) = (put("one").await, put("two").await);
        assert_eq!(kind(objects.delete_if(BUCKET, "x", &one).await), Some(ErrorKind::PreconditionFailed));
        assert_eq!(objects.purge_old(BUCKET, "x").await, Ok(1));
        assert_eq!(objects.get(BUCKET, "x").await.unwrap().unwrap().1, two, "what is now stays");
        assert_eq!(kind(objects.delete_if(BUCKET, "x", &two).await), None);
        assert_eq!(objects.get(BUCKET, "x").await.unwrap(), None);
        assert_eq!(objects.purge_old(BUCKET, "x").await, Ok(2), "the version and its delete marker");
        assert_eq!(objects.purge_old(BUCKET, "x").await, Ok(0));
    });
}

// ---- what S3 itself holds -------------------------------------------------------------------------------------------

/// Raises a flag when the last publication begins.
struct Publishes(Arc<AtomicBool>);

impl Listener for Publishes {
    fn event(&self, _: Timestamp, event: &Event) {
        if matches!(event, Event::StepStarted { action: StepAction::Publish { last: true }, .. }) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

/// Whoever was stopped between the look at the lock and the write does not undo what somebody else has written: S3 holds it by
/// the entity tag.
#[test]
fn what_another_one_wrote_in_between_stays() {
    on_sandbox(async {
        for key in [keys::current(CLUSTER, "cluster.json"), keys::head(CLUSTER)] {
            let sandbox = made().await;
            let plain = sandbox.cloud();
            let plan = plan_for(&plain, &changed()).await;
            let publishes = Arc::new(AtomicBool::new(false));
            let (flag, other, at, written) = (publishes.clone(), plain.clone(), key.clone(), AtomicUsize::new(0));
            let asked = move || {
                if flag.load(Ordering::SeqCst) {
                    let (body, _) = other.objects.get(BUCKET, &at).now_or_never().unwrap().unwrap().unwrap();
                    let mut value: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    value["by"] = format!("two {}", written.fetch_add(1, Ordering::SeqCst)).into();
                    let put = other.objects.put(BUCKET, &at, value.to_string().into(), PutCondition::Always);
                    put.now_or_never().unwrap().unwrap();
                }
            };
            let clock = Arc::new(Watched { inner: plain.clock.clone(), asked: Box::new(asked) });
            let cloud = Cloud { clock, ..plain.clone() };
            let listener = Publishes(publishes);
            let context = Context::new(&cloud, &plan, &listener, Stop::default());
            let lock = held(&cloud, "one").await;
            let applied = apply::execute(&context, Some(&lock)).await;
            assert!(applied.failed.iter().any(|failure| lost(&failure.error)), "{key}: {:?}", applied.failed);
            let (body, _) = plain.objects.get(BUCKET, &key).await.unwrap().unwrap();
            assert!(String::from_utf8(body).unwrap().contains("\"two "), "{key} was written over");
        }
    });
}

/// A revision that is older than the newest, or another one of the same number, does not become the newest.
#[test]
fn an_old_revision_does_not_become_the_newest_again() {
    on_sandbox(async {
        for (ahead, plan_of) in [(1, "another"), (0, "another")] {
            let sandbox = made().await;
            let cloud = sandbox.cloud();
            let plan = plan_for(&cloud, &changed()).await;
            let (body, _) = cloud.objects.get(BUCKET, &keys::head(CLUSTER)).await.unwrap().unwrap();
            let mut newest: serde_json::Value = serde_json::from_slice(&body).unwrap();
            newest["number"] = (plan.revision + ahead).into();
            newest["plan"] = plan_of.into();
            let newest = newest.to_string();
            cloud.objects.put(BUCKET, &keys::head(CLUSTER), newest.clone().into(), PutCondition::Always).await.unwrap();
            let applied = carry_out(&cloud, &plan).await;
            assert!(applied.failed.iter().any(|failure| lost(&failure.error)), "{:?}", applied.failed);
            let (body, _) = cloud.objects.get(BUCKET, &keys::head(CLUSTER)).await.unwrap().unwrap();
            assert_eq!(String::from_utf8(body).unwrap(), newest);
        }
    });
}

// ---- words that come once -------------------------------------------------------------------------------------------

/// Two attempts within one second are two: an export of one is none of the other.
#[test]
fn each_attempt_exports_anew() {
    on_sandbox(async {
        let cloud = made().await.cloud();
        let plan = plan_destroy(&cloud, &example()).await;
        let events = Events::default();
        let now = cloud.clock.now();
        let token = || Context::new(&cloud, &plan, &events, Stop::default()).fresh_token(3);
        let (one, other) = (token(), token());
        assert_eq!(cloud.clock.now(), now);
        assert_ne!(one, other);
        for token in [one, other] {
            // https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateDataRepositoryTask.html
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            assert!(token.len() <= 63 && token.chars().all(fits), "{token}");
        }
    });
}
