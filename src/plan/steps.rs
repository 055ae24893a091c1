//! The order of steps.

use super::{
    Action, Change, Effect, HeadBehind, Step, StepAction,
    carried::Carrying,
    duration,
    head::{self, Release},
    held::{self, Between},
    rest,
};
use crate::{
    model::{DataHolding, Graph, ParameterSource, StackKey, Teardown},
    observe::{HeadNode, Live},
};
use std::collections::{BTreeMap, BTreeSet};

/// What has to be done to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackWork {
    /// Make it.
    Create,
    /// Delete what is left of it, then make it.
    Recreate,
    /// Update it.
    Update,
    /// Go on with its rollback, then update it.
    Repair,
    /// Go on with its rollback.
    RepairOnly,
    /// Delete it.
    Remove,
}

/// Everything that steps are made of.
pub struct Work<'a> {
    /// The graph to be, for its edges.
    pub graph: Option<&'a Graph>,
    /// The stacks to work on, in the order of the graph.
    pub stacks: &'a [(StackKey, StackWork)],
    /// The changes, for exports and durations.
    pub changes: &'a [Change],
    /// Stacks that lose something while others use it: they lose it last. With what is made of them before, if
    /// anything has to be.
    pub postponed: &'a BTreeMap<StackKey, Option<Between>>,
    /// Stacks that go and of which something stays that their templates would delete.
    pub carrying: &'a BTreeMap<StackKey, Carrying>,
    /// Volumes of somebody else's that leave the head node: names and ids.
    pub brought: &'a [(String, String)],
    /// Whether files on nodes change.
    pub files_change: bool,
    /// What exists.
    pub live: &'a Live,
}

/// The steps to what the cluster file says; none when there is nothing to do.
///
/// Exports come before the stacks that lose their file systems; stacks follow those that feed them; the head
/// node is made only when its files are where it fetches them, and replaced only when it has let its volumes go; queues
/// leave Slurm before their stacks go.
pub fn to_apply(work: &Work<'_>) -> Vec<Step> {
    let mut list = List::default();
    let left_held = rest::left_held(work.live);
    let associations = rest::silent_links(work.changes, work.live);
    if !associations.is_empty() {
        list.push(StepAction::StartAutoExport { associations }, &[], duration::AUTO_EXPORT_SECONDS);
    }
    if work.stacks.is_empty() && !work.files_change {
        // An apply that held the queues died, and what it was for is done or not wanted any more.
        if left_held {
            list.push(StepAction::OpenQueues, &[], duration::ORDER_SECONDS);
        }
        if head_behind(work.live).is_some() {
            await_head(work, &[], &mut list);
        }
        return list.steps;
    }
    let bootstrap = work.live.bucket.as_ref().is_none_or(|bucket| !bucket.exists);
    let first: Vec<usize> = bootstrap.then(|| list.push(StepAction::Bootstrap, &[], 30)).into_iter().collect();
    let archive = list.push(StepAction::Archive, &first, 5);
    let at_rest = bring_to_rest(work, &mut list, archive);
    let exports = exports(work, &mut list, &[at_rest.unwrap_or(archive)]);
    let mut done: BTreeMap<StackKey, usize> = BTreeMap::new();
    let release = head::release(work.changes, work.live);
    for (key, kind) in work.stacks.iter().filter(|(_, kind)| *kind != StackWork::Remove) {
        let mut after = vec![archive];
        after.extend(before(work.graph, key).iter().filter_map(|feeds| done.get(feeds)));
        if touches_data(work.changes, key) {
            after.extend(exports.iter().chain(&at_rest));
        }
        if *key == StackKey::Head && (!work.brought.is_empty() || head::moves(work.changes)) {
            after.extend(&at_rest);
        }
        match work.postponed.get(key) {
            Some(Some(_)) => {
                done.insert(key.clone(), prepare(work, key, *kind, &after, &mut list));
                continue;
            }
            Some(None) => continue,
            None => {}
        }
        if let Some(ended) = ends_placed(work, key, Action::Replace, &after, &mut list) {
            after = ended;
        }
        if *key == StackKey::Head
            && matches!(kind, StackWork::Update | StackWork::Repair)
            && let Some(head) = &release
        {
            let Release { instance, volumes, protected, .. } = head.clone();
            let stop = StepAction::StopHead { instance, volumes, protected: protected && head.replaced };
            after = vec![list.push(stop, &after, duration::STOP_SECONDS)];
        }
        let boots = release.as_ref().is_some_and(|head| head.replaced);
        if *key == StackKey::Head && (boots || matches!(kind, StackWork::Create | StackWork::Recreate)) {
            after = vec![list.push(StepAction::Publish { last: false }, &after, 5)];
        }
        done.insert(key.clone(), stack_steps(work, key, *kind, &after, &mut list));
    }
    let mut all: Vec<usize> = done.values().copied().collect();
    all.push(archive);
    // New files name them no more: whoever has them mounted must have let go by then.
    all.extend(at_rest.filter(|_| !work.brought.is_empty()));
    // Switched off for an export: on again where CloudFormation updates the file system in place after all.
    let associations = rest::maybe_silenced(work.changes, work.live);
    if let (Some(storage), false) = (done.get(&StackKey::Storage), associations.is_empty()) {
        all.push(list.push(StepAction::StartAutoExport { associations }, &[*storage], duration::AUTO_EXPORT_SECONDS));
    }
    let volumes: Vec<usize> = at_rest.into_iter().chain(done.get(&StackKey::Head).copied()).collect();
    all.extend(release_volumes(work, &volumes, &mut list));
    let publish = list.push(StepAction::Publish { last: true }, &all, 5);
    if let Some(Release { instance, replaced: false, .. }) = release {
        list.push(StepAction::StartHead { instance }, &[publish], duration::STOP_SECONDS);
    }
    let before: Vec<usize> = exports.into_iter().chain(at_rest).collect();
    removals(work, publish, &before, &mut list);
    let instances = rest::stale_login_nodes(work.changes, work.brought, work.live);
    if !instances.is_empty() {
        let last = list.last();
        list.push(StepAction::ReplaceLogins { instances }, &last, duration::TERMINATE_SECONDS);
    }
    if at_rest.is_some() || left_held {
        let last = list.last();
        list.push(StepAction::OpenQueues, &last, duration::ORDER_SECONDS);
    }
    let last = list.last();
    await_head(work, &last, &mut list);
    list.steps
}

