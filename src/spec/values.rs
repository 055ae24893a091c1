//! The small values of a cluster file: names, ids, addresses. Each knows its pattern and says in its
//! schema title what it should have looked like.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident, $title:literal, $pattern:literal, [$($example:literal),+]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "title": $title,
                    "type": "string",
                    "pattern": $pattern,
                    "examples": [$($example),+],
                })
            }
        }
    };
}

text_value!(
    /// The cluster's name; it begins the name of every stack.
    ClusterName, "a cluster name: a lower-case letter, then up to 39 lower-case letters, digits or hyphens",
    "^[a-z][a-z0-9-]{0,39}$", ["fds-smv"]);
text_value!(
    /// A name inside the cluster: a queue, a pool, a file system, a login pool.
    Name, "a name: a lower-case letter, then up to 24 lower-case letters, digits or hyphens",
    "^[a-z][a-z0-9-]{0,24}$", ["cfd", "spot"]);
text_value!(
    /// An AWS region's code.
    Region, "a region code such as `eu-west-1`", "^[a-z]{2}(-[a-z]+)+-[0-9]+$", ["eu-west-1", "us-east-2"]);
text_value!(
    /// An Availability Zone's name.
    AvailabilityZone, "an Availability Zone such as `eu-west-1a`", "^[a-z]{2}(-[a-z]+)+-[0-9]+[a-z]$", ["eu-west-1a"]);
text_value!(
    /// An EC2 instance type.
    InstanceTypeName, "an instance type such as `c5n.18xlarge`", "^[a-z0-9-]+\\.[a-z0-9-]+$", ["c5n.18xlarge", "hpc7g.16xlarge"]);
text_value!(
    /// An RDS instance class.
    DbInstanceClass, "a database instance class such as `db.t4g.medium`", "^db\\.[a-z0-9-]+\\.[a-z0-9]+$", ["db.t4g.medium"]);
text_value!(
    /// A VPC's id.
    VpcId, "a VPC id: `vpc-` and 8 or 17 hexadecimal digits", "^vpc-([0-9a-f]{8}|[0-9a-f]{17})$", ["vpc-0a1b2c3d4e5f67890"]);
text_value!(
    /// A subnet's id.
    SubnetId, "a subnet id: `subnet-` and 8 or 17 hexadecimal digits", "^subnet-([0-9a-f]{8}|[0-9a-f]{17})$", ["subnet-0a1b2c3d4e5f67890"]);
text_value!(
    /// A security group's id.
    SecurityGroupId, "a security group id: `sg-` and 8 or 17 hexadecimal digits", "^sg-([0-9a-f]{8}|[0-9a-f]{17})$", ["sg-0a1b2c3d4e5f67890"]);
text_value!(
    /// A machine image's id.
    AmiId, "an AMI id: `ami-` and 8 or 17 hexadecimal digits", "^ami-([0-9a-f]{8}|[0-9a-f]{17})$", ["ami-0a1b2c3d4e5f67890"]);
text_value!(
    /// An FSx file system's id.
    FsxFileSystemId, "an FSx file system id: `fs-` and 17 hexadecimal digits", "^fs-[0-9a-f]{17}$", ["fs-0a1b2c3d4e5f67890"]);
text_value!(
    /// An EFS file system's id.
    EfsFileSystemId, "an EFS file system id: `fs-` and 8 or 17 hexadecimal digits", "^fs-([0-9a-f]{8}|[0-9a-f]{17})$", ["fs-0a1b2c3d4e5f67890"]);
text_value!(
    /// An EBS volume's id.
    VolumeId, "a volume id: `vol-` and 8 or 17 hexadecimal digits", "^vol-([0-9a-f]{8}|[0-9a-f]{17})$", ["vol-0a1b2c3d4e5f67890"]);
text_value!(
    /// An EBS snapshot's id.
    SnapshotId, "a snapshot id: `snap-` and 8 or 17 hexadecimal digits", "^snap-([0-9a-f]{8}|[0-9a-f]{17})$", ["snap-0a1b2c3d4e5f67890"]);
text_value!(
    /// An FSx backup's id.
    BackupId, "a backup id: `backup-` and hexadecimal digits", "^backup-[0-9a-f]{8,}$", ["backup-0a1b2c3d4e5f67890"]);
text_value!(
    /// A capacity reservation's id.
    CapacityReservationId, "a capacity reservation id: `cr-` and 8 or 17 hexadecimal digits", "^cr-([0-9a-f]{8}|[0-9a-f]{17})$", ["cr-0a1b2c3d4e5f67890"]);
text_value!(
    /// An Amazon resource name.
    Arn, "an ARN such as `arn:aws:iam::123456789012:policy/name`", "^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}|aws)?:.+$", ["arn:aws:iam::123456789012:policy/name"]);
text_value!(
    /// A block of addresses in CIDR notation, IPv4 or IPv6.
    Cidr, "a CIDR block such as `203.0.113.0/24`", "^([0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-fA-F:]*:[0-9a-fA-F:]*/[0-9]{1,3})$", ["203.0.113.0/24"]);
text_value!(
    /// A bucket, or a bucket and a prefix, in S3.
    S3Uri, "an S3 location such as `s3://bucket/prefix`", "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$", ["s3://my-bucket/results"]);
text_value!(
    /// An absolute path on the nodes.
    AbsolutePath, "an absolute path such as `/fsx`", "^/[^\\s:]*$", ["/fsx"]);
text_value!(
    /// A weekly time in UTC, day 1 (Monday) to 7.
    WeeklyTime, "a weekly time `d:HH:MM` with day 1 (Monday) to 7, in UTC", "^[1-7]:([01][0-9]|2[0-3]):[0-5][0-9]$", ["7:02:00"]);
text_value!(
    /// A daily time in UTC.
    DailyTime, "a daily time `HH:MM`, in UTC", "^([01][0-9]|2[0-3]):[0-5][0-9]$", ["03:00"]);
text_value!(
    /// An e-mail address that is told of things.
    Email, "an e-mail address such as `hpc-admins@example.org`", "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", ["hpc-admins@example.org"]);
text_value!(
    /// A Slurm feature (constraint) of a node.
    Feature, "a Slurm feature: letters, digits, hyphens, dots and underscores", "^[A-Za-z0-9_.-]+$", ["eu-west-1a"]);
text_value!(
    /// A host name or address.
    HostName, "a host name or address such as `slurmdb.example.org`", "^[A-Za-z0-9][A-Za-z0-9.-]*$", ["slurmdb.example.org"]);

impl S3Uri {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        let rest = self.0.strip_prefix("s3://").unwrap_or(&self.0);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The key prefix without slashes at its ends; empty for a whole bucket.
    pub fn prefix(&self) -> &str {
        let rest = self.0.strip_prefix("s3://").unwrap_or(&self.0);
        rest.split_once('/').map_or("", |(_, prefix)| prefix.trim_matches('/'))
    }
}

impl Cidr {
    /// Whether the block is the whole internet (`0.0.0.0/0` or `::/0`).
    pub fn is_open(&self) -> bool {
        self.0.ends_with("/0")
    }

    /// Whether the block is IPv6.
    pub fn is_ipv6(&self) -> bool {
        self.0.contains(':')
    }
}

impl InstanceTypeName {
    /// The family, the part before the dot: `c5n` of `c5n.18xlarge`.
    pub fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}
