//! HPC13xx, second half: sizes of queues and pools, purchase, interruption.

use super::{Rule, Severity};

rules! {
1340 MAX_BELOW_MIN Error "max-below-min"
"a pool's `max` is at least its `min`"
"at least {min} nodes are to run, and at most {max}"
"raise `max` to {min}, or lower `min`"
"`min` nodes always run; the rest, up to `max`, come and go with the jobs. \
 A pool with `min` equal to `max` never shrinks; one with `min: 0` costs nothing while no job runs."

1341 TOO_MANY_NODES Error "too-many-nodes"
"Slurm counts at most 65,533 nodes"
"all pools together may have {total} nodes"
"lower some `max`: together at most {max}"
"slurmctld's `MaxNodeCount` is limited to 65533 (<https://slurm.schedmd.com/slurm.conf.html#OPT_MaxNodeCount>). \
 Nodes that could exist count, whether they run or not."

1342 JOB_NODES Error "nodes-per-job"
"a job can ask for a possible number of nodes"
"a job must ask for at least {min} nodes, and for at most {max}"
"lower `min_nodes_per_job` to {max} or less"
"`MinNodes` above `MaxNodes`, or above what the queue's pools hold, lets no job in \
 (<https://slurm.schedmd.com/slurm.conf.html#OPT_MinNodes>)."

1343 TIME_ORDER Error "default-time-above-max"
"the default run time is within the longest"
"jobs would get {default} by default, and may have {max}"
"lower `default_time`, or raise `max_time`"
"Slurm rejects jobs whose time limit is above the partition's, so every job that names no time would be \
 (<https://slurm.schedmd.com/slurm.conf.html#OPT_DefaultTime>)."

1344 PREEMPT_WITHOUT_TIERS Warning "preempt-without-tiers"
"preemption needs queues of different tiers"
"no queue has a higher `priority_tier` than `{queue}`, so its jobs are never preempted"
"give another queue a higher `priority_tier`"
"With `PreemptType=preempt/partition_prio` jobs of a partition are preempted by those of a partition with a higher \
 `PriorityTier` (<https://slurm.schedmd.com/preempt.html>)."

1345 OWNED_LINE_OPTION Error "owned-line-option"
"some options of node and partition lines belong to hpcctl"
"`{option}` is written by hpcctl itself"
"use `{instead}` || remove it"
"hpcctl writes these options from the keys of this file. Slurm would take the one that comes last, and the plan would \
 show something else than what runs (<https://slurm.schedmd.com/slurm.conf.html>)."

1346 UNKNOWN_LINE_OPTION Error "unknown-line-option"
"options of node and partition lines exist"
"Slurm knows no option `{option}` here"
"did you mean `{suggestion}`? || see the slurm.conf man page"
"slurmctld does not start with an unknown option on a node or partition line \
 (<https://slurm.schedmd.com/slurm.conf.html>)."

1350 PRICE_NOT_SPOT Error "spot-price-not-spot"
"a spot price is for spot"
"`spot_price` has no meaning with `purchase: {purchase}`"
"remove it, or say `purchase: spot`"
"The price limits what is paid for spot instances (EC2 `SpotOptions.MaxPrice`). AWS recommends to leave it out even \
 there: the on-demand price is the limit by default."

1351 ALLOCATION Error "allocation-unfit"
"the allocation strategy fits the purchase"
"`{allocation}` is no strategy for `purchase: {purchase}`"
"use {allowed*} || remove it: a reservation leaves nothing to choose"
"EC2 knows `lowest-price` and `prioritized` for on-demand, and the capacity-optimised strategies for spot \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html>)."

1352 INTERRUPTION_NOT_SPOT Error "interruption-not-spot"
"only spot instances are interrupted"
"`{key}` has no meaning with `purchase: {purchase}`"
"remove it, or say `purchase: spot`"
"EC2 takes back spot instances only (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-interruptions.html>)."

1353 CHECKPOINT_UNUSED Error "checkpoint-unused"
"checkpoint settings are used"
"there are checkpoint settings, but `on_interruption` is not `checkpoint`"
"say `on_interruption: checkpoint`, or remove `checkpoint`"
"The command would never run, and jobs would start from the beginning after an interruption. \
 With `requeue`, the default, Slurm puts the job back into the queue and that is all."

1354 CHECKPOINT_MISSING Error "checkpoint-missing"
"checkpointing needs a command and a place"
"nothing says how jobs save their state"
"add `checkpoint: {command: ..., directory: ...}`"
"In the two minutes between notice and interruption the command saves the state of each job of the node, and the job \
 goes back into the queue."

1355 CHECKPOINT_NOT_SHARED Error "checkpoint-not-shared"
"checkpoints outlive their node"
"`{directory}` is on no shared file system and is lost with the node"
"use a directory below {mounts*} || add a shared file system in `storage`"
"The job starts again on another node and must find its checkpoint there; the interrupted node is gone with its disks."

1360 RESERVATION_MISSING Error "reservation-missing"
"a reservation is named"
"`purchase: {purchase}` needs the reservation to launch into"
"add `capacity_reservation: {id: cr-...}`"
"EC2 launches into a targeted reservation or a capacity block only when the launch names it \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-launch.html>)."

1361 RESERVATION_UNUSED Error "reservation-unused"
"a reservation that is named is used"
"`capacity_reservation` has no effect with `purchase: {purchase}`"
"say `purchase: capacity-reservation` or `capacity-block`, or remove it"
"A reservation costs the same whether instances run in it or not; launching next to it pays twice."

1362 RESERVATION_TWICE Error "reservation-twice"
"one reservation, or one group of them"
"both `id` and `resource_group` are given"
"remove one of the two"
"A launch template targets one reservation or one resource group \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CapacityReservationTarget.html>)."

1363 RESERVATION_EMPTY Error "reservation-empty"
"one reservation, or one group of them"
"neither `id` nor `resource_group` is given"
"give one of the two"
"A launch template targets one reservation or one resource group \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CapacityReservationTarget.html>)."

1364 PURCHASE_UNSUPPORTED Error "purchase-unsupported"
"the instance type can be bought this way"
"`{type}` cannot be bought as {purchase}"
"choose another type, or say {allowed*}"
"EC2 lists for each type how it can be bought (`SupportedUsageClasses`). The hpc families, for example, are never \
 offered as spot (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-requests.html>)."

1365 BLOCK_SEVERAL_TYPES Error "capacity-block-several-types"
"a capacity block holds one type"
"a capacity block holds instances of one type, and {count} types are listed"
"keep the type of the block"
"A Capacity Block is bought for one instance type, in one zone, for a fixed time \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-blocks.html>)."
}
