//! The plan to what the cluster file says.

use super::{
    After, Basis, BetweenStack, BusyQueue, Cause, Change, Content, DataFate, Effect, FileChange, Goal, Impact,
    PLAN_FORMAT, PLAN_KIND, Plan, PlannedFile, PlannedParameter, Reason, Refusal, Source, carried,
    facts::CLUSTER_FACTS,
    head,
    held::{self, AttachedVolume, Between, HeldReplacement},
    images, jobs, notes,
    obstacles::Obstacle,
    rest, settled,
    slurm_step::SlurmStep,
    stack_diff::{Context, ParameterState, StackDiff, create_all, diff_stack, removed},
    steps::{self, StackWork},
    unfinished,
};
use crate::{
    catalog::ResourceCatalog,
    cloud::StackStatus,
    model::{DataHolding, Graph, ParameterSource, Stack, StackKey, stack_tags},
    observe::{Live, LiveStack},
    render::{Rendered, canonical, sha256},
    spec::{Document, Path},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What should be.
pub struct Desired<'a> {
    /// The cluster file.
    pub document: &'a Document,
    /// The stacks.
    pub graph: &'a Graph,
    /// Their templates, and the node files.
    pub rendered: &'a Rendered,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanError {
    /// Stacks are busy: something or somebody else works on them.
    Busy {
        /// Their names and statuses.
        stacks: Vec<(String, String)>,
    },
    /// Resources would be replaced while other stacks use them.
    Held {
        /// Which.
        held: Vec<HeldReplacement>,
    },
    /// Volumes would be deleted while an instance that stays has them attached.
    Attached {
        /// Which.
        attached: Vec<AttachedVolume>,
    },
    /// The artifact bucket is there, and the stack that gives it its settings is not: nobody knows what it is.
    UnmanagedBucket {
        /// Its name.
        bucket: String,
    },
    /// Things refuse to be deleted.
    Obstacles {
        /// Which, all at once.
        obstacles: Vec<Obstacle>,
    },
    /// AWS would refuse changes.
    Refused {
        /// The cluster file's name.
        file: String,
        /// The changes.
        refusals: Vec<Refusal>,
    },
}

/// Resources that CloudFormation's change sets replace.
pub type Predicted = BTreeMap<StackKey, BTreeSet<String>>;
/// A bucket without its stack may be public, unencrypted, or somebody's trap.
fn refuse_unmanaged(live: &Live) -> Result<(), PlanError> {
    match &live.bucket {
        Some(bucket) if bucket.exists && !bucket.managed => {
            Err(PlanError::UnmanagedBucket { bucket: bucket.name.clone() })
        }
        _ => Ok(()),
    }
}

/// Makes the plan to what the cluster file says.
pub fn plan(desired: &Desired<'_>, live: &Live, catalog: &ResourceCatalog) -> Result<Plan, PlanError> {
    plan_predicted(desired, live, catalog, &Predicted::new())
}

/// The same, when it is known what else is replaced.
pub fn plan_predicted(
    desired: &Desired<'_>,
    live: &Live,
    catalog: &ResourceCatalog,
    predicted: &Predicted,
) -> Result<Plan, PlanError> {
    refuse_busy(live)?;
    refuse_unmanaged(live)?;
    let cause = |path: &Path| Cause { path: path.clone(), line: desired.document.line(path) };
    let gather = |head_anew: bool| {
        let mut context = Context::new(catalog, &cause, live, &desired.graph.tags, predicted);
        context.queue = SlurmStep::of(desired.rendered, live);
        let mut builder = Builder { desired, live, context, head_anew, out: Gathered::default() };
        for stack in &desired.graph.stacks {
            builder.stack(stack);
        }
        builder.removed_stacks();
        builder
    };
    let mut builder = gather(false);
    if images::head_needs_newest(desired.graph, live, &builder.out.changes) {
        builder = gather(true);
    }
    if !builder.out.refusals.is_empty() {
        return Err(PlanError::Refused { file: desired.document.name.clone(), refusals: builder.out.refusals });
    }
    let held = held::replacements(&builder.out.changes, live);
    if !held.is_empty() {
        return Err(PlanError::Held { held });
    }
    let brought = rest::brought_leaving(live, desired.rendered);
    let attached = held::attached(&builder.out.changes, &brought, live);
    if !attached.is_empty() {
        return Err(PlanError::Attached { attached });
    }
    Ok(builder.finish())
}

