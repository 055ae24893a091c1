//! HPC14xx, second half: EBS and EFS.

use super::{Rule, Severity};

rules! {
1450 VOLUME_SIZE Error "volume-size"
"volume types have sizes"
"{type} volumes are {min} to {max} GiB, not {size}"
"use a size in that range, or another `volume_type`"
"gp3: 1 to 65536 GiB, gp2: 1 to 16384, io1: 4 to 16384, io2: 4 to 65536, st1 and sc1: 125 to 16384, standard: 1 to \
 1024 (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>)."

1451 IOPS_NOT_ALLOWED Error "iops-not-allowed"
"IOPS are chosen for gp3, io1 and io2"
"the IOPS of {type} volumes follow from their size"
"remove `iops`, or use gp3, io1 or io2"
"EC2 refuses `Iops` for gp2, st1, sc1 and standard \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>)."

1452 IOPS_MISSING Error "iops-missing"
"io1 and io2 volumes need IOPS"
"`iops` is missing: {type} volumes are bought by it"
"add `iops`, 100 or more"
"`Iops` is required for io1 and io2 \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>)."

1453 IOPS_RANGE Error "iops-range"
"IOPS lie in the range of their type"
"{type} volumes have {min} to {max} IOPS, not {iops}"
"use a number in that range"
"gp3: 3000 to 80000, io1: 100 to 64000, io2: 100 to 256000 \
 (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>)."

1454 IOPS_RATIO Error "iops-per-gib"
"IOPS are limited by the size"
"{size} GiB of {type} have at most {max} IOPS"
"use {max} or less, or a larger volume"
"gp3: 500 IOPS for each GiB, io1: 50, io2: 1000; gp3 always has 3000 \
 (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>)."

1455 THROUGHPUT_NOT_ALLOWED Error "throughput-not-allowed"
"throughput is chosen for gp3"
"the throughput of {type} volumes cannot be chosen"
"remove `throughput_mib`, or use gp3"
"EC2 refuses `Throughput` for other types than gp3 \
 (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>)."

1456 THROUGHPUT_RATIO Error "throughput-per-iops"
"throughput is limited by IOPS"
"{throughput} MiB/s need {wanted} IOPS, and the volume has {iops}"
"set `iops` to {wanted} or more"
"gp3 gives at most 0.25 MiB/s for each IOPS (<https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>)."

1457 ROOT_VOLUME_TYPE Error "root-volume-type"
"nodes boot from SSD"
"nodes cannot boot from {type} volumes"
"use gp3"
"st1 and sc1 cannot be boot volumes (<https://docs.aws.amazon.com/ebs/latest/userguide/hdd-vols.html>)."

1460 EFS_RATE_MISSING Error "efs-rate-missing"
"provisioned throughput is a number"
"`throughput: provisioned` needs `provisioned_mib`"
"add it, in MiB/s, or use `elastic`"
"`ProvisionedThroughputInMibps` is required in this mode \
 (<https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html>)."

1461 EFS_RATE_UNUSED Error "efs-rate-unused"
"a throughput that is given is used"
"`provisioned_mib` has no meaning with `throughput: {mode}`"
"remove it, or say `throughput: provisioned`"
"EFS refuses `ProvisionedThroughputInMibps` in other modes \
 (<https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html>)."

1462 EFS_MAX_IO Error "efs-max-io-elastic"
"max I/O and elastic throughput exclude each other"
"`performance: max-io` is not offered with `throughput: elastic`"
"use `general-purpose`, which is faster, or `bursting`"
"Elastic throughput is for the general purpose mode only, and AWS recommends that for all new file systems \
 (<https://docs.aws.amazon.com/efs/latest/ug/performance.html>)."
}
