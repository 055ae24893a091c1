//! The lock as others see it. Who takes it and how is in [`apply`](crate::apply).

use super::keys;
use crate::cloud::{Cloud, ErrorKind, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds without a renewal after which a lock may be taken over.
pub const LEASE_SECONDS: i64 = 600;
/// The same.
pub const LEASE: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
/// Characters of a lock's text that are shown.
const SHOWN: usize = 300;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The caller's ARN.
    pub arn: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The command that it runs, such as `hpcctl apply fds.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What tells this process from others with the same number; `None`: nobody knows whether it has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Birth>,
}

/// Which process a number means: numbers are used again, after a boot, in another namespace, and in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// The machine's boot (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
    /// The namespace of process numbers (`/proc/self/ns/pid`).
    pub namespace: String,
    /// When it started, in clock ticks since the boot (`/proc/self/stat`, field 22).
    pub started: u64,
}

/// The content of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// Who holds it.
    pub owner: Owner,
    /// The plan that is applied.
    pub plan: String,
    /// Since when.
    pub since: Timestamp,
    /// When it was last renewed.
    pub renewed: Timestamp,
    /// A word that nobody else has: by it the owner knows its own lock again when the answer to a call was lost.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// How often it was renewed: each renewal gives it another entity tag, whatever the owner's clock does.
    #[serde(default)]
    pub renewals: u64,
}

impl LockInfo {
    /// Whether its owner renewed it within a lease of this moment, by two clocks that may differ: a hint, and no more.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renewed.plus(LEASE_SECONDS)
    }

    /// What anybody may have written, fit for a terminal.
    fn plain(mut self) -> Self {
        let Self { owner, plan, since: _, renewed: _, token: _, renewals: _ } = &mut self;
        let Owner { arn, host, pid: _, command, birth: _ } = owner;
        for text in [arn, host, plan].into_iter().chain(command) {
            *text = plain(text);
        }
        self
    }
}

/// A lock that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLock {
    /// Its entity tag: another one after each renewal.
    pub etag: String,
    /// What it says; `None`: it cannot be read, so somebody unknown has it.
    pub info: Option<LockInfo>,
}

impl FoundLock {
    /// Whether it does not look as if its owner were at work: by the hint of its times, or since it says nothing.
    pub fn seems_silent(&self, now: Timestamp) -> bool {
        self.info.as_ref().is_none_or(|info| !info.is_fresh(now))
    }
}

/// Reads a cluster's lock; `None`: there is none.
pub async fn lock(cloud: &Cloud, bucket: &str, cluster: &str) -> Result<Option<FoundLock>> {
    let found = match cloud.objects.get(bucket, &keys::lock(cluster)).await {
        Err(error) if error.kind == ErrorKind::NotFound => None,
        there => there?,
    };
    let read = |body: &[u8]| serde_json::from_slice(body).ok().map(LockInfo::plain);
    Ok(found.map(|(body, etag)| FoundLock { info: read(&body), etag }))
}

/// How long a lock has stood still before one's own eyes: no clock of anybody else has a say.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// What it was like when it last changed, and when that was.
    still: Option<(String, Duration)>,
    changed: bool,
}

impl Watch {
    /// Looks at a lock; gives how long it has been like this. `now` is by the clock that nobody sets.
    pub fn look(&mut self, etag: &str, now: Duration) -> Duration {
        match &self.still {
            Some((still, since)) if still == etag => now.saturating_sub(*since),
            before => {
                self.changed |= before.is_some();
                self.still = Some((etag.to_owned(), now));
                Duration::ZERO
            }
        }
    }

    /// Whether it was seen to change: somebody is at work.
    pub fn has_changed(&self) -> bool {
        self.changed
    }
}

/// A text of somebody else without what steers a terminal or turns a line round, and not longer than a few lines.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars().take(SHOWN) {
        match letter {
            letter if letter.is_control() || steers(letter) => plain.extend(letter.escape_default()),
            letter => plain.push(letter),
        }
    }
    plain
}

/// Characters that are not seen and change how others are: separators of lines, marks and overrides of direction, joiners.
fn steers(letter: char) -> bool {
    matches!(letter, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_lock_steers_a_terminal() {
        assert_eq!(plain("arn:aws:iam::1:user/zoë"), "arn:aws:iam::1:user/zoë");
        assert_eq!(plain("a\u{1b}[2J\r\n\u{7}b\u{9b}"), "a\\u{1b}[2J\\r\\n\\u{7}b\\u{9b}");
        assert_eq!(plain("\u{202e}x\u{200b}"), "\\u{202e}x\\u{200b}");
        assert_eq!(plain(&"é".repeat(400)).chars().count(), SHOWN);
    }

    #[test]
    fn a_lock_is_seen_to_stand_still_by_ones_own_clock() {
        let mut watch = Watch::default();
        let at = Duration::from_secs;
        assert_eq!(watch.look("a", at(100)), at(0));
        assert_eq!((watch.look("a", at(700)), watch.has_changed()), (at(600), false));
        assert_eq!((watch.look("b", at(701)), watch.has_changed()), (at(0), true));
        assert_eq!((watch.look("b", at(711)), watch.has_changed()), (at(10), true));
        assert_eq!(watch.look("a", at(712)), at(0), "what it was before is no rest");
    }
}
