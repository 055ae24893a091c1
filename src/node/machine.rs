//! The machine beneath a program: its mounts, Slurm's processes, and the commands to run on it.
//!
//! Facts: proc(5); slurmstepd(8) calls itself `slurmstepd: [JOB.STEP]`, and the batch script is its child.

use super::{Home, NodeError, processes::Call};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

/// TERM is signal 15, the fourteenth bit of a mask.
const TERM: u64 = 1 << 14;

/// This machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `/proc`.
    pub proc: PathBuf,
    /// Where slurmd leaves the slurm.conf that it fetched: `/run/slurm/conf/slurm.conf`.
    pub fetched_conf: PathBuf,
    /// `/etc/fstab`.
    pub fstab: PathBuf,
    /// What this node exports by NFS: `/etc/exports.d/hpcctl.exports`.
    pub exports: PathBuf,
    /// Where commands are looked for; none: this program's own `PATH`.
    pub path: Option<String>,
}

impl Default for Machine {
    fn default() -> Self {
        let (proc, fetched_conf) = (PathBuf::from("/proc"), PathBuf::from("/run/slurm/conf/slurm.conf"));
        let (fstab, exports) = (PathBuf::from("/etc/fstab"), PathBuf::from("/etc/exports.d/hpcctl.exports"));
        Self { proc, fetched_conf, fstab, exports, path: None }
    }
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub at: String,
    pub kind: String,
}

/// A process, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    parent: u32,
    uid: u32,
    gid: u32,
    catches_term: bool,
    /// The job and step of a slurmstepd.
    step: Option<(u64, String)>,
}

/// The batch script of a job that runs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Script {
    /// The process.
    pub pid: u32,
    /// Whose it is.
    pub uid: u32,
    /// With which group.
    pub gid: u32,
    /// Whether it has a trap for TERM.
    pub catches_term: bool,
}

/// The processes of this machine at one moment.
#[derive(Debug, Default)]
pub(super) struct Processes(BTreeMap<u32, Process>);

impl Machine {
    /// What is mounted, in the order of mounting.
    pub(super) fn mounts(&self) -> Vec<Mount> {
        let text = Home::text(&self.proc.join("self/mounts")).unwrap_or_default();
        text.lines().filter_map(mount).collect()
    }

    /// Where fstab mounts file systems of AWS (ids), in its order: a source begins with the id, be it alone or as the
    /// first word of a host name.
    pub(super) fn fstab(&self, file_systems: &[String]) -> Vec<String> {
        let text = Home::text(&self.fstab).unwrap_or_default();
        let ours = |source: &str| {
            let rest = |id: &String| source.strip_prefix(id.as_str());
            file_systems.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
        };
        let at = |line: &str| {
            let mut words = line.split_whitespace();
            let (source, at) = (words.next()?, words.next()?);
            ours(source).then(|| at.to_owned())
        };
        text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(at).collect()
    }

    /// What runs.
    pub(super) fn processes(&self) -> Processes {
        let pids = Home::entries(&self.proc).into_iter().filter_map(|name| name.parse::<u32>().ok());
        Processes(pids.filter_map(|pid| Some((pid, process(&self.proc.join(pid.to_string()))?))).collect())
    }

    /// Sends TERM to processes; those that are gone are no failure.
    pub(super) async fn term(&self, pids: &BTreeSet<u32>) -> Result<(), NodeError> {
        let pids = pids.iter().map(u32::to_string);
        let arguments = ["-c", "kill -s TERM \"$@\" 2>/dev/null || :", "kill"].map(str::to_owned);
        self.run(&Call::new("sh", arguments.into_iter().chain(pids)), Duration::from_secs(5)).await.map(drop)
    }
}

impl Processes {
    /// The jobs that have processes here.
    pub fn jobs(&self) -> BTreeSet<u64> {
        self.0.values().filter_map(|process| Some(process.step.as_ref()?.0)).collect()
    }

