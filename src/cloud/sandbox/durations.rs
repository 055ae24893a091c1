//! How long CloudFormation takes for a resource, in seconds.
//!
//! Rounded from stack events of real clusters and from what AWS's pages say: FSx for Lustre "within minutes" (five to
//! ten are usual), instance profiles about two minutes because of IAM's propagation, most else a few seconds.

use super::faults::Verb;

/// Create, update, delete.
const TABLE: &[(&str, [i64; 3])] = &[
    ("AWS::AutoScaling::AutoScalingGroup", [35, 20, 60]),
    ("AWS::CloudWatch::Alarm", [4, 4, 3]),
    ("AWS::CloudWatch::Dashboard", [3, 3, 2]),
    ("AWS::EC2::EIP", [15, 12, 12]),
    ("AWS::EC2::Instance", [40, 30, 45]),
    ("AWS::EC2::InternetGateway", [17, 5, 6]),
    ("AWS::EC2::LaunchTemplate", [3, 4, 3]),
    ("AWS::EC2::NatGateway", [120, 10, 60]),
    ("AWS::EC2::NetworkInterface", [8, 6, 6]),
    ("AWS::EC2::PlacementGroup", [6, 6, 6]),
    ("AWS::EC2::SecurityGroup", [5, 4, 4]),
    ("AWS::EC2::VPC", [14, 6, 4]),
    ("AWS::EC2::VPCEndpoint", [65, 40, 70]),
    ("AWS::EC2::Volume", [10, 20, 8]),
    ("AWS::EFS::FileSystem", [12, 10, 8]),
    ("AWS::EFS::MountTarget", [85, 20, 30]),
    ("AWS::FSx::DataRepositoryAssociation", [180, 120, 120]),
    ("AWS::FSx::FileSystem", [360, 300, 240]),
    ("AWS::FSx::Volume", [120, 60, 90]),
    ("AWS::IAM::InstanceProfile", [122, 10, 4]),
    ("AWS::IAM::ManagedPolicy", [18, 12, 4]),
    ("AWS::IAM::Role", [18, 12, 4]),
    ("AWS::Lambda::Function", [10, 10, 5]),
    ("AWS::Logs::LogGroup", [4, 3, 3]),
    ("AWS::RDS::DBCluster", [180, 60, 120]),
    ("AWS::RDS::DBInstance", [540, 180, 300]),
    ("AWS::RDS::DBSubnetGroup", [4, 4, 3]),
    ("AWS::S3::Bucket", [22, 5, 4]),
];

/// Seconds that a resource takes.
pub(super) fn seconds(kind: &str, verb: Verb) -> i64 {
    let found = TABLE.iter().find(|(name, _)| *name == kind).map_or([5, 5, 4], |(_, seconds)| *seconds);
    match verb {
        Verb::Create => found[0],
        Verb::Update => found[1],
        Verb::Delete => found[2],
    }
}

/// Seconds from the launch of a head node to its first report: system and packages, mounts, Slurm.
pub(super) const HEAD_SETS_UP: i64 = 210;
/// Seconds from the publication of a revision to the head node's report of it: it looks every minute.
pub(super) const HEAD_PICKS_UP: i64 = 45;
