//! The same for machines, volumes and file systems.

use super::{Care, guard::Guarded};
use crate::cloud::{
    Compute, FileSystemState, FileSystems, Fleet, FleetInput, ImageQuery, ImageState, InstanceHealth, InstanceState,
    InterfaceState, OfferedType, Result, SnapshotState, SubnetState, TaggedResource, TaskInput, TaskState,
    VolumeModification, VolumeState,
};
use async_trait::async_trait;
use std::collections::BTreeMap;

#[async_trait]
impl FileSystems for Guarded {
    async fn file_system(&self, id: &str) -> Result<Option<FileSystemState>> {
        self.cloud.file_systems.file_system(id).await
    }
    async fn file_systems_of(&self, cluster: &str) -> Result<Vec<FileSystemState>> {
        self.cloud.file_systems.file_systems_of(cluster).await
    }
    async fn start_task(&self, input: &TaskInput) -> Result<TaskState> {
        self.may(Care::Makes).await?;
        self.cloud.file_systems.start_task(input).await
    }
    async fn task(&self, id: &str) -> Result<Option<TaskState>> {
        self.cloud.file_systems.task(id).await
    }
    async fn tasks_of(&self, file_system: &str) -> Result<Vec<TaskState>> {
        self.cloud.file_systems.tasks_of(file_system).await
    }
    async fn cancel_task(&self, id: &str) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.file_systems.cancel_task(id).await
    }
    async fn set_auto_export(&self, association: &str, events: &[String]) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.file_systems.set_auto_export(association, events).await
    }
}

#[async_trait]
impl Compute for Guarded {
    async fn instances_of(&self, cluster: &str) -> Result<Vec<InstanceState>> {
        self.cloud.compute.instances_of(cluster).await
    }
    async fn instances(&self, ids: &[String]) -> Result<Vec<InstanceState>> {
        self.cloud.compute.instances(ids).await
    }
    async fn launched(&self, launch: &str) -> Result<Vec<InstanceState>> {
        self.cloud.compute.launched(launch).await
    }
    async fn create_fleet(&self, input: &FleetInput) -> Result<Fleet> {
        self.may(Care::Makes).await?;
        self.cloud.compute.create_fleet(input).await
    }
    async fn tag(&self, ids: &[String], tags: &BTreeMap<String, String>) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.compute.tag(ids, tags).await
    }
    async fn ailing(&self, ids: &[String]) -> Result<Vec<InstanceHealth>> {
        self.cloud.compute.ailing(ids).await
    }
    async fn termination_protected(&self, ids: &[String]) -> Result<Vec<String>> {
        self.cloud.compute.termination_protected(ids).await
    }
    async fn console(&self, id: &str) -> Result<Option<String>> {
        self.cloud.compute.console(id).await
    }
    async fn terminate(&self, ids: &[String]) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.compute.terminate(ids).await
    }
    async fn stop(&self, id: &str) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.compute.stop(id).await
    }
    async fn start(&self, id: &str) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.compute.start(id).await
    }
    async fn protect_instance(&self, id: &str, protected: bool) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.compute.protect_instance(id, protected).await
    }
    async fn volumes_of(&self, cluster: &str) -> Result<Vec<VolumeState>> {
        self.cloud.compute.volumes_of(cluster).await
    }
    async fn volumes(&self, ids: &[String]) -> Result<Vec<VolumeState>> {
        self.cloud.compute.volumes(ids).await
    }
    async fn snapshots_of(&self, volumes: &[String]) -> Result<Vec<SnapshotState>> {
        self.cloud.compute.snapshots_of(volumes).await
    }
    async fn modifications(&self, volumes: &[String]) -> Result<Vec<VolumeModification>> {
        self.cloud.compute.modifications(volumes).await
    }
    async fn attach_volume(&self, volume: &str, instance: &str, device: &str) -> Result<()> {
        self.may(Care::Makes).await?;
        self.cloud.compute.attach_volume(volume, instance, device).await
    }
    async fn detach_volume(&self, volume: &str) -> Result<()> {
        self.may(Care::Takes).await?;
        self.cloud.compute.detach_volume(volume).await
    }
    async fn interface_of(&self, instance: &str) -> Result<Option<InterfaceState>> {
        self.cloud.compute.interface_of(instance).await
    }
    async fn assign_address(&self, interface: &str, address: Option<&str>) -> Result<String> {
        self.may(Care::Makes).await?;
        self.cloud.compute.assign_address(interface, address).await
    }
    async fn subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>> {
        self.cloud.compute.subnets(ids).await
    }
    async fn newest_image(&self, query: &ImageQuery) -> Result<Option<ImageState>> {
        self.cloud.compute.newest_image(query).await
    }
    async fn instance_types(&self) -> Result<Vec<OfferedType>> {
        self.cloud.compute.instance_types().await
    }
    async fn tagged(&self, cluster: &str) -> Result<Vec<TaggedResource>> {
        self.cloud.compute.tagged(cluster).await
    }
    async fn still_there(&self, resources: Vec<TaggedResource>) -> Result<Vec<TaggedResource>> {
        self.cloud.compute.still_there(resources).await
    }
}
