//! FSx for Lustre.

use super::{
    DataHolding, DeletionPolicy, Resource, Stack, Val, names::camel, props::Props, security, site::Site, tags,
};
use crate::spec::{
    AutoImport, Compression, DataRepositoryAssociation, DriveCache, FsxLustre, LustreDeployment, LustreStorage,
    LustreVersion, OnDestroy, Path, RepositoryEvent,
};

/// What becomes of the data when the file system must go, also when the file does not say: what can be
/// exported is exported first, anything else is kept.
pub fn on_destroy(fsx: &FsxLustre) -> OnDestroy {
    match fsx.on_destroy {
        Some(wish) => wish,
        None if exportable(fsx) => OnDestroy::Export,
        None => OnDestroy::Keep,
    }
}

fn exportable(fsx: &FsxLustre) -> bool {
    fsx.data_repository.is_some() || !fsx.data_repository_associations.is_empty()
}

/// Adds a file system with its links to S3; gives its id and names as outputs.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, name: &str, fsx: &FsxLustre, cause: &Path) {
    let id = format!("{}FileSystem", camel(name));
    if fsx.file_system_id.is_some() {
        return;
    }
    let (subnet, because_of) = subnet(site, stack, &id, fsx, cause);
    let holds =
        DataHolding::FileSystem { name: name.to_owned(), capacity_gib: capacity(fsx), exportable: exportable(fsx) };
    // `export` deletes: the plan has exported before it comes to that.
    let deletion = match on_destroy(fsx) {
        OnDestroy::Keep => DeletionPolicy::Retain,
        OnDestroy::Export | OnDestroy::Discard => DeletionPolicy::Delete,
    };
    let resource = Resource::new("AWS::FSx::FileSystem", format!("storage.{name}"), cause.clone())
        .set("FileSystemType", "LUSTRE")
        .set("FileSystemTypeVersion", version(fsx.lustre_version))
        .maybe("StorageCapacity", capacity(fsx))
        .set("StorageType", if fsx.storage_type == LustreStorage::Hdd { "HDD" } else { "SSD" })
        .set("SubnetIds", vec![subnet])
        .set("SecurityGroupIds", vec![Val::att("LustreSecurityGroup", "GroupId")])
        .maybe("KmsKeyId", fsx.kms_key.as_ref().map(|key| key.as_str()))
        .maybe("BackupId", fsx.backup_id.as_ref().map(|backup| backup.as_str()))
        .set("LustreConfiguration", configuration(fsx))
        .set("Tags", tags::named(site.cluster, "storage", name))
        .because("SubnetIds", because_of)
        .holding(holds, deletion);
    let mut resource = because(resource, cause);
    // FSx tests its ports when a file system is created, and fails when the group does not let them through yet.
    resource.depends_on.extend(security::lustre_rules());
    let file_system = stack.add(id.clone(), resource);
    stack.output(format!("{id}Id"), file_system);
    stack.output(format!("{id}DnsName"), Val::att(&id, "DNSName"));
    stack.output(format!("{id}MountName"), Val::att(&id, "LustreMountName"));
    let mut before = None;
    for (index, association) in fsx.data_repository_associations.iter().enumerate() {
        let link = format!("{}Link{}", camel(name), camel(association.name.as_str()));
        let cause = cause.key("data_repository_associations").index(index);
        let mut resource = self::association(site, name, &id, association, &cause);
        // FSx works on one link of a file system at a time.
        resource.depends_on.extend(before.replace(link.clone()));
        stack.add(link, resource);
    }
}

