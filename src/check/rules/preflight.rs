//! HPC178x, HPC179x and HPC180x: what the account, the region and its zones have.

use super::{Rule, Severity};

rules! {
1780 ZONES_UNTOLD Warning "subnet-zones-untold"
"zones of subnets are told"
"nobody tells the zone of {subnets*}, and {what} needs it"
"add them to `network.subnet_zones`; a plan with credentials asks EC2"
"A node reaches an EFS file system only through a mount target in its own zone, and a database wants subnets in two \
 zones. A subnet's id does not tell its zone, so that what is rendered without credentials has mount targets for the \
 compute subnets alone. `hpcctl plan` with credentials asks EC2 and makes one in the zone of every node \
 (<https://docs.aws.amazon.com/efs/latest/ug/accessing-fs.html>)."

1781 MOUNT_NAME_UNTOLD Warning "mount-name-untold"
"the mount name of a file system is told"
"nothing tells the mount name of `{id}`; `fsx` is taken"
"add `mount_name`; a plan with credentials asks FSx"
"Only SCRATCH_1 file systems are called `fsx`; all others have a mount name of their own, and nodes cannot mount them \
 without it (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/mounting-ec2-instance.html>)."

1782 NOT_THERE Error "not-there"
"what the file names exists"
"there is no {what} `{id}` in {region}"
"did you mean `{suggestion}`? || check the name, the region and the account"
"The plan asks AWS for everything that the cluster file names, so that a typing mistake ends the plan and not the apply \
 half-way. Ids belong to one account and one region."

1783 OTHER_VPC Error "other-vpc"
"everything lies in the cluster's VPC"
"{what} `{id}` lies in `{vpc}`, not in `{wanted}`"
"use one of `{wanted}`, or another `vpc_id`"
"Security groups and subnets of one VPC cannot be used in another \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>)."

1784 ZONE_DIFFERS Error "zone-differs"
"`subnet_zones` says what is so"
"`{subnet}` lies in `{zone}`"
"write `{zone}`, or leave the entry out"
"Zones' letters differ from account to account, and a subnet never moves. File systems, volumes and placement of EFA \
 nodes follow what is told here \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html>)."

1785 SUBNET_FULL Warning "subnet-full"
"subnets have addresses for all nodes"
"{subnets*} have {free} addresses left, and pools may want {nodes}"
"use larger subnets, or more of them"
"Launches fail with `InsufficientFreeAddressesInSubnet` when a subnet is full. File systems, load balancers and \
 databases need addresses too (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>)."

1786 IMAGE_UNFIT Error "image-unfit"
"an image can be booted"
"`{ami}` {reason}"
"use another image"
"An image is made for one processor architecture, and can be launched while its state is `available` \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html>)."

1787 ROOT_TOO_SMALL Error "root-smaller-than-image"
"a root volume is no smaller than its image"
"`{ami}` needs {needed} GiB, and `root_volume` has {size}"
"leave `size_gib` out, or give at least {needed}"
"EC2 refuses a volume that is smaller than the snapshot that it is made from \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html>)."

1788 NOT_OFFERED Error "type-not-offered"
"instance types are offered where they are wanted"
"no zone in use offers `{type}`; {offered}"
"use subnets in such a zone, or another type"
"Regions and zones differ in the types that they sell: a launch of any other fails with `Unsupported` \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html>)."

1789 NOT_OFFERED_EVERYWHERE Warning "type-not-offered-everywhere"
"instance types are offered in all zones in use"
"`{type}` is not offered in {zones*}"
"leave subnets in these zones out for this pool, or take it that they serve its other types alone"
"EC2 launches in the zones that offer the type, and answers `Unsupported` for the others \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html>)."

1790 QUOTA_BELOW_MAX Warning "quota-below-max"
"quotas allow what the file allows"
"all {what} of the file at once want {wanted} vCPUs, and the account may have {quota}"
"ask for a higher quota ({code}), or lower `max`"
"EC2 counts vCPUs of running instances by family, on-demand and spot apart. Nodes beyond the quota fail with \
 `VcpuLimitExceeded` or `MaxSpotInstanceCountExceeded`. Other clusters of the account count too \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html>)."

1791 QUOTA_USED_UP Error "quota-used-up"
"quotas leave room for what is created"
"the account has {used} {what} in {region}, and may have {quota}"
"give one back, or ask for a higher quota ({code})"
"CloudFormation would fail at the first resource beyond the quota and roll the stack back \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>)."

1792 FOREIGN_STACK Error "foreign-stack"
"stacks of the cluster's names are hpcctl's"
"there is a stack `{stack}` that is not hpcctl's"
"choose another name for the cluster, or delete that stack"
"The cluster's stacks are called by its name. A stack of such a name without the tag `hpcctl:cluster` was made by somebody \
 else; hpcctl does not touch it, and so cannot make its own."

1793 MOUNT_NAME_DIFFERS Error "mount-name-differs"
"`mount_name` says what is so"
"the mount name of `{id}` is `{name}`"
"write `{name}`, or leave `mount_name` out"
"FSx gives each file system its mount name, and nodes cannot mount it by another one."

1794 MISSING_RIGHTS Warning "missing-rights"
"who plans may apply"
"IAM says that {caller} may not call {actions*}"
"have them added to the role: `hpcctl iam policy apply FILE` prints them all"
"IAM's policy simulator was asked about what `apply` calls, without resource policies and conditions, so it may be wrong \
 (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>)."

1797 IMAGE_NOT_FOUND Error "image-not-found"
"the operating system's image is found"
"{region} has no image of `{os}`: none of {owner} is called `{pattern}`"
"give `image.ami`, or use another `os`"
"Without `ami` nodes boot the vendor's newest image, which is looked for by owner and name when the plan is made."

1800 IMAGE_DEPRECATED Warning "image-deprecated"
"images are not deprecated"
"`{ami}` is deprecated since {since}"
"use a newer image before its owner deregisters this one"
"A deprecated image can still be launched by its id. Its owner says that it is out of date; once it is deregistered no \
 node can be launched from it any more. Public images are deprecated two years after they were made \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html>)."

1801 LOG_GROUP_GOES_ON Warning "log-group-goes-on"
"the cluster makes its log group"
"there is a log group `{group}` already: logs go on in it, and it stays when the cluster goes"
"delete it first if nobody needs it: `aws logs delete-log-group --log-group-name {group}`"
"A log group that was kept when a cluster of that name was destroyed still has its name, and CloudFormation refuses to make it \
 again (AlreadyExists). So it is left as it is: nodes write into it, `hpcctl logs` shows it, and no stack owns it \
 (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html>)."

1802 RETENTION_DIFFERS Warning "log-retention-differs"
"logs are kept as long as the file says"
"the log group `{group}`, which no stack of the cluster made, keeps entries {is} and not for {wanted} days"
"`aws logs put-retention-policy --log-group-name {group} --retention-in-days {wanted}`, or delete it if nobody needs it"
"A log group that was kept when a cluster of that name was destroyed goes on with the retention that it has: no stack owns it \
 (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>)."

1803 UNUSABLE Error "named-thing-unusable"
"what the file names can be used"
"the {what} `{id}` is {state}"
"enable or restore it, or name another one"
"Nothing can be encrypted or decrypted with a key that is disabled or waits for its deletion, and a secret that is about to be \
 deleted cannot be read (<https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, \
 <https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html>)."

1804 GROUP_EMPTY Warning "reservation-group-empty"
"a group of reservations has reservations"
"no capacity reservation that the account can use is in `{id}`"
"check the ARN, or add reservations to the group"
"A launch into a group without a reservation that fits and has room runs on demand, at the full price and without a promise \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-cr-group.html>)."

1805 RESERVATION_IN_GROUP Warning "reservation-in-placement-group"
"nodes are launched where their reservation is"
"`{id}` was made in the placement group `{group}`, and queue `{queue}` does not launch into it"
"write `existing_placement_group: {group}`"
"A reservation that was made in a cluster placement group holds its capacity there, and cannot be moved: instances must be launched \
 into that group to use it (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-cpg.html>)."

1806 FSX_QUOTA Error "fsx-quota"
"quotas leave room for file systems"
"the file wants {more} {what} more, the account has {used}, and may have {quota}"
"ask for a higher quota ({code}), delete what nobody needs, or ask for less"
"FSx counts the file systems of a deployment type, and their capacity, in account and region. CloudFormation would fail at the \
 first one beyond the quota and roll the stack back (<https://docs.aws.amazon.com/fsx/latest/LustreGuide/limits.html>)."
}
