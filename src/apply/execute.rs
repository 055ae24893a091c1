//! Carrying out the steps, side by side where the plan allows it.

use super::{
    ApplyError, Care, Context, Event, HeadWait, Lock, archive, auto_export, await_head, export,
    export::{ExportRequest, TransferKind},
    guard::guarded,
    head, instances, kept, rest, stack, undo, verify,
};
use crate::{
    model::StackKey,
    plan::{Step, StepAction},
};
use futures_util::{
    future::{Either, select},
    stream::{FuturesUnordered, StreamExt},
};
use std::{collections::BTreeSet, pin::pin};

/// How many stacks are worked on at the same time; CloudFormation throttles those who ask for more.
const MAX_AT_ONCE: usize = 10;

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// The steps that are done.
    pub done: Vec<usize>,
    /// The steps that failed, and why.
    pub failed: Vec<StepFailure>,
    /// The steps that were not begun.
    pub not_begun: Vec<usize>,
}

/// A step that failed.
#[derive(Debug)]
pub struct StepFailure {
    /// Its number.
    pub step: usize,
    /// What it should have done.
    pub action: StepAction,
    /// Why it did not.
    pub error: ApplyError,
}

impl Applied {
    /// Adds that the right to write is gone, once. Steps that were broken off for it were interrupted by nobody.
    fn stopped(&mut self, error: ApplyError) {
        self.failed.retain(|failure| failure.error != ApplyError::Interrupted);
        if !self.failed.iter().any(|failure| ends_the_right(&failure.error)) {
            self.failed.insert(0, StepFailure { step: 0, action: StepAction::Verify, error });
        }
    }
}

/// Whether an error says that nothing more may be written.
fn ends_the_right(error: &ApplyError) -> bool {
    matches!(error, ApplyError::LockLost | ApplyError::LeaseEnded { .. })
}

/// Carries out all steps that need the lock. After a failure nothing new is begun, but what runs is followed to its end.
/// With a lock, no call changes anything before the lock is known to be ours; when it is not, all ends.
pub async fn execute(context: &Context<'_>, lock: Option<&Lock>) -> Applied {
    let Some(lock) = lock else { return all(context).await };
    let cloud = guarded(context.cloud, lock);
    let context = Context { cloud: &cloud, lock: Some(lock), ..context.clone() };
    let renewals = pin!(lock.keep());
    let steps = pin!(all(&context));
    match select(renewals, steps).await {
        Either::Right((mut applied, _)) => {
            // What failed may have failed since somebody else has the cluster now.
            if !applied.failed.is_empty()
                && let Err(error @ ApplyError::LockLost) = lock.assure(Care::Takes).await
            {
                applied.stopped(error);
            }
            applied
        }
        Either::Left((error, steps)) => {
            context.stop.set();
            let mut applied = steps.await;
            applied.stopped(error);
            applied
        }
    }
}

async fn all(context: &Context<'_>) -> Applied {
    if let Err(error) = kept::remember(context).await {
        let not_begun = context.plan.steps.iter().map(|step| step.number).collect();
        let failed = vec![StepFailure { step: 0, action: StepAction::Verify, error }];
        return Applied { failed, not_begun, ..Applied::default() };
    }
    run_or_undo(context).await
}

/// Carries out what is left and needs no lock, once everything else is done: give the lock back first.
pub async fn finish(context: &Context<'_>, applied: &mut Applied) {
    for last in context.plan.steps.iter().filter(|step| !step.action.needs_lock()) {
        if !applied.failed.is_empty() {
            applied.not_begun.push(last.number);
            continue;
        }
        match step(context, last).await.1 {
            Ok(()) => applied.done.push(last.number),
            Err(Unfinished::NotBegun(error) | Unfinished::Failed(error)) => {
                applied.failed.push(StepFailure { step: last.number, action: last.action.clone(), error });
            }
        }
    }
}

async fn run_or_undo(context: &Context<'_>) -> Applied {
    let mut begun = BTreeSet::new();
    let applied = run(context, &mut begun).await;
    if !applied.failed.is_empty() {
        undo::undo(&context.taking_back(), &begun, &applied.done.iter().copied().collect()).await;
    }
    applied
}

