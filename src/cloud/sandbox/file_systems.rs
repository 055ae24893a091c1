//! FSx's port.

use super::{
    control::{Call, Sandbox},
    effects::split_url,
    eval::plain,
    faults::{Fault, Script},
    ids::hex,
    resource::Resource,
    task::Task,
    world::World,
};
use crate::cloud::{
    CLUSTER_TAG, ErrorKind, FileSystemState, FileSystems, Repository, Result, TaskInput, TaskKind, TaskState,
};
use async_trait::async_trait;
use serde_json::Value;

const SERVICE: &str = "fsx";
const KIND: &str = "AWS::FSx::FileSystem";
const LINK: &str = "AWS::FSx::DataRepositoryAssociation";
/// The property with the events that an association exports by itself.
const AUTO_EXPORT: &str = "S3/AutoExportPolicy/Events";
/// How long a change of an association takes, seconds.
const CHANGE_SECONDS: i64 = 10;

#[async_trait]
impl FileSystems for Sandbox {
    async fn file_system(&self, id: &str) -> Result<Option<FileSystemState>> {
        self.call(Call::look(SERVICE, "DescribeFileSystems"), |world, _| {
            Ok(all(world).find(|r| r.physical == id).map(|r| view(world, r)))
        })
    }

    async fn file_systems_of(&self, cluster: &str) -> Result<Vec<FileSystemState>> {
        self.call(Call::look(SERVICE, "DescribeFileSystems"), |world, _| {
            let ours = all(world)
                .filter(|r| r.is_in(&self.region) && r.tags.get(CLUSTER_TAG).is_some_and(|tag| tag == cluster));
            let mut found: Vec<FileSystemState> = ours.map(|r| view(world, r)).collect();
            found.sort_by(|a, b| a.id.cmp(&b.id));
            Ok(found)
        })
    }

    async fn start_task(&self, input: &TaskInput) -> Result<TaskState> {
        let call = Call::change(SERVICE, "CreateDataRepositoryTask");
        self.call(call, |world, script| start(world, script, call, input))
    }

    async fn task(&self, id: &str) -> Result<Option<TaskState>> {
        self.call(Call::look(SERVICE, "DescribeDataRepositoryTasks"), |world, _| {
            Ok(world.tasks.iter().find(|t| t.id == id).map(|t| t.view(world.now)))
        })
    }

    async fn tasks_of(&self, file_system: &str) -> Result<Vec<TaskState>> {
        self.call(Call::look(SERVICE, "DescribeDataRepositoryTasks"), |world, _| {
            let ours = world.tasks.iter().rev().filter(|t| t.input.file_system == file_system);
            Ok(ours.map(|t| t.view(world.now)).collect())
        })
    }

    async fn cancel_task(&self, id: &str) -> Result<()> {
        let call = Call::change(SERVICE, "CancelDataRepositoryTask");
        self.call(call, |world, _| {
            let now = world.now;
            let task = world.tasks.iter_mut().find(|t| t.id == id);
            let missing = || call.error(ErrorKind::NotFound, "DataRepositoryTaskNotFound", format!("no task {id}"));
            let task = task.ok_or_else(missing)?;
            if task.lifecycle(now).ended() {
                let words = format!("the task {id} has ended");
                return Err(call.error(ErrorKind::Invalid, "DataRepositoryTaskEnded", words));
            }
            task.canceled.get_or_insert(now);
            Ok(())
        })
    }

    async fn set_auto_export(&self, association: &str, events: &[String]) -> Result<()> {
        let call = Call::change(SERVICE, "UpdateDataRepositoryAssociation");
        self.call(call, |world, _| {
            if is_changing(world, association) {
                let words = "The association is UPDATING, not AVAILABLE.".to_owned();
                return Err(call.error(ErrorKind::Invalid, "BadRequest", words));
            }
            let until = world.now.plus(CHANGE_SECONDS);
            let all = world.stacks.values_mut().flat_map(|stack| stack.resources.values_mut());
            let found = all.into_iter().find(|r| r.kind == LINK && r.physical == association && r.present());
            let missing = || {
                let words = format!("no data repository association {association}");
                call.error(ErrorKind::NotFound, "DataRepositoryAssociationNotFound", words)
            };
            found.ok_or_else(missing)?.set_live(AUTO_EXPORT, Some(events.into()).filter(|_| !events.is_empty()));
            world.changing.insert(association.to_owned(), until);
            Ok(())
        })
    }
}

fn is_changing(world: &World, association: &str) -> bool {
    world.changing.get(association).is_some_and(|until| world.now < *until)
}

