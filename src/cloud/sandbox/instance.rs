//! An instance.

use crate::cloud::{InstanceState, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds from launch to running.
const BOOT: i64 = 35;
/// Seconds from shutting down to terminated.
const SHUTDOWN: i64 = 30;
/// Seconds from stopping to stopped.
pub(super) const STOP: i64 = 30;
/// Seconds from the notice of a spot interruption to the interruption.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
pub(super) const NOTICE: i64 = 120;

/// An instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub id: String,
    pub region: String,
    pub instance_type: String,
    pub zone: String,
    pub subnet: String,
    pub security_groups: Vec<String>,
    pub private_ip: String,
    pub public_ip: Option<String>,
    pub spot: bool,
    pub tags: BTreeMap<String, String>,
    /// The launch template of an instance that no stack made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    pub launched: Timestamp,
    /// When its machine was started, in a rehearsal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booted: Option<Timestamp>,
    /// When it was told to terminate.
    pub terminated: Option<Timestamp>,
    /// When it was told to stop, and has not been started since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Timestamp>,
    /// Whether it is a machine of a rehearsal that shuts down: it is stopped when that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shutting_down: bool,
    /// Private addresses besides its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<String>,
    /// When EC2 gives, or gave, the notice that it takes this spot instance back.
    #[serde(default)]
    pub interrupted: Option<Timestamp>,
    /// Since when EC2 recommends to move work elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebalance: Option<Timestamp>,
}

impl Instance {
    /// EC2's word for its state; `None` when it is gone.
    pub fn state(&self, now: Timestamp) -> Option<&'static str> {
        match self.end(now) {
            Some(at) if now < at.plus(SHUTDOWN) => Some("shutting-down"),
            Some(_) => None,
            None if self.stopped.is_some_and(|at| self.shutting_down || now < at.plus(STOP)) => Some("stopping"),
            None if self.stopped.is_some() => Some("stopped"),
            None if self.booted.is_none() && now < self.launched.plus(BOOT) => Some("pending"),
            None => Some("running"),
        }
    }

    /// When EC2's notice showed, or will show, and when it ends.
    pub fn notice(&self, now: Timestamp) -> Option<Timestamp> {
        self.interrupted.filter(|at| *at <= now).map(|at| at.plus(NOTICE))
    }

    /// When it began to end, by a call or by an interruption.
    fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let taken = self.interrupted.map(|at| at.plus(NOTICE)).filter(|at| *at <= now);
        [self.terminated, taken].into_iter().flatten().min()
    }

    /// As the port shows it; `None` when it is gone.
    pub fn view(&self, now: Timestamp) -> Option<InstanceState> {
        Some(InstanceState {
            id: self.id.clone(),
            instance_type: self.instance_type.clone(),
            state: self.state(now)?.to_owned(),
            private_ip: Some(self.private_ip.clone()),
            public_ip: self.public_ip.clone(),
            zone: Some(self.zone.clone()),
            spot: self.spot,
            launched: self.launched,
            tags: self.tags.clone(),
        })
    }
}
