//! The codes of failures, for `explain` and docs/codes.md.

/// The codes of failures, with a title and a page each. Findings about cluster files have their own table.
pub static CODES: &[(&str, &str, &str)] = &[
    (
        "HPC1000",
        "the cluster file has mistakes",
        "Every mistake was listed with a code and a place of its own; nothing was done.",
    ),
    (
        "HPC2001",
        "a call to the cloud failed",
        "The service answered with an error after the retries that such an error deserves. The message is the service's own; the request id helps AWS support.",
    ),
    (
        "HPC2002",
        "no credentials",
        "hpcctl finds credentials as the AWS CLI does: environment, profile, SSO, instance role. Without an account, `--cloud sandbox` runs everything in this process.",
    ),
    (
        "HPC2003",
        "a stack is busy",
        "CloudFormation works on a stack of the cluster. A plan made now would be stale at once. `apply` and `destroy` wait; `plan` refuses.",
    ),
    (
        "HPC2004",
        "access denied",
        "The credentials do not allow the call. The message names the action and the resource.",
    ),
    ("HPC2005", "a file cannot be read or written", "The path, or the rights on it, are wrong."),
    (
        "HPC2006",
        "the archive cannot be read",
        "The newest revision in the artifact bucket is damaged. Versions of the object are kept: restore the one before.",
    ),
    ("HPC2007", "something was not found", "The name does not fit anything that exists; the message lists what does."),
    (
        "HPC2008",
        "there is no such revision",
        "`hpcctl history FILE` lists the revisions in the archive of the cluster. The archive goes with the cluster when it is destroyed.",
    ),
    (
        "HPC2010",
        "the plan is stale",
        "What the plan was made against has moved: each thing that moved is listed with its state then and now. Make a new plan. States that the plan itself led to, in an apply that was interrupted, do not count.",
    ),
    (
        "HPC2011",
        "the plan file was edited",
        "The digest in the plan does not fit its content. A plan is applied as it was reviewed, or not at all.",
    ),
    (
        "HPC2012",
        "the plan was made offline",
        "It was compared with nothing, so it cannot say what exists. Make a plan with a cloud to apply it.",
    ),
    (
        "HPC2013",
        "the plan is for another account",
        "The caller's account is not the one that the plan was made against.",
    ),
    ("HPC2014", "the plan file cannot be used", "It is not a plan, or its format has another major version."),
    (
        "HPC2020",
        "the cluster is locked",
        "Somebody applies to this cluster. The lock is a lease: it is renewed every minute. It is taken over at once when its owner was a process of this machine that has died, and else when it stands still for ten minutes before the eyes of who wants it; the clocks of two machines are not compared. A lock that seems to be silent, or cannot be read, is watched so unless `--lock-timeout` gives less time. `hpcctl lock show FILE` says whose it is, `apply` and `destroy` wait for it with `--lock-timeout MINUTES`, and `hpcctl lock release FILE` takes it away.",
    ),
    (
        "HPC2021",
        "the lock was lost",
        "Somebody took the lock away while the plan was applied, or took it over because it was not renewed for ten minutes: the machine slept, or the process was stopped. Before each call that changes something the age of the lease is looked at, so nothing new was begun. What was begun goes on in AWS.",
    ),
    (
        "HPC2022",
        "the lock is held",
        "`hpcctl lock release` takes a lock only from who is gone: a process of this machine that has died, or an owner that does not renew it for ten minutes while the command looks on. `--force` takes it from anybody at once. Its owner then stops as soon as it sees that the lock is lost, and begins nothing new.",
    ),
    (
        "HPC2030",
        "a stack failed",
        "CloudFormation could not do what the template asks. The first resource that failed is the cause; CloudFormation rolls the stack back by itself. Mend the cause and apply again: a stack that could not be made is cleared and made anew.",
    ),
    ("HPC2031", "a value between stacks is missing", "A stack needs an output that the stack before it does not have."),
    (
        "HPC2032",
        "a value from AWS is missing",
        "The vendor has no image for operating system and architecture in this region (name one with `image.ami`), or a subnet or an instance profile that the cluster file names does not exist.",
    ),
    (
        "HPC2034",
        "there is no hpcctl for the nodes",
        "Nodes run the very hpcctl that made their files: `apply` puts it into the artifact bucket. For nodes with another processor than this machine's, `hpcctl-x86_64` or `hpcctl-aarch64` must lie beside hpcctl or in the folder that HPCCTL_NODE_PROGRAMS names; `tools/release` builds both.",
    ),
    (
        "HPC2035",
        "hpcctl is too new for the nodes",
        "It was built against a newer C library than the oldest of the supported operating systems has. `tools/release` builds one that runs on all of them.",
    ),
    (
        "HPC2040",
        "approval is missing",
        "Nobody was there to ask. `--auto-approve` approves everything that loses no data.",
    ),
    (
        "HPC2041",
        "data would be lost",
        "A file system, volume or database goes without export or snapshot. Approve each by its address with `--approve-data-loss ADDRESS`, or choose `on_destroy: export`, `snapshot` or `keep`.",
    ),
    (
        "HPC2042",
        "the cluster is protected against deletion",
        "`deletion_protection: true` switches on CloudFormation's termination protection of every stack. Destroying begins with an apply that switches it off, which is a change that a reviewer sees.",
    ),
    (
        "HPC2043",
        "an approval names nothing that the plan changes",
        "`--approve-data-loss` takes addresses as the plan shows them, or `all`. A word that fits nothing is a slip: what it was meant for is not approved.",
    ),
    (
        "HPC2050",
        "a data transfer failed",
        "The data-repository task ended without success, or some files failed. The report in S3 names each file. The command can be run again: what is in S3 already is not written twice.",
    ),
    (
        "HPC2051",
        "the file system has no link with S3",
        "A transfer needs `data_repository` or a `data_repository_associations` entry.",
    ),
    ("HPC2052", "the file system is not available", "It does not exist, or it is being made, changed or deleted."),
    (
        "HPC2060",
        "something is left",
        "After the destroy, things with the cluster's tag or name still exist. Each is listed.",
    ),
    (
        "HPC2061",
        "every step is done, and the cluster is not as planned",
        "At its end `apply` looks once more: stacks, node files and the revision are to be as the plan says. What is not is listed; a new plan shows what is left to do.",
    ),
    (
        "HPC2070",
        "a program of a node failed",
        "`hpcctl node ...` runs on the cluster's nodes, called by Slurm and systemd. Its files are in /opt/hpcctl/etc and /var/lib/hpcctl, its logs in /var/log/hpcctl. What it left undone, `hpcctl node sync` does within a minute.",
    ),
    (
        "HPC2080",
        "no such node",
        "A node is known by its name in Slurm, by `head`, `login` or `login-POOL`, or by its instance's id. Only what runs has a name: compute nodes come and go with their jobs.",
    ),
    (
        "HPC2081",
        "no spot node to interrupt",
        "`interrupt` takes spot nodes that run: no other can be interrupted. The message lists what the queue has.",
    ),
    (
        "HPC2082",
        "an experiment failed",
        "Fault Injection Service could not interrupt the nodes, or not all of them, or somebody stopped it. The reason is the service's own. Its template is deleted; run the command again to try again.",
    ),
    (
        "HPC2083",
        "the head node did not carry an order out",
        "Orders are written to the artifact bucket and carried out by `hpcctl node sync` on the head node, which says what went wrong. /var/log/slurm/slurmctld.log on the head node often knows more.",
    ),
    (
        "HPC2084",
        "the head node does not answer",
        "The order is in the artifact bucket and is carried out when the head node reads it, even if nobody waits any more. `hpcctl ssh FILE -- systemctl status hpcctl-sync` shows whether it does.",
    ),
    (
        "HPC2085",
        "a program is missing",
        "`ssh` and `dcv` run programs of this machine: the AWS CLI, the Session Manager plugin, an SSH client.",
    ),
    (
        "HPC2086",
        "there is no such way to the node",
        "A public address can be used only where the node has one and the cluster file opens it (`ssh_from`, `dcv.allowed_from`); Session Manager works without both. The sandbox has machines only while a rehearsal runs.",
    ),
    (
        "HPC2087",
        "there is no desktop",
        "A desktop needs `dcv` in the cluster file, and the node's set-up must be done. /var/log/hpcctl-boot.log on the node says how far it is.",
    ),
    (
        "HPC2090",
        "interrupted",
        "Nothing new was begun. CloudFormation goes on with what runs; apply again to go on from there.",
    ),
    (
        "HPC2180",
        "the account has not what the cluster file names",
        "Before a plan, hpcctl asks AWS for what the file names (subnets, groups, images, key pairs, buckets, reservations, file systems), for the instance types that its zones offer, for quotas, and for the caller's rights. Each miss is listed with its place in the file. What the caller may not ask is skipped with a note. `--no-preflight` leaves these questions out.",
    ),
    (
        "HPC2187",
        "a saved plan says more than is applied",
        "The plan has a field that this hpcctl does not know, or a key that stands twice. The digest covers what hpcctl understood of the plan, so a reviewer could read something there that is not carried out. Nothing was done. Plans are applied as `hpcctl plan --out` wrote them.",
    ),
    (
        "HPC2188",
        "a file is too large",
        "A file that was named is larger than any of its kind, or has no end, such as a device or a pipe. Nothing was done. Limits: cluster files 16 MiB, plans 64 MiB, the sandbox's state 256 MiB, its faults, catalogs and certificates 16 MiB, hpcctl for nodes 512 MiB.",
    ),
    (
        "HPC2095",
        "this machine cannot rehearse",
        "`--with-slurm` runs Slurm's daemons in namespaces of this machine: it needs Linux, root, and the packages that the message lists.",
    ),
    (
        "HPC2096",
        "this machine has another Slurm than the image",
        "A rehearsal runs this machine's Slurm with the configuration that was written for the image's. They must be of one version: Debian 12 has 22.05, Ubuntu 24.04 23.11, Ubuntu 22.04 21.08. Rehearse a copy of the file that names this machine's system in `image.os`.",
    ),
    (
        "HPC2097",
        "the rehearsal did not come up",
        "The namespaces could not be made, or the head node's set-up failed. The end of the log is in the message; the whole log is in the file that it names.",
    ),
    (
        "HPC2098",
        "no such machine runs",
        "No rehearsal runs for this state file, or the node's machine has ended. `hpcctl apply FILE --cloud sandbox --with-slurm` starts a rehearsal.",
    ),
    (
        "HPC2099",
        "the rehearsal failed",
        "A file could not be used or a program failed. `hpcctl rehearsal stop` ends what runs; everything else of it is in its directory beside the sandbox's state file.",
    ),
    (
        "HPC2110",
        "AWS would refuse a change",
        "A property of something that exists cannot become what the cluster file says: storage does not shrink, a volume keeps its key, zone and snapshot. Each change is listed with its place in the file, the reason, AWS's page, and the way to get there. Nothing was begun.",
    ),
    (
        "HPC2111",
        "a resource would change its type",
        "CloudFormation keeps the type of what it has made under a name. Take it out of the cluster file, apply, put the new one in, and apply again. What the old one holds goes as its `on_destroy` says.",
    ),
    (
        "HPC2112",
        "a network would move",
        "Subnets and VPC keep the addresses and zones of their creation, and a second subnet cannot have the addresses of the first. Zones may be added at the end of `network.create.zones`; naming the zones that exist is no change.",
    ),
    (
        "HPC2113",
        "CloudFormation refuses the change",
        "`plan` asks CloudFormation for a change set of every stack that is updated. This one was refused when it was made; the message is CloudFormation's own. Nothing was begun.",
    ),
    (
        "HPC2114",
        "something would be made anew under another name",
        "This hpcctl names the resource otherwise than the version that made it. CloudFormation would make a second, empty one and let the first go. Apply with the version that made the cluster (`hpcctl history` lists who applied), or bring the data across by hand.",
    ),
    (
        "HPC2120",
        "the head node does not let its volumes go",
        "Before a head node is replaced, `apply` stops it and takes the volumes from it that the next one attaches. It did not stop, or a volume was not detached, within 20 minutes. Nothing was replaced; applying again goes on from there.",
    ),
    (
        "HPC2130",
        "a deletion failed in an update",
        "CloudFormation tries three times to delete what an update has replaced or removed; then it lets go of it and calls the update complete. The resource still exists, with its tags, and costs money. The message names it with its id and the service's reason. Mend the reason (something still uses it, as a rule) and delete it; `status`, `plan` and `destroy` name it as long as it is there.",
    ),
    (
        "HPC2131",
        "what other stacks use would be replaced",
        "A VPC, subnet, security group or volume cannot make way for another while stacks use it: AWS refuses to delete the old one, and the new one cannot have the same addresses. Such a change is a new cluster: destroy this one and apply the file anew, or leave the value as it is.",
    ),
    (
        "HPC2132",
        "a volume would go while an instance that cannot let go of it has it attached",
        "EC2 deletes no volume that is attached. A head node that runs unmounts a volume that leaves the cluster file, exports it no more and detaches it, and `apply` waits for that; a head node that is stopped can do none of it, nor take the new revision. Nothing was begun. Start the head node (`aws ec2 start-instances`), wait until `status` shows its report, and apply again; or replace the head node in the same change. A volume that somebody attached to another instance must be detached there first.",
    ),
    (
        "HPC2140",
        "the head node failed to set a revision up",
        "Everything is made and published, but the head node could not set it up: a mount, a package, a script of your own. The message names the line of its log that failed and shows the end of it; `status/set-up.log` in the artifact bucket keeps it. After a first boot nothing tries again by itself; a revision that follows is tried again by `hpcctl node sync`, after a minute first and an hour at most.",
    ),
    (
        "HPC2141",
        "the head node does not report",
        "Everything is made and published, but the head node has not said in time that it runs the revision: 20 minutes for a new one, 10 for one that is up. A head node that reaches neither S3 nor the package mirrors cannot say so; what it wrote to its console (`ec2:GetConsoleOutput`, which needs no network) is in the message. It may still come: `hpcctl status FILE --wait` waits again, and so does `hpcctl apply`. `apply --no-wait` does not wait at all.",
    ),
    (
        "HPC2150",
        "jobs still run",
        "A file system that goes is exported when nobody writes to it any more: `apply` holds the queues and waits until the compute nodes have ended with their jobs, an hour unless `--wait-for-jobs` says otherwise. Nothing was exported or deleted, and the queues are open again.",
    ),
    (
        "HPC2151",
        "what must go refuses it",
        "Everything that can refuse a deletion is looked at before the first one: termination protection of stacks and instances, deletion protection of databases (switched on by the cluster file or by hand), file systems and links that are not in order, buckets of exports that are not there. Each is listed. Nothing was done.",
    ),
    (
        "HPC2152",
        "a data-repository task is out of sight",
        "FSx did not show the task for minutes, or refused to begin one because of a task that it does not list. Nothing was deleted. `aws fsx describe-data-repository-tasks` shows what FSx knows; run the command again when nothing runs.",
    ),
    (
        "HPC2153",
        "the path is not linked with S3",
        "Only what lies in a linked directory travels between a file system and S3. Paths are relative to the mount, for `import-fsx` too, which looks for the object below the link's own place in S3.",
    ),
    (
        "HPC2154",
        "automatic export does not go off",
        "FSx takes no export task beside automatic export, so `apply` and `destroy` switch it off before they export a file system that goes. FSx did not say in time that it is off. Nothing was deleted, and automatic export is on again.",
    ),
    (
        "HPC2155",
        "the file system exports by itself",
        "An association with `auto_export` writes changes to S3 as they happen, and FSx takes no export task beside it. `export-fsx` leaves such a file system alone unless it is named. Before such a file system goes, `apply` and `destroy` switch automatic export off and export what is left.",
    ),
    (
        "HPC2170",
        "the artifact bucket is not this account's",
        "Templates, node files and hpcctl itself are in the bucket `hpcctl-ACCOUNT-REGION`. Names of buckets are global, so anybody can make one of that name first; each call says which account must own it, and S3 refuses when another one does. The same answer comes when the credentials lack `s3:ListBucket` on the bucket: look with `aws s3api head-bucket --bucket NAME --expected-bucket-owner ACCOUNT`.",
    ),
    (
        "HPC2171",
        "the artifact bucket was not made by hpcctl",
        "The bucket is in this account, and the stack `hpcctl-bootstrap`, which makes it private, encrypted and versioned, is not there: somebody made the bucket by hand, or deleted the stack, which keeps the bucket. Bring it under the stack with a change set of the type IMPORT, or empty and delete it when no cluster needs it.",
    ),
    (
        "HPC2172",
        "instances end as soon as they are launched",
        "EC2 says `Client.InternalError: Client error on launch` when it cannot use the KMS key of a disk. For keys that the file names in `root_volume.kms_key` of a queue, the head node's role has what a launch needs; the key's own policy must let IAM policies of the account count. Spot instances and login nodes are launched by service-linked roles, which need a grant on the key: `aws kms create-grant` for `AWSServiceRoleForEC2Spot` and `AWSServiceRoleForAutoScaling`. When the account's default key for EBS is a customer's key, name it in `root_volume.kms_key`, so that the role gets its rights.",
    ),
    (
        "HPC2185",
        "the lock could not be renewed",
        "The lock is a lease of ten minutes, renewed every minute. When that fails for two thirds of it, nothing new is begun, and at its end the command stops following what it began: whoever waits for the cluster may take the lock over. What was begun goes on in AWS. The message has the error of the last renewal: credentials that have expired, a network that is gone, a right that was taken away. Mend it and run the same command again.",
    ),
    (
        "HPC2181",
        "the lock is another one now",
        "`hpcctl lock release` takes away the lock that it found, and no other: S3 deletes it only if it is unchanged. Meanwhile its owner had ended, and somebody else began.",
    ),
    (
        "HPC2190",
        "jobs would end that the plan did not know of",
        "A queue or pool that leaves the cluster file, or whose placement group is replaced, takes its jobs with it. Where jobs run or wait as the plan is made, it says so and wants an approval (`--approve-data-loss ADDRESS`). These began afterwards, and nobody approved their end: nothing was done. `hpcctl queue drain FILE QUEUE` lets a queue run empty.",
    ),
    (
        "HPC2191",
        "a change of size comes too soon after another",
        "FSx grows a Lustre file system once in six hours, counted from the request (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/managing-storage-capacity.html>). EBS changes a volume when its last change is completed, four times in 24 hours at the most (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>). The message says what FSx and EBS tell of the last change. Nothing was begun.",
    ),
    (
        "HPC2192",
        "no region to look for a cluster in",
        "`history` and `destroy` take a cluster's name in the place of its file: then `--region` (or AWS_REGION) says where it is. `hpcctl list --region REGION` lists the clusters of a region.",
    ),
];
