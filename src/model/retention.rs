//! What is kept keeps what it stands on.
//!
//! AWS refuses to delete a security group, subnet or VPC that a file system or database still uses. So when one
//! of those is kept, its group stays too, and so do subnets and VPC when the cluster made its own network. The rules of
//! Lustre's group about itself stay as well: without them the file servers do not reach each other.
//! <https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html>

use super::{DeletionPolicy, Resource, Stack, StackKey, Val};

/// Rules as resources of their own.
const RULES: [&str; 2] = ["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"];

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
                || groups.contains(&"LustreSecurityGroup") && is_rule_about_itself(resource)
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

/// A rule of Lustre's group about Lustre's group.
fn is_rule_about_itself(resource: &Resource) -> bool {
    const SIDES: [&str; 3] = ["GroupId", "SourceSecurityGroupId", "DestinationSecurityGroupId"];
    let group = Val::att("LustreSecurityGroup", "GroupId");
    let sides = SIDES.iter().filter_map(|side| resource.properties.get(*side));
    RULES.contains(&resource.kind) && sides.filter(|side| **side == group).count() == 2
}