    /// The batch script of a job, when it runs here.
    pub fn script(&self, job: u64) -> Option<Script> {
        let of = |process: &Process| process.step.as_ref().is_some_and(|(id, step)| *id == job && step == "batch");
        let (parent, _) = self.0.iter().find(|(_, process)| of(process))?;
        let (pid, found) = self.0.iter().find(|(_, process)| process.parent == *parent)?;
        let Process { uid, gid, catches_term, .. } = *found;
        Some(Script { pid: *pid, uid, gid, catches_term })
    }

    /// All processes of a job but Slurm's own.
    pub fn of(&self, job: u64) -> BTreeSet<u32> {
        let steps = self.0.iter().filter(|(_, process)| process.step.as_ref().is_some_and(|(id, _)| *id == job));
        let mut found: BTreeSet<u32> = steps.map(|(pid, _)| *pid).collect();
        let slurms = found.clone();
        loop {
            let before = found.len();
            found.extend(
                self.0.iter().filter(|(_, one)| found.contains(&one.parent)).map(|(pid, _)| *pid).collect::<Vec<_>>(),
            );
            if found.len() == before {
                return found.difference(&slurms).copied().collect();
            }
        }
    }
}

/// A line of `/proc/self/mounts`: source, place, type; spaces in names are written `\040`.
fn mount(line: &str) -> Option<Mount> {
    let mut words = line.split(' ').skip(1);
    let at = words.next()?.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    Some(Mount { at, kind: words.next()?.to_owned() })
}

/// A process by its folder; `None` when it has ended: a zombie has, too.
fn process(folder: &Path) -> Option<Process> {
    let status = Home::text(&folder.join("status"))?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
    if field("State").is_some_and(|state| state.starts_with(['Z', 'X'])) {
        return None;
    }
    let real = |name: &str| field(name)?.split('\t').next()?.parse().ok();
    let uid = real("Uid")?;
    // Anybody can call a process so; only root's is slurmstepd.
    let slurms = uid == 0 && field("Name")?.starts_with("slurmstepd");
    let title = if slurms { Home::text(&folder.join("cmdline")) } else { None };
    Some(Process {
        parent: field("PPid")?.trim().parse().ok()?,
        uid,
        gid: real("Gid")?,
        catches_term: field("SigCgt")
            .is_some_and(|mask| u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & TERM != 0)),
        step: title.and_then(|title| step(&title)),
    })
}

/// The job and step of `slurmstepd: [1204.batch]`.
fn step(title: &str) -> Option<(u64, String)> {
    let (job, step) = title.strip_prefix("slurmstepd: [")?.split(']').next()?.split_once('.')?;
    Some((job.parse().ok()?, step.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(parent: u32, uid: u32, catches_term: bool, title: &str) -> Process {
        Process { parent, uid, gid: uid, catches_term, step: step(title) }
    }

    #[test]
    fn jobs_are_found_among_processes() {
        let all = [
            (1, one(0, 0, true, "/sbin/init")),
            (50, one(1, 0, true, "slurmstepd: [12.batch]")),
            (51, one(50, 1000, true, "")),
            (52, one(51, 1000, false, "")),
            (60, one(1, 0, true, "slurmstepd: [12.0]")),
            (61, one(60, 1000, false, "")),
            (70, one(1, 0, true, "slurmstepd: [13.extern]")),
        ];
        let processes = Processes(all.into_iter().collect());
        assert_eq!(processes.jobs(), BTreeSet::from([12, 13]));
        assert_eq!(processes.script(12), Some(Script { pid: 51, uid: 1000, gid: 1000, catches_term: true }));
        assert_eq!(processes.script(13), None);
        assert_eq!(processes.of(12), BTreeSet::from([51, 52, 61]));
        assert_eq!(processes.of(13), BTreeSet::new());
    }

    #[test]
    fn mounts_are_read() {
        let line = "10.0.0.5@tcp:/abcd /fsx\\040a lustre rw,flock 0 0";
        assert_eq!(mount(line).unwrap(), Mount { at: "/fsx a".to_owned(), kind: "lustre".to_owned() });
    }

    #[test]
    fn this_very_process_is_read() {
        let own = process(Path::new("/proc/self")).unwrap();
        assert!(own.parent > 0 && own.step.is_none());
        assert!(Machine::default().mounts().iter().any(|mount| mount.at == "/"));
    }
}
