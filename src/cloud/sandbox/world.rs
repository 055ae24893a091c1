//! What the sandbox knows: one account, as it is kept in the state file.

use super::{
    bucket::Bucket, eval::plain, experiments::Experiment, instance::Instance, inventory::Outside, stack::Stack,
    task::Task,
};
use crate::cloud::{Fleet, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state file's `kind`.
pub(super) const KIND: &str = "hpcctl.sandbox";
/// The state file's `format_version`.
pub(super) const FORMAT_VERSION: u32 = 1;
/// When the sandbox's time begins: 2026-01-01T00:00:00Z.
pub(super) const EPOCH: Timestamp = Timestamp(1_767_225_600);
/// The sandbox's account, a number that AWS's own pages use in examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct World {
    pub kind: String,
    pub format_version: u32,
    /// The virtual time, in seconds since 1970.
    pub now: Timestamp,
    /// The same for people.
    pub now_text: String,
    /// Calls so far that change something; the crash fault counts them.
    pub mutations: u64,
    /// How often each scripted fault has struck.
    pub fired: BTreeMap<String, u32>,
    /// How many of a kind there have been, for ids that do not repeat.
    pub counters: BTreeMap<String, u64>,
    /// Stacks by id, deleted ones too.
    pub stacks: BTreeMap<String, Stack>,
    /// Resources that outlived their stack, by physical id.
    pub retained: BTreeMap<String, super::resource::Resource>,
    /// What is gone but still shows in lists of tags and of roles, by physical id, and until when.
    #[serde(default)]
    pub ghosts: BTreeMap<String, (Timestamp, super::resource::Resource)>,
    pub buckets: BTreeMap<String, Bucket>,
    pub instances: BTreeMap<String, Instance>,
    /// Which instance has which volume, by the volume's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attachments: BTreeMap<String, super::volumes::Attachment>,
    /// What came of fleets, by client token.
    #[serde(default)]
    pub fleets: BTreeMap<String, Fleet>,
    /// Experiments, by id.
    #[serde(default)]
    pub experiments: BTreeMap<String, Experiment>,
    /// The ARN of the role of experiments, when it is there.
    #[serde(default)]
    pub experiment_role: Option<String>,
    /// The files of file systems, by path without a leading slash.
    pub files: BTreeMap<String, BTreeMap<String, u64>>,
    pub tasks: Vec<Task>,
    /// What is outside the stacks, as far as anybody has told.
    #[serde(default, skip_serializing_if = "Outside::is_empty")]
    pub outside: Outside,
    /// Head nodes that hold their queues for something that goes, by id, and since when: another one knows nothing of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Timestamp>,
    /// Associations that FSx changes, and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changing: BTreeMap<String, Timestamp>,
    /// While a rehearsal runs, time is real: by how many milliseconds the sandbox is ahead of the machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_ms: Option<i64>,
    /// Changed since it was saved.
    #[serde(skip)]
    pub dirty: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            kind: KIND.to_owned(),
            format_version: FORMAT_VERSION,
            now: EPOCH,
            now_text: EPOCH.to_string(),
            mutations: 0,
            fired: BTreeMap::new(),
            counters: BTreeMap::new(),
            stacks: BTreeMap::new(),
            retained: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            buckets: BTreeMap::new(),
            instances: BTreeMap::new(),
            attachments: BTreeMap::new(),
            fleets: BTreeMap::new(),
            experiments: BTreeMap::new(),
            experiment_role: None,
            files: BTreeMap::new(),
            tasks: Vec::new(),
            outside: Outside::default(),
            held: BTreeMap::new(),
            changing: BTreeMap::new(),
            ahead_ms: None,
            dirty: false,
        }
    }
}

impl World {
    /// The next number under a name, from 1.
    pub fn count(&mut self, name: &str) -> u64 {
        let counter = self.counters.entry(name.to_owned()).or_default();
        *counter += 1;
        *counter
    }

    /// The id of the stack of that name (not deleted) or id.
    pub fn stack_id(&self, region: &str, name_or_id: &str) -> Option<String> {
        if self.stacks.contains_key(name_or_id) {
            return Some(name_or_id.to_owned());
        }
        let named = |s: &&Stack| s.region == region && s.name == name_or_id && s.deleted.is_none();
        self.stacks.values().find(named).map(|s| s.id.clone())
    }

    /// What is gone but still shows in lists.
    pub fn ghosts(&self) -> impl Iterator<Item = &super::resource::Resource> {
        self.ghosts.values().filter(|(until, _)| *until > self.now).map(|(_, resource)| resource)
    }

    /// The zone of a subnet, made by a stack or not.
    pub fn zone_of(&self, region: &str, subnet: &str) -> String {
        let made = self.resources().map(|(_, r)| r).find(|r| r.kind == "AWS::EC2::Subnet" && r.physical == subnet);
        let zone = made.and_then(|subnet| subnet.attributes.get("AvailabilityZone")).map(plain);
        zone.unwrap_or_else(|| self.outside.zone(region, subnet))
    }

    /// Every resource that is there, with the stack that made it.
    pub fn resources(&self) -> impl Iterator<Item = (&Stack, &super::resource::Resource)> {
        self.stacks.values().flat_map(|stack| stack.present().map(move |resource| (stack, resource)))
    }
}