/// Refuses to plan while something works on a stack.
pub fn refuse_busy(live: &Live) -> Result<(), PlanError> {
    let busy = |stack: &&LiveStack| stack.state.status.in_progress();
    let stacks: Vec<(String, String)> = live
        .stacks
        .values()
        .filter(busy)
        .map(|stack| (stack.state.name.clone(), stack.state.status.as_str().to_owned()))
        .collect();
    if stacks.is_empty() { Ok(()) } else { Err(PlanError::Busy { stacks }) }
}

#[derive(Default)]
struct Gathered {
    changes: Vec<Change>,
    quiet: Vec<StackKey>,
    unchanged: usize,
    unknown_outputs: BTreeSet<(StackKey, String)>,
    parameters: BTreeMap<StackKey, BTreeMap<String, PlannedParameter>>,
    work: Vec<(StackKey, StackWork)>,
    refusals: Vec<Refusal>,
    /// Templates that keep words of what exists.
    settled: BTreeMap<StackKey, String>,
}

struct Builder<'a> {
    desired: &'a Desired<'a>,
    live: &'a Live,
    context: Context<'a>,
    /// The head node is made anew, so that its image may be another.
    head_anew: bool,
    out: Gathered,
}

impl Builder<'_> {
    fn stack(&mut self, stack: &Stack) {
        let states = self.parameters(stack);
        self.out.parameters.insert(stack.key.clone(), planned_parameters(stack, &states));
        let exists = self.live.stacks.get(&stack.key);
        let (diff, work) = match exists {
            None => (create_all(stack, &Reason::New, &self.context), Some(StackWork::Create)),
            Some(exists) if exists.state.status.must_be_recreated() => self.anew(stack, exists),
            Some(exists) => self.update(stack, exists, &states),
        };
        let unknown = diff.unknown_outputs.iter().map(|output| (stack.key.clone(), output.clone()));
        self.out.unknown_outputs.extend(unknown);
        self.out.unchanged += diff.unchanged;
        if let Some(work) = work {
            self.out.work.push((stack.key.clone(), work));
        }
        self.out.changes.extend(diff.changes);
        self.out.refusals.extend(diff.refusals);
    }

    fn anew(&self, stack: &Stack, exists: &LiveStack) -> (StackDiff, Option<StackWork>) {
        let status = exists.state.status.as_str().to_owned();
        let mut diff = create_all(stack, &Reason::StackBroken { status: status.clone() }, &self.context);
        // A deletion that failed half-way may still hold data.
        for resource in exists.resources.iter().filter(|resource| resource.is_there()) {
            let Some(old) = exists.template.pointer(&format!("/Resources/{}", resource.logical_id)) else { continue };
            let reason = Reason::StackBroken { status: status.clone() };
            let change = removed(&stack.key, &resource.logical_id, old, exists, &reason, self.live);
            if change.data.is_some() {
                diff.changes.push(change);
            }
        }
        (diff, Some(StackWork::Recreate))
    }

    fn update(
        &mut self,
        stack: &Stack,
        exists: &LiveStack,
        states: &BTreeMap<String, ParameterState>,
    ) -> (StackDiff, Option<StackWork>) {
        let body = self.desired.rendered.templates.get(&stack.key).map(|template| template.body.as_str());
        let rendered: Value = body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or(Value::Null);
        let mut template = rendered.clone();
        let cluster = self.desired.document.cluster.as_ref();
        if let Some(settled) = settled::settled(&stack.key, &rendered, cluster, exists, self.live) {
            self.out.settled.insert(stack.key.clone(), canonical(&settled));
            template = settled;
        }
        let mut diff = diff_stack(stack, &template, exists, states, &self.context);
        let keeps_image = !self.head_anew && stack.key == StackKey::Head;
        let settled = keeps_image.then(|| images::settled(&template, stack, exists, self.live, diff.differs));
        if let Some(settled) = settled.flatten() {
            self.out.settled.insert(stack.key.clone(), canonical(&settled));
            diff = diff_stack(stack, &settled, exists, states, &self.context);
        }
        let tags = exists.state.tags != stack_tags(&self.desired.graph.tags, &stack.key);
        let protection = exists.state.termination_protection != self.desired.graph.termination_protection;
        let differs = diff.differs || tags || protection;
        if let Some(named) = settled::named(&rendered, exists, self.live).filter(|_| differs) {
            self.out.settled.insert(stack.key.clone(), canonical(&named));
        }
        if differs && diff.changes.is_empty() {
            self.out.quiet.push(stack.key.clone());
        }
        let stuck = exists.state.status == StackStatus::UpdateRollbackFailed;
        let work = match (differs, stuck) {
            (true, true) => Some(StackWork::Repair),
            (true, false) => Some(StackWork::Update),
            (false, true) => Some(StackWork::RepairOnly),
            (false, false) => None,
        };
        (diff, work)
    }

    /// Every parameter's value before and after.
    fn parameters(&self, stack: &Stack) -> BTreeMap<String, ParameterState> {
        let exists = self.live.stacks.get(&stack.key).filter(|exists| !exists.state.status.must_be_recreated());
        let state = |(name, parameter): (&String, &crate::model::Parameter)| {
            let before = exists.and_then(|exists| exists.state.parameters.get(name)).cloned();
            let after = self.parameter(&stack.key, &parameter.source, before.as_ref());
            (name.clone(), ParameterState { before, after })
        };
        stack.parameters.iter().map(state).collect()
    }

    fn parameter(&self, of: &StackKey, source: &ParameterSource, before: Option<&String>) -> After {
        let known = |value: Option<&String>| {
            value.map_or(After::KnownAfterApply, |value| After::Known(Value::from(value.as_str())))
        };
        match source {
            ParameterSource::Output { stack, output } => {
                if self.out.unknown_outputs.contains(&(stack.clone(), output.clone())) {
                    return After::KnownAfterApply;
                }
                known(self.live.stacks.get(stack).and_then(|stack| stack.state.outputs.get(output)))
            }
            ParameterSource::Image { os, architecture } => {
                let newest = self.live.images.get(&(*os, *architecture));
                known(images::chosen(self.live, of, before, newest, self.head_anew))
            }
            ParameterSource::SubnetZone { subnet } => known(self.live.zones.get(subnet).or(before)),
            ParameterSource::ProfileRole { profile } => known(self.live.profile_roles.get(profile)),
            ParameterSource::ArtifactBucket => known(self.live.bucket.as_ref().map(|bucket| &bucket.name)),
        }
    }

    /// Stacks that the cluster file does not want any more.
    fn removed_stacks(&mut self) {
        let wanted: BTreeSet<&StackKey> = self.desired.graph.stacks.iter().map(|stack| &stack.key).collect();
        for (key, exists) in self.live.stacks.iter().filter(|(key, _)| !wanted.contains(key)) {
            self.out.changes.extend(removed_stack(key, exists, &Reason::NotWanted, self.live));
            self.out.work.push((key.clone(), StackWork::Remove));
        }
    }

    fn finish(self) -> Plan {
        let Self { desired, live, head_anew, mut out, .. } = self;
        carried::carry(&mut out.changes, live);
        rest::mark_login_nodes(&mut out.changes, live);
        jobs::mark(&mut out.changes, live);
        let mut file_changes = file_changes(desired, live);
        let unfinished = unfinished::revision(&desired.rendered.digest, live);
        if out.work.is_empty() && file_changes.is_empty() {
            let templates = templates(desired, &out.settled);
            file_changes.extend(unfinished::facts(desired, &templates, live, unfinished));
        }
        let postponed = postponed(desired, live, &out);
        let leaving = out.work.iter().filter(|(_, work)| *work == StackWork::Remove).map(|(key, _)| key);
        let carrying = carried::going(leaving, &out.changes, live);
        let brought = rest::brought_leaving(live, desired.rendered);
        let work = steps::Work {
            graph: Some(desired.graph),
            stacks: &out.work,
            changes: &out.changes,
            brought: &brought,
            files_change: !file_changes.is_empty() || unfinished.is_some(),
            postponed: &postponed,
            carrying: &carrying,
            live,
        };
        let steps = steps::to_apply(&work);
        let drift =
            live.drift.as_ref().map(|drift| drift.iter().map(|(key, list)| (key.to_string(), list.clone())).collect());
        let publishes = |step: &super::Step| matches!(step.action, super::StepAction::Publish { .. });
        let revision = match (&live.revision, steps.is_empty() || steps.iter().any(publishes)) {
            (Some(revision), false) => revision.number,
            _ => unfinished.unwrap_or_else(|| live.newest_number() + 1),
        };
        let login_nodes_stale = rest::stale_login_nodes(&out.changes, &brought, live);
        let impact = Impact { login_nodes_stale, ..impact(&out.changes, live, steps::critical_path(&steps)) };
        Plan {
            kind: PLAN_KIND.to_owned(),
            format_version: PLAN_FORMAT.to_owned(),
            digest: String::new(),
            goal: Goal::Apply,
            cluster: desired.graph.cluster.clone(),
            region: desired.graph.region.clone(),
            basis: Basis::of(live),
            revision,
            source: Source {
                name: desired.document.name.clone(),
                sha256: sha256(&desired.document.text),
                text: desired.document.text.clone(),
            },
            busy_queues: busy_queues(&impact, live),
            vanishing: jobs::vanishing(desired.rendered, live),
            notes: notes::notes(&out.changes, desired, live, unfinished, head_anew),
            head_behind: steps::head_behind(live),
            impact,
            changes: out.changes,
            quiet_stacks: out.quiet,
            unchanged: out.unchanged,
            drift_checked: drift.is_some(),
            drift: drift.unwrap_or_default(),
            disagreements: Vec::new(),
            previewed: false,
            unasked: Vec::new(),
            outside: live.outside.clone(),
            kept: live.kept.clone(),
            steps,
            content: Content {
                between: between_stacks(postponed).into_iter().chain(carried::marked(&carrying)).collect(),
                ..content(desired, live, out.parameters, out.settled)
            },
            file_changes,
        }
        .sealed()
    }
}