/// What there is to say of a head node that does not run the newest revision.
pub fn head_behind(live: &Live) -> Option<HeadBehind> {
    let (head, published) = (HeadNode::of(live)?, live.revision.as_ref()?.number);
    let failed = head.failure_of(published).map(|failed| failed.line.clone());
    (!head.runs(published)).then_some(HeadBehind { published, reported: head.reported, failed })
}

/// The very last step, whatever else there is: nothing depends on it, and a plan whose head node does not report has
/// done all that it can.
fn await_head(work: &Work<'_>, after: &[usize], list: &mut List) {
    let boots = work.changes.iter().any(|change| change.address == head::HEAD_ADDRESS)
        || HeadNode::of(work.live).is_some_and(|head| head.reported.is_none());
    let (limit, seconds) = match boots {
        true => (duration::HEAD_BOOT_LIMIT, duration::HEAD_BOOT_SECONDS),
        false => (duration::HEAD_UPDATE_LIMIT, duration::HEAD_UPDATE_SECONDS),
    };
    list.push(StepAction::AwaitHead { limit }, after, seconds);
}

/// The steps to nothing. Slurm stops first, then what it launched, so that the data that is exported is
/// complete and at rest; a failed export leaves the file systems as they are.
pub fn to_destroy(work: &Work<'_>) -> Vec<Step> {
    let mut list = List::default();
    let mut done: BTreeMap<&StackKey, usize> = BTreeMap::new();
    let has = |key: &StackKey| work.stacks.iter().any(|(other, _)| other == key);
    let of = |phase: Teardown| {
        let mut keys: Vec<&StackKey> =
            work.stacks.iter().map(|(key, _)| key).filter(|key| key.teardown() == phase).collect();
        keys.sort();
        keys
    };
    for key in of(Teardown::BeforeNodes).into_iter().rev() {
        let step = delete(work, key, &[], &mut list);
        done.insert(key, step);
    }
    let mut after: Vec<usize> = done.get(&StackKey::Head).copied().into_iter().collect();
    if has_compute(work.live) || has(&StackKey::Head) {
        after = vec![list.push(StepAction::Terminate { queue: None, pool: None }, &after, duration::TERMINATE_SECONDS)];
    }
    let exports = exports(work, &mut list, &after);
    for key in of(Teardown::AfterNodes) {
        let step = delete(work, key, &after, &mut list);
        done.insert(key, step);
    }
    for key in of(Teardown::Last).into_iter().rev() {
        let mut all: Vec<usize> = done.values().copied().chain(exports.iter().copied()).chain(after.clone()).collect();
        all.sort_unstable();
        all.dedup();
        let step = delete(work, key, &all, &mut list);
        done.insert(key, step);
    }
    let mut all: Vec<usize> = done.values().copied().chain(after).collect();
    let archived = work.live.bucket.as_ref().is_some_and(|bucket| bucket.exists)
        && (work.live.revision.is_some() || !work.live.files.is_empty() || !work.stacks.is_empty());
    // Whoever destroys again is told what is still there.
    if all.is_empty() && !archived && work.live.outside.is_empty() && work.live.instances.is_empty() {
        return list.steps;
    }
    all.sort_unstable();
    all.dedup();
    if archived {
        all = vec![list.push(StepAction::Purge, &all, 5)];
    }
    list.push(StepAction::Verify, &all, 10);
    list.steps
}

