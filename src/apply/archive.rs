//! Steps on the artifact bucket: bootstrap, archive, publish, purge.

use super::{ApplyError, Context};
use crate::{
    cloud::{ErrorKind, PutCondition, StackEvent, StackInput, StackStatus, TemplateSource},
    model,
    observe::{Revision, keys},
    plan::{CLUSTER_FACTS, Goal, Outputs},
    render,
};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Makes the artifact bucket of account and region; true: it is there.
pub async fn bootstrap(context: &Context<'_>) -> Result<bool, ApplyError> {
    if context.cloud.objects.bucket_exists(&context.bucket()).await? {
        return Ok(true);
    }
    let stack = model::bootstrap();
    let input = StackInput {
        name: model::BOOTSTRAP_STACK.to_owned(),
        template: TemplateSource::Body(render::bootstrap(&stack).body),
        parameters: BTreeMap::new(),
        tags: BTreeMap::from([("hpcctl:bootstrap".to_owned(), "true".to_owned())]),
        token: format!("hpcctl-bootstrap-{}", context.plan.id()),
        termination_protection: false,
    };
    let stacks = &context.cloud.stacks;
    let id = match stacks.stack(model::BOOTSTRAP_STACK).await? {
        Some(state) if state.status.in_progress() => state.id,
        Some(state) if state.status.must_be_recreated() => {
            stacks.delete(model::BOOTSTRAP_STACK, &[], &format!("{}-again", input.token)).await?;
            settle(context, &state.id).await?;
            stacks.create(&input).await?
        }
        Some(state) => state.id,
        None => stacks.create(&input).await?,
    };
    settle(context, &id).await?;
    Ok(false)
}

async fn settle(context: &Context<'_>, id: &str) -> Result<(), ApplyError> {
    let mut pace = super::context::Pace::new();
    loop {
        match context.cloud.stacks.stack(id).await? {
            Some(state) if state.status.in_progress() => context.pause(&mut pace).await?,
            Some(state) if !state.status.succeeded() && state.status != StackStatus::UpdateRollbackComplete => {
                let events = context.cloud.stacks.events(id, None).await?;
                // Of this try alone: the events before its beginning are another's.
                let begin = events.iter().rposition(|event| begins(id, event)).unwrap_or_default();
                let failures =
                    events[begin..].iter().filter_map(|event| super::stack::failure(id, event, str::to_owned));
                return Err(ApplyError::Bootstrap {
                    status: state.status.as_str().to_owned(),
                    reason: state.reason,
                    resources: failures.collect(),
                });
            }
            _ => return Ok(()),
        }
    }
}

/// Whether a stack begins something with this event: one of its own that nothing it did itself led to.
fn begins(id: &str, event: &StackEvent) -> bool {
    event.physical_id.as_deref() == Some(id)
        && event.status.ends_with("_IN_PROGRESS")
        && !event.status.contains("ROLLBACK")
        && !event.status.contains("CLEANUP")
}

/// Writes templates, node files, cluster file and plan into the archive of the new revision.
pub async fn archive(context: &Context<'_>) -> Result<bool, ApplyError> {
    let plan = context.plan;
    let at = |path: &str| keys::archive(&plan.cluster, plan.revision, path);
    let mut objects: Vec<(String, Vec<u8>)> = vec![
        (at("cluster.yaml"), plan.source.text.clone().into_bytes()),
        (at("plan.json"), serde_json::to_vec(plan).unwrap_or_default()),
    ];
    for (key, body) in &plan.content.templates {
        let path = keys::template(&plan.cluster, plan.revision, &key.to_string());
        objects.push((path, body.clone().into_bytes()));
    }
    for (key, between) in &plan.content.between {
        let path = keys::template(&plan.cluster, plan.revision, &keys::between(&key.to_string()));
        objects.push((path, between.template.clone().into_bytes()));
    }
    for (path, file) in &plan.content.files {
        objects.push((at(&format!("files/{path}")), file.content.clone().into_bytes()));
    }
    put_all(context, objects).await?;
    super::programs::publish_programs(context).await?;
    Ok(false)
}