/// The stacks that lose something while others use it, each with its template between, where it needs one.
fn postponed(desired: &Desired<'_>, live: &Live, out: &Gathered) -> BTreeMap<StackKey, Option<Between>> {
    let providers = held::providers(&out.changes, live);
    let updated = |work: &StackWork| matches!(work, StackWork::Update | StackWork::Repair);
    let keys = out.work.iter().filter(|(key, work)| updated(work) && providers.contains(key)).map(|(key, _)| key);
    let one = |key: &StackKey| {
        let body = out.settled.get(key).or(desired.rendered.templates.get(key).map(|template| &template.body))?;
        let stay = carried::carriers(&out.changes, key);
        let between = held::between(&serde_json::from_str(body).ok()?, live.stacks.get(key)?, &stay);
        Some((key.clone(), between))
    };
    keys.filter_map(one).collect()
}

fn between_stacks(postponed: BTreeMap<StackKey, Option<Between>>) -> BTreeMap<StackKey, BetweenStack> {
    let one = |(key, between): (StackKey, Option<Between>)| {
        let Between { template, parameters } = between?;
        Some((key, BetweenStack { template: canonical(&template), parameters }))
    };
    postponed.into_iter().filter_map(one).collect()
}

/// The changes that the removal of a whole stack means.
pub fn removed_stack(key: &StackKey, exists: &LiveStack, reason: &Reason, live: &Live) -> Vec<Change> {
    let resources = exists.template.get("Resources").and_then(Value::as_object);
    let gone = |logical_id: &str| exists.resources.iter().any(|one| one.logical_id == logical_id && !one.is_there());
    resources
        .into_iter()
        .flatten()
        .filter(|(logical_id, _)| !gone(logical_id))
        .map(|(logical_id, old)| removed(key, logical_id, old, exists, reason, live))
        .collect()
}

