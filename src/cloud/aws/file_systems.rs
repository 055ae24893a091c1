//! FSx: file systems and their links with S3.

use super::super::{
    CLUSTER_TAG, ErrorKind, FileSystemState, FileSystems, Repository, Result, TaskInput, TaskState, Timestamp,
};
use super::config::{Settings, client};
use super::errors::{failed, own};
use super::tasks;
use super::values::{count, maybe, pairs, text, time};
use async_trait::async_trait;
use aws_sdk_fsx::{
    Client,
    types::{
        AdministrativeAction, AutoExportPolicy, DataRepositoryAssociation, DataRepositoryLifecycle, EventType,
        FileSystem, Filter, FilterName, S3DataRepositoryConfiguration,
    },
};

/// FSx.
pub(super) struct Fsx {
    client: Client,
}

impl Fsx {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { client: client!(aws_sdk_fsx, settings) }
    }

    async fn state(&self, from: &FileSystem) -> Result<FileSystemState> {
        let mut state = described(from);
        if from.lustre_configuration().is_some() {
            state.repositories.extend(self.associations(&state.id).await?);
        }
        Ok(state)
    }

    /// The links that were made after the file system. Those on their way out are left out.
    async fn associations(&self, file_system: &str) -> Result<Vec<Repository>> {
        let filter = Filter::builder().name(FilterName::FileSystemId).values(file_system).build();
        let mut pages = self.client.describe_data_repository_associations().filters(filter).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("fsx", "DescribeDataRepositoryAssociations"))?;
            let alive = |one: &&DataRepositoryAssociation| one.lifecycle() != Some(&DataRepositoryLifecycle::Deleting);
            found.extend(page.associations().iter().filter(alive).map(association));
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}

#[async_trait]
impl FileSystems for Fsx {
    async fn file_system(&self, id: &str) -> Result<Option<FileSystemState>> {
        let call = self.client.describe_file_systems().file_system_ids(id).send().await;
        let page = match call.map_err(failed("fsx", "DescribeFileSystems")) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            page => page?,
        };
        match page.file_systems().first() {
            Some(found) => self.state(found).await.map(Some),
            // FSx says so when there is no such file system; an answer without it is none.
            None => {
                let message = format!("FSx answered without saying anything of {id}");
                Err(own("fsx", "DescribeFileSystems", ErrorKind::Unavailable, message))
            }
        }
    }

    async fn file_systems_of(&self, cluster: &str) -> Result<Vec<FileSystemState>> {
        let mut pages = self.client.describe_file_systems().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("fsx", "DescribeFileSystems"))?;
            for one in page.file_systems() {
                if one.tags().iter().any(|tag| tag.key() == Some(CLUSTER_TAG) && tag.value() == Some(cluster)) {
                    found.push(self.state(one).await?);
                }
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn start_task(&self, input: &TaskInput) -> Result<TaskState> {
        tasks::start(&self.client, input).await
    }

    async fn task(&self, id: &str) -> Result<Option<TaskState>> {
        tasks::find(&self.client, id).await
    }

    async fn tasks_of(&self, file_system: &str) -> Result<Vec<TaskState>> {
        tasks::of(&self.client, file_system).await
    }

    async fn cancel_task(&self, id: &str) -> Result<()> {
        tasks::cancel(&self.client, id).await
    }

    async fn set_auto_export(&self, association: &str, events: &[String]) -> Result<()> {
        let found = self.client.describe_data_repository_associations().association_ids(association).send().await;
        let found = found.map_err(failed("fsx", "DescribeDataRepositoryAssociations"))?;
        let before = found.associations().first().and_then(|one| one.s3());
        // What is left out is switched off: the import policy is said again.
        let mut s3 = S3DataRepositoryConfiguration::builder()
            .set_auto_import_policy(before.and_then(|s3| s3.auto_import_policy()).cloned());
        if !events.is_empty() {
            let events = events.iter().map(|event| EventType::from(event.as_str())).collect();
            s3 = s3.auto_export_policy(AutoExportPolicy::builder().set_events(Some(events)).build());
        }
        let call = self.client.update_data_repository_association().association_id(association).s3(s3.build());
        call.send().await.map(drop).map_err(failed("fsx", "UpdateDataRepositoryAssociation"))
    }
}

/// What the description itself says; associations are asked for separately.
fn described(from: &FileSystem) -> FileSystemState {
    let lustre = from.lustre_configuration();
    let born_with = lustre.and_then(|lustre| lustre.data_repository_configuration());
    FileSystemState {
        id: text(from.file_system_id()),
        lifecycle: from.lifecycle().map(|lifecycle| lifecycle.as_str().to_owned()).unwrap_or_default(),
        capacity_gib: count(from.storage_capacity()),
        deployment: lustre.and_then(|l| l.deployment_type()).map(|kind| kind.as_str().to_owned()),
        dns_name: maybe(from.dns_name()),
        mount_name: lustre.and_then(|lustre| maybe(lustre.mount_name())),
        repositories: born_with
            .map(|link| Repository {
                path: "/".to_owned(),
                import: maybe(link.import_path()),
                export: maybe(link.export_path()),
                association: None,
                auto_export: Vec::new(),
                lifecycle: link.lifecycle().map(|one| one.as_str().to_owned()).unwrap_or_default(),
            })
            .into_iter()
            .collect(),
        tags: pairs(from.tags().iter().map(|tag| (tag.key(), tag.value()))),
        created: time(from.creation_time()),
        grown: grown(from),
    }
}

/// When its last growth was asked for, as far as FSx still tells.
fn grown(from: &FileSystem) -> Option<Timestamp> {
    let grows = |action: &&AdministrativeAction| {
        let size = action.target_file_system_values().is_some_and(|to| to.storage_capacity().is_some());
        size && action.status().is_none_or(|status| status.as_str() != "FAILED")
    };
    let asked = from.administrative_actions().iter().filter(grows).filter_map(|action| action.request_time());
    asked.map(|at| time(Some(at))).max()
}

/// An association has one S3 path for both directions.
fn association(from: &DataRepositoryAssociation) -> Repository {
    let path = maybe(from.data_repository_path());
    let policy = from.s3().and_then(|s3| s3.auto_export_policy());
    let events = policy.map(|policy| policy.events()).unwrap_or_default();
    Repository {
        path: text(from.file_system_path()),
        import: path.clone(),
        export: path,
        association: maybe(from.association_id()),
        auto_export: events.iter().map(|event| event.as_str().to_owned()).collect(),
        lifecycle: from.lifecycle().map(|one| one.as_str().to_owned()).unwrap_or_default(),
    }
}
