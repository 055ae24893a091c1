//! HPC14xx, first half: mounts and FSx for Lustre.

use super::{Rule, Severity};

rules! {
1401 NO_KIND Error "storage-without-kind"
"a file system has a kind"
"nothing says what file system `{name}` is"
"add one of {kinds*}"
"Exactly one key says where the data lives: FSx for Lustre, a volume on the head node, or EFS. \
 Each has settings of its own, and many have defaults: `efs: {}` is a whole file system."

1402 TWO_KINDS Error "storage-of-two-kinds"
"a file system has one kind"
"file system `{name}` is `{first}` already"
"make two file systems of it, or remove one"
"Exactly one key says where the data lives. Each kind has its own name and its own mount point."

1403 MOUNT_TWICE Error "mount-twice"
"each file system has a mount point of its own"
"`{mount}` is taken by `{other}`, on line {line}"
"choose another mount point"
"The second mount would hide the first, on some nodes and not on others, depending on which was ready first. \
 Programs would read and write different files on different nodes."

1404 MOUNT_NESTED Error "mount-nested"
"mount points do not lie in each other"
"`{mount}` lies below `{outer}`, where `{other}` is mounted"
"choose a mount point beside it"
"The outer file system has to be mounted first on every node, and while it is slow or gone, the inner one is too. \
 Unmounting it, as a node does before an interruption, fails while the inner one is mounted."

1405 MOUNT_SYSTEM Error "mount-hides-system"
"mount points hide nothing that nodes need"
"`{mount}` is a folder of the system, and the mount would hide what is in it"
"choose another mount point, such as `{better}`"
"A mount hides the files that were in its folder before. Nodes would lose programs, libraries or Slurm's own files."

1406 MOUNT_HOME Warning "mount-home"
"shared home folders are meant so"
"a mount at `/home` hides the home folder of the image's own user: with `key_name` alone nobody logs in by SSH then"
"it may be meant so: log in through Session Manager (`hpcctl ssh`), or put keys into the homes of that file system, or mount it elsewhere"
"Sharing `/home` is usual on clusters. The image's own user keeps its SSH keys there, and loses them when the mount \
 comes up; Session Manager works regardless."

1407 MOUNT_NOT_PLAIN Error "mount-not-plain"
"mount points are plain paths"
"`{mount}` is not a plain path"
"write `{plain}`"
"`.`, `..`, doubled slashes and slashes at the end let two spellings name one place, so that checks and mounts \
 disagree."

1408 USED_TWICE Error "file-system-used-twice"
"a file system is mounted once"
"`{id}` is mounted as `{other}` already, on line {line}"
"remove one of the two"
"Mounting one file system at two places lets programs see a file under two names, with a cache for each. Use a \
 symbolic \
 link instead."

1409 NO_LUSTRE_CLIENT Error "no-lustre-client"
"the operating system has a Lustre client"
"there is no Lustre client for `{os}`"
"use `ubuntu2404`, or an `ami` with the client in it"
"AWS builds Lustre clients for Amazon Linux, RHEL, Rocky Linux, SUSE and Ubuntu, not for Debian \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/install-lustre-client.html>)."

1410 CAPACITY_MISSING Error "lustre-capacity-missing"
"a new file system has a capacity"
"`capacity_gib` is missing"
"add one; the smallest is {smallest}"
"FSx bills by capacity, so there is no default \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html>). A file system that is made from a \
 backup takes the backup's."

1411 CAPACITY_STEP Error "lustre-capacity-step"
"FSx for Lustre comes in steps"
"{capacity} GiB is no size of {deployment}"
"use {nearest*}: the sizes are {sizes}"
"SCRATCH_1: 1200, 2400 and multiples of 3600 GiB. SCRATCH_2 and PERSISTENT with SSD: 1200 and multiples of 2400. \
 PERSISTENT_1 with HDD: multiples of 6000 at 12 MB/s/TiB, of 1800 at 40 \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html>, `StorageCapacity`)."

1412 PERSISTENT_ONLY Error "persistent-only"
"some options need a PERSISTENT deployment"
"`{key}` is not for {deployment}"
"remove it, or use a PERSISTENT deployment"
"SCRATCH file systems have a fixed throughput, no replication, no backups and a key of AWS's own \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>)."

1413 THROUGHPUT_VALUE Error "lustre-throughput"
"throughput comes in classes"
"{found} MB/s/TiB is no class of {kind}"
"use {allowed*}"
"PERSISTENT_1 SSD: 50, 100, 200. PERSISTENT_1 HDD: 12, 40. PERSISTENT_2: 125, 250, 500, 1000 \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>, \
 `PerUnitStorageThroughput`)."

1414 THROUGHPUT_MISSING Error "lustre-throughput-missing"
"a PERSISTENT file system has a throughput class"
"`throughput_per_tib` is missing"
"add one: {allowed*}"
"`PerUnitStorageThroughput` is required with PERSISTENT deployments and a large part of their price \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>)."

1415 HDD Error "hdd-not-persistent-1"
"hard disks come with PERSISTENT_1"
"{deployment} has no hard disks"
"use `SSD`, or `deployment: PERSISTENT_1`"
"`StorageType: HDD` is offered for PERSISTENT_1 only \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html>)."

1416 DRIVE_CACHE Error "drive-cache"
"the drive cache goes with hard disks"
"`drive_cache` has no meaning with SSD"
"remove it, or use `storage_type: HDD`"
"`DriveCacheType` is refused when the storage is SSD \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>)."

1417 DRIVE_CACHE_MISSING Error "drive-cache-missing"
"hard disks come with a decision about the cache"
"`drive_cache` is required with `storage_type: HDD`"
"add `drive_cache: NONE`, or `READ` for a read cache of SSD"
"`DriveCacheType` is required when the storage is HDD. The cache is 20 % of the capacity, and billed \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>)."

1420 REPOSITORY_PERSISTENT_2 Error "repository-on-persistent-2"
"PERSISTENT_2 is linked by associations"
"`data_repository` is not for PERSISTENT_2"
"use `data_repository_associations`"
"`ImportPath` and `ExportPath` are refused for PERSISTENT_2; links with S3 are made by data-repository associations \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/create-dra-linked-data-repo.html>)."

1421 REPOSITORY_AND_ASSOCIATIONS Error "repository-and-associations"
"a file system is linked one way"
"`data_repository` and `data_repository_associations` exclude each other"
"make an association of the repository, or remove the associations"
"A file system that is born with an `ImportPath` cannot get associations \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/create-dra-linked-data-repo.html>)."

1422 ASSOCIATIONS_SCRATCH_1 Error "associations-on-scratch-1"
"SCRATCH_1 has no associations"
"SCRATCH_1 cannot be linked by associations"
"use `data_repository`, or `deployment: SCRATCH_2`"
"Data-repository associations are for all deployments but SCRATCH_1 \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/create-dra-linked-data-repo.html>)."

1423 EXPORT_BUCKET Error "export-to-another-bucket"
"a file system is exported to the bucket that it is imported from"
"the export goes to bucket `{export}`, and the import comes from `{import}`"
"export to `s3://{import}/{prefix}` || export to a prefix in `s3://{import}`"
"`ExportPath` must be in the bucket of `ImportPath` \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration.html>)."

1424 ASSOCIATION_PATHS Error "association-paths-overlap"
"associations are beside each other in the file system"
"`{path}` overlaps with `{other}` of association `{name}`, on line {line}"
"link directories that do not contain each other"
"A directory is linked with one place in S3, and with it all that lies below \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateDataRepositoryAssociation.html>)."

1425 ASSOCIATION_S3 Error "association-s3-overlap"
"associations are beside each other in S3"
"`{s3}` overlaps with `{other}` of association `{name}`, on line {line}"
"link prefixes that do not contain each other"
"Two associations of a file system cannot have overlapping prefixes: a file exported by one would be imported by the \
 other (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateDataRepositoryAssociation.html>)."

1426 REPEATED_EVENT Error "event-repeated"
"a list names an event once"
"`{event}` is in this list already"
"remove one of the two"
"`AutoImportPolicy` and `AutoExportPolicy` take each of `new`, `changed` and `deleted` once."

1427 EXPORT_WITHOUT_REPOSITORY Error "export-without-repository"
"an export needs a place to go"
"`on_destroy: export` has nowhere to export to"
"add `data_repository` or an association, or choose `keep` or `discard`"
"Data-repository tasks export to the linked place in S3 \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/export-data-repo-task-dra.html>)."

1428 EXISTING_WITH_OPTIONS Error "existing-with-options"
"what exists is not configured here"
"`{key}` cannot be changed on `{id}`, which exists already"
"remove `{key}`"
"hpcctl mounts file systems and volumes that exist and never changes them, so the value would have no effect."

1429 MOUNT_NAME_ALONE Error "mount-name-without-file-system"
"the mount name is that of an existing file system"
"`mount_name` is for file systems that exist"
"remove it, or add `file_system_id`"
"FSx chooses the mount name of a file system that it creates; hpcctl asks for it. \
 That of an existing one is in the FSx console \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/mounting-ec2-instance.html>)."

1430 BACKUP_AND_REPOSITORY Error "backup-and-repository"
"a file system is made from a backup or from S3"
"a file system from a backup cannot have a `data_repository`"
"remove one of the two; associations can be added later"
"FSx backs up only file systems that are not linked with S3, and creates from a backup only such \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/using-backups-fsx.html>)."

1431 BACKUPS_AND_REPOSITORY Error "backups-of-linked-file-system"
"linked file systems are not backed up"
"a file system with `{link}` cannot have automatic backups"
"remove `backups`; S3 holds what is linked"
"FSx backs up no file system that is linked with S3, be it by `data_repository` or by associations \
 (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/using-backups-fsx.html>)."

1432 LUSTRE_VERSION Error "lustre-version"
"the Lustre version fits the deployment"
"Lustre {version} is not offered for {deployment}"
"use {allowed*}"
"2.10 is for SCRATCH and PERSISTENT_1 only; 2.12 and 2.15 are for all \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html>, `FileSystemTypeVersion`)."
}