/// Every file system that is there, retained ones too.
fn all(world: &World) -> impl Iterator<Item = &Resource> {
    let found = world.resources().map(|(_, r)| r).chain(world.retained.values());
    found.filter(|r| r.kind == KIND && !r.edits.contains_key(super::resource::DELETED_BY_HAND))
}

/// The mount name of a file system that a stack made.
pub(super) fn mount_name(world: &World, id: &str) -> Option<String> {
    all(world).find(|r| r.physical == id).and_then(|r| r.attributes.get("LustreMountName")).map(plain)
}

fn view(world: &World, resource: &Resource) -> FileSystemState {
    let attribute = |name: &str| resource.attributes.get(name).map(plain);
    let lustre = &resource.properties["LustreConfiguration"];
    FileSystemState {
        id: resource.physical.clone(),
        lifecycle: lifecycle(resource).to_owned(),
        capacity_gib: resource.properties.get("StorageCapacity").and_then(|c| plain(c).parse().ok()).unwrap_or(0),
        deployment: lustre.get("DeploymentType").map(plain),
        dns_name: attribute("DNSName"),
        mount_name: attribute("LustreMountName"),
        repositories: repositories(world, &resource.physical),
        tags: resource.tags.clone(),
        created: resource.created,
        grown: super::updates::grown(resource),
    }
}

fn lifecycle(resource: &Resource) -> &'static str {
    match resource.status.as_str() {
        // An update that replaces shows `UPDATE_IN_PROGRESS` for the file system that is being made.
        "CREATE_IN_PROGRESS" => "CREATING",
        "UPDATE_IN_PROGRESS" if resource.made.is_none() => "CREATING",
        "UPDATE_IN_PROGRESS" => "UPDATING",
        "DELETE_IN_PROGRESS" => "DELETING",
        "CREATE_FAILED" => "FAILED",
        _ => "AVAILABLE",
    }
}

/// The links of a file system with S3.
pub(super) fn repositories(world: &World, file_system: &str) -> Vec<Repository> {
    let own = all(world).find(|r| r.physical == file_system).and_then(|r| {
        let text = |name: &str| r.properties["LustreConfiguration"].get(name).map(plain);
        let import = text("ImportPath")?;
        // Without an export path FSx makes one up below the import's bucket.
        let made_up =
            || split_url(&import).map(|(bucket, _)| format!("s3://{bucket}/FSxLustre{}", hex(&[file_system], 12)));
        Some(Repository {
            path: "/".to_owned(),
            export: text("ExportPath").or_else(made_up),
            import: Some(import),
            association: None,
            auto_export: Vec::new(),
            lifecycle: "AVAILABLE".to_owned(),
        })
    });
    let there = |r: &&Resource| {
        let ours = r.kind == LINK && r.text("FileSystemId") == Some(file_system);
        ours && !r.edits.contains_key(super::resource::DELETED_BY_HAND)
    };
    let associated = world.resources().map(|(_, r)| r).filter(there);
    let association = |r: &Resource| Repository {
        path: r.text("FileSystemPath").unwrap_or("/").to_owned(),
        import: r.text("DataRepositoryPath").map(str::to_owned),
        export: r.text("DataRepositoryPath").map(str::to_owned),
        association: Some(r.physical.clone()),
        auto_export: r.live(AUTO_EXPORT).as_ref().and_then(Value::as_array).into_iter().flatten().map(plain).collect(),
        lifecycle: if is_changing(world, &r.physical) { "UPDATING" } else { "AVAILABLE" }.to_owned(),
    };
    own.into_iter().chain(associated.map(association)).collect()
}

fn start(world: &mut World, script: &Script, call: Call, input: &TaskInput) -> Result<TaskState> {
    let now = world.now;
    if let Some(task) = world.tasks.iter().find(|t| t.input.token == input.token) {
        return Ok(task.view(now));
    }
    let id = &input.file_system;
    let found = all(world).find(|r| r.physical == *id).map(lifecycle);
    let missing =
        || call.error(ErrorKind::NotFound, "FileSystemNotFound", format!("File system '{id}' does not exist."));
    let lifecycle = found.ok_or_else(missing)?;
    if lifecycle != "AVAILABLE" && lifecycle != "UPDATING" {
        let words = format!("File system '{id}' is {lifecycle}");
        return Err(call.error(ErrorKind::Invalid, "BadRequest", words));
    }
    check_repository(world, call, input)?;
    if let Some(task) = world.tasks.iter().find(|t| t.input.file_system == *id && !t.lifecycle(now).ended()) {
        let words = format!("the task {} is executing on the file system", task.id);
        return Err(call.error(ErrorKind::Busy, "DataRepositoryTaskExecuting", words));
    }
    let files = files(world, input);
    let failing = failing(world, script, input, &files);
    let unreachable = super::effects::unreachable_bucket(world, &script.absent, id);
    let nth = world.count(&format!("task {id}")).to_string();
    let id = format!("task-0{}", hex(&[id, "task", &nth], 16));
    let task =
        Task { id, input: input.clone(), created: now, files, failing, unreachable, canceled: None, settled: false };
    let state = task.view(now);
    world.tasks.push(task);
    Ok(state)
}

