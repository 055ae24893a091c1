//! How the two minutes before the end are shared out: the part of `watch` that decides.
//!
//! All numbers are seconds that are left. A step that ends early gives its time to the next ones; a step that would take
//! longer is cut off, so that the last ones (unmounting, telling slurmctld, powering off) always come.

use std::time::Duration;

/// Unmounting begins, whatever jobs do, when so many seconds are left.
const UNMOUNT: i64 = 20;
/// Telling slurmctld begins.
const REPORT: i64 = 8;
/// Powering off begins.
const POWER_OFF: i64 = 3;
/// What jobs get at least between being saved and being unmounted.
const JOBS: i64 = 8;
/// Notices that came late share out what is left in the same proportions.
const FULL: i64 = 40;
/// A batch script has so long to end what it began before all of the job's processes hear of it.
const SCRIPT_ALONE: i64 = 20;
/// After so long a job that is still there is put back into the queue by force.
const GRACE: i64 = 45;

/// When what has to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timetable {
    /// Saving jobs.
    pub save: i64,
    /// Ending jobs.
    pub jobs: i64,
    /// Unmounting.
    pub unmount: i64,
    /// Telling slurmctld.
    pub report: i64,
}

impl Timetable {
    /// For a notice with so many seconds left; `saving` is the most that saving may take, when jobs are saved at all.
    pub fn of(left: i64, saving: Option<u32>) -> Self {
        let mark = |full: i64| if left >= FULL { full } else { full * left.max(0) / FULL };
        let latest = mark(UNMOUNT) + mark(JOBS);
        let save = saving.map_or(left, |seconds| (left - i64::from(seconds)).max(latest));
        Self { save, jobs: mark(UNMOUNT), unmount: mark(REPORT), report: mark(POWER_OFF) }
    }

    /// How ending jobs goes on, begun with so many seconds left.
    pub fn ending(&self, left: i64) -> Ending {
        let window = (left - self.jobs).max(0);
        Ending { all: left - SCRIPT_ALONE.min(window / 4), requeue: left - GRACE.min(window / 2), over: self.jobs }
    }
}

/// How jobs are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    /// From here on all processes of a job get TERM, not its script alone.
    pub all: i64,
    /// From here on jobs are put back into the queue by force.
    pub requeue: i64,
    /// From here on nobody waits for them.
    pub over: i64,
}

/// What a job was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// TERM to its batch script, which has a trap for it and ends with 200 or as it likes.
    Script,
    /// TERM to all its processes.
    All,
    /// Back into the queue.
    Requeue,
}

/// What is known of a job that has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// Its batch script runs here and has a trap for TERM.
    pub traps: bool,
    /// It has a batch script and may be put back into the queue.
    pub requeue: bool,
}

impl Ending {
    /// What to tell a job now; `None`: nothing more yet.
    ///
    /// A script without a trap would die of TERM as a failed job, for good: it is put back into the queue at once, which
    /// gives its processes TERM as well. The same goes for one on another node, of which nobody here knows.
    pub fn next(&self, job: Ends, told: Option<Told>, left: i64) -> Option<Told> {
        match told {
            None if job.traps => Some(Told::Script),
            None if job.requeue => Some(Told::Requeue),
            None => Some(Told::All),
            Some(Told::Script | Told::All) if job.requeue && left <= self.requeue => Some(Told::Requeue),
            Some(Told::Script) if left <= self.all => Some(Told::All),
            Some(_) => None,
        }
    }
}

/// The time from now to a mark, for one command: two seconds at least, else it need not begin.
pub(super) fn patience(left: i64, mark: i64, most: u64) -> Duration {
    Duration::from_secs(u64::try_from(left - mark).unwrap_or_default().clamp(2, most.max(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_in_time_gives_saving_its_budget() {
        let table = Timetable::of(118, Some(60));
        assert_eq!(table, Timetable { save: 58, jobs: 20, unmount: 8, report: 3 });
        assert_eq!(Timetable::of(118, Some(100)).save, 28, "jobs must end and mounts must go in any case");
        assert_eq!(Timetable::of(118, None).save, 118);
    }

    #[test]
    fn a_late_notice_keeps_every_step() {
        let table = Timetable::of(20, Some(60));
        assert_eq!(table, Timetable { save: 14, jobs: 10, unmount: 4, report: 1 });
        assert_eq!(Timetable::of(-5, Some(60)), Timetable { save: 0, jobs: 0, unmount: 0, report: 0 });
        for left in -10..=120 {
            let Timetable { save, jobs, unmount, report } = Timetable::of(left, Some(90));
            assert!(save >= jobs && jobs >= unmount && unmount >= report && report >= 0, "{left}");
        }
    }

    #[test]
    fn a_script_with_a_trap_ends_by_itself_if_it_can() {
        let ending = Timetable::of(118, None).ending(117);
        assert_eq!(ending, Ending { all: 97, requeue: 72, over: 20 });
        let job = Ends { traps: true, requeue: true };
        let mut told = None;
        let mut story = Vec::new();
        for left in (20..=117).rev() {
            if let Some(next) = ending.next(job, told, left) {
                story.push((left, next));
                told = Some(next);
            }
        }
        assert_eq!(story, [(117, Told::Script), (97, Told::All), (72, Told::Requeue)]);
    }

    #[test]
    fn a_job_that_would_fail_of_term_is_requeued_at_once() {
        let ending = Timetable::of(118, None).ending(117);
        assert_eq!(ending.next(Ends { traps: false, requeue: true }, None, 117), Some(Told::Requeue));
        let stubborn = Ends { traps: false, requeue: false };
        assert_eq!(ending.next(stubborn, None, 117), Some(Told::All));
        assert_eq!(ending.next(stubborn, Some(Told::All), 21), None, "it may not be requeued");
        let both = Ends { traps: true, requeue: false };
        assert_eq!(ending.next(both, Some(Told::Script), 50), Some(Told::All));
    }

    #[test]
    fn commands_get_the_time_that_there_is() {
        assert_eq!(patience(100, 20, 10).as_secs(), 10);
        assert_eq!(patience(25, 20, 10).as_secs(), 5);
        assert_eq!(patience(-3, 0, 10).as_secs(), 2);
    }
}
