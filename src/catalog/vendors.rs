//! Who publishes images of operating systems, in which partition.

use super::Partition;

/// The account that publishes images of an operating system in a partition, as EC2's `owners` takes it; `None` where
/// nobody is known to.
///
/// Accounts belong to one partition. Canonical, Debian, Rocky Linux and Red Hat publish their account numbers; Amazon's
/// alias stands for its own account in every partition.
pub fn image_owner(os: &str, partition: Partition) -> Option<&'static str> {
    match (os, partition) {
        ("ubuntu2404" | "ubuntu2204", Partition::Aws) => Some("099720109477"),
        ("ubuntu2404" | "ubuntu2204", Partition::UsGov) => Some("513442679011"),
        ("ubuntu2404" | "ubuntu2204", Partition::China) => Some("837727238323"),
        ("debian12", Partition::Aws) => Some("136693071363"),
        ("alinux2023", Partition::Aws) => Some("137112412989"),
        ("alinux2023", _) => Some("amazon"),
        ("rocky9", Partition::Aws) => Some("792107900819"),
        ("rhel9", Partition::Aws) => Some("309956199498"),
        _ => None,
    }
}

/// Regions whose registry lacks a resource type that hpcctl makes, from the registries that cfn-lint carries.
const LACKING: &[(&str, &[&str])] = &[
    (
        "AWS::Budgets::Budget",
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-3",
            "ap-south-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-west-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "il-central-1",
            "me-central-1",
            "mx-central-1",
            "us-gov-east-1",
            "us-gov-west-1",
        ],
    ),
    ("AWS::FSx::FileSystem", &["ap-southeast-6"]),
];

/// Whether CloudFormation can make a resource of this type in a region.
pub fn region_has(resource_type: &str, region: &str) -> bool {
    !LACKING.iter().any(|(lacking, regions)| *lacking == resource_type && regions.contains(&region))
}
