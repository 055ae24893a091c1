//! A plan as text.

use super::{kept, paint::Paint, values, words};
use crate::model::DataHolding;
use crate::plan::{Action, Cause, Change, FileChange, Goal, Plan, PropertyChange, StepAction, Vanishing};
use similar::TextDiff;
use std::fmt::Write;

/// How to show a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanView {
    /// Colour.
    pub paint: Paint,
    /// Show everything: the diff of every file to its last line.
    pub verbose: bool,
}

/// Lines of a file's diff that are shown unless everything is.
const DIFF_LINES: usize = 24;

/// Steps of the order that are shown, and how many of them from its end.
const STEPS: usize = 20;
const LAST_STEPS: usize = 4;

/// The plan as text. What loses data comes last and loudest.
pub fn plan_text(plan: &Plan, view: PlanView) -> String {
    let mut out = String::new();
    head(plan, view, &mut out);
    if plan.is_empty() || plan.only_waits() {
        nothing(plan, &mut out);
    }
    if plan.is_empty() {
        data_on_root(plan, view, &mut out);
        outside(plan, view, &mut out);
        return out;
    }
    // Logs have a lifetime in any case.
    let dangerous = |change: &&Change| change.data.as_ref().is_some_and(|data| data.holding != DataHolding::Logs);
    let mut last_stack = None;
    for change in plan.changes.iter().filter(|change| !dangerous(change)) {
        if last_stack != Some(&change.stack) {
            let _ =
                writeln!(out, "\n  {}", view.paint.dim(&format!("stack {}", change.stack.stack_name(&plan.cluster))));
            last_stack = Some(&change.stack);
        }
        self::change(plan, change, view, &mut out);
    }
    for stack in &plan.quiet_stacks {
        let _ = writeln!(out, "\n  ~ stack {}  outputs, tags or descriptions only", stack.stack_name(&plan.cluster));
    }
    files(plan, view, &mut out);
    drift(plan, view, &mut out);
    let risky: Vec<&Change> = plan.changes.iter().filter(dangerous).collect();
    if !risky.is_empty() {
        let _ = writeln!(out, "\n  {}", view.paint.bold("data at stake"));
        risky.iter().for_each(|change| self::change(plan, change, view, &mut out));
    }
    foot(plan, view, &mut out);
    data_on_root(plan, view, &mut out);
    out
}

fn head(plan: &Plan, view: PlanView, out: &mut String) {
    let revision = match (plan.goal, plan.basis.revision) {
        (Goal::Destroy, _) => "destroy".to_owned(),
        (Goal::Apply, Some(before)) if plan.is_empty() || plan.only_waits() => format!("revision {before}"),
        (Goal::Apply, Some(before)) => format!("revision {before} -> {}", plan.revision),
        (Goal::Apply, None) => format!("revision {} (new)", plan.revision),
    };
    let title = view.paint.bold(&format!("Cluster {}", plan.cluster));
    let _ = writeln!(out, "{title}  {}  {revision}  plan {}  from {}", plan.region, plan.id(), plan.source.name);
    if plan.basis.account.is_none() {
        let _ = writeln!(out, "made offline: compared with nothing; what exists in the account is not known");
    }
}

fn nothing(plan: &Plan, out: &mut String) {
    if plan.goal == Goal::Destroy {
        let _ = writeln!(out, "\nNothing to destroy.");
        return;
    }
    let _ = writeln!(
        out,
        "\nNo changes: {} as the cluster file says.",
        if plan.unchanged == 1 { "1 resource is".to_owned() } else { format!("{} resources are", plan.unchanged) }
    );
}

/// The cluster file's name without its folders, and the line.
pub fn place(plan: &Plan, cause: Option<&Cause>) -> String {
    let name = plan.source.name.rsplit('/').next().unwrap_or_default();
    cause.map(|cause| format!("{name}:{}", cause.line)).unwrap_or_default()
}

