//! HPC13xx, first half: instance types, images, EFA and placement.

use super::{Rule, Severity};

rules! {
1301 UNKNOWN_TYPE Error "unknown-instance-type"
"instance types exist"
"EC2 has no instance type `{type}`"
"did you mean `{suggestion}`? || see `aws ec2 describe-instance-types`; `hpcctl catalog refresh` brings newer ones"
"The list is that of EC2's `DescribeInstanceTypes` over all regions. Whether your region offers a type is checked \
 against AWS when the plan is made."

1302 MIXED_ARCHITECTURES Error "mixed-architectures"
"a queue runs one architecture"
"`{type}` is {arch}, and `{other}` in the same queue is {other_arch}"
"put them into two queues"
"Slurm may start a job on any node of a partition, and a program built for x86_64 does not run on arm64. Two queues \
 let jobs say which one they are built for: `sbatch -p q-x86,q-arm` names both."

1303 IMAGE_ARCHITECTURE Error "image-of-another-architecture"
"an image runs on its architecture"
"`{type}` is {arch}, and the image is {image}"
"choose an {image} instance type, or give this node an `ami` of its own"
"EC2 refuses to launch an image on another architecture \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ComponentsAMIs.html>)."

1304 ONE_IMAGE_TWO_ARCHITECTURES Error "one-image-two-architectures"
"an image runs on its architecture"
"`{type}` is {arch} and would run the same image as `{other}`, which is {other_arch}"
"give one of them an `ami` of its own"
"`image.ami` is one image for every node without its own, and an image is built for one architecture."

1305 MAC Error "mac-instance"
"nodes run Linux"
"`{type}` is a Mac and runs macOS only"
"choose another instance type"
"EC2 Mac instances are dedicated hosts for macOS, rented for 24 hours at least \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-mac-instances.html>)."

1306 NO_HYPERTHREADING_CHOICE Error "hyperthreading-fixed"
"threads per core can be chosen where EC2 lets you"
"EC2 cannot turn hyperthreading off on `{type}`"
"remove `hyperthreading: false`, and let jobs ask with `--hint=nomultithread`"
"`CpuOptions` of the launch template is refused for bare metal and some other types \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-cpu-options-rules.html>)."

1307 DIFFERENT_CPUS Warning "different-core-counts"
"types of a pool are alike"
"`{type}` has {count} {unit}, and `{other}` has {least}: Slurm will use {least} on every node of this pool"
"put types of one size into a pool"
"Slurm describes a pool's nodes before it knows which type EC2 will give, so it counts on the least of all types. The \
 rest of a larger instance is paid for and stays idle."

1308 DIFFERENT_GPUS Warning "different-gpu-counts"
"types of a pool have the same GPUs"
"`{type}` has {count} GPUs, and `{other}` has {least}: Slurm will use {least} on every node of this pool"
"put types with the same number of GPUs into a pool"
"Slurm describes a pool's nodes before it knows which type EC2 will give, so it counts on the least GPUs of all types \
 (<https://slurm.schedmd.com/gres.html>)."

1309 EFA_UNSUPPORTED Error "efa-unsupported"
"EFA needs an instance type that has it"
"`{type}` has no Elastic Fabric Adapter"
"the smallest of its family that has one is `{suggestion}` || choose a type that has one, or remove `efa`"
"EC2 refuses to launch a type without EFA with an EFA interface \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html#efa-instance-types>). In most families only the \
 largest sizes have it."

1310 EFA_MIXED_CARDS Error "efa-mixed-cards"
"types of an EFA pool have the same network cards"
"`{type}` and `{other}` have different numbers of network cards: {count} and {other_count}"
"put them into two pools"
"A pool has one launch template, and that names an interface on each network card. EC2 refuses an interface on a card \
 that a type does not have."

1311 EFA_PUBLIC_IP Error "public-ip-several-cards"
"nodes with several network cards have no public address"
"`{type}` has {cards} network cards and can get no public address"
"remove `public_ip`; nodes reach the internet through NAT"
"EC2 gives public addresses only to instances that are launched with one interface \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html>)."

1312 EFA_WITHOUT_PLACEMENT Warning "efa-without-placement-group"
"EFA nodes are close together"
"queue `{queue}` uses EFA, but its nodes may be far apart"
"add `placement_group: true`"
"Latency grows with every switch between two nodes. AWS recommends a cluster placement group for EFA \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html>)."

1313 EFA_ZONES Error "efa-across-zones"
"EFA traffic stays in one zone"
"subnets of this pool are in zones `{first}` and `{second}`, and EFA does not reach from one to the other"
"keep the subnets of one zone; make a pool for the other"
"EFA's OS-bypass traffic is not routed and stays within one Availability Zone \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html#efa-limits>)."

1314 PLACEMENT_ZONES Error "placement-group-across-zones"
"a cluster placement group lies in one zone"
"subnets of this pool are in zones `{first}` and `{second}`, and a cluster placement group cannot span zones"
"keep the subnets of one zone; make a pool for the other"
"A cluster placement group is a place within one Availability Zone \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html#placement-groups-cluster>)."

1315 ZONES_UNKNOWN Warning "zones-unknown"
"subnets of nodes that must be close are known to be in one zone"
"this pool has several subnets, and {feature} needs them in one zone"
"tell their zones in `network.subnet_zones`, or keep one subnet"
"Without a call to AWS nothing tells a subnet's zone. EC2 would launch the first node and refuse those that land in \
 another zone."

1316 PLACEMENT_UNSUPPORTED Error "placement-unsupported"
"cluster placement groups take most instance types"
"`{type}` cannot join a cluster placement group"
"choose another type, or remove the placement group"
"Burstable types (T2, T3, T4g) and Macs cannot be launched into a cluster placement group \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html#placement-groups-cluster>)."

1317 PLACEMENT_TWICE Error "placement-group-twice"
"one placement group, created or existing"
"both `placement_group: true` and `existing_placement_group` are given"
"remove one of the two"
"An instance is in one placement group. `placement_group: true` makes one for each pool. \
 An existing one is of use when instances outside the cluster must be close too \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-groups.html>)."

1318 PLACEMENT_CAPACITY_BLOCK Warning "placement-with-capacity-block"
"a capacity block has its own place"
"a placement group may not fit where the capacity block of pool `{pool}` lies"
"put the pool into a queue without a placement group"
"Capacity blocks are in EC2 UltraClusters, close together already \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-blocks.html>)."

1319 IMAGE_WITHOUT_SLURM Error "image-without-slurm"
"Slurm comes from somewhere"
"`{os}` has no Slurm packages"
"build Slurm into an image and give its `ami` and `slurm_prefix`, or use `ubuntu2404`"
"Debian and Ubuntu package Slurm; Amazon Linux, Rocky Linux and RHEL do not, and hpcctl compiles nothing on nodes: \
 that would take twenty minutes of every node's life."

1320 IMAGE_KEY_WITHOUT_AMI Error "image-key-without-ami"
"some keys describe an image of your own"
"`{key}` describes an image of your own, and there is no `ami`"
"add `ami`, or remove `{key}`"
"The vendor's image comes for the architecture of each instance type and with Slurm in `/usr`; nothing about it can \
 be chosen."

1321 HEAD_NODE_SMALL Warning "head-node-small"
"the head node has memory for Slurm"
"`{type}` has {memory} MiB of memory, and slurmctld, slurmdbd and NFS share it"
"use a type with 4 GiB or more"
"A head node that runs out of memory takes the whole queue with it. \
 slurmctld keeps all jobs and nodes in memory, slurmdbd caches its associations there, and NFS wants the rest as cache."

1322 NO_LOCAL_DISK Error "no-local-disk"
"local scratch needs local disks"
"`{type}` has no local disk to mount at `{mount}`"
"choose a type with local NVMe, such as those with a `d` in their name, or remove `local_scratch`"
"Instance store volumes are part of some types only \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html>)."

1323 NO_GPU_TO_CHECK Error "no-gpu-to-check"
"a GPU check needs GPUs"
"no instance type of queue `{queue}` has a GPU"
"remove `gpu_health_check`"
"The check runs `nvidia-smi` and DCGM in the prolog; on a node without GPUs it would fail and drain the node. \
 Every job would find one node less."

1324 MEMORY_TOO_LARGE Error "memory-too-large"
"jobs get no more memory than there is"
"{wanted} MiB are more than the {memory} MiB of `{type}`"
"use at most {most}, which leaves the system its share || leave it out: 95 % is the default"
"slurmd compares the memory it finds with `RealMemory` and sets a node that has less to `INVALID` \
 (<https://slurm.schedmd.com/slurm.conf.html#OPT_RealMemory>)."
}
