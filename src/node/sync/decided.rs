//! What was decided, gathered.

use super::{Action, Cause, FailedStart, Orphan};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided, gathered: one action for many nodes.
#[derive(Default)]
pub(super) struct Decided {
    pub adopt: Vec<Action>,
    pub tell: Vec<Action>,
    pub address: BTreeMap<String, String>,
    pub close: Vec<Action>,
    pub terminate: BTreeMap<Orphan, BTreeSet<String>>,
    pub forget: BTreeSet<String>,
    pub count: BTreeMap<String, BTreeMap<String, FailedStart>>,
    pub reset: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    pub replace: BTreeMap<Cause, BTreeSet<String>>,
    pub power_down: BTreeSet<String>,
    pub drain: BTreeMap<String, BTreeSet<String>>,
    pub end_rests: BTreeSet<String>,
    pub idle: (BTreeSet<String>, BTreeSet<String>),
    pub rest: BTreeMap<String, BTreeSet<String>>,
    pub queues: Vec<Action>,
    pub relaunch: BTreeSet<String>,
    pub power_up: BTreeSet<String>,
    pub tag: Vec<Action>,
}

impl Decided {
    /// All actions, in the order in which they are done.
    pub fn actions(self) -> Vec<Action> {
        let some = |set: &BTreeSet<String>| !set.is_empty();
        let mut all = self.adopt;
        all.extend(self.tell);
        all.extend(Some(self.address).filter(|nodes| !nodes.is_empty()).map(|nodes| Action::Address { nodes }));
        all.extend(self.terminate.into_iter().map(|(why, instances)| Action::Terminate { why, instances }));
        all.extend(self.close);
        all.extend(self.count.into_iter().map(|(queue, starts)| Action::Count { queue, starts }));
        let reset = |(queue, (pools, instances))| Action::Reset { queue, pools, instances };
        all.extend(self.reset.into_iter().map(reset));
        all.extend(self.replace.into_iter().map(|(cause, nodes)| Action::Replace { cause, nodes }));
        all.extend(Some(self.power_down).filter(some).map(|nodes| Action::PowerDown { nodes }));
        all.extend(Some(self.forget).filter(some).map(|instances| Action::Forget { instances }));
        all.extend(self.drain.into_iter().map(|(event, nodes)| Action::Drain { event, nodes }));
        all.extend(Some(self.end_rests).filter(some).map(|pools| Action::EndRests { pools }));
        all.extend(
            Some(self.idle).filter(|(nodes, _)| some(nodes)).map(|(nodes, failed)| Action::Idle { nodes, failed }),
        );
        all.extend(self.rest.into_iter().map(|(code, nodes)| Action::Rest { code, nodes }));
        all.extend(self.queues);
        all.extend(Some(self.relaunch).filter(some).map(|nodes| Action::Relaunch { nodes }));
        all.extend(Some(self.power_up).filter(some).map(|nodes| Action::PowerUp { nodes }));
        all.extend(self.tag);
        all
    }
}
