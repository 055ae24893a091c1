//! A stack: what it was asked to be, what it is, and what happened to it.

use super::{operation::Operation, resource::Resource};
use crate::cloud::{StackEvent, StackState, StackStatus, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stack {
    pub name: String,
    pub id: String,
    pub region: String,
    pub status: StackStatus,
    pub reason: Option<String>,
    pub asked: Asked,
    pub outputs: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Option<Timestamp>,
    pub deleted: Option<Timestamp>,
    pub termination_protection: bool,
    /// By logical id.
    pub resources: BTreeMap<String, Resource>,
    /// Tokens of requests that were taken, each with the request's name: `CreateStack 4711`.
    pub tokens: BTreeSet<String>,
    /// What runs, or a rollback that failed and waits to be continued.
    pub operation: Option<Operation>,
    pub events: Vec<StackEvent>,
}

/// What a stack was asked to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// To the letter.
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

impl Stack {
    /// Resources that are there: those of the stack, and old ones that wait for the clean-up.
    pub fn present(&self) -> impl Iterator<Item = &Resource> {
        let old = self.operation.iter().flat_map(|o| o.old.iter().map(|old| &old.resource));
        self.resources.values().chain(old).filter(|r| r.present())
    }

    /// Notes an event of a resource.
    pub fn tell(&mut self, at: Timestamp, logical: &str, resource: (&str, &str), status: &str, reason: Option<String>) {
        let (kind, physical) = resource;
        self.events.push(StackEvent {
            id: format!("{logical}-{status}-{at}-{}", self.events.len() + 1),
            logical_id: logical.to_owned(),
            physical_id: (!physical.is_empty()).then(|| physical.to_owned()),
            resource_type: kind.to_owned(),
            status: status.to_owned(),
            reason,
            at,
            token: self.operation.as_ref().and_then(|o| o.token.clone()),
        });
    }

    /// Takes a status of its own, and notes it as an event.
    pub fn turn(&mut self, at: Timestamp, status: StackStatus, reason: Option<String>) {
        (self.status, self.reason) = (status, reason.clone());
        let (name, id) = (self.name.clone(), self.id.clone());
        self.tell(at, &name, ("AWS::CloudFormation::Stack", &id), status.as_str(), reason);
    }

    /// As the port shows it.
    pub fn state(&self) -> StackState {
        StackState {
            name: self.name.clone(),
            id: self.id.clone(),
            status: self.status,
            reason: self.reason.clone(),
            parameters: self.asked.parameters.clone(),
            outputs: self.outputs.clone(),
            tags: self.asked.tags.clone(),
            created: self.created,
            updated: self.updated,
            termination_protection: self.termination_protection,
        }
    }
}
