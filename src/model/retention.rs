//! What is kept keeps what it stands on.
//!
//! AWS refuses to delete a security group, subnet or VPC that a file system or database still uses. So when one
//! of those is kept, its group stays too, and so do subnets and VPC when the cluster made its own network.

use super::{DeletionPolicy, Stack, StackKey};

/// Marks what kept resources stand on as kept.
pub(super) fn keep_ground(stacks: &mut [Stack]) {
    let mut groups: Vec<&str> = Vec::new();
    if keeps(stacks, &["AWS::FSx::FileSystem"]) {
        groups.push("LustreSecurityGroup");
    }
    let database = keeps(stacks, &["AWS::RDS::DBInstance", "AWS::RDS::DBCluster"]);
    if database {
        groups.push("DatabaseSecurityGroup");
    }
    if groups.is_empty() {
        return;
    }
    for stack in stacks.iter_mut() {
        let accounting = stack.key == StackKey::Accounting;
        for (logical_id, resource) in &mut stack.resources {
            let ground = groups.contains(&logical_id.as_str())
                || matches!(resource.kind, "AWS::EC2::VPC" | "AWS::EC2::Subnet")
                || (accounting && database)
                || resource.kind == "AWS::FSx::DataRepositoryAssociation" && groups.contains(&"LustreSecurityGroup");
            if ground {
                resource.deletion = DeletionPolicy::Retain;
            }
        }
    }
}

fn keeps(stacks: &[Stack], kinds: &[&str]) -> bool {
    let mut resources = stacks.iter().flat_map(|stack| stack.resources.values());
    resources.any(|resource| resource.deletion == DeletionPolicy::Retain && kinds.contains(&resource.kind))
}
