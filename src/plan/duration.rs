//! How long things usually take, in seconds: rough figures from AWS's documentation and common experience,
//! good for an order of magnitude in a plan, never used to decide anything.

/// Changing nothing but what a template keeps.
pub const MARK_SECONDS: u32 = 15;

/// Making one resource of a type.
pub fn create_seconds(resource_type: &str) -> u32 {
    match resource_type {
        "AWS::FSx::FileSystem" => 420,
        "AWS::FSx::DataRepositoryAssociation" => 300,
        "AWS::RDS::DBInstance" => 540,
        "AWS::RDS::DBCluster" => 180,
        "AWS::EC2::NatGateway" => 110,
        "AWS::EC2::Instance" => 45,
        "AWS::AutoScaling::AutoScalingGroup" => 60,
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => 150,
        "AWS::EFS::MountTarget" => 90,
        "AWS::IAM::InstanceProfile" => 125,
        "AWS::IAM::Role" => 18,
        _ => 6,
    }
}

/// Changing one resource of a type in place.
pub fn update_seconds(resource_type: &str) -> u32 {
    match resource_type {
        "AWS::FSx::FileSystem" => 120,
        "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" => 300,
        _ => 8,
    }
}

/// Deleting one resource of a type.
pub fn delete_seconds(resource_type: &str) -> u32 {
    match resource_type {
        "AWS::FSx::FileSystem" => 240,
        "AWS::RDS::DBInstance" => 360,
        "AWS::EC2::NatGateway" => 60,
        "AWS::EC2::Instance" => 60,
        _ => 5,
    }
}

/// Stopping an instance and starting it again.
pub const RESTART_SECONDS: u32 = 240;
/// What a new head node takes to boot, to set itself up and to report.
pub const HEAD_BOOT_SECONDS: u32 = 300;
/// What a head node takes to find a new revision, to set it up and to report.
pub const HEAD_UPDATE_SECONDS: u32 = 90;
/// The longest that a new head node may take.
pub const HEAD_BOOT_LIMIT: u32 = 1200;
/// The longest that a head node may take for a new revision.
pub const HEAD_UPDATE_LIMIT: u32 = 600;

/// Exporting a file system: at least this, and more with its data.
pub const EXPORT_SECONDS: u32 = 300;
/// Changing associations.
pub const AUTO_EXPORT_SECONDS: u32 = 60;
/// Ending compute nodes, once their jobs have ended: how long those run nobody knows.
pub const HOLD_SECONDS: u32 = 600;
/// An order that the head node carries out.
pub const ORDER_SECONDS: u32 = 60;
/// Terminating instances.
pub const TERMINATE_SECONDS: u32 = 90;
/// Stopping an instance, or starting it.
pub const STOP_SECONDS: u32 = 60;
