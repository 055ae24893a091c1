//! Words for the plan's enums.

use crate::{
    model::DataHolding,
    observe::{FoundLock, LockInfo},
    plan::{Action, Change, DataFate, DataRisk, Effect, Gap, Note, Obstacle, Reason, StepAction},
};

/// The symbol of an action.
pub fn symbol(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "±",
        Action::Delete => "-",
        Action::Forget => "○",
    }
}

/// An action in words.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update in place",
        Action::Replace => "replace: create, then delete",
        Action::Delete => "delete",
        Action::Forget => "keep, outside the cluster",
    }
}

/// What a property's change does, where that is worth a word.
pub fn effect(effect: Effect) -> Option<&'static str> {
    match effect {
        Effect::InPlace => None,
        Effect::Restarts => Some("# stops and starts it"),
        Effect::MayReplace => Some("# may force replacement"),
        Effect::Replaces => Some("# forces replacement"),
        Effect::Refused => Some("# AWS refuses this change"),
    }
}

/// Why, where that is worth a word.
pub fn reason(reason: &Reason) -> Option<String> {
    match reason {
        Reason::New | Reason::Changed | Reason::Destroyed => None,
        Reason::StackBroken { status } => Some(format!("its stack is in {status} and is made anew")),
        Reason::Follows { address } => Some(format!("follows from the change of {address}")),
        Reason::StartsEmpty { instead_of } => {
            Some(format!("takes the place of {instead_of}, which is of another kind, and starts empty"))
        }
        Reason::Predicted => Some("CloudFormation's change set says that it is replaced".to_owned()),
        Reason::NotWanted => Some("no longer in the cluster file".to_owned()),
        Reason::Carries { kept } => Some(format!("{kept}, which was kept, stands on it")),
    }
}

/// Data at stake, in words.
pub fn data(risk: &DataRisk) -> String {
    let what = match &risk.holding {
        DataHolding::FileSystem { name, capacity_gib: Some(gib), .. } => {
            format!("file system `{name}` of {} GiB", thousands(u64::from(*gib)))
        }
        DataHolding::FileSystem { name, .. } => format!("file system `{name}`"),
        DataHolding::Database => "the accounting database".to_owned(),
        DataHolding::Volume { name, size_gib } => {
            format!("volume `{name}` of {} GiB", thousands(u64::from(*size_gib)))
        }
        DataHolding::HeadData { size_gib, home } => {
            format!("volume of {} GiB with {}", thousands(u64::from(*size_gib)), head_data(*home))
        }
        DataHolding::HeadNode { home } => format!("{}, still on its root volume", head_data(*home)),
        DataHolding::Queue { from, to } => {
            format!("jobs that run or wait: Slurm {to} does not read what Slurm {from} keeps")
        }
        DataHolding::Jobs { queues } => format!("jobs of {}", queues.join(", ")),
        DataHolding::Logs => "the cluster's logs".to_owned(),
    };
    let export = match &risk.last_export {
        Some(at) => format!(", last full export {at}"),
        None => String::new(),
    };
    let target = match &risk.targets[..] {
        [] => "S3".to_owned(),
        [one] => one.uri.clone(),
        several => several.iter().map(|one| format!("{} ({})", one.uri, one.path)).collect::<Vec<_>>().join(", "),
    };
    match risk.fate {
        DataFate::ExportedFirst if risk.login_nodes => format!(
            "data loss: {what}: what is written on login nodes after its export began is lost; what is there is \
             exported to {target} first{export}"
        ),
        DataFate::ExportedFirst => format!("{what} is exported to {target} first; a failed export stops here{export}"),
        DataFate::ExportedInPart => {
            let linked = risk.linked.join(", ");
            format!(
                "data loss: {what}: outside {linked} nothing is exported; what lies there is, to {target} first{export}"
            )
        }
        DataFate::SnapshotFirst => format!("a snapshot of {what} is made first"),
        DataFate::Kept => format!("{what} stays"),
        DataFate::Lost if risk.holding == DataHolding::Logs => format!("{what} go with it"),
        DataFate::Lost if matches!(risk.holding, DataHolding::Jobs { .. }) => {
            format!("job loss: {what} end: those that run with their nodes, those that wait with their queue")
        }
        DataFate::Lost => format!("data loss: {what}{export}"),
    }
}

/// How a file system that is kept can be reached afterwards.
pub fn reach(change: &Change, risk: &DataRisk) -> Option<String> {
    let id = change.physical_id.as_deref()?;
    let kept = risk.fate == DataFate::Kept && matches!(change.action, Action::Forget | Action::Replace);
    match change.resource_type.as_str() {
        "AWS::FSx::FileSystem" if kept => Some(format!(
            "{id} stays with its security group; let the group of its clients in there, and out of theirs, for TCP 988 and 1018 to 1023"
        )),
        "AWS::EFS::FileSystem" if kept => {
            Some(format!("{id} stays without mount targets; make one where its clients are"))
        }
        _ if kept => Some(format!("{id} stays")),
        _ => None,
    }
}

