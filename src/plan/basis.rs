//! What a plan was made against, and what of it has moved since.

use super::{Goal, Plan, document::short_id};
use crate::{cloud::Repository, observe::Live, render::sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a plan was made against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Basis {
    /// The account; `None`: the plan was made without a cloud and cannot be applied.
    pub account: Option<String>,
    /// The revision at that time.
    pub revision: Option<u64>,
    /// A fingerprint of every thing that the plan relies on, by the thing's name.
    pub items: BTreeMap<String, String>,
}

/// How the links of a file system with S3 begin.
const LINKS: &str = "links of file system ";

/// A thing that is not as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The thing, such as `stack storage`.
    pub item: String,
    /// Its fingerprint then.
    pub then: Option<String>,
    /// Its fingerprint now.
    pub now: Option<String>,
}

impl Basis {
    /// The fingerprints of what exists.
    pub fn of(live: &Live) -> Self {
        let mut items = BTreeMap::new();
        for (key, stack) in &live.stacks {
            let state = &stack.state;
            let parameters = serde_json::to_string(&state.parameters).unwrap_or_default();
            let content = sha256(format!("{}{parameters}", stack.template));
            let updated = state.updated.unwrap_or(state.created);
            items.insert(
                format!("stack {key}"),
                format!("{} since {updated}, template {}", state.status.as_str(), &content[..12]),
            );
        }
        if let Some(revision) = &live.revision {
            items.insert("revision".to_owned(), format!("{} of plan {}", revision.number, revision.plan));
        }
        // One without a plan died in its first step, the archive: it changed nothing.
        if let Some(begun) = live.begun.as_ref().filter(|begun| !begun.plan.is_empty()) {
            items.insert("revision begun".to_owned(), format!("{} of plan {}", begun.number, short_id(&begun.plan)));
        }
        for file_system in live.file_systems.values() {
            let state = &file_system.state;
            items.insert(format!("file system {}", state.id), state.lifecycle.clone());
            // Automatic export is switched by the plan itself.
            let link = |one: &Repository| {
                format!("{} -> {}", one.path, one.export.as_deref().or(one.import.as_deref()).unwrap_or("nowhere"))
            };
            let mut links: Vec<String> = state.repositories.iter().map(link).collect();
            links.sort();
            items.insert(format!("{LINKS}{}", state.id), links.join(", "));
        }
        Self {
            account: live.caller.as_ref().map(|caller| caller.account.clone()),
            revision: live.revision.as_ref().map(|revision| revision.number),
            items,
        }
    }
}

impl Plan {
    /// What moved since the plan was made, apart from what this very plan did when it was applied in part.
    ///
    /// A stack that is where the plan leads (its template is the planned one, or it was to be deleted and is
    /// gone) has not moved: apply goes on from there after an interruption.
    pub fn moved(&self, live: &Live) -> Vec<Moved> {
        let now = Basis::of(live);
        let mut names: Vec<&String> = self.basis.items.keys().chain(now.items.keys()).collect();
        names.sort();
        names.dedup();
        let differs = |name: &&String| self.basis.items.get(*name) != now.items.get(*name);
        names
            .into_iter()
            .filter(differs)
            .filter(|name| !self.leads_to(name, live))
            .map(|name| Moved {
                item: name.clone(),
                then: self.basis.items.get(name).cloned(),
                now: now.items.get(name).cloned(),
            })
            .collect()
    }

    fn leads_to(&self, item: &str, live: &Live) -> bool {
        if let Some(stack) = item.strip_prefix("stack ") {
            let Some(key) = crate::model::StackKey::parse(stack) else { return false };
            let planned = self.content.templates.get(&key);
            return match (planned, live.stacks.get(&key)) {
                (Some(planned), Some(stack)) => {
                    let is = |text: &String| serde_json::from_str(text).is_ok_and(|json: Value| stack.template == json);
                    is(planned) || self.content.between.get(&key).is_some_and(|between| is(&between.template))
                }
                (None, None) => true,
                (None, Some(stack)) => stack.state.status.as_str().starts_with("DELETE"),
                (Some(_), None) => false,
            };
        }
        if item == "revision" {
            return match (&live.revision, self.goal) {
                (Some(revision), _) => revision.plan == self.id(),
                (None, goal) => goal == Goal::Destroy,
            };
        }
        if item == "revision begun" {
            return live.begun.as_ref().is_none_or(|begun| short_id(&begun.plan) == self.id());
        }
        // Links go and come with their stack. Where that is as it was, somebody else made or took them away.
        if item.starts_with(LINKS) {
            let storage = format!("stack {}", crate::model::StackKey::Storage);
            return self.basis.items.get(&storage) != Basis::of(live).items.get(&storage);
        }
        // File systems follow their stack, which is checked by itself.
        item.starts_with("file system ")
    }
}