fn planned_parameters(stack: &Stack, states: &BTreeMap<String, ParameterState>) -> BTreeMap<String, PlannedParameter> {
    let planned = |(name, parameter): (&String, &crate::model::Parameter)| {
        let value = match states.get(name).map(|state| &state.after) {
            Some(After::Known(Value::String(value))) => PlannedParameter::Value(value.clone()),
            _ => PlannedParameter::From(parameter.source.clone()),
        };
        (name.clone(), value)
    };
    stack.parameters.iter().map(planned).collect()
}

fn file_changes(desired: &Desired<'_>, live: &Live) -> Vec<FileChange> {
    use super::Action;
    let mut changes = Vec::new();
    let wanted = &desired.rendered.files;
    for (path, file) in wanted {
        let before = live.files.get(path);
        let action = match before {
            None => Action::Create,
            Some(before) if *before != file.content => Action::Update,
            Some(_) => continue,
        };
        let cause = Some(Cause { path: file.cause.clone(), line: desired.document.line(&file.cause) });
        let (path, before) = (path.clone(), before.cloned());
        changes.push(FileChange { path, action, before, after: None, cause });
    }
    for (path, before) in live.files.iter().filter(|(path, _)| !wanted.contains_key(*path) && *path != CLUSTER_FACTS) {
        changes.push(FileChange {
            path: path.clone(),
            action: Action::Delete,
            before: Some(before.clone()),
            after: None,
            cause: None,
        });
    }
    changes
}

