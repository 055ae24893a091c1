//! Virtual time: it moves only while everybody waits.
//!
//! A sleep ends at once, in real time, as soon as nothing else can make progress. Every sleeper counts how often it
//! was polled since the last sign of life (a call, a sleep that began or ended); executors poll in turns, so after a
//! few quiet turns everybody else waits too, and the earliest sleeper moves the clock to its own deadline. Sleepers
//! wake one at a time in the order of deadline and registration: on an executor with one thread a run is the same
//! run every time. No executor's own time is used, so any executor will do.
//!
//! While a rehearsal runs, machines live in real time, and so does the sandbox: it is as late as this machine's clock,
//! and by so much ahead as somebody in a hurry has skipped.

use crate::cloud::{Clock, Timestamp};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

/// Turns without a sign of life after which everybody is taken to wait. A message that passes through n tasks needs
/// n turns.
const QUIET_TURNS: u32 = 24;
/// The longest real pause in one poll, so that Ctrl-C is seen while time is paced.
const REAL_PAUSE: Duration = Duration::from_millis(50);

/// A clock that only moves while everybody waits on it.
pub(super) struct VirtualClock {
    inner: Mutex<Inner>,
    /// Virtual seconds per real second; `None`: as fast as possible.
    pace: Option<f64>,
}

struct Inner {
    now_ms: i64,
    /// While time is real: by how much it is ahead of this machine's clock.
    ahead_ms: Option<i64>,
    /// Whether waiting is skipped while time is real.
    hurried: bool,
    /// Grows with every sign of life.
    life: u64,
    registered: u64,
    /// Words given that come only once.
    words: u32,
    /// By deadline and registration: the sign of life that the sleeper saw last.
    sleepers: BTreeMap<(i64, u64), u64>,
}

impl VirtualClock {
    pub(super) fn new(at: Timestamp, pace: Option<f64>) -> Self {
        let inner = Inner {
            now_ms: at.0 * 1000,
            ahead_ms: None,
            hurried: false,
            life: 0,
            registered: 0,
            words: 0,
            sleepers: BTreeMap::new(),
        };
        Self { inner: Mutex::new(inner), pace }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sign of life: somebody made a call.
    pub(super) fn touch(&self) {
        self.lock().life += 1;
    }

    /// Another process has seen a later time: it is later here too.
    pub(super) fn raise(&self, at: Timestamp) {
        let mut inner = self.lock();
        inner.now_ms = inner.now_ms.max(at.0 * 1000);
    }

    pub(super) fn time(&self) -> Timestamp {
        let mut inner = self.lock();
        inner.look();
        Timestamp(inner.now_ms.div_euclid(1000))
    }

    /// The time since the account began.
    fn elapsed(&self) -> Duration {
        let mut inner = self.lock();
        inner.look();
        Duration::from_millis(u64::try_from(inner.now_ms).unwrap_or_default())
    }

    /// A word that comes once: the moment, the process, and how many came before in it. The same in each run but for
    /// the process.
    fn unique(&self) -> String {
        let mut inner = self.lock();
        inner.words += 1;
        format!("{:016x}{:08x}{:08x}", inner.now_ms, std::process::id(), inner.words)
    }

    /// Moves on without anybody waiting.
    pub(super) fn advance(&self, by: Duration) {
        let mut inner = self.lock();
        let at = inner.now_ms + i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        inner.skip_to(at);
    }

    /// While time is real: waiting is skipped.
    pub(super) fn hurry(&self) {
        self.lock().hurried = true;
    }

    /// Time is real from now on, so much ahead (never less than before), or virtual.
    pub(super) fn follow(&self, ahead_ms: Option<i64>) {
        let mut inner = self.lock();
        inner.ahead_ms = ahead_ms.map(|ahead| inner.ahead_ms.map_or(ahead, |own| own.max(ahead)));
        inner.look();
    }

    /// By how much real time is ahead; `None`: time is virtual.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        self.lock().ahead_ms
    }
}

/// This machine's clock, in milliseconds since 1970.
pub(super) fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The clock as a port.
pub(super) struct SandboxClock(pub(super) Arc<VirtualClock>);

#[async_trait]
impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        self.0.time()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn unique(&self) -> String {
        self.0.unique()
    }

    async fn sleep(&self, duration: Duration) {
        Sleep { clock: self.0.clone(), duration, key: None, quiet: 0 }.await;
    }
}

struct Sleep {
    clock: Arc<VirtualClock>,
    duration: Duration,
    key: Option<(i64, u64)>,
    quiet: u32,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut inner = clock.lock();
        let key = self.key.unwrap_or_else(|| inner.register(self.duration));
        self.key = Some(key);
        inner.look();
        if !inner.due(key) && self.is_quiet(&mut inner, key) && !inner.earlier_is_alive(key) {
            inner = clock.move_towards(inner, key.0);
        }
        if inner.due(key) {
            inner.forget(key);
            self.key = None;
            return Poll::Ready(());
        }
        drop(inner);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sleep {
    /// Whether nothing has happened for a while.
    fn is_quiet(&mut self, inner: &mut Inner, key: (i64, u64)) -> bool {
        let seen = inner.sleepers.insert(key, inner.life);
        self.quiet = if seen == Some(inner.life) { self.quiet + 1 } else { 0 };
        self.quiet >= QUIET_TURNS
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().forget(key);
        }
    }
}

