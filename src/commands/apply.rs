//! `apply`.

use super::{
    approve::{Approval, approve},
    await_head,
    cli::Global,
    cloud::on_cloud,
    history,
    load::{self, Loaded},
    lock::{Patience, Wait, settled, with_owner},
    node_programs::programs,
    obstacles,
    output::{Output, Progress, ProgressFormat},
    plan::{PlanFormat, elsewhere, look, show},
    preflight::Preflight,
    preview, process, rehearsal,
    saved::{is_document, saved},
};
use crate::{
    apply::{self, Applied, ApplyError, Claim, Context, LockOutcome, StepFailure, Stop},
    cloud::{Caller, Cloud, ErrorKind},
    observe::{self, FoundLock, ObserveError, Wanted},
    plan::{self, Gap, Goal, Plan, StepAction},
    report::{
        errors::{self, Failure, exit},
        events, kept,
        plan_text::summary,
        words,
    },
};
use clap::Args;
use std::{cell::Cell, path::PathBuf, time::Duration};

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A cluster file, or a plan saved with `plan --out`
    target: PathBuf,
    #[command(flatten)]
    approval: Approval,
    /// Go back to what the cluster file of this revision said (see `history`)
    #[arg(long, value_name = "REVISION")]
    to: Option<u64>,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = ProgressFormat::Text)]
    progress: ProgressFormat,
    /// How many minutes running jobs have to end before a file system goes that they may write to
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    wait_for_jobs: u64,
    /// Do not wait until the head node reports the revision
    #[arg(long)]
    no_wait: bool,
    /// In the sandbox: run the cluster with real Slurm daemons on this machine afterwards
    #[arg(long)]
    with_slurm: bool,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    preflight: Preflight,
}

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Manner {
    /// How progress is shown.
    pub progress: ProgressFormat,
    /// Whether the head node is waited for.
    pub wait: bool,
    /// How many minutes running jobs have to end where a file system goes; `None`: as many as usual.
    pub jobs_minutes: Option<u64>,
    /// How long somebody else who works on the cluster is waited for.
    pub others: Wait,
}

/// Makes the cluster as its file, or a saved plan, says.
pub fn apply(args: &ApplyArgs, global: &Global, output: &mut Output) -> Result<u8, Failure> {
    let given = load::read(&args.target)?;
    // Machines of a rehearsal live in real time: what they report is not waited for in a hurry.
    let rehearsed = args.with_slurm || rehearsal::running(global).is_some();
    let wait = !args.no_wait && !rehearsed;
    let manner =
        Manner { progress: args.progress, wait, jobs_minutes: Some(args.wait_for_jobs), others: Wait::default() };
    let hurried = &global.hurried();
    let text = given.text().filter(|text| is_document(text));
    let is_plan = text.is_some();
    if is_plan && args.to.is_some() {
        let remedy = "make the plan with `hpcctl plan FILE --to REVISION --out PLAN`";
        return Err(Failure::new("HPC2014", "a saved plan says itself where it goes", remedy, exit::ERROR));
    }
    if args.with_slurm {
        rehearsal::possible(&args.target, is_plan, hurried, output)?;
    }
    let (region, cluster, code);
    if let Some(text) = text {
        let plan = saved(text)?;
        (region, cluster) = (plan.region.clone(), plan.cluster.clone());
        let (name, output) = (cluster.clone(), &mut *output);
        let run = |cloud: Cloud, stop| async move {
            let manner = Manner { others: args.patience.begins(&cloud), ..manner };
            let ran = saved_plan(args, cloud.clone(), stop, plan, manner, output).await;
            named(&cloud, &name, ran).await
        };
        code = on_cloud(hurried, Some(&region), run)?;
    } else {
        let loaded = load::from_bytes(given, output)?;
        (region, cluster) = (loaded.graph.region.clone(), loaded.graph.cluster.clone());
        let (name, output) = (cluster.clone(), &mut *output);
        let run = |cloud: Cloud, stop| async move {
            let manner = Manner { others: args.patience.begins(&cloud), ..manner };
            let ran = fresh_plan(args, cloud.clone(), stop, loaded, manner, output).await;
            named(&cloud, &name, ran).await
        };
        code = on_cloud(hurried, Some(&region), run)?;
    }
    if code != exit::OK || !rehearsed {
        return Ok(code);
    }
    if args.with_slurm {
        rehearsal::begin(&args.target, hurried, output)?;
    }
    match args.no_wait {
        true => Ok(exit::OK),
        false => await_head::after_apply(global, &region, &cluster, args.progress, output),
    }
}

/// What came of a command; a failure that may come of what somebody else does names him.
pub async fn named<T>(cloud: &Cloud, cluster: &str, ran: Result<T, Failure>) -> Result<T, Failure> {
    match ran {
        Err(failure) => Err(with_owner(cloud, cluster, failure).await),
        ran => ran,
    }
}

