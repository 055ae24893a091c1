//! Where the provider schemas and AWS's documentation disagree on what an update does.
//!
//! CloudFormation itself follows the schema of a type that has handlers there. `AWS::FSx::FileSystem`
//! has none: its schema names five create-only properties and no nested one. Others accept an update
//! by their schema and then always fail it. Documentation means the "Update requires" lines of the
//! CloudFormation user guide, page `PAGES` + the entry's `page`, as they were in the guide's last
//! public source (September 2023, github.com/awsdocs/aws-cloudformation-user-guide). Where FSx's own
//! UpdateFileSystem has since learned to change a property in place, the entry says `Conditional`.

use super::resource_types::Replacement::{self, Always, Conditional, Refused};

/// Where the pages are.
pub(super) const PAGES: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/";

/// What AWS documents of properties of one type, other than the schema.
pub(super) struct Override {
    pub(super) resource: &'static str,
    /// Joined to each path with `/`, unless empty.
    pub(super) inside: &'static str,
    pub(super) paths: &'static [&'static str],
    pub(super) replacement: Replacement,
    pub(super) page: &'static str,
}

const FSX: &str = "AWS::FSx::FileSystem";

pub(super) const OVERRIDES: &[Override] = &[
    // Windows file systems can go from HDD to SSD in place; Lustre and OpenZFS cannot.
    Override {
        resource: FSX,
        inside: "",
        paths: &["StorageType"],
        replacement: Always,
        page: "aws-resource-fsx-filesystem.html",
    },
    // The guide says replacement; FSx's UpdateFileSystem has learned to raise it since.
    Override {
        resource: FSX,
        inside: "",
        paths: &["FileSystemTypeVersion"],
        replacement: Conditional,
        page: "aws-resource-fsx-filesystem.html",
    },
    // EfaEnabled is younger than the pages that were read: CreateFileSystem takes it and
    // UpdateFileSystem does not.
    Override {
        resource: FSX,
        inside: "LustreConfiguration",
        paths: &[
            "CopyTagsToBackups",
            "DeploymentType",
            "DriveCacheType",
            "EfaEnabled",
            "ExportPath",
            "ImportPath",
            "ImportedFileChunkSize",
        ],
        replacement: Always,
        page: "aws-properties-fsx-filesystem-lustreconfiguration.html",
    },
    // As FileSystemTypeVersion; some deployment types still cannot change it in place.
    Override {
        resource: FSX,
        inside: "LustreConfiguration",
        paths: &["PerUnitStorageThroughput"],
        replacement: Conditional,
        page: "aws-properties-fsx-filesystem-lustreconfiguration.html",
    },
    Override {
        resource: FSX,
        inside: "OpenZFSConfiguration",
        paths: &[
            "DeploymentType",
            "EndpointIpAddressRange",
            "PreferredSubnetId",
            // Every member of it is create-only by its own page.
            "RootVolumeConfiguration",
        ],
        replacement: Always,
        page: "aws-properties-fsx-filesystem-openzfsconfiguration.html",
    },
    Override {
        resource: FSX,
        inside: "OntapConfiguration",
        paths: &[
            "DeploymentType",
            "EndpointIpAddressRange",
            "PreferredSubnetId",
        ],
        replacement: Always,
        page: "aws-properties-fsx-filesystem-ontapconfiguration.html",
    },
    Override {
        resource: FSX,
        inside: "WindowsConfiguration",
        paths: &[
            "ActiveDirectoryId",
            "CopyTagsToBackups",
            "DeploymentType",
            "PreferredSubnetId",
        ],
        replacement: Always,
        page: "aws-properties-fsx-filesystem-windowsconfiguration.html",
    },
    // "The update request fails, regardless of the value of the UpdateReplacePolicy attribute."
    Override {
        resource: "AWS::KMS::Key",
        inside: "",
        paths: &["KeySpec", "KeyUsage", "MultiRegion", "Origin"],
        replacement: Refused,
        page: "aws-resource-kms-key.html",
    },
    // "Updates are not supported."
    Override {
        resource: "AWS::EC2::Volume",
        inside: "",
        paths: &["AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId"],
        replacement: Refused,
        page: "aws-resource-ec2-volume.html",
    },
    // The schema has it in the primary identifier only.
    Override {
        resource: "AWS::Route53::RecordSet",
        inside: "",
        paths: &["Name"],
        replacement: Always,
        page: "aws-resource-route53-recordset.html",
    },
];

/// The overrides of one type as full paths.
pub(super) fn of(resource: &str) -> impl Iterator<Item = (String, &'static Override)> {
    let ours = OVERRIDES.iter().filter(move |o| o.resource == resource);
    ours.flat_map(|o| o.paths.iter().map(move |path| (o.path(path), o)))
}

impl Override {
    fn path(&self, path: &str) -> String {
        if self.inside.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.inside)
        }
    }
}
