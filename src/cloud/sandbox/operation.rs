//! What runs on a stack: a phase, made of steps that wait for each other.

use super::{resource::Resource, stack::Asked};
use crate::cloud::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What runs on a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Operation {
    pub phase: Phase,
    pub token: Option<String>,
    pub steps: Vec<Step>,
    /// What the stack was before an update.
    pub before: Option<Box<Before>>,
    /// Resources that the clean-up deletes: replaced ones, and new ones after a rollback.
    pub old: Vec<Old>,
}

/// The phases. An update goes on to its clean-up, a failed one to its rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    Create,
    Rollback,
    Update,
    UpdateCleanup,
    UpdateRollback,
    UpdateRollbackCleanup,
    Delete,
}

/// A stack before an update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Before {
    pub asked: Asked,
    pub resources: BTreeMap<String, Resource>,
}

/// A resource that is no longer the stack's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Old {
    pub logical: String,
    pub resource: Resource,
}

/// Something to do with one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    pub logical: String,
    pub action: Action,
    /// Logical ids whose steps must have ended.
    pub after: Vec<String>,
    pub state: StepState,
    /// How often it has failed and was tried again.
    #[serde(default)]
    pub tries: u32,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// Create, update or replace, whatever the template asks for.
    Apply,
    /// Delete the stack's resource.
    Delete,
    /// Delete the n-th old resource.
    DeleteOld(usize),
    /// Bring back what was before the update.
    Restore,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepState {
    Waiting,
    Running {
        until: Timestamp,
        /// `CREATE`, `UPDATE` or `DELETE`.
        verb: String,
        /// Why it is going to fail.
        failure: Option<String>,
    },
    Done,
    Failed,
}

impl Operation {
    pub fn new(phase: Phase, token: Option<String>, steps: Vec<Step>) -> Self {
        Self { phase, token, steps, before: None, old: Vec::new() }
    }

    /// The next step that can begin.
    pub fn ready(&self) -> Option<usize> {
        let ended = |logical: &String| self.steps.iter().all(|s| s.logical != *logical || s.ended());
        self.steps.iter().position(|s| s.state == StepState::Waiting && s.after.iter().all(ended))
    }

    /// When the next step ends, and which one it is.
    pub fn next_end(&self) -> Option<(Timestamp, usize)> {
        let ends = self.steps.iter().enumerate().filter_map(|(index, step)| match &step.state {
            StepState::Running { until, .. } => Some((*until, index)),
            _ => None,
        });
        ends.min()
    }

    /// The logical ids of the steps that failed.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.steps.iter().filter(|s| s.state == StepState::Failed);
        failed.map(|s| s.logical.clone()).collect()
    }
}

impl Step {
    pub fn new(logical: &str, action: Action, after: Vec<String>) -> Self {
        Self { logical: logical.to_owned(), action, after, state: StepState::Waiting, tries: 0 }
    }

    pub fn ended(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Failed)
    }
}