async fn fresh_plan(
    args: &ApplyArgs,
    cloud: Cloud,
    stop: Stop,
    mut loaded: Loaded,
    mut manner: Manner,
    output: &mut Output,
) -> Result<u8, Failure> {
    if let Some(number) = args.to {
        loaded = history::back_to(&cloud, &loaded, number, output).await?;
    }
    let live = settled(&cloud, &stop, output, &mut manner.others, || look(&cloud, &loaded, false)).await?;
    elsewhere(&cloud, &loaded, &live, output).await?;
    args.preflight.run(&cloud, &mut loaded, &live, output).await?;
    let plan = preview::agreed(&cloud, &loaded, &live).await?;
    output.data(&show(&plan, PlanFormat::Text, output));
    obstacles::refuse(&cloud, &plan, &live).await?;
    if plan.is_empty() || plan.only_waits() {
        bury_lock(&cloud, &plan, output).await;
    }
    if plan.is_empty() {
        return Ok(exit::OK);
    }
    approve(&plan, &args.approval, output)?;
    let code = carry_out(&cloud, stop, &plan, manner, output).await?;
    if let (Some(number), exit::OK) = (args.to, code) {
        history::told(&loaded, number, output);
    }
    Ok(code)
}

async fn saved_plan(
    args: &ApplyArgs,
    cloud: Cloud,
    stop: Stop,
    plan: Plan,
    manner: Manner,
    output: &mut Output,
) -> Result<u8, Failure> {
    if !plan.is_intact() {
        return Err(ApplyError::EditedPlan.into());
    }
    let Some(planned) = plan.basis.account.clone() else { return Err(ApplyError::OfflinePlan.into()) };
    let caller = cloud.identity.caller().await?.account;
    if planned != caller {
        return Err(ApplyError::OtherAccount { planned, caller }.into());
    }
    // A saved plan was read when it was made; who must approve it now sees all of it again.
    if plan.is_empty() || output.verbose || !args.approval.auto_approve {
        output.data(&show(&plan, PlanFormat::Text, output));
    } else {
        output.data(&format!("Plan {} of {}: {}\n", plan.id(), plan.cluster, summary(&plan)));
    }
    if plan.is_empty() {
        return Ok(exit::OK);
    }
    approve(&plan, &args.approval, output)?;
    carry_out(&cloud, stop, &plan, manner, output).await
}

/// Carries a plan out under the lock, then waits for the head node without it.
pub async fn carry_out(
    cloud: &Cloud,
    stop: Stop,
    plan: &Plan,
    manner: Manner,
    output: &mut Output,
) -> Result<u8, Failure> {
    let began = cloud.clock.now();
    let progress = Progress::new(output, manner.progress);
    let mut context = Context::new(cloud, plan, &progress, stop);
    if let Some(minutes) = manner.jobs_minutes {
        context.patience = Duration::from_secs(minutes.saturating_mul(60));
    }
    let mut applied = Applied::default();
    if !plan.only_waits() {
        context.programs = programs(cloud, plan)?;
        applied = under_lock(&context, manner.others, output).await?;
    }
    if manner.wait {
        apply::finish(&context, &mut applied).await;
    }
    if let Some(first) = applied.failed.first() {
        let failure: Failure = first.error.clone().into();
        let failure = with_owner(cloud, &plan.cluster, failure).await;
        output.warn(&errors::applied_text(&applied, &failure, output.paint_err));
        return Ok(failure.exit);
    }
    if !manner.wait && plan.awaits_head() {
        output.note(&format!(
            "the head node sets revision {} up; `hpcctl status FILE --wait` waits for it",
            plan.revision
        ));
    }
    let took = events::duration(cloud.clock.now().0 - began.0);
    output.data(&format!("\nDone: plan {} of {} in {took}.\n", plan.id(), plan.cluster));
    if apply::leaves_something(plan) {
        // Snapshots have their ids only now.
        match observe::observe(cloud, &plan.cluster, &Wanted { no_files: true, ..Wanted::default() }).await {
            Ok(live) => output.data(&kept::end(&live.kept, output.paint)),
            Err(error) => output.note(&format!("failed to look for what is kept: {}", Failure::from(error).message)),
        }
    }
    Ok(exit::OK)
}

