//! The course of things: lets every stack move on to a point in time.
//!
//! Nothing is computed ahead: whenever a step ends, those that waited for it begin at that very second, and see the
//! account as it is then. Ties go by the stack's id and the step's number, so that the course is always the same.

use super::{
    apply, effects,
    estate::Estate,
    faults::{Fault, Script, Verb},
    guards, head, held,
    operation::{Action, Operation, StepState},
    phases,
    resource::Resource,
    stack::Stack,
    template::{Policy, Template},
    world::World,
};
use crate::cloud::Timestamp;

/// The world and what is to go wrong in it.
pub(super) struct Sim<'a> {
    pub world: &'a mut World,
    pub script: &'a Script,
}

impl Sim<'_> {
    /// Moves on to `target`.
    pub fn advance_to(&mut self, target: Timestamp) {
        self.begin_ready();
        while let Some((until, id, step)) = self.next_end().filter(|(until, ..)| *until <= target) {
            self.world.now = self.world.now.max(until);
            self.with_stack(&id, |sim, stack| sim.end_step(stack, step));
            self.begin_ready();
        }
        self.world.now = self.world.now.max(target);
        effects::settle_tasks(self.world);
        held::tend(self.world, self.script);
        head::report(self.world, self.script);
        self.edit_by_hand();
    }

    /// When and where the next step ends.
    fn next_end(&self) -> Option<(Timestamp, String, usize)> {
        let ends = self.world.stacks.values().filter_map(|stack| {
            let (until, step) = stack.operation.as_ref()?.next_end()?;
            Some((until, &stack.id, step))
        });
        ends.min().map(|(until, id, step)| (until, id.clone(), step))
    }

    /// Takes a stack out of the world to work on it, and puts it back.
    pub fn with_stack<T>(&mut self, id: &str, work: impl FnOnce(&mut Self, &mut Stack) -> T) -> Option<T> {
        let mut stack = self.world.stacks.remove(id)?;
        let result = work(self, &mut stack);
        self.world.stacks.insert(id.to_owned(), stack);
        self.world.dirty = true;
        Some(result)
    }

    fn begin_ready(&mut self) {
        let running = |s: &&Stack| s.status.in_progress() && s.operation.is_some();
        let ids: Vec<String> = self.world.stacks.values().filter(running).map(|s| s.id.clone()).collect();
        for id in ids {
            let idle =
                self.world.stacks.get(&id).is_some_and(|s| {
                    s.operation.as_ref().is_some_and(|o| o.ready().is_none() && o.next_end().is_some())
                });
            if !idle {
                self.with_stack(&id, Self::begin_steps);
            }
        }
    }

    /// Begins every step that can begin, and the next phase when there is no step left.
    fn begin_steps(&mut self, stack: &mut Stack) {
        let Ok(mut template) = Template::read(&stack.asked.template) else { return };
        while let Some(operation) = &stack.operation {
            if let Some(index) = operation.ready() {
                self.begin_step(stack, &template, index);
            } else if operation.next_end().is_some() || !stack.status.in_progress() {
                return;
            } else {
                phases::next(self.world, stack, &template);
                let Ok(read) = Template::read(&stack.asked.template) else { return };
                template = read;
            }
        }
    }

    fn begin_step(&mut self, stack: &mut Stack, template: &Template, index: usize) {
        let Some(step) = stack.operation.as_ref().and_then(|o| o.steps.get(index)).cloned() else { return };
        let state = match step.action {
            Action::Apply => apply::begin(self, stack, template, &step.logical),
            Action::Delete => self.begin_delete(stack, &step.logical, None),
            Action::DeleteOld(old) => self.begin_delete(stack, &step.logical, Some(old)),
            Action::Restore => phases::begin_restore(self, stack, &step.logical),
        };
        if let Some(step) = stack.operation.as_mut().and_then(|o| o.steps.get_mut(index)) {
            step.state = state;
        }
    }

    fn begin_delete(&mut self, stack: &mut Stack, logical: &str, old: Option<usize>) -> StepState {
        let Some(resource) = subject(stack, logical, old).cloned() else { return StepState::Done };
        if phases::policy(stack, &resource) == Policy::Retain {
            return self.skip_delete(stack, logical, old, resource);
        }
        let now = self.world.now;
        let failure =
            self.failure(stack, logical, &resource.kind, Verb::Delete).or_else(|| guards::objection(&resource));
        let blocked = Estate { world: self.world, stack }.blocked(&resource).is_some();
        // EC2 refuses at once, but CloudFormation tries again for minutes.
        let patience = if blocked && resource.kind.starts_with("AWS::EC2::") { 300 } else { 0 };
        let seconds = self.seconds(stack, logical, &resource.kind, Verb::Delete).max(patience);
        stack.tell(now, logical, (&resource.kind, &resource.physical), "DELETE_IN_PROGRESS", None);
        if let Some(resource) = subject_mut(stack, logical, old) {
            resource.status = "DELETE_IN_PROGRESS".to_owned();
        }
        if guards::objection(&resource).is_none() {
            effects::deleting(self.world, &resource);
        }
        StepState::Running { until: now.plus(seconds), verb: "DELETE".to_owned(), failure }
    }

    fn skip_delete(&mut self, stack: &mut Stack, logical: &str, old: Option<usize>, resource: Resource) -> StepState {
        stack.tell(self.world.now, logical, (&resource.kind, &resource.physical), "DELETE_SKIPPED", None);
        if let Some(resource) = subject_mut(stack, logical, old) {
            resource.status = "DELETE_SKIPPED".to_owned();
        }
        self.world.retained.insert(resource.physical.clone(), resource);
        StepState::Done
    }

    /// Ends a step that was running.
    fn end_step(&mut self, stack: &mut Stack, index: usize) {
        let Some(step) = stack.operation.as_ref().and_then(|o| o.steps.get(index)).cloned() else { return };
        let StepState::Running { verb, mut failure, .. } = step.state else { return };
        let old = if let Action::DeleteOld(old) = step.action { Some(old) } else { None };
        let Some(resource) = subject(stack, &step.logical, old).cloned() else { return };
        if verb == "DELETE" && failure.is_none() {
            failure = Estate { world: self.world, stack }.blocked(&resource);
        }
        let status = format!("{verb}_{}", if failure.is_some() { "FAILED" } else { "COMPLETE" });
        stack.tell(self.world.now, &step.logical, (&resource.kind, &resource.physical), &status, failure.clone());
        if let Some(resource) = subject_mut(stack, &step.logical, old) {
            if failure.is_none() {
                resource.made.get_or_insert(self.world.now);
            }
            resource.status = status;
        }
        if let Some(step) = stack.operation.as_mut().and_then(|o| o.steps.get_mut(index)) {
            step.state = if failure.is_some() { StepState::Failed } else { StepState::Done };
        }
        match (&*verb, failure) {
            ("DELETE", None) => effects::deleted(self.world, stack, &resource),
            (_, None) => effects::made(self.world, stack, &step.logical, &resource),
            (_, Some(_)) => phases::failed(self.world, stack),
        }
    }

    /// Whether the script lets this fail, and with which words.
    pub fn failure(&mut self, stack: &Stack, logical: &str, kind: &str, verb: Verb) -> Option<String> {
        let hits = |fault: &Fault| match fault {
            Fault::Fail(fail) if fail.on == verb && fail.target.hits(&stack.name, logical, kind) => {
                Some(fail.times.unwrap_or(1))
            }
            _ => None,
        };
        let Fault::Fail(fail) = self.world.strike(self.script, hits)? else { return None };
        Some(fail.reason.clone().unwrap_or_else(|| no_capacity(kind)))
    }

    /// Seconds that this takes.
    pub fn seconds(&self, stack: &Stack, logical: &str, kind: &str, verb: Verb) -> i64 {
        let slowness = self.script.slowness(&stack.name, logical, kind);
        (super::durations::seconds(kind, verb) as f64 * slowness).round() as i64
    }

    fn edit_by_hand(&mut self) {
        for (index, fault) in self.script.faults.iter().enumerate() {
            let Fault::HandEdit(edit) = fault else { continue };
            let key = fault.key(index);
            if self.world.fired.contains_key(&key) {
                continue;
            }
            let resting = |s: &&mut Stack| s.name == edit.stack && s.deleted.is_none() && s.status.can_update();
            let Some(stack) = self.world.stacks.values_mut().find(resting) else { continue };
            if let Some(resource) = stack.resources.get_mut(&edit.logical_id) {
                resource.edits.insert(edit.path.clone(), edit.value.clone());
                self.world.fired.insert(key, 1);
                self.world.dirty = true;
            }
        }
    }
}