/// What a head node keeps.
fn head_data(home: bool) -> &'static str {
    if home { "home directories and Slurm's jobs" } else { "Slurm's jobs" }
}

/// What a reviewer must know besides, in words.
pub fn note(note: &Note) -> String {
    match note {
        Note::BudgetNeedsTag { tag } => format!(
            "the budget counts by the tag `{tag}`, which somebody must activate once for cost allocation in the account that pays"
        ),
        Note::HeadStartsAnew => {
            "the new head node has its lasting data and file systems; what was installed or kept elsewhere on the old \
             one's root volume does not come along"
                .to_owned()
        }
        Note::StartsEmpty { address, id } => {
            format!("the new {address} starts empty; what is there stays on {id}, which the cluster no longer mounts")
        }
        Note::VolumeGivenBack { name, volume } => {
            format!("the head node gives {volume} of storage.{name} back; it stays as it is, with what is on it")
        }
        Note::BackupsGo { address } => {
            format!("automatic backups of {address} go with it; backups that somebody made stay")
        }
        Note::HomesMove { to_head: true } => {
            "/home is on the head node's data volume from now on: what is in the homes now stays where it is and does \
             not come along; copy it before users log in"
                .to_owned()
        }
        Note::HomesMove { to_head: false } => {
            "/home is on a file system of the cluster from now on: what is in the homes now stays in \
             /var/lib/hpcctl/data/home on the head node and does not come along; copy it before users log in"
                .to_owned()
        }
        Note::NotThere { address, id } => format!(
            "FSx does not know {id}, which the stack has as {address}: if nobody deleted it, do not go on; nothing of \
             it can be exported"
        ),
        Note::DatabaseAway { address } => {
            format!("{address} is away for minutes; slurmctld keeps what it would write and hands it over afterwards")
        }
        Note::LogsExpire { address, days } => {
            format!("entries of {address} older than {days} days are deleted")
        }
        Note::ImageGone { stack, image, instead: Some(newest) } => {
            format!("the image {image} of {stack} is gone: nothing can be launched from it; new nodes boot {newest}")
        }
        Note::ImageGone { stack, image, instead: None } => format!(
            "the image {image} of {stack} is gone: the node that runs stays, and boots the newest when it is replaced"
        ),
        Note::Protection { on } => {
            let word = if *on { "on" } else { "off" };
            format!("termination protection of the stacks is switched {word}")
        }
        Note::LooksRenamed { from, to } => format!(
            "{from} goes and {to} comes, alike but for the name: nothing is renamed, {to} begins empty and without jobs; \
             keep the old name to keep what is there"
        ),
        Note::KernelMayLag { image } => format!(
            "new nodes boot {image}: where FSx has no Lustre client for its kernel yet, they install the newest kernel \
             that has one and boot twice, some minutes more; `image.ami` stays with an image"
        ),
        Note::FinishesRevision { revision } => {
            format!("an apply began revision {revision} and did not come to its end: this plan finishes it")
        }
    }
}

/// Something that is not as planned, in words.
pub fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Stack { stack, status: None, .. } => format!("stack {stack}: not there"),
        Gap::Stack { stack, status: Some(status), planned: true } => format!("stack {stack}: {status}"),
        Gap::Stack { stack, status: Some(status), planned: false } => {
            format!("stack {stack}: {status}, with another template")
        }
        Gap::Remains { stack, status } => format!("stack {stack}: still there, {status}"),
        Gap::File { path } => format!("node file {path}: not there, or with another content"),
        Gap::Revision { number: Some(number) } => format!("the newest revision is {number}, of another plan"),
        Gap::Revision { number: None } => "there is no revision".to_owned(),
    }
}