fn change(plan: &Plan, change: &Change, view: PlanView, out: &mut String) {
    let place = place(plan, change.cause.as_ref());
    let line = format!("{} {:<44} {:<30}", words::symbol(change.action), change.address, words::action(change.action));
    let painted = match change.action {
        Action::Create => view.paint.green(&line),
        Action::Update => view.paint.yellow(&line),
        Action::Replace | Action::Delete => view.paint.red(&line),
        Action::Forget => view.paint.dim(&line),
    };
    let _ = writeln!(out, "  {}", format!("{painted} {}", view.paint.dim(&place)).trim_end());
    if let Some(reason) = words::reason(&change.reason) {
        let _ = writeln!(out, "      {}", view.paint.dim(&reason));
    }
    let width = change.properties.iter().map(|property| property.path.chars().count()).max().unwrap_or(0).min(48);
    for property in &change.properties {
        self::property(property, width, view, out);
    }
    if let Some(data) = &change.data {
        let words = words::data(data);
        let lost = plan.losses().any(|loss| loss.address == change.address);
        let code = if lost { "  HPC2041" } else { "" };
        let words = if lost { view.paint.red(&words) } else { words };
        let _ = writeln!(out, "      ! {words}{code}");
        if let Some(reach) = words::reach(change, data) {
            let _ = writeln!(out, "        {reach}");
        }
    }
}

fn property(property: &PropertyChange, width: usize, view: PlanView, out: &mut String) {
    let (before, after) = values::change(property.before.as_ref(), &property.after, view.verbose);
    let change = match property.before {
        None if property.after == crate::plan::After::KnownAfterApply => after,
        _ => format!("{before} -> {after}"),
    };
    let note = words::effect(property.effect).map(|note| format!("  {}", view.paint.red(note))).unwrap_or_default();
    let _ = writeln!(out, "      {:<width$}  {change}{note}", property.path);
}

fn files(plan: &Plan, view: PlanView, out: &mut String) {
    if plan.file_changes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}", view.paint.dim("files on nodes"));
    for change in &plan.file_changes {
        let place = place(plan, change.cause.as_ref());
        let action = words::action(change.action);
        let line = format!("  {} {:<44} {action:<30} {place}", words::symbol(change.action), change.path);
        let _ = writeln!(out, "{}", line.trim_end());
        if change.action == Action::Update {
            file_diff(plan, change, view, out);
        }
    }
}

fn file_diff(plan: &Plan, change: &FileChange, view: PlanView, out: &mut String) {
    let before = change.before.as_deref().unwrap_or_default();
    let planned = plan.content.files.get(&change.path).map(|file| file.content.as_str());
    let after = change.after.as_deref().or(planned).unwrap_or_default();
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(1).to_string();
    let limit = if view.verbose { usize::MAX } else { DIFF_LINES };
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().take(limit) {
        let painted = match line.as_bytes().first() {
            Some(b'+') => view.paint.green(line),
            Some(b'-') => view.paint.red(line),
            _ => view.paint.dim(line),
        };
        let _ = writeln!(out, "      {painted}");
    }
    if lines.len() > limit {
        let _ = writeln!(out, "      … {} more lines (--verbose shows them)", lines.len() - limit);
    }
}

fn drift(plan: &Plan, view: PlanView, out: &mut String) {
    if plan.drift.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}", view.paint.bold("drift: changed by hand since the last apply"));
    for (stack, resources) in &plan.drift {
        for resource in resources {
            let _ = writeln!(out, "  ! {stack}.{}  {}", resource.logical_id, resource.status.to_lowercase());
            for difference in &resource.differences {
                let _ = writeln!(out, "      {}  {} -> {}", difference.path, difference.expected, difference.actual);
            }
        }
    }
}

/// Data that the next head node would not have, and the way over.
fn data_on_root(plan: &Plan, view: PlanView, out: &mut String) {
    if plan.impact.head_data_on_root && plan.goal == Goal::Apply {
        let _ = writeln!(
            out,
            "\n{}     the head node's lasting data is still on its root volume and goes with the instance: the node moves it to \
             storage.head_data when it takes a new configuration while no job runs, or at `sudo bash \
             /opt/hpcctl/node/setup.sh update` there",
            view.paint.bold("Note")
        );
    }
}

