//! Scripted faults: what goes wrong, when, and how often. `docs/sandbox.md` is the page for users.

use super::inventory::ScriptedImage;
use crate::{catalog::Reservation, cloud::ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A file of faults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Things outside the stacks that are not there: buckets, subnets, groups, images, key pairs, file systems.
    pub absent: Vec<String>,
    /// Buckets that another account owns, whatever their name says.
    pub foreign: Vec<String>,
    /// The VPC of subnets that no stack made.
    pub vpc_id: Option<String>,
    /// The zones of subnets that no stack made.
    pub subnet_zones: BTreeMap<String, String>,
    /// The mount names of file systems that no stack made.
    pub mount_names: BTreeMap<String, String>,
    /// What images are like.
    pub images: BTreeMap<String, ScriptedImage>,
    /// The zones that do not offer an instance type; none listed: no zone does.
    pub not_offered: BTreeMap<String, Vec<String>>,
    /// What capacity reservations are like.
    pub reservations: BTreeMap<String, Reservation>,
    /// How many reservations are in groups of them, by ARN; one where nothing is said.
    pub reservation_groups: BTreeMap<String, usize>,
    /// The states of KMS keys, by ARN; `Enabled` where nothing is said.
    pub keys: BTreeMap<String, String>,
    /// The ARNs of secrets that are about to be deleted.
    pub leaving_secrets: Vec<String>,
    /// Quotas, by code.
    pub quotas: BTreeMap<String, f64>,
    /// The ARN of who calls; none: a user of the account.
    pub caller: Option<String>,
    /// Actions that the caller may not call, such as `fsx:CreateFileSystem`, as IAM's simulator tells.
    pub denied: Vec<String>,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A resource fails.
    Fail(Fail),
    /// A resource takes longer.
    Slow(Slow),
    /// A call answers an error.
    Error(CallError),
    /// A call answers an error, although it takes effect: only its answer is lost.
    Unheard(CallError),
    /// The program dies at a call.
    Crash(Crash),
    /// Somebody changes a resource by hand, once its stack is at rest.
    HandEdit(HandEdit),
    /// Files fail in a data-repository task.
    Files(Files),
    /// Fleets find little or no capacity, as long as the fault is in the script.
    NoCapacity(NoCapacity),
    /// Jobs run on for so long when queues are held for a file system that goes.
    Jobs(Jobs),
    /// A head node does not report, as long as the fault is in the script.
    HeadNode(HeadFault),
}

/// Which resources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// The stack's name; none: any.
    pub stack: Option<String>,
    /// The logical id; none: any.
    pub logical_id: Option<String>,
    /// The type; none: any.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is created, or created anew.
    #[default]
    Create,
    /// It is updated in place.
    Update,
    /// It is deleted.
    Delete,
}

/// A resource fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fail {
    /// Which.
    pub target: Target,
    /// When what is done to it.
    pub on: Verb,
    /// CloudFormation's words; none: no capacity.
    pub reason: Option<String>,
    /// How often; none: once.
    pub times: Option<u32>,
}

/// A resource takes longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// Which.
    #[serde(default)]
    pub target: Target,
    /// How many times as long.
    pub factor: f64,
}

/// A call answers an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallError {
    /// The operation, such as `CreateStack`; `*` is any.
    pub operation: String,
    /// The kind of error.
    pub error: CallErrorKind,
    /// The service's words.
    #[serde(default)]
    pub message: Option<String>,
    /// How many calls pass first.
    #[serde(default)]
    pub after: u32,
    /// How often; none: once.
    #[serde(default)]
    pub times: Option<u32>,
}

/// Kinds of errors that calls answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum CallErrorKind {
    Credentials,
    AccessDenied,
    NotFound,
    Busy,
    Invalid,
    Quota,
    Capacity,
    Throttled,
    Unavailable,
    Network,
    Unreadable,
}

