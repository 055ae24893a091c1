//! HPC12xx: network and security.

use super::{Rule, Severity};

rules! {
1201 NO_NETWORK Error "network-missing"
"a cluster lives in a network"
"`network` names no subnets and creates none"
"give `vpc_id`, `head_node_subnet` and `compute_subnets`, or `create: {}`"
"hpcctl either uses subnets that exist, or builds a VPC with public subnets for head and login nodes and private ones \
 for compute nodes."

1202 CREATE_AND_EXISTING Error "network-twice"
"a network is created or exists"
"`{key}` names something that exists, but the network is to be created"
"remove `{key}`, or remove `create`"
"A VPC that is created has subnets of its own; subnets and security groups of another VPC cannot be used in it."

1203 NETWORK_INCOMPLETE Error "network-incomplete"
"a network that exists is named completely"
"`{key}` is missing: {reason}"
"add `{key}` to `network`"
"Without a call to AWS nothing tells the VPC of a subnet, and security groups need the VPC. \
 Naming all three also lets `plan` work without credentials \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>)."

1204 UNKNOWN_REGION Error "unknown-region"
"the region exists"
"AWS has no region `{region}`"
"did you mean `{suggestion}`? || see the list of regions in the AWS documentation"
"The list is that of botocore, of all partitions. A region newer than this program needs a newer program \
 (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>)."

1205 ZONE_REGION Error "zone-of-another-region"
"zones are of the cluster's region"
"zone `{zone}` is not in region `{region}`"
"use a zone such as `{region}a`"
"A zone's name is its region's with a letter behind it. A VPC and its subnets lie in one region. \
 Local Zones are not supported \
 (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html>)."

1206 REPEATED_SUBNET Error "subnet-repeated"
"a list names a subnet once"
"`{subnet}` is in this list already"
"remove one of the two"
"EC2 refuses a fleet in which the same launch template, type and subnet stand twice, and RDS a subnet group."

1207 SUBNET_ZONE_UNUSED Warning "subnet-zone-unused"
"zones are told of subnets in use"
"nothing uses subnet `{subnet}`"
"did you mean `{suggestion}`? || remove the entry"
"`subnet_zones` tells hpcctl in which zone a subnet lies, so that it can check EFA and placement groups without \
 calling AWS. An entry for another subnet is most often a typing mistake."

1208 SUBNET_TWO_ZONES Error "subnet-in-two-zones"
"a subnet lies in one zone"
"`{subnet}` was put into zone `{zone}` on line {line}"
"keep one of the two"
"A subnet lies in exactly one Availability Zone \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html>)."

1209 ZONE_COUNT Error "zone-count"
"`zones` and `availability_zones` agree"
"{listed} zones are listed, and `availability_zones` is {count}"
"leave `availability_zones` out"
"`zones` names the zones, `availability_zones` only counts them. \
 When both are given and differ, nobody can know which of them was meant."

1210 REPEATED_ZONE Error "zone-repeated"
"a list names a zone once"
"`{zone}` is in this list already"
"remove one of the two"
"Each zone gets one private subnet, and two of them in one zone would serve nothing. The zones are used in the order \
 of \
 the list."

1211 CIDR_OCTET Error "cidr-bad-address"
"addresses exist"
"`{cidr}` is no IP address: `{part}` cannot be part of one"
"write one such as `{example}`"
"CIDR notation is an address, a slash and the length of the prefix (RFC 4632). \
 A number with a leading zero is refused too, since some programs read it as octal."

1212 CIDR_PREFIX Error "cidr-bad-prefix"
"a prefix is no longer than an address"
"`/{prefix}` is longer than an address of {bits} bits"
"use /{bits} for one address, less for more"
"The number behind the slash counts the bits that are fixed (RFC 4632)."

1213 CIDR_HOST_BITS Error "cidr-host-bits"
"a block begins at its first address"
"`{cidr}` has bits set behind its prefix"
"did you mean `{base}`, the whole block, or `{host}`, the one address?"
"EC2 would take the whole block in silence, so that a rule for one address may open 255 more. \
 Write the block's first address, or /32 (IPv6: /128) for one address \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>)."

1214 CIDR_IPV6 Error "cidr-ipv6"
"a created network is IPv4"
"a VPC needs an IPv4 block"
"write a block such as `10.42.0.0/16`"
"The primary block of a VPC is IPv4 (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>); FSx \
 for Lustre and Slurm's node addresses use it."

1215 CIDR_SIZE Error "cidr-size"
"a VPC is between /16 and /24"
"a VPC of /{prefix} cannot be made"
"use /16 to /24"
"AWS allows /16 to /28 (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>). Below /24 there is \
 no room for a public and a private subnet with addresses for nodes and file systems."

1216 CIDR_TOO_SMALL Error "cidr-too-small"
"a VPC has room for its subnets"
"`{cidr}` leaves each of {zones} private subnets {addresses} addresses, and pools may want {nodes}"
"use a block of /{wanted} || use a /16 and fewer nodes a zone"
"Half of the block is shared by the private subnets; AWS keeps five addresses of each for itself \
 (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>). Launches fail with \
 `InsufficientFreeAddressesInSubnet` when a subnet is full."

1217 CIDR_PUBLIC Warning "cidr-public"
"a VPC uses private addresses"
"`{cidr}` are public addresses that belong to somebody"
"use a block in `10.0.0.0/8`, `172.16.0.0/12` or `192.168.0.0/16`"
"AWS allows it, but nodes could not reach the true owners of these addresses (RFC 1918, \
 <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>)."

1218 OPEN_TO_ALL Warning "open-to-the-internet"
"ports are not open to everybody"
"`{cidr}` lets the whole internet reach {what}"
"name your own network, or leave it out and use Session Manager"
"Login attempts begin minutes after a port is opened. Session Manager needs no open port and no key \
 (<https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html>)."

1219 DCV_PORT_TAKEN Error "dcv-port-taken"
"DCV has a port of its own"
"port {port} is that of {service}"
"use 8443, the usual one, or another above 1024"
"The head node runs slurmctld and slurmdbd, serves NFS and answers SSH; DCV could not bind their ports. Its own \
 authenticator has 8444. The Lustre client uses 988 and 1018 to 1023."

1220 DCV_PORT_LOW Error "dcv-port-low"
"DCV uses a port above 1024"
"DCV cannot use port {port}"
"use 8443, the usual one, or another above 1024"
"The DCV server does not run as root and can only be given a port above 1024 \
 (<https://docs.aws.amazon.com/dcv/latest/adminguide/manage-port-addr.html>)."

1221 DCV_OS Error "dcv-unsupported-os"
"DCV is made for the operating system"
"there is no DCV server for `{os}`"
"use `ubuntu2404`, or remove `dcv`"
"DCV servers exist for Amazon Linux, RHEL and its likes, SUSE and Ubuntu, not for Debian \
 (<https://docs.aws.amazon.com/dcv/latest/adminguide/servers.html#requirements>)."

1222 NO_WAY_OUT Warning "no-way-out"
"compute nodes reach what they need"
"private subnets without NAT or proxy cannot fetch packages or call EC2 and Systems Manager"
"use `nat: single`, set `http_proxy`, or bring an image with everything in it and interface endpoints"
"The gateway endpoint for S3 is free and brings node files, but packages and the APIs of EC2, SSM and CloudWatch are \
 elsewhere (<https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>)."
}
