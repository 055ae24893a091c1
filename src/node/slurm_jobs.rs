//! The jobs of a node, as slurmctld knows them, and what one tells them.
//!
//! Facts: squeue(1) `--Format`, scancel(1), scontrol(1) `requeue`.

use super::{NodeError, Slurm};

/// A job on a node, as slurmctld knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeJob {
    /// Its number, for a task of an array its own.
    pub id: u64,
    /// Whose it is.
    pub uid: u32,
    /// With which group.
    pub gid: u32,
    /// Whether it has a batch script; `salloc` and plain `srun` have none.
    pub batch: bool,
    /// Whether it may be put back into the queue.
    pub requeue: bool,
    /// Whether Slurm is done with it but for the last processes.
    pub completing: bool,
}

/// What squeue is asked for, separated by bars. The widths are minimums that must hold the longest value: squeue cuts.
const FIELDS: &str = "JobID:20|,UserID:20|,GroupID:20|,BatchFlag:8|,Requeue:8|,State:32|";
/// The states of jobs that hold nodes.
const STATES: &str = "--states=RUNNING,SUSPENDED,STOPPED,CONFIGURING,COMPLETING";

impl Slurm {
    /// The jobs that hold a node, alone or among others.
    ///
    /// # Errors
    /// When slurmctld does not answer.
    pub async fn jobs_on(&self, node: &str) -> Result<Vec<NodeJob>, NodeError> {
        let list = format!("--nodelist={node}");
        let text = self.run("squeue", &["--noheader", &list, STATES, "--Format", FIELDS]).await?;
        Ok(text.lines().filter_map(job).collect())
    }

    /// TERM to a job's batch script, and to nothing else of the job.
    ///
    /// # Errors
    /// When slurmctld refuses or does not answer.
    pub async fn term_script(&self, job: u64) -> Result<(), NodeError> {
        self.run("scancel", &["--batch", "--signal=TERM", &job.to_string()]).await.map(drop)
    }

    /// TERM to all processes of a job. It does not count as cancelled: what its batch script ends with decides.
    ///
    /// # Errors
    /// When slurmctld refuses or does not answer.
    pub async fn term_all(&self, job: u64) -> Result<(), NodeError> {
        self.run("scancel", &["--full", "--signal=TERM", &job.to_string()]).await.map(drop)
    }

    /// Puts a running job back into the queue: its processes get TERM, and KILL after `KillWait`.
    ///
    /// # Errors
    /// When slurmctld refuses or does not answer.
    pub async fn requeue(&self, job: u64) -> Result<(), NodeError> {
        self.run("scontrol", &["requeue", &job.to_string()]).await.map(drop)
    }
}

/// A line of squeue; `None` for a line that is none.
pub(super) fn job(line: &str) -> Option<NodeJob> {
    let mut words = line.split('|').map(str::trim);
    let mut next = || words.next();
    Some(NodeJob {
        id: next()?.parse().ok()?,
        uid: next()?.parse().ok()?,
        gid: next()?.parse().ok()?,
        batch: next()? != "0",
        requeue: next()? != "0",
        completing: next()? == "COMPLETING",
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read_as_slurm_22_05_writes_them() {
        let line = "1204                |1000                |1001                |1       |0       |RUNNING                         |";
        let want = NodeJob { id: 1204, uid: 1000, gid: 1001, batch: true, requeue: false, completing: false };
        assert_eq!(job(line).unwrap(), want);
        assert_eq!(job("slurm_load_jobs error: no answer"), None);
        assert!(job("7|0|0|0|1|COMPLETING|").unwrap().completing);
    }
}