fn foot(plan: &Plan, view: PlanView, out: &mut String) {
    let _ = writeln!(out, "\n{}    {}", view.paint.bold("Order"), order(plan));
    let _ = writeln!(out, "{}   {}", view.paint.bold("Impact"), impact(plan));
    for note in &plan.notes {
        let _ = writeln!(out, "{}     {}", view.paint.bold("Note"), words::note(note));
    }
    if let Some(behind) = &plan.head_behind {
        let _ = writeln!(out, "{}     {}", view.paint.bold("Note"), super::head::behind(behind));
    }
    for disagreement in &plan.disagreements {
        let planned = disagreement.planned.map_or("no change", words::action);
        let _ = writeln!(
            out,
            "{}     {}.{}: the templates say {planned}, CloudFormation says {}{}",
            view.paint.bold("Note"),
            disagreement.stack,
            disagreement.logical_id,
            disagreement.cloudformation,
            if disagreement.followed { ": planned as a replacement" } else { "" }
        );
    }
    if !plan.unasked.is_empty() {
        let stacks: Vec<String> = plan.unasked.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            out,
            "{}     CloudFormation was not asked about {}: some values are known only when other stacks are done, or \
             the template is too large for the question",
            view.paint.bold("Note"),
            stacks.join(", ")
        );
    }
    outside(plan, view, out);
    let _ = writeln!(out, "{}     {}", view.paint.bold("Plan"), summary(plan));
}

/// What is there beside the stacks: what nobody meant to be left, and what was kept.
fn outside(plan: &Plan, view: PlanView, out: &mut String) {
    for left in &plan.outside {
        let words = format!("{} {} carries the cluster's tag and is in no stack", left.kind, left.id);
        let advice = "a deletion failed, or somebody made it: delete it by hand";
        let _ = writeln!(out, "{}     {}; {advice}", view.paint.bold("Note"), view.paint.yellow(&words));
    }
    if plan.goal == Goal::Destroy {
        kept::lines(&kept::stays(plan), view.paint, out);
    }
}

fn order(plan: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    let word = |step: &crate::plan::Step| format!("{} {}", step.number, words::step(&step.action));
    if plan.steps.len() <= STEPS {
        parts.extend(plan.steps.iter().map(word));
    } else {
        // The end of it matters as much as the beginning.
        let (first, last) = (&plan.steps[..STEPS - LAST_STEPS - 1], &plan.steps[plan.steps.len() - LAST_STEPS..]);
        parts.extend(first.iter().map(word));
        parts.push(format!("… {} more", plan.steps.len() - first.len() - last.len()));
        parts.extend(last.iter().map(word));
    }
    parts.join(" -> ")
}