fn check_repository(world: &World, call: Call, input: &TaskInput) -> Result<()> {
    let repositories = repositories(world, &input.file_system);
    let refuse = |words: String| Err(call.error(ErrorKind::Invalid, "BadRequest", words));
    if repositories.is_empty() {
        return refuse(format!("File system '{}' has no linked data repository", input.file_system));
    }
    let export = input.kind == TaskKind::ExportToRepository;
    if export && repositories.iter().any(|one| !one.auto_export.is_empty()) {
        let words = "Automatic export and export data repository tasks cannot run at the same time";
        return refuse(format!("{words}: disable automatic export on file system '{}' first", input.file_system));
    }
    if let Some(path) = input.paths.iter().find(|path| !export && split_url(path).is_none()) {
        return refuse(format!("Path '{path}' of an import task must have the format s3://bucket/prefix"));
    }
    if let Some(path) = input.paths.iter().find(|path| export && split_url(path).is_some()) {
        return refuse(format!("Path '{path}' of an export task must be relative to the mount point"));
    }
    let Some(report) = input.report.as_deref() else { return Ok(()) };
    let within = |r: &Repository| {
        let export = r.export.as_deref().map(|e| e.trim_end_matches('/')).unwrap_or_default();
        let rest = report.strip_prefix(export);
        rest.is_some_and(|rest| !export.is_empty() && (rest.is_empty() || rest.starts_with('/')))
    };
    let words = "The report path must be within the file system's export path";
    if repositories.iter().any(within) { Ok(()) } else { refuse(words.to_owned()) }
}

/// The files that a task treats: an export leaves alone what lies outside the linked directories.
fn files(world: &World, input: &TaskInput) -> Vec<String> {
    let paths: Vec<&str> = input.paths.iter().map(|path| path.trim_matches('/')).collect();
    let within = |file: &str| {
        let below = |path: &&str| {
            path.is_empty() || file.strip_prefix(*path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        paths.is_empty() || paths.iter().any(below)
    };
    if input.kind == TaskKind::ImportMetadataFromRepository {
        let sources = repositories(world, &input.file_system);
        let urls = sources.iter().filter_map(|r| split_url(r.import.as_deref()?));
        let named = |bucket: &str, key: &str| {
            let of = |path: &String| split_url(path).is_some_and(|(b, prefix)| b == bucket && key.starts_with(prefix));
            input.paths.is_empty() || input.paths.iter().any(of)
        };
        let keys = urls.flat_map(|(bucket, prefix)| {
            let found = world.buckets.get(bucket).map(|b| b.list(prefix)).unwrap_or_default();
            let found = found.into_iter().filter(|(key, _)| named(bucket, key));
            found.map(|(key, _)| key.to_owned()).collect::<Vec<_>>()
        });
        return keys.collect();
    }
    let links = repositories(world, &input.file_system);
    let all = world.files.get(&input.file_system).into_iter().flat_map(|files| files.keys());
    all.filter(|file| within(file) && links.iter().any(|link| link.holds(file))).cloned().collect()
}

fn failing(world: &mut World, script: &Script, input: &TaskInput, files: &[String]) -> Vec<(String, String)> {
    let hits = |fault: &Fault| match fault {
        Fault::Files(f) if f.file_system.as_ref().is_none_or(|id| *id == input.file_system) => {
            Some(f.times.unwrap_or(1))
        }
        _ => None,
    };
    let Some(Fault::Files(fault)) = world.strike(script, hits) else { return Vec::new() };
    let count = usize::try_from(fault.count.unwrap_or(1)).unwrap_or(usize::MAX);
    let code = fault.code.clone().unwrap_or_else(|| "S3AccessDenied".to_owned());
    files.iter().take(count).map(|file| (file.clone(), code.clone())).collect()
}
