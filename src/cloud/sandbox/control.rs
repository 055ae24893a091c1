//! The sandbox as one thing: the world, its file, its clock, and what goes wrong.

use super::{
    CALLS_VARIABLE, FAULTS_VARIABLE, INSTANCE_VARIABLE, PACE_VARIABLE,
    clock::{SandboxClock, VirtualClock, real_ms},
    faults::{CallError, Fault, HandEdit, Script},
    iam::{Access, Principal},
    operations,
    sim::Sim,
    store::Store,
    world::World,
};
use crate::cloud::{Cloud, CloudError, CloudKind, ErrorKind, MOST_TEXT, Result, Timestamp, read_text};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Virtual seconds after which the time alone is worth writing to the file.
const WRITE_TIME_AFTER: i64 = 30;

/// An account; clones are handles on the same one.
#[derive(Clone)]
pub struct Sandbox {
    pub(super) region: String,
    /// The instance that this program is taken to run on.
    pub(super) instance: Option<String>,
    clock: Arc<VirtualClock>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    world: World,
    store: Store,
    script: Script,
    crashed: bool,
    written: Timestamp,
    /// Where calls are written down.
    calls: Option<PathBuf>,
}

/// A call of a port.
#[derive(Clone, Copy)]
pub(super) struct Call {
    service: &'static str,
    operation: &'static str,
    changes: bool,
}

impl Call {
    /// A call that only looks.
    pub const fn look(service: &'static str, operation: &'static str) -> Self {
        Self { service, operation, changes: false }
    }

    /// A call that changes something.
    pub const fn change(service: &'static str, operation: &'static str) -> Self {
        Self { service, operation, changes: true }
    }

    pub fn error(self, kind: ErrorKind, code: &str, message: impl Into<String>) -> CloudError {
        CloudError {
            kind,
            service: self.service,
            operation: self.operation,
            code: Some(code.to_owned()),
            message: message.into(),
            request_id: None,
        }
    }

    /// IAM's word for a policy that nobody can read.
    pub fn malformed(self, words: String) -> CloudError {
        self.error(ErrorKind::Invalid, "MalformedPolicyDocument", words)
    }

    /// Services that nodes have no business with, unless a statement says so: these calls know their resources by `*` here.
    fn others(self) -> Option<Access> {
        let Self { service, operation, .. } = self;
        ["cloudformation", "fsx", "iam", "logs", "fis"]
            .contains(&service)
            .then(|| Access::new(&format!("{service}:{operation}"), "*"))
    }

    /// CloudFormation's word for a request that is wrong.
    pub fn invalid(self, message: impl Into<String>) -> CloudError {
        self.error(ErrorKind::Invalid, "ValidationError", message)
    }
}

impl Sandbox {
    /// The account in this file, with the faults and the pace that the environment asks for.
    pub fn open(state_file: &Path, region: &str) -> Result<Self> {
        let script = match std::env::var_os(FAULTS_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => read_script(Path::new(&path))?,
            None => Script::default(),
        };
        let pace = std::env::var(PACE_VARIABLE).ok().and_then(|text| text.parse().ok());
        Self::open_with(state_file, region, script, pace.filter(|pace: &f64| *pace > 0.0))
    }

    /// The account in this file, with these faults; `pace` is in virtual seconds per real second.
    pub fn open_with(state_file: &Path, region: &str, script: Script, pace: Option<f64>) -> Result<Self> {
        let mut store = Store::new(Some(state_file));
        let guard = store.lock()?;
        let world = store.read_if_changed()?.unwrap_or_default();
        drop(guard);
        Ok(Self::new(region, world, store, script, pace))
    }

    /// An empty account that is forgotten at the end, without faults.
    pub fn in_memory(region: &str) -> Self {
        Self::new(region, World::default(), Store::new(None), Script::default(), None)
    }

    /// The account in this state, to be forgotten.
    pub(super) fn of(world: World) -> Self {
        Self::new("us-east-1", world, Store::new(None), Script::default(), None)
    }

