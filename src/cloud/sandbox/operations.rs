//! The operations that the sandbox answers, by AWS's names: what a script of faults may name.

use super::faults::{Fault, Script};
use crate::catalog::closest;

/// All of them, in the order of the alphabet. Instance metadata has paths in the place of operations.
const OPERATIONS: &[&str] = &[
    "AssignPrivateIpAddresses",
    "AttachVolume",
    "CancelDataRepositoryTask",
    "ContinueUpdateRollback",
    "CreateChangeSet",
    "CreateDataRepositoryTask",
    "CreateFleet",
    "CreateRole",
    "CreateStack",
    "CreateTags",
    "DeleteExperimentTemplate",
    "DeleteObject",
    "DeleteObjects",
    "DeleteRole",
    "DeleteStack",
    "DescribeAddresses",
    "DescribeCapacityReservations",
    "DescribeDBInstances",
    "DescribeDataRepositoryTasks",
    "DescribeFileSystems",
    "DescribeImages",
    "DescribeInstanceAttribute",
    "DescribeInstanceStatus",
    "DescribeInstanceTypeOfferings",
    "DescribeInstanceTypes",
    "DescribeInstances",
    "DescribeKey",
    "DescribeKeyPairs",
    "DescribeLogGroups",
    "DescribeSecret",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeStackEvents",
    "DescribeStacks",
    "DescribeSubnets",
    "DescribeTags",
    "DescribeVolumes",
    "DescribeVolumesModifications",
    "DescribeVpcs",
    "DetachVolume",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "FilterLogEvents",
    "GetCallerIdentity",
    "GetConsoleOutput",
    "GetExperiment",
    "GetGroupsForCapacityReservation",
    "GetInstanceProfile",
    "GetObject",
    "GetRole",
    "GetSecretValue",
    "GetServiceQuota",
    "GetTemplate",
    "HeadBucket",
    "ListObjectsV2",
    "ListRoles",
    "ListStackResources",
    "ModifyInstanceAttribute",
    "PutObject",
    "RunInstances",
    "SendRebalanceRecommendation",
    "SendSpotInstanceInterruptions",
    "SimulatePrincipalPolicy",
    "StartExperiment",
    "StartInstances",
    "StopInstances",
    "TerminateInstances",
    "UpdateDataRepositoryAssociation",
    "UpdateStack",
    "UpdateTerminationProtection",
    "events/recommendations/rebalance",
    "instance-id",
    "spot/instance-action",
    "tags",
];

/// A script whose fault would never strike: the operation that nothing calls, and the one that may be meant.
pub(super) fn misnamed(script: &Script) -> Option<String> {
    let named = script.faults.iter().filter_map(|fault| match fault {
        Fault::Error(error) | Fault::Unheard(error) => Some(error.operation.as_str()),
        _ => None,
    });
    let unknown = named.into_iter().find(|name| *name != "*" && !OPERATIONS.contains(name))?;
    let meant = closest(unknown, OPERATIONS.iter().copied()).map(|one| format!(", did you mean `{one}`?"));
    Some(format!("names the operation `{unknown}`, which the sandbox does not know{}", meant.unwrap_or_default()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// Names that hpcctl itself gives to what it does to the sandbox.
    const OWN: [&str; 9] = [
        "BootInstance",
        "Faults",
        "Files",
        "HaltInstance",
        "HandEdit",
        "RealTime",
        "Suppose",
        "VirtualTime",
        "WriteFile",
    ];

    #[test]
    fn every_call_of_the_sandbox_is_in_the_list_and_on_the_page() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut called = BTreeSet::new();
        for file in fs::read_dir(root.join("src/cloud/sandbox")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|end| end != "rs") || path.ends_with("operations.rs") {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for call in
                text.split("Call::").skip(1).filter(|rest| rest.starts_with("look(") || rest.starts_with("change("))
            {
                let inside = call.split(')').next().unwrap();
                called.extend(inside.split('"').skip(1).step_by(2).last().map(str::to_owned));
            }
            for here in text.split("self.here(").skip(1) {
                called.extend(here.split('"').nth(1).map(str::to_owned));
            }
        }
        let listed: BTreeSet<String> = OPERATIONS.iter().chain(&OWN).map(ToString::to_string).collect();
        assert_eq!(called, listed);
        let page = fs::read_to_string(root.join("docs/sandbox.md")).unwrap();
        let untold: Vec<&&str> = OPERATIONS.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert_eq!(untold, Vec::<&&str>::new(), "docs/sandbox.md");
    }

    #[test]
    fn a_slip_is_told_with_what_is_meant() {
        let script = |name: &str| {
            serde_json::from_str(&format!(r#"{{"faults": [{{"error": {{"operation": "{name}", "error": "busy"}}}}]}}"#))
                .unwrap()
        };
        let told = misnamed(&script("CreateStak")).unwrap();
        assert!(told.contains("`CreateStak`") && told.contains("`CreateStack`"), "{told}");
        assert_eq!(misnamed(&script("CreateStack")), None);
        assert_eq!(misnamed(&script("*")), None);
    }
}