impl World {
    /// The first fault that hits and has not struck often enough; it has then struck once more.
    pub fn strike<'s>(&mut self, script: &'s Script, hits: impl Fn(&Fault) -> Option<u32>) -> Option<&'s Fault> {
        for (index, fault) in script.faults.iter().enumerate() {
            let Some(times) = hits(fault) else { continue };
            let fired = self.fired.entry(fault.key(index)).or_default();
            if *fired < times {
                *fired += 1;
                self.dirty = true;
                return Some(fault);
            }
        }
        None
    }
}

fn no_capacity(kind: &str) -> String {
    let service = kind.split("::").nth(1).unwrap_or("EC2");
    format!(
        "Resource handler returned message: \"We currently do not have sufficient capacity in the Availability Zone you \
         requested. (Service: {service}, Status Code: 500)\" (HandlerErrorCode: ServiceInternalError)"
    )
}

fn subject<'a>(stack: &'a Stack, logical: &str, old: Option<usize>) -> Option<&'a Resource> {
    match old {
        Some(index) => stack.operation.as_ref()?.old.get(index).map(|old| &old.resource),
        None => stack.resources.get(logical),
    }
}

fn subject_mut<'a>(stack: &'a mut Stack, logical: &str, old: Option<usize>) -> Option<&'a mut Resource> {
    match old {
        Some(index) => stack.operation.as_mut()?.old.get_mut(index).map(|old| &mut old.resource),
        None => stack.resources.get_mut(logical),
    }
}

impl Operation {
    /// The logical ids that run now.
    pub fn running(&self) -> Vec<String> {
        let running = self.steps.iter().filter(|s| matches!(s.state, StepState::Running { .. }));
        running.map(|s| s.logical.clone()).collect()
    }
}