/// The length of the longest chain of steps, in seconds.
pub fn critical_path(steps: &[Step]) -> u32 {
    let mut ends: BTreeMap<usize, u32> = BTreeMap::new();
    for step in steps {
        let start = step.after.iter().filter_map(|before| ends.get(before)).max().copied().unwrap_or(0);
        ends.insert(step.number, start + step.seconds);
    }
    ends.into_values().max().unwrap_or(0)
}

#[derive(Default)]
struct List {
    steps: Vec<Step>,
}

impl List {
    /// The steps that no other waits for.
    fn last(&self) -> Vec<usize> {
        let followed: Vec<usize> = self.steps.iter().flat_map(|step| step.after.iter().copied()).collect();
        (1..=self.steps.len()).filter(|number| !followed.contains(number)).collect()
    }

    fn push(&mut self, action: StepAction, after: &[usize], seconds: u32) -> usize {
        let number = self.steps.len() + 1;
        let mut after = after.to_vec();
        after.sort_unstable();
        after.dedup();
        self.steps.push(Step { number, action, after, seconds });
        number
    }
}

/// Nobody on the cluster writes to a file system that goes, or waits for a head node that has moved away: the step after
/// which that is so.
fn bring_to_rest(work: &Work<'_>, list: &mut List, archive: usize) -> Option<usize> {
    let (file_systems, volumes) = (rest::going(work.changes), rest::leaving(work.changes, work.live));
    let moves = head::moves(work.changes);
    if file_systems.is_empty() && volumes.is_empty() && work.brought.is_empty() && !moves {
        return None;
    }
    // A head node that moves without being asked leaves nodes behind that find it no more.
    let queues = rest::queues(work.live).filter(|_| !moves || rest::takes_orders(work.live));
    let Some(queues) = queues else {
        // No head node: no orders, and nobody who would end what still runs.
        let terminate = StepAction::Terminate { queue: None, pool: None };
        return has_compute(work.live).then(|| list.push(terminate, &[archive], duration::TERMINATE_SECONDS));
    };
    let hold = list.push(StepAction::HoldQueues { queues }, &[archive], duration::HOLD_SECONDS);
    // Those of somebody else go now: with the stack of the head node its right to detach them goes, too.
    let stops = head::release(work.changes, work.live).is_some() || !rest::takes_orders(work.live);
    let brought = work.brought.iter().filter(|_| !stops).map(|(_, id)| id.clone());
    let volumes: Vec<String> = brought.collect();
    if file_systems.is_empty() && volumes.is_empty() {
        return Some(hold);
    }
    Some(list.push(StepAction::Release { file_systems, volumes }, &[hold], duration::ORDER_SECONDS))
}

