//! The reasons that nodes have in Slurm: some programs write them, others decide by them.

/// What all reasons begin with that these programs give.
pub(super) const OURS: &str = "hpcctl:";
/// What the reasons begin with that the set-up script of a compute node gives (`templates/shell/compute.sh`).
pub(super) const SET_UP: &str = "hpcctl set-up:";
/// EC2 had no capacity for the pool.
pub(super) const NO_CAPACITY: &str = "hpcctl: no capacity";
/// Nodes of other pools that its job needs did not come.
pub(super) const JOB_LACKS: &str = "hpcctl: its job lacks nodes of another pool";
/// No instance was launched for it.
pub(super) const NOT_LAUNCHED: &str = "hpcctl: not launched";
/// EC2 will stop its instance; the event's code follows.
pub(super) const EVENT: &str = "hpcctl: EC2 plans";
/// EC2 recommends to move its work elsewhere.
pub(super) const REBALANCE: &str = "hpcctl: rebalance recommendation";
/// EC2 takes it back.
pub(super) const INTERRUPTION: &str = "hpcctl: spot interruption";

/// EC2 had no capacity, and its code for it.
pub(super) fn no_capacity(code: &str) -> String {
    format!("{NO_CAPACITY} (Code:{code})")
}
