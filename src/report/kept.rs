//! What outlives a cluster, what it costs, and how it is removed some day.

use super::paint::Paint;
use crate::{
    observe::{Kept, VOLUME_SNAPSHOT},
    plan::{Action, Plan},
};
use std::fmt::Write;

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
        let (network, made_of, size_gib) = (None, None, None);
        let kept = Kept { id, address, resource_type, revision: plan.revision, network, made_of, size_gib };
        Some((kept, "kept by this plan".to_owned()))
    });
    let before = plan.kept.iter().map(|kept| (kept.clone(), since(kept)));
    in_order(before.chain(by_plan))
}

/// What stays when a command has come to its end, and how it is removed.
pub fn end(kept: &[Kept], paint: Paint) -> String {
    let mut out = String::new();
    lines(&in_order(kept.iter().map(|kept| (kept.clone(), since(kept)))), paint, &mut out);
    out
}

/// What stays, and the commands that remove it.
pub fn lines(stays: &[Stays], paint: Paint, out: &mut String) {
    for one in stays {
        let _ = writeln!(out, "{}     {}", paint.bold("Kept"), one.words);
    }
    let commands: Vec<&str> = stays.iter().filter_map(|one| one.removal.as_deref()).collect();
    if !commands.is_empty() {
        let _ = writeln!(out, "{}    to remove for good what is kept, one after the other:", paint.bold("Later"));
    }
    for command in commands {
        let _ = writeln!(out, "           {command}");
    }
}

/// Something that was kept, with what it costs, in words.
pub fn words(kept: &Kept) -> String {
    let Kept { id, address, resource_type, made_of, .. } = kept;
    match made_of {
        Some(made_of) if made_of == id => format!("a snapshot of {address} {id} ({resource_type})"),
        Some(made_of) => format!("{id}, a snapshot of {address} {made_of} ({resource_type})"),
        None => format!("{address} {id} ({resource_type})"),
    }
}

fn since(kept: &Kept) -> String {
    format!("since revision {}", kept.revision)
}

fn in_order(all: impl Iterator<Item = (Kept, String)>) -> Vec<Stays> {
    let mut all: Vec<(Kept, String)> = all.collect();
    all.sort_by_key(|(kept, _)| rank(&kept.resource_type));
    let one = |(kept, since): (Kept, String)| Stays {
        words: format!("{}, {since}{}", words(&kept), bill(&kept)),
        removal: removal(&kept),
    };
    all.into_iter().map(one).collect()
}

/// What it costs to keep it: by what it is billed, and how much of it there is.
pub fn bill(kept: &Kept) -> String {
    let gib =
        kept.size_gib.map_or_else(String::new, |gib| format!(", {} GiB at most", super::words::thousands(gib.into())));
    match kept.resource_type.as_str() {
        VOLUME_SNAPSHOT | "AWS::RDS::DBSnapshot" | "AWS::RDS::DBClusterSnapshot" => {
            format!("; billed by the month for what it holds{gib}")
        }
        "AWS::FSx::FileSystem"
        | "AWS::EFS::FileSystem"
        | "AWS::EC2::Volume"
        | "AWS::RDS::DBInstance"
        | "AWS::RDS::DBCluster"
        | "AWS::SecretsManager::Secret"
        | "AWS::Logs::LogGroup" => "; billed as before".to_owned(),
        _ => String::new(),
    }
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

fn removal(kept: &Kept) -> Option<String> {
    let id = &kept.id;
    let database = |one: &str| {
        format!("aws rds delete-db-{one} --db-{one}-identifier {id} --final-db-snapshot-identifier {id}-last")
    };
    // Only RDS knows the name that CloudFormation has made up for it.
    let snapshot = |one: &str, kind: &str| {
        format!(
            "aws rds describe-db-{kind}s --db-{one}-identifier {id} --snapshot-type manual, then aws rds delete-db-{kind} \
             --db-{kind}-identifier with the name that it shows"
        )
    };
    let command = match kept.resource_type.as_str() {
        "AWS::FSx::FileSystem" => "fsx delete-file-system --file-system-id",
        "AWS::EFS::FileSystem" => "efs delete-file-system --file-system-id",
        "AWS::EC2::Volume" => "ec2 delete-volume --volume-id",
        VOLUME_SNAPSHOT if kept.made_of.as_ref() == Some(id) => {
            return Some(format!(
                "aws ec2 describe-snapshots --filters Name=volume-id,Values={id}, then aws ec2 delete-snapshot \
                 --snapshot-id with the id that it shows"
            ));
        }
        VOLUME_SNAPSHOT => "ec2 delete-snapshot --snapshot-id",
        "AWS::EC2::SecurityGroup" => "ec2 delete-security-group --group-id",
        "AWS::EC2::Subnet" => "ec2 delete-subnet --subnet-id",
        "AWS::EC2::VPC" => "ec2 delete-vpc --vpc-id",
        "AWS::RDS::DBInstance" => return Some(database("instance")),
        "AWS::RDS::DBCluster" => return Some(database("cluster")),
        "AWS::RDS::DBSnapshot" => return Some(snapshot("instance", "snapshot")),
        "AWS::RDS::DBClusterSnapshot" => return Some(snapshot("cluster", "cluster-snapshot")),
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
