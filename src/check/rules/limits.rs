//! HPC182x: numbers that AWS limits.

use super::{Rule, Severity};

rules! {
1820 TOO_MANY_SOURCES Warning "too-many-sources"
"a security group has room for its rules"
"these are {count} inbound {family} rules in one security group, of which AWS takes {most} unless the quota was raised"
"name wider blocks: each of `ssh_from` is one rule, each of `dcv.allowed_from` two (TCP and UDP)"
"A security group has 60 inbound rules for IPv4 and 60 for IPv6 unless the quota was raised \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>)."

1821 TOO_MANY_POLICIES Warning "too-many-policies"
"a role has room for its policies"
"these are {count} managed policies for one role, of which IAM takes {most} unless the quota was raised"
"merge policies of your own, or name buckets in `s3_access`"
"IAM attaches ten managed policies to a role unless the quota was raised \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>)."

1822 ROLE_TOO_LONG Error "role-too-long"
"IAM takes the rights of a role"
"the rights of this role are {characters} characters, and IAM takes {most}"
"name what places have in common in `s3_access`, a bucket or a prefix; or grant them by `policies` of your own"
"All inline policies of a role together have at most 10,240 characters, without white space; this quota cannot be raised. Each \
 entry of `s3_access` is an ARN or two in them \
 (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>)."
}