fn because(mut resource: Resource, cause: &Path) -> Resource {
    let of_properties = [
        ("FileSystemTypeVersion", "lustre_version"),
        ("StorageCapacity", "capacity_gib"),
        ("StorageType", "storage_type"),
        ("KmsKeyId", "kms_key"),
        ("BackupId", "backup_id"),
        ("LustreConfiguration/DeploymentType", "deployment"),
        ("LustreConfiguration/PerUnitStorageThroughput", "throughput_per_tib"),
        ("LustreConfiguration/DriveCacheType", "drive_cache"),
        ("LustreConfiguration/DataCompressionType", "compression"),
        ("LustreConfiguration/ImportPath", "data_repository.import"),
        ("LustreConfiguration/ExportPath", "data_repository.export"),
        ("LustreConfiguration/ImportedFileChunkSize", "data_repository.chunk_mib"),
        ("LustreConfiguration/AutoImportPolicy", "data_repository.auto_import"),
        ("LustreConfiguration/AutomaticBackupRetentionDays", "backups.days"),
        ("LustreConfiguration/DailyAutomaticBackupStartTime", "backups.start"),
        ("LustreConfiguration/CopyTagsToBackups", "backups.copy_tags"),
        ("LustreConfiguration/WeeklyMaintenanceStartTime", "maintenance"),
    ];
    for (property, keys) in of_properties {
        let path = keys.split('.').fold(cause.clone(), |path, key| path.key(key));
        resource = resource.because(property, path);
    }
    resource
}

/// Where the file system lies: in the subnet that the file names for it; else where it lies already, as long as the
/// compute subnets name that; else in the first of them. Apart from that their order means nothing.
fn subnet(site: Site<'_>, stack: &mut Stack, id: &str, fsx: &FsxLustre, cause: &Path) -> (Val, Path) {
    if let Some(own) = &fsx.subnet {
        return (own.as_str().into(), cause.key("subnet"));
    }
    let all = site.compute_subnets(stack);
    let lies_in = site.ground.lies_in.get(id).map(|subnet| Val::from(subnet.as_str()));
    let stays = lies_in.filter(|subnet| all.contains(subnet));
    let subnet = stays.or_else(|| all.into_iter().next()).unwrap_or_else(|| "".into());
    (subnet, Path::from("network.compute_subnets"))
}

/// The capacity: given, or the smallest; a file system from a backup has the backup's.
fn capacity(fsx: &FsxLustre) -> Option<u32> {
    fsx.capacity_gib.or_else(|| if fsx.backup_id.is_some() { None } else { Some(smallest(fsx)) })
}

fn smallest(fsx: &FsxLustre) -> u32 {
    if fsx.storage_type == LustreStorage::Hdd { 6000 } else { 1200 }
}

/// MiB of a file that go to one disk, unless it is what FSx takes anyway: the property cannot change without a new file
/// system, so that the default is never written, and to say it in the cluster file is no change.
/// <https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>
fn chunk(mib: Option<u32>) -> Option<u32> {
    mib.filter(|mib| *mib != 1024)
}

/// As with [`chunk`], `CopyTagsToBackups` is written only where it is not FSx's default.
fn configuration(fsx: &FsxLustre) -> Val {
    let repository = fsx.data_repository.as_ref();
    let backups = fsx.backups.as_ref();
    Props::new()
        .set("DeploymentType", deployment(fsx.deployment))
        .maybe("PerUnitStorageThroughput", throughput(fsx))
        .maybe("DriveCacheType", drive_cache(fsx))
        .set("DataCompressionType", if fsx.compression == Compression::Lz4 { "LZ4" } else { "NONE" })
        .maybe("ImportPath", repository.map(|repository| repository.import.as_str().trim_end_matches('/')))
        .maybe(
            "ExportPath",
            repository.and_then(|repository| Some(repository.export.as_ref()?.as_str().trim_end_matches('/'))),
        )
        .maybe("ImportedFileChunkSize", repository.and_then(|repository| chunk(repository.chunk_mib)))
        .maybe("AutoImportPolicy", repository.map(|repository| auto_import(repository.auto_import)))
        .maybe("AutomaticBackupRetentionDays", backups.map(|backups| backups.days))
        .maybe("DailyAutomaticBackupStartTime", backups.and_then(|backups| Some(backups.start.as_ref()?.as_str())))
        .maybe("CopyTagsToBackups", backups.filter(|backups| backups.copy_tags).map(|_| true))
        .maybe("WeeklyMaintenanceStartTime", fsx.maintenance.as_ref().map(|time| time.as_str()))
        .into()
}

