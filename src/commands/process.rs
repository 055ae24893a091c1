//! What this process is, as the owner of a lock.

use crate::observe::{Birth, Owner};
use rustix::{io::Errno, process};
use std::fs;

/// This process as the owner of a lock.
pub fn owner(arn: &str) -> Owner {
    let pid = std::process::id();
    Owner { arn: arn.to_owned(), host: host(), pid, command: command(), birth: birth(pid) }
}

/// Whether an owner is known to have died: a process of this machine, boot and namespace whose number nobody has now, or
/// somebody else has. What cannot be known counts as alive: `/proc` may hide the processes of others (proc(5),
/// `hidepid`), and containers share a host's name (pid_namespaces(7)).
pub fn is_dead(owner: &Owner) -> bool {
    let (Some(theirs), Some(ours)) = (&owner.birth, birth(std::process::id())) else { return false };
    if owner.host != host() || theirs.boot != ours.boot || theirs.namespace != ours.namespace {
        return false;
    }
    let Some(pid) = i32::try_from(owner.pid).ok().and_then(process::Pid::from_raw) else { return false };
    match process::test_kill_process(pid) {
        Err(Errno::SRCH) => true,
        // It is there (whoever may not send it a signal is told EPERM): the same, if it started at the same time.
        _ => started(owner.pid).is_some_and(|started| started != theirs.started),
    }
}

/// The words of the command that this process runs, as far as one line goes. No option of hpcctl takes a secret.
fn command() -> Option<String> {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let line: String =
        format!("hpcctl {}", words.join(" ")).chars().filter(|c| !c.is_control()).take(COMMAND).collect();
    (!words.is_empty()).then_some(line)
}

/// Characters of a command that a lock shows.
const COMMAND: usize = 200;

fn birth(pid: u32) -> Option<Birth> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned();
    Some(Birth { boot, namespace, started: started(pid)? })
}

/// When a process started, in clock ticks since the boot. The second field, its name, may contain anything.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn host() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    fn me() -> Owner {
        owner("arn:aws:iam::123456789012:user/one")
    }

    #[test]
    fn who_lives_is_not_dead_and_who_has_ended_is() {
        assert!(!is_dead(&me()));
        let mut child = std::process::Command::new("true").spawn().expect("true runs");
        let ended = Owner { pid: child.id(), ..me() };
        child.wait().expect("it ends");
        assert!(is_dead(&ended));
        // The number is somebody's again.
        let mut other = me();
        if let Some(birth) = &mut other.birth {
            birth.started += 1;
        }
        assert!(is_dead(&other));
    }

    #[test]
    fn what_cannot_be_known_counts_as_alive() {
        let nobody = u32::try_from(i32::MAX).unwrap_or(1);
        let dead = Owner { pid: nobody, ..me() };
        assert!(is_dead(&dead));
        let with = |change: fn(&mut Birth)| {
            let mut owner = dead.clone();
            owner.birth.as_mut().map(change);
            owner
        };
        assert!(!is_dead(&Owner { birth: None, ..dead.clone() }), "an owner that says nothing");
        assert!(!is_dead(&Owner { host: "elsewhere".to_owned(), ..dead.clone() }), "another machine");
        assert!(!is_dead(&with(|birth| birth.boot.push('x'))), "another boot");
        assert!(!is_dead(&with(|birth| birth.namespace.push('x'))), "another namespace");
    }
}
