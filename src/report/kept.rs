//! What outlives a cluster, and how it is removed some day.

use crate::{
    observe::Kept,
    plan::{Action, Plan},
};

/// Something that stays, in words: what, its id, since when, and the command that removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// What it is.
    pub words: String,
    /// How it is removed; none: it goes with something else, or there is no command for it.
    pub removal: Option<String>,
}

/// Everything that stays after a plan, what uses something before the thing: so it can be removed, one after the other.
pub fn stays(plan: &Plan) -> Vec<Stays> {
    let by_plan = plan.changes.iter().filter(|change| change.action == Action::Forget).filter_map(|change| {
        let id = change.physical_id.clone().filter(|id| !id.is_empty())?;
        let (address, resource_type) = (change.address.clone(), change.resource_type.clone());
        let network = None;
        Some((Kept { id, address, resource_type, revision: plan.revision, network }, "kept by this plan".to_owned()))
    });
    let before = plan.kept.iter().map(|kept| (kept.clone(), format!("since revision {}", kept.revision)));
    let mut all: Vec<(Kept, String)> = before.chain(by_plan).collect();
    all.sort_by_key(|(kept, _)| rank(&kept.resource_type));
    let one = |(kept, since): (Kept, String)| Stays {
        words: format!("{} {} ({}), {since}", kept.address, kept.id, kept.resource_type),
        removal: removal(&kept.resource_type, &kept.id),
    };
    all.into_iter().map(one).collect()
}

/// Users of something come before it.
fn rank(resource_type: &str) -> u8 {
    match resource_type {
        "AWS::RDS::DBInstance" => 0,
        "AWS::RDS::DBCluster" => 1,
        "AWS::EC2::SecurityGroup" => 3,
        "AWS::EC2::Subnet" => 4,
        "AWS::EC2::VPC" => 5,
        _ => 2,
    }
}

fn removal(resource_type: &str, id: &str) -> Option<String> {
    let command = match resource_type {
        "AWS::FSx::FileSystem" => "fsx delete-file-system --file-system-id",
        "AWS::EFS::FileSystem" => "efs delete-file-system --file-system-id",
        "AWS::EC2::Volume" => "ec2 delete-volume --volume-id",
        "AWS::EC2::SecurityGroup" => "ec2 delete-security-group --group-id",
        "AWS::EC2::Subnet" => "ec2 delete-subnet --subnet-id",
        "AWS::EC2::VPC" => "ec2 delete-vpc --vpc-id",
        "AWS::RDS::DBInstance" => {
            return Some(format!(
                "aws rds delete-db-instance --db-instance-identifier {id} --final-db-snapshot-identifier {id}-last"
            ));
        }
        "AWS::RDS::DBCluster" => {
            return Some(format!(
                "aws rds delete-db-cluster --db-cluster-identifier {id} --final-db-snapshot-identifier {id}-last"
            ));
        }
        "AWS::RDS::DBSubnetGroup" => "rds delete-db-subnet-group --db-subnet-group-name",
        "AWS::RDS::DBParameterGroup" => "rds delete-db-parameter-group --db-parameter-group-name",
        "AWS::RDS::DBClusterParameterGroup" => {
            "rds delete-db-cluster-parameter-group --db-cluster-parameter-group-name"
        }
        "AWS::SecretsManager::Secret" => "secretsmanager delete-secret --secret-id",
        "AWS::Logs::LogGroup" => "logs delete-log-group --log-group-name",
        _ => return None,
    };
    Some(format!("aws {command} {id}"))
}
