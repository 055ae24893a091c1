//! HPC11xx: names, references, tags and rights.

use super::{Rule, Severity};

rules! {
1101 DUPLICATE_QUEUE Error "duplicate-queue"
"queues have different names"
"there is a queue `{name}` already, on line {line}"
"rename one of them"
"A queue is a Slurm partition and a stack `CLUSTER-queue-QUEUE`; both need a name of their own. \
 slurmctld would merge two partition lines of one name, and the second stack would update the first."

1102 DUPLICATE_POOL Error "duplicate-pool"
"pools of a queue have different names"
"queue `{queue}` has a pool `{name}` already, on line {line}"
"rename one of them"
"Nodes are called `QUEUE-POOL-NUMBER`. Two pools of one name would claim the same nodes, which slurmctld refuses \
 with `Duplicated NodeHostName`."

1103 DUPLICATE_STORAGE Error "duplicate-storage"
"file systems have different names"
"there is a file system `{name}` already, on line {line}"
"rename one of them"
"Plans, `export-fsx --file-system NAME` and the outputs of the storage stack speak of file systems by this name."

1104 DUPLICATE_LOGIN Error "duplicate-login-pool"
"login pools have different names"
"there is a login pool `{name}` already, on line {line}"
"rename one of them"
"The name is part of the names of the pool's instances and resources, and of what `status` shows."

1105 DUPLICATE_LICENSE Error "duplicate-license"
"a licence is counted once"
"licence `{name}` is counted on line {line} already"
"keep one of the two"
"slurm.conf's `Licenses=` takes a name once (<https://slurm.schedmd.com/slurm.conf.html#OPT_Licenses>). \
 Add the counts up where two purchases belong together."

1106 DUPLICATE_ASSOCIATION Error "duplicate-association"
"associations of a file system have different names"
"there is an association `{name}` already, on line {line}"
"rename one of them"
"Plans speak of data-repository associations by this name. It is no property of AWS, so it can be chosen freely."

1107 RESERVED_QUEUE Error "reserved-queue-name"
"some words cannot name a queue"
"Slurm keeps the partition name `{name}` for itself"
"choose another name; for the queue that takes jobs by default say `default: true`"
"`PartitionName=DEFAULT` sets defaults for the partitions below it and is no partition, in any spelling of its case \
 (<https://slurm.schedmd.com/slurm.conf.html#SECTION_PARTITION-CONFIGURATION>)."

1108 NODE_NAMES_COLLIDE Error "node-names-collide"
"no two pools give their nodes the same names"
"nodes of this pool would be called `{node}-1`, as those of queue `{queue}`, pool `{pool}`"
"rename one of the pools"
"Nodes are called `QUEUE-POOL-NUMBER`. With hyphens in names, queue `a-b` with pool `c` and queue `a` with pool `b-c` \
 meet at `a-b-c-1`, and slurmctld refuses a node that is defined twice."

1109 UNKNOWN_LICENSE Error "unknown-license"
"queues take licences that are counted"
"no licence `{name}` is counted in `slurm.licenses`"
"did you mean `{suggestion}`? || add it to `slurm.licenses` with its `count`"
"A job that asks for a licence Slurm does not know is rejected with `Invalid license specification`, so every job of \
 this queue would be (<https://slurm.schedmd.com/licenses.html>)."

1110 REPEATED_TYPE Error "instance-type-repeated"
"a pool lists an instance type once"
"`{type}` is in this list already"
"remove one of the two"
"EC2 refuses a fleet in which the same launch template, type and subnet stand twice \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>)."

1111 NO_DEFAULT_QUEUE Warning "no-default-queue"
"one queue takes jobs that name none"
"no queue is the default: `sbatch` without `--partition` will be refused"
"add `default: true` to one queue"
"Slurm sends jobs that name no partition to the one with `Default=YES`; without one it rejects them with `No \
 partition specified or system default partition` (<https://slurm.schedmd.com/slurm.conf.html#OPT_Default>)."

1112 TWO_DEFAULT_QUEUES Error "two-default-queues"
"one queue takes jobs that name none"
"queue `{queue}` is the default already, on line {line}"
"leave `default: true` with one of them"
"slurmctld takes the last partition with `Default=YES` and says nothing, so jobs would go where nobody looked for them."

1113 TAG_RESERVED Error "tag-reserved-prefix"
"some tag prefixes are taken"
"tags that begin with `{prefix}` are reserved"
"choose another key"
"`aws:` belongs to AWS, which refuses it \
 (<https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>). `hpcctl:` tags tell \
 hpcctl which resources belong to which cluster."

1114 TOO_MANY_TAGS Error "too-many-tags"
"a resource carries at most 50 tags"
"nodes of this pool would carry {count} tags of your own || {count} tags are more than fit"
"use at most {max}, over cluster, queue and pool together"
"AWS allows 50 tags a resource. Five are left for those that hpcctl and CloudFormation add."

1115 TAG_KEY_LENGTH Error "tag-key-length"
"a tag's key has 1 to 128 characters"
"this key has {length} characters"
"use 1 to 128"
"The limit is that of every AWS service (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>)."

1116 TAG_VALUE_LENGTH Error "tag-value-length"
"a tag's value has at most 256 characters"
"this value has {length} characters"
"use at most 256"
"The limit is that of every AWS service (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>)."

1117 TAG_CHARACTERS Error "tag-characters"
"tags consist of letters, digits, spaces and `_ . : / = + - @`"
"`{char}` cannot be part of a tag"
"leave it out; letters, digits, spaces and `_.:/=+-@` are allowed"
"FSx, RDS and IAM refuse other characters in tags, although EC2 takes them; a cluster's tags go to all of them \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>)."

1118 TAG_CASE Error "tag-keys-differ-in-case"
"tag keys differ in more than case"
"`{key}` and `{other}` differ in case alone"
"keep one of the two"
"IAM compares tag keys without regard to case and refuses a role with both, while EC2 would take them \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>)."

1119 ROLE_WITH_GRANTS Error "role-with-grants"
"rights are added to roles that hpcctl makes"
"`{key}` has no effect next to `{own}`"
"remove `{key}` and give these rights to your own role, or remove `{own}`"
"hpcctl never changes a role or an instance profile that it did not make. Rights that are written here would seem \
 granted and would not be."

1120 ROLE_AND_PROFILE Error "role-and-instance-profile"
"a node has a role or an instance profile of its own"
"both `role` and `instance_profile` are given"
"remove `role`: the instance profile holds its role already"
"An instance profile is the envelope of exactly one role \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html>)."

1121 ARN_KIND Error "arn-of-another-kind"
"an ARN names what the key asks for"
"this should be the ARN of {expected}"
"write one like `{example}`"
"An ARN's third part is the service and its last part the kind of resource. One of another kind is refused by AWS only \
 when the resource is built."

1122 ARN_REGION Error "arn-of-another-region"
"keys and secrets are in the cluster's region"
"this is in region `{found}`, and the cluster is in `{region}`"
"use one in `{region}`; KMS keys and secrets can be replicated"
"KMS keys, secrets and resource groups belong to one region, and volumes, file systems and databases can use those of \
 their own region only (<https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>)."

1123 ARN_PARTITION Error "arn-of-another-partition"
"ARNs are of the region's partition"
"`{found}` is not the partition of region `{region}`"
"begin the ARN with `arn:{expected}:`"
"China, GovCloud and the sovereign clouds are separate partitions with accounts and names of their own \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>)."

1124 SCRIPT_WITHOUT_KEY Error "script-without-key"
"a script is an object in a bucket"
"`{uri}` names a place, not a file"
"write the whole key, such as `s3://{bucket}/setup.sh`"
"A custom action is one script that the node downloads and runs as root."

1125 SECRET_IN_CLEAR Error "secret-in-clear"
"secrets are not written in cluster files"
"this looks like {what}"
"keep it in Secrets Manager and let the script read it with the node's role"
"Cluster files are committed, reviewed and archived, and their values end up in templates, user data and logs. \
 Passwords have a key of their own that takes the ARN of a secret."

1126 POLICY_TOO_WIDE Warning "policy-too-wide"
"nodes get no more rights than they need"
"`{policy}` lets every job on these nodes do anything in the account"
"name the buckets in `s3_access`, or attach a policy of your own"
"Every user who can start a process on a node can read the node's credentials from the instance metadata service. \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege>)"
}