    fn new(region: &str, world: World, store: Store, script: Script, pace: Option<f64>) -> Self {
        let clock = Arc::new(VirtualClock::new(world.now, pace));
        let calls = std::env::var_os(CALLS_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let inner = Inner { written: world.now, world, store, script, crashed: false, calls };
        let instance = std::env::var(INSTANCE_VARIABLE).ok().filter(|id| !id.is_empty());
        Self { region: region.to_owned(), instance, clock, inner: Arc::new(Mutex::new(inner)) }
    }

    /// The ports.
    pub fn cloud(&self) -> Cloud {
        let all = Arc::new(self.clone());
        Cloud {
            kind: CloudKind::Sandbox,
            region: self.region.clone(),
            stacks: all.clone(),
            objects: all.clone(),
            file_systems: all.clone(),
            compute: all.clone(),
            identity: all.clone(),
            inventory: all.clone(),
            experiments: all.clone(),
            logs: all.clone(),
            metadata: all,
            clock: Arc::new(SandboxClock(self.clock.clone())),
        }
    }

    /// How many calls that change something there have been: what a crash fault counts.
    pub fn mutations(&self) -> u64 {
        self.lock().world.mutations
    }

    /// The same account as the next process finds it, after this one has crashed; without faults.
    pub fn reborn(&self) -> Self {
        let world = self.lock().world.clone();
        Self::new(&self.region, world, Store::new(None), Script::default(), None)
    }

    /// The same account in another region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.lock().script.faults.push(fault);
    }

    /// Replaces the script.
    pub fn set_script(&self, script: Script) {
        self.lock().script = script;
    }

    /// Changes a resource by hand, now.
    pub fn hand_edit(&self, edit: HandEdit) -> Result<()> {
        let call = Call::change("sandbox", "HandEdit");
        self.call(call, |world, _| {
            let found = world.stacks.values_mut().find(|s| s.name == edit.stack && s.deleted.is_none());
            let resource = found.and_then(|s| s.resources.get_mut(&edit.logical_id));
            let resource = resource.ok_or_else(|| call.error(ErrorKind::NotFound, "NotFound", "no such resource"))?;
            resource.edits.insert(edit.path, edit.value);
            Ok(())
        })
    }

    /// Deletes by hand what is in no stack any more, now.
    ///
    /// # Errors
    /// When there is no such thing.
    pub fn delete_by_hand(&self, id: &str) -> Result<()> {
        let call = Call::change("sandbox", "HandEdit");
        self.call(call, |world, _| {
            let gone = world.retained.remove(id);
            gone.map(drop).ok_or_else(|| call.error(ErrorKind::NotFound, "NotFound", "no such resource"))
        })
    }

    /// The same, in a hurry: where time is real because a rehearsal runs, it is skipped instead of waited for.
    pub fn hurried(self) -> Self {
        self.clock.hurry();
        self
    }

    /// Time is real from now on, for every program that uses the account.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn real_time(&self) -> Result<()> {
        self.call(Call::change("sandbox", "RealTime"), |world, _| {
            let ahead = (world.now.0 * 1000 - real_ms()).max(0);
            self.clock.follow(Some(*world.ahead_ms.get_or_insert(ahead)));
            Ok(())
        })
    }

    /// Time is virtual again; does nothing when it is.
    ///
    /// # Errors
    /// When the state file cannot be read or written.
    pub fn virtual_time(&self) -> Result<()> {
        if self.lock().world.ahead_ms.is_none() {
            return Ok(());
        }
        self.call(Call::change("sandbox", "VirtualTime"), |world, _| {
            world.ahead_ms = None;
            self.clock.follow(None);
            Ok(())
        })
    }

    /// Refuses what the role of the instance that this program runs on may not do. Programs of people may do all.
    pub(super) fn permit(&self, world: &World, call: Call, wanted: &[Access]) -> Result<()> {
        match self.principal(world) {
            None => Ok(()),
            Some(principal) => principal.map_err(|words| call.malformed(words))?.permit(call, wanted),
        }
    }

    /// The role that calls; `None` for a program of people, and for a role that no stack made.
    pub(super) fn principal(&self, world: &World) -> Option<std::result::Result<Principal, String>> {
        Principal::of(world, self.instance.as_ref()?)
    }

    /// By how many milliseconds the sandbox is ahead of this machine's clock, while time is real.
    pub fn ahead_ms(&self) -> Option<i64> {
        self.clock.ahead_ms()
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call: with the file locked and read, the course of things brought up to now, and the scripted faults.
    pub(super) fn call<T>(&self, call: Call, work: impl FnOnce(&mut World, &Script) -> Result<T>) -> Result<T> {
        self.clock.touch();
        let mut inner = self.lock();
        inner.refuse_after_crash(call)?;
        let _guard = inner.store.lock()?;
        inner.note(call)?;
        inner.catch_up(&self.clock)?;
        let crash = inner.crash_at(call);
        if let Some(false) = crash {
            inner.write()?;
            return Err(inner.crash(call));
        }
        let Inner { world, script, .. } = &mut *inner;
        let result = match scripted_error(world, script, call) {
            Some((error, false)) => Err(error),
            told => {
                let permitted = call.others().map_or(Ok(()), |access| self.permit(world, call, &[access]));
                let done = permitted.and_then(|()| work(world, script));
                // Done, and nobody hears of it.
                done.and_then(|answer| told.map_or(Ok(answer), |(error, _)| Err(error)))
            }
        };
        world.dirty |= call.changes;
        inner.write()?;
        if crash.is_some() { Err(inner.crash(call)) } else { result }
    }
}