/// The head node lets go of volumes that leave the cluster file, unless it is stopped anyway. Not before its stack is
/// done: a head node that is started anew for that attaches what its files name.
fn release_volumes(work: &Work<'_>, after: &[usize], list: &mut List) -> Option<usize> {
    let volumes = rest::leaving(work.changes, work.live);
    if volumes.is_empty() || head::release(work.changes, work.live).is_some() {
        return None;
    }
    let release = StepAction::Release { file_systems: Vec::new(), volumes };
    Some(list.push(release, after, duration::ORDER_SECONDS))
}

fn exports(work: &Work<'_>, list: &mut List, after: &[usize]) -> Vec<usize> {
    let mut steps = Vec::new();
    for change in work.changes {
        let Some(data) = change.data.as_ref().filter(|data| data.is_exported()) else { continue };
        let (DataHolding::FileSystem { name, .. }, Some(id)) = (&data.holding, &change.physical_id) else { continue };
        let (storage, file_system) = (name.clone(), id.clone());
        let associations = rest::auto_exports(work.live, id);
        let mut after = after.to_vec();
        if !associations.is_empty() {
            let (storage, file_system) = (storage.clone(), file_system.clone());
            let stop = StepAction::StopAutoExport { storage, file_system, associations };
            after = vec![list.push(stop, &after, duration::AUTO_EXPORT_SECONDS)];
        }
        steps.push(list.push(StepAction::Export { storage, file_system }, &after, duration::EXPORT_SECONDS));
    }
    steps
}

fn touches_data(changes: &[Change], key: &StackKey) -> bool {
    changes.iter().any(|change| change.stack == *key && change.data.is_some())
}

fn stack_steps(work: &Work<'_>, key: &StackKey, kind: StackWork, after: &[usize], list: &mut List) -> usize {
    let seconds = seconds(work.changes, key);
    let stack = key.clone();
    match kind {
        StackWork::Create | StackWork::Remove => list.push(StepAction::CreateStack { stack }, after, seconds),
        StackWork::Recreate => {
            let gone = list.push(
                StepAction::DeleteStack { stack: stack.clone(), broken: true, retain: Vec::new() },
                after,
                20,
            );
            list.push(StepAction::CreateStack { stack }, &[gone], seconds)
        }
        StackWork::Update => list.push(StepAction::UpdateStack { stack }, after, seconds),
        StackWork::Repair => {
            let repaired = list.push(StepAction::ContinueRollback { stack: stack.clone() }, after, 60);
            list.push(StepAction::UpdateStack { stack }, &[repaired], seconds)
        }
        StackWork::RepairOnly => list.push(StepAction::ContinueRollback { stack }, after, 60),
    }
}

/// Ends the nodes in the placement groups of a stack that go or make way for others: those of their pools, and of no other.
/// The steps; none where no group goes.
fn ends_placed(
    work: &Work<'_>,
    key: &StackKey,
    action: Action,
    after: &[usize],
    list: &mut List,
) -> Option<Vec<usize>> {
    let StackKey::Queue(queue) = key else { return None };
    let groups = work.changes.iter().filter(|change| change.resource_type == held::PLACEMENT_GROUP);
    let groups = groups.filter(|change| change.stack == *key && change.action == action);
    let pools: BTreeSet<&str> = groups.filter_map(held::pool_of).collect();
    let one = |pool: &str| StepAction::Terminate { queue: Some(queue.clone()), pool: Some(pool.to_owned()) };
    let steps = pools.into_iter().map(|pool| list.push(one(pool), after, duration::TERMINATE_SECONDS));
    let steps: Vec<usize> = steps.collect();
    (!steps.is_empty()).then_some(steps)
}

fn prepare(work: &Work<'_>, key: &StackKey, kind: StackWork, after: &[usize], list: &mut List) -> usize {
    let mut after = after.to_vec();
    if kind == StackWork::Repair {
        after = vec![list.push(StepAction::ContinueRollback { stack: key.clone() }, &after, 60)];
    }
    list.push(StepAction::PrepareStack { stack: key.clone() }, &after, seconds(work.changes, key))
}