/// The templates that are to be: as rendered, or with words of what exists.
fn templates(desired: &Desired<'_>, settled: &BTreeMap<StackKey, String>) -> BTreeMap<StackKey, String> {
    let rendered = desired.rendered.templates.iter();
    let rendered = rendered.map(|(key, template)| (key.clone(), template.body.clone()));
    rendered.chain(settled.clone()).collect()
}

fn content(
    desired: &Desired<'_>,
    live: &Live,
    parameters: BTreeMap<StackKey, BTreeMap<String, PlannedParameter>>,
    settled: BTreeMap<StackKey, String>,
) -> Content {
    let templates = templates(desired, &settled);
    let files = desired
        .rendered
        .files
        .iter()
        .map(|(path, file)| (path.clone(), PlannedFile { content: file.content.clone(), mode: file.mode }));
    Content {
        bucket: live.bucket.as_ref().map(|bucket| bucket.name.clone()),
        templates,
        between: BTreeMap::new(),
        role_paths: Vec::new(),
        parameters,
        tags: desired.graph.tags.clone(),
        termination_protection: desired.graph.termination_protection,
        files: files.collect(),
        rendered_digest: desired.rendered.digest.clone(),
        facts: desired.graph.facts.clone(),
        programs: desired.graph.architectures.iter().map(|one| one.machine().to_owned()).collect(),
    }
}

/// Queues that change or end and have jobs.
pub fn busy_queues(impact: &Impact, live: &Live) -> Vec<BusyQueue> {
    let Some(report) = &live.slurm else { return Vec::new() };
    let hit = |name: &String| impact.queues_changed.contains(name) || impact.queues_stopped.contains(name);
    let stops = |name: &String| impact.queues_stopped.contains(name);
    let jobs = |queue: &crate::observe::QueueReport| queue.running > 0 || (queue.pending > 0 && stops(&queue.name));
    let busy = report.queues.iter().filter(|queue| jobs(queue) && hit(&queue.name));
    let one = |queue: &crate::observe::QueueReport| BusyQueue {
        queue: queue.name.clone(),
        jobs: queue.running,
        waiting: if stops(&queue.name) { queue.pending } else { 0 },
        nodes: queue.busy_nodes,
        at: report.at,
    };
    busy.map(one).collect()
}