fn association(
    site: Site<'_>,
    name: &str,
    file_system: &str,
    association: &DataRepositoryAssociation,
    cause: &Path,
) -> Resource {
    let events = |events: &[RepositoryEvent]| {
        let mut words: Vec<&str> = events.iter().map(|event| repository_event(*event)).collect();
        words.sort_unstable();
        words.dedup();
        (!words.is_empty()).then(|| Props::new().set("Events", Val::list(words)))
    };
    let s3 = Props::new()
        .maybe("AutoImportPolicy", events(&association.auto_import))
        .maybe("AutoExportPolicy", events(&association.auto_export));
    let has_events = !(association.auto_import.is_empty() && association.auto_export.is_empty());
    let address = format!("storage.{name}.link.{}", association.name);
    Resource::new("AWS::FSx::DataRepositoryAssociation", address, cause.clone())
        .set("FileSystemId", Val::reference(file_system))
        .set("FileSystemPath", association.path.as_str())
        .set("DataRepositoryPath", association.s3.as_str())
        .set("BatchImportMetaDataOnCreate", association.import_metadata)
        .maybe("ImportedFileChunkSize", chunk(association.chunk_mib))
        .maybe("S3", has_events.then_some(s3))
        .set("Tags", tags::named(site.cluster, "storage", &format!("{name}-{}", association.name)))
        .because("FileSystemPath", cause.key("path"))
        .because("DataRepositoryPath", cause.key("s3"))
        .because("BatchImportMetaDataOnCreate", cause.key("import_metadata"))
        .because("ImportedFileChunkSize", cause.key("chunk_mib"))
        .because("S3/AutoImportPolicy", cause.key("auto_import"))
        .because("S3/AutoExportPolicy", cause.key("auto_export"))
}

/// MB/s for each TiB: given, or the least that the deployment has; scratch has none.
fn throughput(fsx: &FsxLustre) -> Option<u32> {
    let least = match (fsx.deployment, fsx.storage_type) {
        (LustreDeployment::Scratch1 | LustreDeployment::Scratch2, _) => return None,
        (LustreDeployment::Persistent1, LustreStorage::Hdd) => 12,
        (LustreDeployment::Persistent1, LustreStorage::Ssd) => 50,
        (LustreDeployment::Persistent2, _) => 125,
    };
    Some(fsx.throughput_per_tib.unwrap_or(least))
}

/// HDD file systems must say whether they have a cache.
fn drive_cache(fsx: &FsxLustre) -> Option<&'static str> {
    match (fsx.storage_type, fsx.drive_cache) {
        (LustreStorage::Ssd, _) => None,
        (LustreStorage::Hdd, Some(DriveCache::Read)) => Some("READ"),
        (LustreStorage::Hdd, _) => Some("NONE"),
    }
}

fn deployment(deployment: LustreDeployment) -> &'static str {
    match deployment {
        LustreDeployment::Scratch1 => "SCRATCH_1",
        LustreDeployment::Scratch2 => "SCRATCH_2",
        LustreDeployment::Persistent1 => "PERSISTENT_1",
        LustreDeployment::Persistent2 => "PERSISTENT_2",
    }
}

fn version(version: LustreVersion) -> &'static str {
    match version {
        LustreVersion::V2_15 => "2.15",
        LustreVersion::V2_12 => "2.12",
        LustreVersion::V2_10 => "2.10",
    }
}

fn auto_import(policy: AutoImport) -> &'static str {
    match policy {
        AutoImport::None => "NONE",
        AutoImport::New => "NEW",
        AutoImport::NewChanged => "NEW_CHANGED",
        AutoImport::NewChangedDeleted => "NEW_CHANGED_DELETED",
    }
}

fn repository_event(event: RepositoryEvent) -> &'static str {
    match event {
        RepositoryEvent::New => "NEW",
        RepositoryEvent::Changed => "CHANGED",
        RepositoryEvent::Deleted => "DELETED",
    }
}