/// A step in words.
pub fn step(action: &StepAction) -> String {
    match action {
        StepAction::Bootstrap => "make the artifact bucket".to_owned(),
        StepAction::Archive => "archive the revision".to_owned(),
        StepAction::HoldQueues { queues } if queues.is_empty() => "hold jobs".to_owned(),
        StepAction::HoldQueues { queues } => format!("drain queues {}", queues.join(", ")),
        StepAction::Release { file_systems, volumes } if volumes.is_empty() => {
            format!("unmount {} on the head node", file_systems.join(", "))
        }
        StepAction::Release { file_systems, volumes } => {
            let all: Vec<&str> = file_systems.iter().chain(volumes).map(String::as_str).collect();
            format!("unmount {} on the head node, and detach the volumes", all.join(", "))
        }
        StepAction::OpenQueues => "open the queues again".to_owned(),
        StepAction::StopAutoExport { storage, .. } => format!("stop automatic export of {storage}"),
        StepAction::StartAutoExport { associations } => {
            let names: Vec<&str> = associations.keys().map(String::as_str).collect();
            format!("start automatic export of {}", names.join(", "))
        }
        StepAction::Export { storage, .. } => format!("export {storage}"),
        StepAction::ContinueRollback { stack } => format!("repair stack {stack}"),
        StepAction::CreateStack { stack } => format!("create stack {stack}"),
        StepAction::PrepareStack { stack } => format!("update stack {stack}, all but what leaves it"),
        StepAction::UpdateStack { stack } => format!("update stack {stack}"),
        StepAction::DeleteStack { stack, broken: true, .. } => format!("clear broken stack {stack}"),
        StepAction::MarkKept { stack } => format!("mark what stays of stack {stack}"),
        StepAction::DeleteStack { stack, broken: false, .. } => format!("delete stack {stack}"),
        StepAction::StopHead { .. } => "stop the head node and take its volumes".to_owned(),
        StepAction::StartHead { .. } => "start the head node".to_owned(),
        StepAction::Terminate { queue: Some(queue), pool: Some(pool) } => {
            format!("terminate instances of pool {pool} of queue {queue}")
        }
        StepAction::Terminate { queue: Some(queue), pool: None } => format!("terminate instances of queue {queue}"),
        StepAction::Terminate { queue: None, .. } => "terminate compute instances".to_owned(),
        StepAction::ReplaceLogins { instances } => format!("replace login nodes {}", instances.join(", ")),
        StepAction::Publish { last: true } => "publish node files".to_owned(),
        StepAction::Publish { last: false } => "publish node files for the first boot".to_owned(),
        StepAction::AwaitHead { .. } => "wait for the head node".to_owned(),
        StepAction::Purge => "delete the archive".to_owned(),
        StepAction::Verify => "prove that nothing is left".to_owned(),
    }
}

/// What refuses to go, and what would let it.
pub fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Stack { name } => {
            format!("stack {name} has termination protection: apply `deletion_protection: false`")
        }
        Obstacle::Database { address, id, by_hand: None } => {
            format!("{address} ({id}) has deletion protection: apply `deletion_protection: false` of the database")
        }
        Obstacle::Database { address, id, by_hand: Some(command) } => {
            format!("{address} ({id}) has deletion protection, switched on by hand: `{command}`")
        }
        Obstacle::Instance { address, id } => format!(
            "{address} ({id}) has termination protection: `aws ec2 modify-instance-attribute --instance-id {id} \
             --no-disable-api-termination`"
        ),
        Obstacle::FileSystem { name, id, lifecycle } => {
            format!("file system `{name}` ({id}) is {lifecycle} and cannot be exported")
        }
        Obstacle::Link { name, path, lifecycle } => {
            format!("the link of {path} of file system `{name}` with S3 is {lifecycle}: nothing can be exported")
        }
        Obstacle::TooSoon { address, id, not_before } => format!(
            "{address} ({id}) has grown less than six hours ago, and FSx grows it once in that time: not before \
             {not_before}"
        ),
        Obstacle::Changing { address, id, progress } => {
            let done = progress.map_or_else(String::new, |done| format!(", {done} % done"));
            format!(
                "EBS still works on the last change of {address} ({id}{done}): it takes the next one when that is done, \
                 four in a day at most"
            )
        }
        Obstacle::Bucket { name, bucket } => {
            format!("bucket {bucket}, to which file system `{name}` is exported, does not exist")
        }
    }
}

/// A duration in words, as a range: half as long to half as long again.
pub fn about(seconds: u32) -> String {
    let minutes = |seconds: u32| seconds.div_ceil(60).max(1);
    let (low, high) = (minutes(seconds * 2 / 3), minutes(seconds * 3 / 2));
    if low == high { format!("about {low} min") } else { format!("{low} to {high} min") }
}

/// A whole number with separators.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 queue`, `2 queues`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", thousands(number as u64)) }
}

/// Who holds a lock, doing what, since when.
pub fn lock(lock: &FoundLock) -> Vec<String> {
    let Some(info) = &lock.info else {
        return vec!["by somebody unknown: the lock is there and cannot be read".to_owned()];
    };
    let owner = &info.owner;
    let mut lines = vec![format!("by {} (process {})", whose(lock), owner.pid)];
    lines.extend(owner.command.as_ref().map(|command| format!("running `{command}`")));
    lines.push(format!("plan {}, since {}, last renewed {}", info.plan, info.since, info.renewed));
    lines
}

/// A lock for programs: what it says, or that it cannot be read; `null`: there is none.
pub fn lock_json(lock: Option<&FoundLock>) -> serde_json::Value {
    match lock.map(|lock| &lock.info) {
        None => serde_json::Value::Null,
        Some(None) => serde_json::json!({ "unreadable": true }),
        Some(Some(info)) => serde_json::json!(info),
    }
}

/// Whose a lock is, in a few words.
pub fn whose(lock: &FoundLock) -> String {
    let named = |info: &LockInfo| format!("{} on {}", info.owner.arn, info.owner.host);
    lock.info.as_ref().map_or_else(|| "somebody unknown".to_owned(), named)
}

/// How two texts differ, as a unified diff; nothing when they do not.
pub fn difference(before: &str, after: &str, before_name: &str, after_name: &str) -> String {
    similar::TextDiff::from_lines(before, after).unified_diff().header(before_name, after_name).to_string()
}