/// Takes the lock, makes sure that nothing moved, carries out what needs the lock, gives it back.
async fn under_lock(context: &Context<'_>, others: Wait, output: &Output) -> Result<Applied, Failure> {
    let caller = context.cloud.identity.caller().await?;
    let mut lock = lock(context, &caller, others).await?;
    match fresh(context).await {
        Ok(Fresh::Open) => {}
        Ok(Fresh::Done) => {
            release(lock.take(), output).await;
            output.note(&format!(
                "plan {} is applied already, as revision {}",
                context.plan.id(),
                context.plan.revision
            ));
            return Ok(Applied::default());
        }
        Err(failure) => {
            release(lock.take(), output).await;
            return Err(failure);
        }
    }
    let mut applied = apply::execute(context, lock.as_ref()).await;
    if applied.failed.is_empty()
        && let Err(error) = proved(context).await
    {
        applied.failed.push(StepFailure { step: 0, action: StepAction::Verify, error });
    }
    if context.plan.goal == Goal::Destroy && applied.failed.is_empty() {
        forget(lock.take(), output).await;
    }
    release(lock, output).await;
    Ok(applied)
}

/// The lock. Before the artifact bucket exists there is nothing to lock with: the bucket is made first.
async fn lock(context: &Context<'_>, caller: &Caller, others: Wait) -> Result<Option<apply::Lock>, Failure> {
    let bucket = context.bucket();
    if !context.cloud.objects.bucket_exists(&bucket).await? {
        let bootstraps = context.plan.steps.iter().any(|step| step.action == crate::plan::StepAction::Bootstrap);
        if !bootstraps {
            return Ok(None);
        }
        apply::bootstrap(context).await?;
    }
    let told = Cell::new(false);
    let waits = |lock: &FoundLock| {
        if !told.replace(true) {
            context.tell(&apply::Event::LockWatched { owner: words::whose(lock) });
        }
        !context.stop.is_set()
    };
    let claim = Claim {
        bucket: &bucket,
        cluster: &context.plan.cluster,
        owner: process::owner(&caller.arn),
        plan: context.plan.id(),
        until: others.until,
        watch: others.watch,
        is_dead: &process::is_dead,
        waits: &waits,
    };
    match claim.acquire(context.cloud).await? {
        LockOutcome::Held(lock) => Ok(Some(lock)),
        LockOutcome::TakenOver(lock, before) => {
            context.tell(&apply::Event::LockTakenOver { owner: words::whose(&before) });
            Ok(Some(lock))
        }
        LockOutcome::Refused(_) if context.stop.is_set() => Err(errors::interrupted()),
        LockOutcome::Refused(lock) => Err(ApplyError::Locked { lock: Box::new(lock) }.into()),
    }
}

/// What a look under the lock says of a plan.
enum Fresh {
    /// It is to be carried out.
    Open,
    /// It was carried out to its end, and all is still as it says.
    Done,
}

/// Under the lock: has anything moved since the plan was made, and does anything refuse to go?
async fn fresh(context: &Context<'_>) -> Result<Fresh, Failure> {
    let live = observe::observe(context.cloud, &context.plan.cluster, &Wanted::default()).await?;
    if context.plan.is_done(&live) {
        return Ok(Fresh::Done);
    }
    let moved = context.plan.moved(&live);
    if !moved.is_empty() {
        return Err(ApplyError::Stale { moved }.into());
    }
    let ended = plan::unforeseen(context.plan, &live);
    if !ended.is_empty() {
        return Err(ApplyError::JobsEnd { queues: ended }.into());
    }
    obstacles::refuse(context.cloud, context.plan, &live).await.map(|()| Fresh::Open)
}

/// An apply that died when all was done left its lock.
pub async fn bury_lock(cloud: &Cloud, plan: &Plan, output: &Output) {
    let Some(bucket) = &plan.content.bucket else { return };
    if let Err(error) = apply::bury(cloud, bucket, &plan.cluster, &process::is_dead).await {
        output.note(&format!("failed to take an old lock away: {error}"));
    }
}

/// Still under the lock: is everything as the plan says?
async fn proved(context: &Context<'_>) -> Result<(), ApplyError> {
    if context.plan.goal == Goal::Destroy {
        return Ok(());
    }
    let gaps = match observe::observe(context.cloud, &context.plan.cluster, &Wanted::default()).await {
        Ok(live) => context.plan.gaps(&live),
        Err(ObserveError::Cloud(error)) => return Err(error.into()),
        Err(ObserveError::Archive { key, .. }) => vec![Gap::File { path: key }],
    };
    if gaps.is_empty() { Ok(()) } else { Err(ApplyError::NotAsPlanned { gaps }) }
}

/// The lock outlives the archive, and goes with all its versions.
async fn forget(lock: Option<apply::Lock>, output: &Output) {
    let Some(lock) = lock else { return };
    if let Err(error) = lock.forget().await
        && error.kind != ErrorKind::NotFound
    {
        output.note(&format!("failed to give the lock back: {error}"));
    }
}

async fn release(lock: Option<apply::Lock>, output: &Output) {
    let Some(lock) = lock else { return };
    match lock.release().await {
        Err(error) if error.kind != ErrorKind::NotFound => {
            output.note(&format!("failed to give the lock back: {error}"))
        }
        _ => {}
    }
}
