//! Failures of orders, experiments and node programs.

use super::{Failure, exit};
use crate::{cloud::ExperimentStatus, node::NodeError, operate::OperateError};

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Cloud(error) => error.into(),
            error => Failure::new(
                "HPC2070",
                error.to_string(),
                "`hpcctl node` is for the nodes of a cluster; see /var/log/hpcctl there",
                exit::ERROR,
            ),
        }
    }
}

impl From<OperateError> for Failure {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::Cloud(error) => error.into(),
            OperateError::NoNode { wanted, there } => {
                Failure::new("HPC2080", format!("there is no node `{wanted}`"), "name one of these", exit::ERROR)
                    .with(there)
            }
            OperateError::NoSpotNode { wanted, there } => Failure::new(
                "HPC2081",
                format!("the queue has no {wanted}"),
                "submit a job that waits for a spot node, or name another pool; above is what the queue has",
                exit::ERROR,
            )
            .with(if there.is_empty() { vec!["the queue has no nodes now".to_owned()] } else { there }),
            OperateError::TooMany { chosen, most } => Failure::new(
                "HPC2081",
                format!("{chosen} nodes are too many for one experiment"),
                format!("choose at most {most} with --count"),
                exit::ERROR,
            ),
            OperateError::Experiment { id, status, reason } => {
                let words = match status {
                    ExperimentStatus::Running => "did not end in time",
                    ExperimentStatus::Stopped => "was stopped",
                    ExperimentStatus::Failed | ExperimentStatus::Completed => "failed",
                };
                Failure::new(
                    "HPC2082",
                    format!("experiment {id} {words}"),
                    format!("`aws fis get-experiment --id {id}` has the details"),
                    exit::ERROR,
                )
                .with(reason.into_iter().collect())
            }
            OperateError::StillThere { nodes } => Failure::new(
                "HPC2082",
                "the experiment completed, but nodes are still there",
                "see them with `hpcctl status FILE`; `hpcctl interrupt` can be run again",
                exit::ERROR,
            )
            .with(nodes),
            OperateError::NotApplied { cluster } => Failure::new(
                "HPC2007",
                format!("cluster {cluster} was never applied here"),
                "apply it first, or check account and region",
                exit::ERROR,
            ),
            OperateError::Refused { words } => Failure::new(
                "HPC2083",
                format!("the head node did not carry the order out: {words}"),
                "mend what it says and give the order again",
                exit::ERROR,
            ),
            OperateError::Unanswered { id, seconds } => Failure::new(
                "HPC2084",
                format!("the head node did not answer order {id} within {seconds} s"),
                "see `hpcctl ssh FILE -- systemctl status hpcctl-sync`; the order stays and will be carried out",
                exit::ERROR,
            ),
            OperateError::Interrupted => Failure::new(
                "HPC2090",
                "interrupted: what was begun goes on in the cloud",
                "look with `hpcctl status FILE`",
                exit::INTERRUPTED,
            ),
        }
    }
}
