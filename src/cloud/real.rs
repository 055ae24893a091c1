//! What this machine itself gives: time that nobody sets, and words that come only once.

use rustix::time::{ClockId, clock_gettime};
use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

/// Linux stops its monotonic clock while the machine sleeps, but not this one; macOS does not stop its own
/// (<https://man7.org/linux/man-pages/man2/clock_gettime.2.html>).
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// The time since the machine was started, or some other moment that stays.
pub(super) fn elapsed() -> Duration {
    let time = clock_gettime(CLOCK);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// 32 hexadecimal digits that no other call gives.
pub(super) fn unique() -> String {
    let now = SystemTime::now();
    let half = || RandomState::new().hash_one((now, std::process::id()));
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_words_come_once() {
        let began = elapsed();
        std::thread::sleep(Duration::from_millis(20));
        let took = elapsed().saturating_sub(began);
        assert!((Duration::from_millis(20)..Duration::from_secs(60)).contains(&took), "{took:?}");
        let (one, other) = (unique(), unique());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    }

    /// Only this clock counts what the machine has slept since its start.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_is_the_one_that_counts_sleep() {
        let boot = clock_gettime(ClockId::Boottime);
        assert!(elapsed() >= Duration::from_secs(u64::try_from(boot.tv_sec).unwrap_or_default()));
        assert!(matches!(CLOCK, ClockId::Boottime));
    }
}
