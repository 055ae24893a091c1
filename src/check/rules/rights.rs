//! HPC177x: what nodes and their jobs may do.

use super::{Rule, Severity};

rules! {
1770 ROLE_CLOSED_TO_JOBS Warning "role-closed-to-jobs"
"jobs reach the role of their nodes only where the queue lets them"
"the nodes of queue `{queue}` have rights of their own, and its jobs cannot use them"
"write `jobs_may_use_role: true` if jobs need them, `false` if scripts alone do"
"Whoever reaches the metadata service of a node has the node's role. On compute nodes only root reaches it, so that no job \
 reads what is meant for the node: a script in `custom_actions` has the rights of `iam`, a job has not. With \
 `jobs_may_use_role: true` jobs of the queue have all rights of the role, those that hpcctl gives to nodes included."
}