impl CallErrorKind {
    /// The port's kind, the service's code, and words.
    pub(super) fn answer(self, operation: &str) -> (ErrorKind, &'static str, &'static str) {
        use ErrorKind as K;
        match self {
            Self::Busy if operation == "AttachVolume" => {
                (K::Busy, "VolumeInUse", "The volume is already attached to an instance")
            }
            Self::Credentials => {
                (K::Credentials, "ExpiredToken", "The security token included in the request is expired")
            }
            Self::AccessDenied => (K::AccessDenied, "AccessDenied", "User is not authorized to perform this operation"),
            Self::NotFound => (K::NotFound, "NotFound", "The thing does not exist"),
            Self::Busy => (K::Busy, "OperationInProgressException", "Another operation is in progress"),
            Self::Invalid => (K::Invalid, "ValidationError", "The request is not valid"),
            Self::Quota => (K::Quota, "LimitExceededException", "A service quota was exceeded"),
            Self::Capacity => (K::Capacity, "InsufficientInstanceCapacity", "Insufficient capacity"),
            Self::Throttled => (K::Throttled, "Throttling", "Rate exceeded"),
            Self::Unavailable => (K::Unavailable, "ServiceUnavailable", "The service is unavailable"),
            Self::Network => (K::Network, "NetworkError", "no answer from the service"),
            Self::Unreadable => (K::Unreadable, "Unreadable", "an answer that is cut off"),
        }
    }
}

/// The program dies at a call: this call and all after it in the same process answer a crash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// At which call that changes something, counted from 1 over the life of the account.
    pub at: u64,
    /// Whether the call still takes effect.
    #[serde(default)]
    pub effect: bool,
}

/// A change by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandEdit {
    /// The stack's name.
    pub stack: String,
    /// The logical id.
    pub logical_id: String,
    /// The property, such as `SecurityGroupIngress/0/CidrIp`; empty with `null`: the resource is deleted.
    pub path: String,
    /// The new value; `null` takes it away.
    pub value: Value,
}

/// Files fail in a data-repository task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// The file system's id; none: any.
    pub file_system: Option<String>,
    /// How many files; none: one.
    pub count: Option<u32>,
    /// The report's error code, such as `S3AccessDenied`.
    pub code: Option<String>,
    /// In how many tasks; none: one.
    pub times: Option<u32>,
}

/// How long jobs run on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Seconds from the hold to their end.
    pub seconds: i64,
}

/// Fleets find little or no capacity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoCapacity {
    /// The instance type; none: any.
    pub instance_type: Option<String>,
    /// Spot alone, or on-demand alone; none: both.
    pub spot: Option<bool>,
    /// How many instances a fleet still gets.
    pub available: u32,
    /// EC2's code; none: `InsufficientInstanceCapacity`.
    pub code: Option<String>,
}

/// A head node does not report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadFault {
    /// The cluster; none: any.
    #[serde(default)]
    pub cluster: Option<String>,
    /// What is the matter.
    pub trouble: HeadTrouble,
    /// What its set-up writes last.
    #[serde(default)]
    pub log: Option<String>,
}

/// Why a head node does not report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadTrouble {
    /// It says nothing, though its set-up came to its end.
    Silent,
    /// Its set-up fails, and it says so.
    SetUpFailed,
    /// It reaches nothing: only its console shows how far it is.
    NoNetwork,
}

impl Target {
    pub(super) fn hits(&self, stack: &str, logical: &str, kind: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|w| w == found);
        fits(&self.stack, stack) && fits(&self.logical_id, logical) && fits(&self.kind, kind)
    }
}

impl Fault {
    /// A key that stays the same from one process to the next, so that a fault that struck is not forgotten.
    pub(super) fn key(&self, index: usize) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes());
        format!("{index}-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
    }
}

impl Script {
    /// Whether a zone does not offer an instance type.
    pub(super) fn lacks(&self, instance_type: &str, zone: &str) -> bool {
        let zones = self.not_offered.get(instance_type);
        zones.is_some_and(|zones| zones.is_empty() || zones.iter().any(|one| one == zone))
    }

    /// How much longer a resource takes.
    pub(super) fn slowness(&self, stack: &str, logical: &str, kind: &str) -> f64 {
        let slow = self.faults.iter().filter_map(|fault| match fault {
            Fault::Slow(slow) if slow.target.hits(stack, logical, kind) => Some(slow.factor),
            _ => None,
        });
        slow.product()
    }
}