impl Inner {
    /// Looks at this machine's clock, when time is real.
    fn look(&mut self) {
        if let Some(ahead) = self.ahead_ms {
            self.now_ms = self.now_ms.max(real_ms() + ahead);
        }
    }

    /// It is `at` now.
    fn skip_to(&mut self, at: i64) {
        self.now_ms = self.now_ms.max(at);
        if let Some(ahead) = &mut self.ahead_ms {
            *ahead = (*ahead).max(self.now_ms - real_ms());
        }
    }

    fn register(&mut self, duration: Duration) -> (i64, u64) {
        self.registered += 1;
        self.life += 1;
        let key =
            (self.now_ms.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)), self.registered);
        self.sleepers.insert(key, self.life);
        key
    }

    fn forget(&mut self, key: (i64, u64)) {
        self.sleepers.remove(&key);
        self.life += 1;
    }

    /// Whether the sleep is over.
    fn due(&self, key: (i64, u64)) -> bool {
        key.0 <= self.now_ms
    }

    /// Whether an earlier sleeper was polled since the last sign of life; one that was not is kept by somebody who
    /// does something else meanwhile, and must not stop time.
    fn earlier_is_alive(&self, key: (i64, u64)) -> bool {
        self.sleepers.range(..key).any(|(_, seen)| *seen == self.life)
    }
}

impl VirtualClock {
    /// Moves to `deadline`, or a step towards it when time is paced.
    fn move_towards<'a>(&'a self, mut inner: MutexGuard<'a, Inner>, deadline: i64) -> MutexGuard<'a, Inner> {
        let real_time = inner.ahead_ms.is_some() && !inner.hurried;
        let Some(pace) = self.pace.or(real_time.then_some(1.0)) else {
            inner.skip_to(deadline);
            return inner;
        };
        let left = Duration::from_millis(u64::try_from(deadline - inner.now_ms).unwrap_or(0));
        let real = left.div_f64(pace).min(REAL_PAUSE);
        drop(inner);
        std::thread::sleep(real);
        let mut inner = self.lock();
        let step = if real < REAL_PAUSE { left } else { real.mul_f64(pace).min(left) };
        inner.look();
        if self.pace.is_some() || !real_time {
            let step = i64::try_from(step.as_millis().max(1)).unwrap_or(i64::MAX);
            let at = inner.now_ms + step;
            inner.skip_to(at);
        }
        inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn run<F: Future>(future: F) -> F::Output {
        #[allow(clippy::unwrap_used)]
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn sleepers_wake_in_order_and_time_is_theirs() {
        let clock = Arc::new(VirtualClock::new(Timestamp(1000), None));
        let log = Mutex::new(Vec::new());
        let ticker = |name: &'static str, period: u64, times: usize| {
            let (clock, log) = (SandboxClock(clock.clone()), &log);
            async move {
                for _ in 0..times {
                    clock.sleep(Duration::from_secs(period)).await;
                    log.lock().unwrap_or_else(PoisonError::into_inner).push((name, clock.now().0));
                }
            }
        };
        run(async { tokio::join!(ticker("a", 5, 3), ticker("b", 7, 2), async { ticker("c", 3600, 1).await }) });
        let expected = vec![("a", 1005), ("b", 1007), ("a", 1010), ("b", 1014), ("a", 1015), ("c", 4600)];
        assert_eq!(log.into_inner().unwrap_or_default(), expected);
    }

    #[test]
    fn a_sleep_that_nobody_polls_does_not_stop_time() {
        let clock = SandboxClock(Arc::new(VirtualClock::new(Timestamp(0), None)));
        run(async {
            let mut short = clock.sleep(Duration::from_secs(1));
            assert!(std::future::poll_fn(|c| Poll::Ready(short.as_mut().poll(c).is_pending())).await);
            clock.sleep(Duration::from_secs(10)).await;
            assert_eq!(clock.now(), Timestamp(10));
            short.await;
            assert_eq!(clock.now(), Timestamp(10));
        });
    }

    #[test]
    fn real_time_is_this_machines_unless_somebody_is_in_a_hurry() {
        let clock = Arc::new(VirtualClock::new(Timestamp(1000), None));
        clock.follow(Some(5000));
        assert!((real_ms() + 5000 - clock.time().0 * 1000).abs() <= 1000);
        let start = std::time::Instant::now();
        run(SandboxClock(clock.clone()).sleep(Duration::from_millis(120)));
        assert!(start.elapsed() >= Duration::from_millis(115));
        clock.hurry();
        run(SandboxClock(clock.clone()).sleep(Duration::from_secs(3600)));
        assert!(start.elapsed() < Duration::from_secs(60));
        assert!(clock.ahead_ms().is_some_and(|ahead| ahead >= 5000 + 3_590_000));
        clock.follow(None);
        assert_eq!(clock.ahead_ms(), None);
    }

    #[test]
    fn a_pace_takes_real_time() {
        let clock = SandboxClock(Arc::new(VirtualClock::new(Timestamp(0), Some(1000.0))));
        let start = std::time::Instant::now();
        run(clock.sleep(Duration::from_secs(100)));
        assert!(start.elapsed() >= Duration::from_millis(95));
        assert_eq!(clock.now(), Timestamp(100));
    }
}