/// What happens to people and jobs, in one line.
pub fn impact(plan: &Plan) -> String {
    let impact = &plan.impact;
    let mut parts = Vec::new();
    let destroy = plan.goal == Goal::Destroy;
    if impact.head_node_replaced && !destroy {
        let queue_lost = plan
            .losses()
            .any(|one| one.data.as_ref().is_some_and(|data| matches!(data.holding, DataHolding::Queue { .. })));
        let jobs = match (impact.head_data_on_root, queue_lost) {
            _ if crate::plan::head_moves(&plan.changes) => {
                "end; its address does not come along to another subnet, so all nodes are launched anew"
            }
            (true, _) => "and running jobs end",
            (false, true) => "end; jobs that run or wait are lost",
            (false, false) => "end; jobs run on and wait for the new one",
        };
        parts.push(format!("the head node is replaced: log-ins {jobs}"));
    } else if impact.head_node_restarts && !destroy {
        parts.push("the head node is stopped and started: log-ins end, what it exports hangs for minutes".to_owned());
        if impact.head_address_changes {
            parts.push("its public address, if it has one, changes".to_owned());
        }
    } else if plan.steps.iter().any(|step| matches!(step.action, StepAction::StopHead { .. })) {
        parts.push("the head node is stopped and started: log-ins end; jobs run on and wait for it".to_owned());
    } else if !destroy && plan.basis.revision.is_some() {
        parts.push("head node stays".to_owned());
    }
    if !impact.queues_changed.is_empty() && !destroy {
        parts.push(format!("new nodes of {} differ", impact.queues_changed.join(", ")));
    }
    if !impact.queues_stopped.is_empty() && !destroy {
        parts.push(format!("jobs in {} end", impact.queues_stopped.join(", ")));
    }
    let exports = plan.steps.iter().any(|step| matches!(step.action, StepAction::Export { .. }));
    if destroy && exports {
        parts.push(
            "the head node and all jobs end before the export; should that fail, the file systems stay and `destroy` goes on \
             from there"
                .to_owned(),
        );
    }
    let held = plan.steps.iter().find_map(|step| match &step.action {
        crate::plan::StepAction::HoldQueues { queues } => Some(queues),
        _ => None,
    });
    if let Some(queues) = held {
        let queues = queues.join(", ");
        parts.push(format!("jobs that run in {queues} end first, those that wait start afterwards"));
    } else if crate::plan::head_moves(&plan.changes) && !destroy {
        parts.push("the head node takes no orders: jobs that run are lost with their nodes".to_owned());
    }
    if !impact.login_pools_changed.is_empty() && !destroy {
        let pools = impact.login_pools_changed.join(", ");
        parts.push(format!("login nodes of {pools} stay as they are until they are replaced"));
    }
    if !impact.login_nodes_stale.is_empty() && !destroy {
        parts.push(format!(
            "login nodes {} keep what goes mounted until they are replaced at the end: log-ins there end",
            impact.login_nodes_stale.join(", ")
        ));
    }
    if !impact.login_pools_ended.is_empty() && !destroy {
        parts.push(format!("log-ins on {} end after their grace", impact.login_pools_ended.join(", ")));
    }
    for busy in &plan.busy_queues {
        let (jobs, nodes) = (busy.jobs as usize, busy.nodes as usize);
        let verb = if jobs == 1 { "runs" } else { "run" };
        let waiting = if busy.waiting > 0 { format!(", {} more wait", busy.waiting) } else { String::new() };
        parts.push(format!(
            "queue {}: {} on {} {verb}{waiting}",
            busy.queue,
            words::count(jobs, "job"),
            words::count(nodes, "node")
        ));
    }
    for Vanishing { queue, pool, nodes } in &plan.vanishing {
        let (count, names) = (words::count(nodes.len(), "running node"), nodes.join(", "));
        parts.push(format!(
            "{count} of pool {pool} of {queue} ({names}) and their jobs end: the new configuration has them no more"
        ));
    }
    if !impact.file_systems_lost.is_empty() {
        parts.push(format!("{} goes", impact.file_systems_lost.join(", ")));
    }
    if impact.running_instances > 0 {
        let what = if destroy { "terminated" } else { "running now" };
        parts.push(format!("{} {what}", words::count(impact.running_instances, "compute instance")));
    }
    parts.push(words::about(impact.seconds));
    parts.join("; ")
}

/// The plan in one line: `2 to create, 1 to update, ...`.
pub fn summary(plan: &Plan) -> String {
    let losses = plan.losses().count();
    let loss = if losses > 0 { format!(" ({losses} with data loss)") } else { String::new() };
    let mut line = format!(
        "{} to create, {} to update, {} to replace, {} to destroy{loss}",
        plan.count(Action::Create),
        plan.count(Action::Update),
        plan.count(Action::Replace),
        plan.count(Action::Delete),
    );
    let kept = plan.count(Action::Forget);
    if kept > 0 {
        let _ = write!(line, ", {kept} to keep outside");
    }
    if !plan.file_changes.is_empty() {
        let _ = write!(line, "; {}", words::count(plan.file_changes.len(), "node file"));
    }
    if plan.unchanged > 0 {
        let _ = write!(line, "; {} unchanged", plan.unchanged);
    }
    if !plan.disagreements.is_empty() {
        let _ = write!(line, "; {} with CloudFormation", words::count(plan.disagreements.len(), "disagreement"));
    }
    line
}
