//! Whether a plan that was carried out brought about what it says.

use super::{
    Goal, Plan,
    facts::{CLUSTER_FACTS, outputs, same},
    rest,
};
use crate::{
    model::StackKey,
    observe::{Live, LiveStack},
};
use serde::Serialize;
use serde_json::Value;

/// Something that is not as the plan says, though all its steps are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Gap {
    /// A stack that the plan makes or leaves.
    Stack {
        /// Which.
        stack: StackKey,
        /// Its status; `None`: it is not there.
        status: Option<String>,
        /// Whether its template is the planned one.
        planned: bool,
    },
    /// A stack that the plan deletes.
    Remains {
        /// Which.
        stack: StackKey,
        /// Its status.
        status: String,
    },
    /// A file that nodes fetch is not there, or has another content.
    File {
        /// Its path.
        path: String,
    },
    /// The newest revision is another.
    Revision {
        /// Its number; `None`: there is none.
        number: Option<u64>,
    },
}

impl Plan {
    /// What of the cluster is not as this plan says; for plans of `apply`, after their last step that needs the lock.
    pub fn gaps(&self, live: &Live) -> Vec<Gap> {
        if self.goal == Goal::Destroy || self.only_waits() {
            return Vec::new();
        }
        let mut gaps = Vec::new();
        for (key, body) in &self.content.templates {
            gaps.extend(stack(key, body, live.stacks.get(key)));
        }
        for (key, stack) in live.stacks.iter().filter(|(key, _)| !self.content.templates.contains_key(key)) {
            gaps.push(Gap::Remains { stack: key.clone(), status: stack.state.status.as_str().to_owned() });
        }
        if self.steps.iter().any(|step| matches!(step.action, super::StepAction::Publish { last: true })) {
            gaps.extend(self.published(live));
        }
        gaps
    }

    /// Whether this very plan was carried out to its end, its revision is the newest, and nothing waits for more of it.
    pub fn is_done(&self, live: &Live) -> bool {
        let newest = live.revision.as_ref().is_some_and(|revision| revision.plan == self.id());
        self.goal == Goal::Apply && newest && !rest::left_held(live) && self.gaps(live).is_empty()
    }

    fn published(&self, live: &Live) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (path, file) in &self.content.files {
            if live.files.get(path) != Some(&file.content) {
                gaps.push(Gap::File { path: path.clone() });
            }
        }
        let bucket = live.bucket.as_ref().map(|bucket| bucket.name.as_str()).unwrap_or_default();
        if !same(live, &self.cluster_facts(bucket, &outputs(live))) {
            gaps.push(Gap::File { path: CLUSTER_FACTS.to_owned() });
        }
        let newest = live.revision.as_ref();
        if newest.is_none_or(|revision| revision.plan != self.id() || revision.number != self.revision) {
            gaps.push(Gap::Revision { number: newest.map(|revision| revision.number) });
        }
        gaps
    }
}

fn stack(key: &StackKey, body: &str, live: Option<&LiveStack>) -> Option<Gap> {
    let planned = live.is_some_and(|live| serde_json::from_str::<Value>(body).is_ok_and(|body| body == live.template));
    // A rollback to a template that is the planned one is what it was before: a deletion by hand, say.
    let good = live.is_some_and(|live| live.state.status.can_update());
    let status = live.map(|live| live.state.status.as_str().to_owned());
    (!planned || !good).then(|| Gap::Stack { stack: key.clone(), status, planned })
}