async fn run(context: &Context<'_>, begun: &mut BTreeSet<usize>) -> Applied {
    let mut applied = Applied::default();
    let mut waiting: Vec<&Step> = context.plan.steps.iter().filter(|step| step.action.needs_lock()).collect();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        let may_begin = applied.failed.is_empty() && !context.stop.is_set();
        while may_begin && running.len() < MAX_AT_ONCE {
            let ready = waiting.iter().position(|step| step.after.iter().all(|before| done.contains(before)));
            let Some(index) = ready else { break };
            begun.insert(waiting[index].number);
            running.push(step(context, waiting.remove(index)));
        }
        let Some((step, result)) = running.next().await else { break };
        match result {
            Err(Unfinished::NotBegun(error)) => {
                begun.remove(&step.number);
                waiting.insert(0, step);
                // What was begun is followed to the end of the lease.
                if error == ApplyError::LockLost {
                    context.stop.set();
                }
                applied.stopped(error);
            }
            Ok(()) => {
                done.insert(step.number);
                applied.done.push(step.number);
            }
            Err(Unfinished::Failed(error)) => {
                if error == ApplyError::LockLost {
                    context.stop.set();
                }
                applied.failed.push(StepFailure { step: step.number, action: step.action.clone(), error });
            }
        }
    }
    if !applied.failed.is_empty() {
        let begun = applied.done.iter().copied().chain(applied.failed.iter().map(|failure| failure.step));
        let begun: Vec<usize> = begun.collect();
        if let Err(error) = head::undo(&context.taking_back(), &begun).await {
            applied.failed.push(StepFailure { step: 0, action: StepAction::Verify, error });
        }
    }
    applied.not_begun = waiting.iter().map(|step| step.number).collect();
    if applied.failed.is_empty() && !applied.not_begun.is_empty() {
        let next = waiting[0];
        let error = ApplyError::Interrupted;
        applied.failed.push(StepFailure { step: next.number, action: next.action.clone(), error });
    }
    applied
}

/// Why a step is not done.
enum Unfinished {
    /// There was no right to begin it.
    NotBegun(ApplyError),
    /// It failed.
    Failed(ApplyError),
}

async fn step<'s>(context: &Context<'_>, step: &'s Step) -> (&'s Step, Result<(), Unfinished>) {
    if let Some(lock) = context.lock
        && let Err(error) = lock.assure(Care::Makes).await
    {
        return (step, Err(Unfinished::NotBegun(error)));
    }
    let began = context.cloud.clock.now();
    let action = step.action.clone();
    context.tell(&Event::StepStarted { step: step.number, action: action.clone() });
    let result = perform(context, step).await;
    let event = match &result {
        Ok(already) => {
            let seconds = context.cloud.clock.now().0 - began.0;
            Event::StepDone { step: step.number, action, seconds, already: *already }
        }
        Err(_) => Event::StepFailed { step: step.number, action },
    };
    context.tell(&event);
    (step, result.map(drop).map_err(Unfinished::Failed))
}

/// Does one step; true: there was nothing left to do.
async fn perform(context: &Context<'_>, step: &Step) -> Result<bool, ApplyError> {
    match &step.action {
        StepAction::Bootstrap => archive::bootstrap(context).await,
        StepAction::Archive => archive::archive(context).await,
        StepAction::HoldQueues { .. } => rest::hold(context).await,
        StepAction::Release { file_systems, volumes } => rest::release(context, file_systems, volumes).await,
        StepAction::OpenQueues => rest::open(context).await,
        StepAction::StopAutoExport { storage, file_system, .. } => {
            auto_export::stop(context, storage, file_system).await
        }
        StepAction::StartAutoExport { associations } => auto_export::start(context, associations).await,
        StepAction::Export { storage, file_system } => {
            let request = ExportRequest {
                storage: storage.clone(),
                file_system: file_system.clone(),
                kind: TransferKind::Export,
                paths: Vec::new(),
                token: context.fresh_token(step.number),
                tags: context.plan.content.tags.clone(),
                may_join: false,
            };
            export::transfer(context.cloud, &request, context.listener, &context.stop).await.map(|_| false)
        }
        StepAction::ContinueRollback { stack } => stack::continue_rollback(context, stack).await,
        StepAction::CreateStack { stack } => stack::create(context, stack, step.number).await,
        StepAction::PrepareStack { stack } => stack::prepare(context, stack, step.number).await,
        StepAction::UpdateStack { stack } => {
            let already = stack::update(context, stack, step.number).await?;
            if *stack == StackKey::Head {
                head::revive(context).await?;
            }
            Ok(already)
        }
        StepAction::DeleteStack { stack, retain, .. } => stack::delete(context, stack, retain, step.number).await,
        StepAction::MarkKept { stack } => stack::mark_kept(context, stack, step.number).await,
        StepAction::StopHead { instance, volumes, protected } => {
            head::stop(context, instance, volumes, *protected).await
        }
        StepAction::StartHead { instance } => head::start(context, instance).await,
        StepAction::Terminate { queue, pool } => instances::terminate(context, queue.as_deref(), pool.as_deref()).await,
        StepAction::ReplaceLogins { instances } => instances::replace_logins(context, instances).await,
        StepAction::Publish { last } => archive::publish(context, *last).await,
        StepAction::AwaitHead { limit } => {
            let wait = HeadWait {
                bucket: context.bucket(),
                cluster: context.plan.cluster.clone(),
                revision: context.plan.revision,
                limit: *limit,
                again: context.plan.only_waits(),
            };
            await_head(context.cloud, &wait, context.listener, &context.stop).await
        }
        StepAction::Purge => archive::purge(context).await,
        StepAction::Verify => verify::verify(context).await,
    }
}
