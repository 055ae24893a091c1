//! HPC176x: what a vendor's image lacks, and what a region and its partition lack.

use super::{Rule, Severity};

rules! {
1760 GPU_WITHOUT_DRIVER Warning "gpu-without-driver"
"nodes with GPUs have a driver"
"the vendor's image has no NVIDIA driver, and every node of `{queue}` would fail to set itself up"
"name an image with the driver in `image.ami` or `queues[].ami`, or install it in the queue's `custom_actions`"
"Images of Ubuntu, Debian, Amazon Linux, Rocky Linux and RHEL come without it. A node looks for the driver after its \
 `on_configured` scripts; one that finds none reports itself down and powers off, at the price of the minutes it ran \
 (aws/aws-parallelcluster#1479)."

1761 NO_VENDOR_IMAGE Error "no-vendor-image"
"the system's vendor publishes images in the region's partition"
"no image of `{os}` is known in the partition `{partition}`"
"name one in `image.ami`"
"Each partition of AWS has accounts of its own, also for those who publish images. hpcctl knows those of Canonical and \
 Red Hat in GovCloud and China, and Amazon's own everywhere."

1762 FOREIGN_HOSTS Warning "foreign-hosts"
"nodes reach what they install"
"nodes in `{region}` would fetch programs from the commercial regions of AWS: {hosts*}"
"bring them in `image.ami`, or make sure that nodes reach these hosts"
"The AWS CLI, the EFA installer, DCV and the Lustre client have one place each, outside this partition: see \
 `docs/network.md`."

1763 TYPE_NOT_IN_REGION Error "type-not-in-region"
"CloudFormation has the resource types that the cluster needs"
"CloudFormation has no `{type}` in `{region}`"
"remove the key, or use another region"
"CloudFormation publishes which resource types it has in each region. A template with a type that it does not have is \
 refused as a whole (`Unrecognized resource types`)."

1764 EFS_IN_CLEAR Warning "efs-in-clear"
"data is encrypted on its way"
"nodes reach the file system `{name}` in clear"
"remove `encryption_in_transit: false`"
"By default nodes reach EFS through TLS, by Amazon's mount helper or by stunnel \
 (<https://docs.aws.amazon.com/efs/latest/ug/encryption-in-transit.html>)."
}