/// Whether the head node has an Elastic IP: any other public address changes when an instance is stopped and started.
fn has_fixed_address(live: &Live) -> bool {
    let address = |stack: &LiveStack| {
        let resources = stack.template.get("Resources").and_then(Value::as_object);
        resources.into_iter().flatten().any(|(_, resource)| {
            resource.pointer("/Metadata/hpcctl:address").and_then(Value::as_str) == Some("head.elastic_ip")
        })
    };
    live.stacks.get(&StackKey::Head).is_some_and(address)
}

/// Login pools by what becomes of their nodes: those that run while new ones would differ, and those that end.
fn login_pools(changes: &[Change]) -> (Vec<String>, Vec<String>) {
    use super::Action::{Create, Delete, Forget};
    let pool = |change: &Change, part: &str| -> Option<String> {
        let pool = change.address.strip_prefix("login.")?.strip_suffix(part)?;
        Some(pool.to_owned())
    };
    let group = |name: &String, is: fn(&Change) -> bool| {
        changes.iter().any(|change| is(change) && pool(change, ".group").as_ref() == Some(name))
    };
    let templates = changes.iter().filter(|change| !matches!(change.action, Create | Delete | Forget));
    let mut changed: Vec<String> = templates.filter_map(|change| pool(change, ".launch_template")).collect();
    changed.retain(|name| !group(name, |change| change.action != super::Action::Update));
    let groups = changes.iter().filter(|change| matches!(change.action, Delete | super::Action::Replace));
    (changed, groups.filter_map(|change| pool(change, ".group")).collect())
}

/// What happens to people and jobs.
pub fn impact(changes: &[Change], live: &Live, seconds: u32) -> Impact {
    use super::Action::{Create, Delete, Replace};
    let head_data_on_root = super::data_on_root(live);
    let mut impact = Impact { seconds, head_data_on_root, ..Impact::default() };
    impact.running_instances = live.instances.iter().filter(|instance| instance.is_compute()).count();
    for change in changes {
        let goes = matches!(change.action, Replace | Delete);
        let head = change.address == head::HEAD_ADDRESS;
        let restarts = change.properties.iter().any(|property| property.effect == Effect::Restarts);
        impact.head_node_replaced |= head && goes;
        impact.head_node_restarts |= head && !goes && restarts;
        if let StackKey::Queue(queue) = &change.stack {
            let template = change.action == Delete && change.resource_type == held::LAUNCH_TEMPLATE;
            if template && !jobs::goes(&change.stack, changes, live) {
                // Its nodes alone end, and are told of by name.
                continue;
            }
            let ends = template || goes && change.resource_type == held::PLACEMENT_GROUP;
            let list = if ends {
                &mut impact.queues_stopped
            } else if change.action != Create {
                &mut impact.queues_changed
            } else {
                continue;
            };
            if !list.contains(queue) {
                list.push(queue.clone());
            }
        }
        if change.action == Delete && change.resource_type == held::SUBNET {
            let queues = live.stacks.keys().filter_map(|key| match key {
                StackKey::Queue(queue) => Some(queue.clone()),
                _ => None,
            });
            let new: Vec<String> = queues.filter(|queue| !impact.queues_stopped.contains(queue)).collect();
            impact.queues_stopped.extend(new);
        }
        if let Some(data) = change.data.as_ref().filter(|data| data.fate != DataFate::Kept)
            && let DataHolding::FileSystem { name, .. } = &data.holding
        {
            impact.file_systems_lost.push(name.clone());
        }
    }
    (impact.login_pools_changed, impact.login_pools_ended) = login_pools(changes);
    let stopped = impact.queues_stopped.clone();
    impact.queues_changed.retain(|queue| !stopped.contains(queue));
    impact.head_address_changes = impact.head_node_restarts && !has_fixed_address(live);
    impact
}