/// Puts node files where nodes fetch them, and takes away those that are no more. When `last`, the revision
/// becomes the newest.
pub async fn publish(context: &Context<'_>, last: bool) -> Result<bool, ApplyError> {
    let plan = context.plan;
    let bucket = context.bucket();
    let current = |path: &str| keys::current(&plan.cluster, path);
    // What is written over is looked at before what is written: whoever wrote in between is not undone.
    let before = seen(context, &current(CLUSTER_FACTS)).await?;
    let facts = facts(context).await?.into_bytes();
    swap(context, &current(CLUSTER_FACTS), facts, before).await?;
    let files = plan.content.files.iter();
    put_all(context, files.map(|(path, file)| (current(path), file.content.clone().into_bytes())).collect()).await?;
    let prefix = current("");
    for object in context.cloud.objects.list(&bucket, &prefix).await? {
        let path = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
        if path != CLUSTER_FACTS && !plan.content.files.contains_key(path) {
            context.cloud.objects.delete(&bucket, &object.key).await?;
        }
    }
    if last {
        become_newest(context).await?;
    }
    Ok(false)
}

/// Makes the plan's revision the newest one; refuses when another plan has made a revision since.
async fn become_newest(context: &Context<'_>) -> Result<(), ApplyError> {
    let plan = context.plan;
    let head = keys::head(&plan.cluster);
    let before = seen(context, &head).await?;
    let newest = before.as_ref().and_then(|(body, _)| serde_json::from_slice::<Revision>(body).ok());
    if newest.is_some_and(|is| is.number > plan.revision || (is.number == plan.revision && is.plan != plan.id())) {
        return Err(ApplyError::LockLost);
    }
    let caller = context.cloud.identity.caller().await?;
    let revision = Revision {
        number: plan.revision,
        plan: plan.id().to_owned(),
        at: context.cloud.clock.now(),
        by: caller.arn,
        source_sha256: plan.source.sha256.clone(),
    };
    let body = serde_json::to_vec_pretty(&revision).unwrap_or_default();
    let kept = keys::archive(&plan.cluster, plan.revision, "revision.json");
    context.cloud.objects.put(&context.bucket(), &kept, body.clone(), PutCondition::Always).await?;
    swap(context, &head, body, before).await
}

type Seen = Option<(Vec<u8>, String)>;

async fn seen(context: &Context<'_>, key: &str) -> Result<Seen, ApplyError> {
    Ok(context.cloud.objects.get(&context.bucket(), key).await?)
}

/// Writes an object in the place of what was seen there. That S3 holds by itself, whatever happens to this process between
/// a look at the lock and the write: somebody else's newer object stays.
async fn swap(context: &Context<'_>, key: &str, body: Vec<u8>, before: Seen) -> Result<(), ApplyError> {
    let condition = before.map_or(PutCondition::IfAbsent, |(_, etag)| PutCondition::IfMatch(etag));
    match context.cloud.objects.put(&context.bucket(), key, body, condition).await {
        Err(error) if error.kind == ErrorKind::PreconditionFailed => Err(ApplyError::LockLost),
        put => Ok(put.map(drop)?),
    }
}

/// `cluster.json`, from the outputs that the stacks have now.
async fn facts(context: &Context<'_>) -> Result<String, ApplyError> {
    let plan = context.plan;
    let states = context.cloud.stacks.stacks_of(&plan.cluster).await?;
    let outputs: Outputs = states
        .into_iter()
        .filter_map(|state| Some((model::StackKey::of_stack_name(&plan.cluster, &state.name)?, state.outputs)))
        .collect();
    Ok(plan.cluster_facts(&context.bucket(), &outputs))
}

/// Deletes everything of the cluster in the artifact bucket but the lock: that is held until the very end.
pub async fn purge(context: &Context<'_>) -> Result<bool, ApplyError> {
    debug_assert_eq!(context.plan.goal, Goal::Destroy);
    let purged = context
        .cloud
        .objects
        .purge_but(&context.bucket(), &keys::prefix(&context.plan.cluster), &keys::lock(&context.plan.cluster))
        .await?;
    Ok(purged == 0)
}

async fn put_all(context: &Context<'_>, objects: Vec<(String, Vec<u8>)>) -> Result<(), ApplyError> {
    let bucket = context.bucket();
    // A few at a time: S3 likes it, and memory too.
    let mut rest = objects.into_iter().peekable();
    while rest.peek().is_some() {
        let some: Vec<_> = rest.by_ref().take(16).collect();
        let puts = some.into_iter().map(|(key, body)| {
            let bucket = bucket.clone();
            async move { context.cloud.objects.put(&bucket, &key, body, PutCondition::Always).await }
        });
        for put in join_all(puts).await {
            put?;
        }
    }
    Ok(())
}