/// What goes at the end, the users of something before the thing: stacks that are wanted no more, and what leaves
/// stacks that stay. This is the reverse of the order in which stacks are made.
fn removals(work: &Work<'_>, publish: usize, at_rest: &[usize], list: &mut List) {
    let postponed = |key: &StackKey| work.postponed.contains_key(key);
    let mut last: Vec<&(StackKey, StackWork)> =
        work.stacks.iter().filter(|(key, kind)| *kind == StackWork::Remove || postponed(key)).collect();
    last.sort_by(|(one, _), (other, _)| other.cmp(one));
    let mut gone = Vec::new();
    for (key, kind) in last {
        let mut after = vec![publish];
        match key {
            // The head node ends the nodes of a pool that its files name no more; those in a group must go before it.
            StackKey::Queue(_) if *kind != StackWork::Remove => {
                if let Some(ended) = ends_placed(work, key, Action::Delete, &after, list) {
                    after = ended;
                }
            }
            StackKey::Queue(queue) => {
                let terminate = StepAction::Terminate { queue: Some(queue.clone()), pool: None };
                after = vec![list.push(terminate, &after, duration::TERMINATE_SECONDS)];
            }
            _ => after.extend(&gone),
        }
        if *kind != StackWork::Remove && loses(work.changes, key, held::SUBNET) {
            after =
                vec![list.push(StepAction::Terminate { queue: None, pool: None }, &after, duration::TERMINATE_SECONDS)];
        }
        if touches_data(work.changes, key) {
            after.extend(at_rest);
        }
        gone.push(match (kind, work.postponed.get(key)) {
            (StackWork::Remove, _) => delete(work, key, &after, list),
            // It was repaired when it was prepared.
            (_, Some(Some(_))) => stack_steps(work, key, StackWork::Update, &after, list),
            (kind, _) => stack_steps(work, key, *kind, &after, list),
        });
    }
}

fn loses(changes: &[Change], key: &StackKey, resource_type: &str) -> bool {
    let goes = |change: &&Change| change.stack == *key && change.action == Action::Delete;
    changes.iter().filter(goes).any(|change| change.resource_type == resource_type)
}

fn delete(work: &Work<'_>, key: &StackKey, after: &[usize], list: &mut List) -> usize {
    let (stack, mut retain, mut after) = (key.clone(), Vec::new(), after.to_vec());
    match work.carrying.get(key) {
        Some(Carrying::Marked(_)) => {
            after = vec![list.push(StepAction::MarkKept { stack: key.clone() }, &after, duration::MARK_SECONDS)];
        }
        Some(Carrying::Named(names)) => retain.clone_from(names),
        None => {}
    }
    let action = StepAction::DeleteStack { stack, broken: false, retain };
    list.push(action, &after, seconds(work.changes, key))
}

fn has_compute(live: &Live) -> bool {
    live.instances.iter().any(|instance| instance.is_compute())
}

/// The stacks that must be done before this one.
fn before(graph: Option<&Graph>, key: &StackKey) -> Vec<StackKey> {
    let Some(stack) = graph.and_then(|graph| graph.stacks.iter().find(|stack| stack.key == *key)) else {
        return Vec::new();
    };
    let mut list = stack.after.clone();
    for parameter in stack.parameters.values() {
        if let ParameterSource::Output { stack, .. } = &parameter.source
            && !list.contains(stack)
        {
            list.push(stack.clone());
        }
    }
    list
}

/// Resources of a stack are worked on side by side: the slowest counts, and a little for each other.
fn seconds(changes: &[Change], key: &StackKey) -> u32 {
    let of = |change: &Change| match change.action {
        Action::Create => duration::create_seconds(&change.resource_type),
        Action::Update if change.properties.iter().any(|property| property.effect == Effect::Restarts) => {
            duration::RESTART_SECONDS
        }
        Action::Update => duration::update_seconds(&change.resource_type),
        Action::Replace => {
            duration::create_seconds(&change.resource_type) + duration::delete_seconds(&change.resource_type)
        }
        Action::Delete => duration::delete_seconds(&change.resource_type),
        Action::Forget => 1,
    };
    let all: Vec<u32> = changes.iter().filter(|change| change.stack == *key).map(of).collect();
    all.iter().max().copied().unwrap_or(10) + all.len() as u32
}
