//! The plan to nothing.

use super::{
    Basis, Content, DataFate, Goal, PLAN_FORMAT, PLAN_KIND, Plan, PlanError, Reason, Source,
    build::{busy_queues, impact, refuse_busy, removed_stack},
    carried, notes,
    steps::{self, StackWork, Work},
};
use crate::{model::DataHolding, observe::Live};

/// How to destroy.
#[derive(Debug, Clone, Default)]
pub struct DestroyOptions {
    /// File systems (names in the cluster file) whose data the user gives up in so many words.
    pub discard: Vec<String>,
    /// File systems that the cluster file itself marks `on_destroy: discard`.
    pub discarded_by_file: Vec<String>,
    /// The IAM path of the cluster's roles, as the cluster file has it.
    pub role_path: Option<String>,
}

/// Makes the plan to nothing.
pub fn destroy(
    cluster: &str,
    region: &str,
    source: Source,
    live: &Live,
    options: &DestroyOptions,
) -> Result<Plan, PlanError> {
    refuse_busy(live)?;
    let mut changes = Vec::new();
    let mut work = Vec::new();
    for (key, exists) in &live.stacks {
        changes.extend(removed_stack(key, exists, &Reason::Destroyed, live));
        work.push((key.clone(), StackWork::Remove));
    }
    carried::carry(&mut changes, live);
    for change in &mut changes {
        let Some(data) = &mut change.data else { continue };
        let DataHolding::FileSystem { name, .. } = &data.holding else { continue };
        let given_up = options.discard.contains(name) || options.discarded_by_file.contains(name);
        let exists = change
            .physical_id
            .as_ref()
            .is_some_and(|id| live.file_systems.values().any(|file_system| file_system.state.id == *id));
        if data.is_exported() && (given_up || !exists) {
            data.fate = DataFate::Lost;
        }
    }
    let carrying = carried::going(work.iter().map(|(key, _)| key), &changes, live);
    let steps = steps::to_destroy(&Work {
        graph: None,
        stacks: &work,
        changes: &changes,
        brought: &[],
        files_change: false,
        postponed: &Default::default(),
        carrying: &carrying,
        live,
    });
    let seconds = steps::critical_path(&steps);
    let impact = impact(&changes, live, seconds);
    let notes = notes::ends(&changes, live);
    let plan = Plan {
        kind: PLAN_KIND.to_owned(),
        format_version: PLAN_FORMAT.to_owned(),
        digest: String::new(),
        goal: Goal::Destroy,
        cluster: cluster.to_owned(),
        region: region.to_owned(),
        basis: Basis::of(live),
        revision: live.revision.as_ref().map_or(0, |revision| revision.number),
        source,
        busy_queues: busy_queues(&impact, live),
        vanishing: Vec::new(),
        impact,
        changes,
        quiet_stacks: Vec::new(),
        file_changes: Vec::new(),
        unchanged: 0,
        drift: Default::default(),
        drift_checked: false,
        disagreements: Vec::new(),
        previewed: false,
        unasked: Vec::new(),
        notes,
        head_behind: None,
        outside: live.outside.clone(),
        kept: live.kept.clone(),
        steps,
        content: Content {
            bucket: live.bucket.as_ref().map(|bucket| bucket.name.clone()),
            role_paths: role_paths(live, options),
            between: carried::marked(&carrying),
            ..Content::default()
        },
    };
    Ok(plan.sealed())
}

/// The paths of the cluster's roles: that of the cluster file, and those that the stacks have.
fn role_paths(live: &Live, options: &DestroyOptions) -> Vec<String> {
    let resources = live.stacks.values().filter_map(|stack| stack.template.get("Resources")?.as_object());
    let roles = resources.flat_map(|all| all.values()).filter(|one| one["Type"] == "AWS::IAM::Role");
    let paths = roles.filter_map(|role| role.pointer("/Properties/Path")?.as_str()).map(str::to_owned);
    // Without a path a role is among all those of the account.
    let mut paths: Vec<String> = paths.chain(options.role_path.clone()).filter(|path| path != "/").collect();
    paths.sort();
    paths.dedup();
    paths
}