impl Inner {
    fn refuse_after_crash(&self, call: Call) -> Result<()> {
        if self.crashed { Err(crash_error(call)) } else { Ok(()) }
    }

    fn crash(&mut self, call: Call) -> CloudError {
        self.crashed = true;
        crash_error(call)
    }

    /// Writes a call down where somebody wants to know.
    fn note(&self, call: Call) -> Result<()> {
        let Some(path) = &self.calls else { return Ok(()) };
        let file = std::fs::File::options().create(true).append(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "{} {}", call.service, call.operation));
        written.map_err(|e| {
            call.error(ErrorKind::Invalid, "Calls", format!("`{}` cannot be written: {e}", path.display()))
        })
    }

    /// Reads what other processes wrote, and lets the world move on to the clock's time.
    fn catch_up(&mut self, clock: &VirtualClock) -> Result<()> {
        if let Some(world) = self.store.read_if_changed()? {
            clock.raise(world.now);
            self.world = world;
        }
        let Self { world, script, .. } = self;
        clock.follow(world.ahead_ms);
        if world.ahead_ms != clock.ahead_ms() {
            world.ahead_ms = clock.ahead_ms();
            world.dirty = true;
        }
        Sim { world, script }.advance_to(clock.time());
        Ok(())
    }

    /// Whether the script lets this call crash, and if so, whether it still takes effect.
    fn crash_at(&mut self, call: Call) -> Option<bool> {
        if !call.changes {
            return None;
        }
        self.world.mutations += 1;
        self.world.dirty = true;
        let count = self.world.mutations;
        let hits = |fault: &Fault| matches!(fault, Fault::Crash(crash) if crash.at == count).then_some(1);
        match self.world.strike(&self.script, hits)? {
            Fault::Crash(crash) => Some(crash.effect),
            _ => None,
        }
    }

    fn write(&mut self) -> Result<()> {
        let now = self.world.now;
        // Real time needs no writing down.
        let late = self.world.ahead_ms.is_none() && now.0 - self.written.0 >= WRITE_TIME_AFTER;
        if self.world.dirty || late {
            self.world.now_text = now.to_string();
            self.store.write(&self.world)?;
            self.world.dirty = false;
            self.written = now;
        }
        Ok(())
    }
}

impl Drop for Inner {
    /// Keeps the time that has passed since the last write, unless another process has written meanwhile.
    fn drop(&mut self) {
        if self.crashed || self.world.now == self.written || self.world.ahead_ms.is_some() {
            return;
        }
        let Ok(_guard) = self.store.lock() else { return };
        if let Ok(None) = self.store.read_if_changed() {
            self.world.dirty = true;
            self.write().ok();
        }
    }
}

fn crash_error(call: Call) -> CloudError {
    CloudError { code: None, ..call.error(ErrorKind::Crash, "", "the sandbox was told to crash here") }
}

/// The error that a call answers, and whether the call takes effect all the same.
fn scripted_error(world: &mut World, script: &Script, call: Call) -> Option<(CloudError, bool)> {
    let fits = |error: &CallError| error.operation == call.operation || error.operation == "*";
    for (index, fault) in script.faults.iter().enumerate() {
        let (error, takes_effect) = match fault {
            Fault::Error(error) => (error, false),
            Fault::Unheard(error) => (error, true),
            _ => continue,
        };
        let times = error.times.unwrap_or(1);
        let fired = world.fired.entry(fault.key(index)).or_default();
        if !fits(error) || *fired >= error.after + times {
            continue;
        }
        *fired += 1;
        world.dirty = true;
        if *fired > error.after {
            let (kind, code, words) = error.error.answer(call.operation);
            let words = error.message.clone().unwrap_or_else(|| words.to_owned());
            return Some((call.error(kind, code, words), takes_effect));
        }
    }
    None
}

fn read_script(path: &Path) -> Result<Script> {
    let call = Call::look("sandbox", "Faults");
    let wrong =
        |what: String| call.error(ErrorKind::Invalid, "Faults", format!("the faults file `{}` {what}", path.display()));
    let text = read_text(path, MOST_TEXT).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let script = serde_json::from_str(&text)
        .map_err(|e| wrong(format!("is not valid: {e}; `docs/sandbox.md` has the format")))?;
    operations::misnamed(&script).map_or(Ok(script), |what| Err(wrong(what)))
}
