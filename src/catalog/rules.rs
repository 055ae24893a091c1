//! What a change of a property does where that hangs on its value before and after.
//!
//! A provider schema knows property paths alone, and calls much of this conditional. AWS's pages say the
//! condition: storage that only grows, versions that are only raised, instances that are stopped and started.
//! The first rule that fits decides; where none fits, the schema does.

use super::{
    prop_path::PropPath,
    resource_types::{Replacement, ResourceType},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, cmp::Ordering};

/// What changing a property does to the resource, decided as far as its values tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is updated in place.
    InPlace,
    /// It stays, and is stopped and started.
    Restarts,
    /// Nobody can say from outside whether it stays.
    MayReplace,
    /// A new one is made, the old one goes.
    Replaces,
    /// The update fails.
    Refused,
}

/// Why a change does what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Storage gets larger, never smaller.
    OnlyGrows,
    /// The size is that of its creation.
    FixedSize,
    /// A version is raised in place, never lowered.
    OnlyRaised,
    /// An instance must stand still for this change.
    StopsAndStarts,
    /// The disks of an instance are set when it is launched.
    SetAtLaunch,
    /// Addresses and zone are those of its creation, and a second one cannot have the same addresses.
    PlaceStays,
    /// There is no update for it.
    NoUpdate,
    /// The schema calls it conditional, the page says that it stays.
    Stays,
}

impl Rule {
    /// Whether a refusal by this rule ends where something else replaces the resource: the new one is made
    /// with the new value.
    pub fn ends_with_replacement(self) -> bool {
        matches!(self, Self::OnlyGrows | Self::FixedSize)
    }
}

/// What a change does, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What it does.
    pub outcome: Outcome,
    /// Why, where it is more than the schema's word.
    pub rule: Option<Rule>,
    /// The public page that says so.
    pub page: Option<Cow<'static, str>>,
}

/// A change of one property.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'v> {
    /// The property, with list indexes as numbers: `BlockDeviceMappings/0/Ebs/VolumeSize`.
    pub path: &'v str,
    /// Its value before; `None`: not set, or not known.
    pub before: Option<&'v Value>,
    /// Its value to be; `None`: not set, or not known.
    pub after: Option<&'v Value>,
    /// All properties before.
    pub properties: &'v Value,
}

/// Which changes a rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Any,
    Grows,
    Shrinks,
    Lowered,
}

struct Entry {
    resource: &'static str,
    paths: &'static [&'static str],
    when: When,
    /// Another property, and the value that it must have had.
    given: Option<(&'static str, &'static str)>,
    outcome: Outcome,
    rule: Rule,
    page: &'static str,
}

const INSTANCE: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-instance.html";
const FSX_UPDATE: &str = "https://docs.aws.amazon.com/fsx/latest/APIReference/API_UpdateFileSystem.html";

const fn of(resource: &'static str, paths: &'static [&'static str], outcome: Outcome, rule: Rule) -> Entry {
    Entry { resource, paths, when: When::Any, given: None, outcome, rule, page: "" }
}

impl Entry {
    const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    const fn given(mut self, property: &'static str, value: &'static str) -> Self {
        self.given = Some((property, value));
        self
    }

    const fn page(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }
}

static ENTRIES: &[Entry] = &[
    of("AWS::FSx::FileSystem", &["StorageCapacity"], Outcome::Refused, Rule::OnlyGrows)
        .when(When::Shrinks)
        .page("https://docs.aws.amazon.com/fsx/latest/LustreGuide/managing-storage-capacity.html"),
    // "For SCRATCH_1 file systems, you can't increase the storage capacity."
    of("AWS::FSx::FileSystem", &["StorageCapacity"], Outcome::Refused, Rule::FixedSize)
        .when(When::Grows)
        .given("LustreConfiguration/DeploymentType", "SCRATCH_1")
        .page(FSX_UPDATE),
    // FSx takes a newer version alone, CloudFormation's guide says replacement. So a lower one replaces for certain;
    // whether a higher one is an update stays open.
    of("AWS::FSx::FileSystem", &["FileSystemTypeVersion"], Outcome::Replaces, Rule::OnlyRaised)
        .when(When::Lowered)
        .page(FSX_UPDATE),
    // A change set speaks of `LustreConfiguration` as a whole; these parts of it are "No interruption" on the page of the
    // type, and UpdateFileSystem takes them.
    of(
        "AWS::FSx::FileSystem",
        &[
            "LustreConfiguration/AutoImportPolicy",
            "LustreConfiguration/AutomaticBackupRetentionDays",
            "LustreConfiguration/DailyAutomaticBackupStartTime",
            "LustreConfiguration/DataCompressionType",
            "LustreConfiguration/WeeklyMaintenanceStartTime",
        ],
        Outcome::InPlace,
        Rule::Stays,
    )
    .page("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-fsx-filesystem-lustreconfiguration.html"),
    of("AWS::EC2::Volume", &["Size"], Outcome::Refused, Rule::OnlyGrows)
        .when(When::Shrinks)
        .page("https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html"),
    of("AWS::RDS::DBInstance", &["AllocatedStorage"], Outcome::Refused, Rule::OnlyGrows)
        .when(When::Shrinks)
        .page("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.html"),
    // "You can modify only the DeleteOnTermination parameter [...] Modifying any other parameter results in instance
    // replacement."
    of("AWS::EC2::Instance", &["BlockDeviceMappings/*/Ebs/DeleteOnTermination"], Outcome::InPlace, Rule::Stays).page(
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-ec2-instance-blockdevicemapping.html",
    ),
    of("AWS::EC2::Instance", &["BlockDeviceMappings"], Outcome::Replaces, Rule::SetAtLaunch).page(
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-ec2-instance-blockdevicemapping.html",
    ),
    // "Some interruptions" for instances whose root device is an EBS volume, as those of all images that hpcctl takes are.
    of("AWS::EC2::Instance", &["InstanceType", "EbsOptimized", "UserData"], Outcome::Restarts, Rule::StopsAndStarts)
        .page(INSTANCE),
    // Replacement is for instances outside a VPC.
    of("AWS::EC2::Instance", &["SecurityGroupIds"], Outcome::InPlace, Rule::Stays).page(INSTANCE),
    of("AWS::EC2::Subnet", &["AvailabilityZone", "CidrBlock"], Outcome::Refused, Rule::PlaceStays)
        .page("https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"),
    of("AWS::EC2::VPC", &["CidrBlock"], Outcome::Refused, Rule::PlaceStays)
        .page("https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"),
    // What the schema calls conditional is "some interruptions" there.
    of(
        "AWS::RDS::DBInstance",
        &["AutoMinorVersionUpgrade", "BackupRetentionPeriod", "DBParameterGroupName", "MultiAZ", "PreferredMaintenanceWindow"],
        Outcome::InPlace,
        Rule::Stays,
    )
    .page("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-rds-dbinstance.html"),
    // A group is replaced where its UpdatePolicy says AutoScalingReplacingUpdate; hpcctl's have none.
    of(
        "AWS::AutoScaling::AutoScalingGroup",
        &["LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"],
        Outcome::InPlace,
        Rule::Stays,
    )
    .page("https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html"),
];

impl ResourceType {
    /// What a change of a property does, by the rules and else by the schema.
    pub fn ruling(&self, edit: Edit<'_>) -> Ruling {
        let changed = PropPath::new(edit.path);
        let here = |entry: &&Entry| {
            entry.resource == self.name && entry.paths.iter().any(|path| PropPath::new(path).covers(&changed))
        };
        if let Some(entry) = ENTRIES.iter().filter(here).find(|entry| entry.fits(edit)) {
            return Ruling { outcome: entry.outcome, rule: Some(entry.rule), page: Some(entry.page.into()) };
        }
        let outcome = match self.replacement(edit.path) {
            Replacement::Never => Outcome::InPlace,
            Replacement::Conditional => Outcome::MayReplace,
            Replacement::Always => Outcome::Replaces,
            Replacement::Refused => Outcome::Refused,
        };
        let rule = (outcome == Outcome::Refused).then_some(Rule::NoUpdate);
        Ruling { outcome, rule, page: self.documented_at(edit.path).map(Cow::Owned) }
    }

    /// The property that takes the tags of the resource's stack.
    pub fn tags_property(&self) -> Option<&'static str> {
        ["Tags", "FileSystemTags", "TagSpecifications"]
            .into_iter()
            .find(|name| self.properties.props.contains_key(*name))
    }
}

impl Entry {
    fn fits(&self, edit: Edit<'_>) -> bool {
        let given = self.given.is_none_or(|(property, value)| {
            edit.properties.pointer(&format!("/{property}")).and_then(Value::as_str) == Some(value)
        });
        given
            && match self.when {
                When::Any => true,
                When::Grows => numbers(edit) == Some(Ordering::Greater),
                When::Shrinks => numbers(edit) == Some(Ordering::Less),
                When::Lowered => versions(edit) == Some(Ordering::Less),
            }
    }
}

/// How the value to be compares with the one before.
fn numbers(edit: Edit<'_>) -> Option<Ordering> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    number(edit.after?)?.partial_cmp(&number(edit.before?)?)
}

/// The same for versions, number by number: 2.9 is lower than 2.15.
fn versions(edit: Edit<'_>) -> Option<Ordering> {
    let parts = |value: &Value| -> Option<Vec<u64>> { value.as_str()?.split('.').map(|n| n.parse().ok()).collect() };
    Some(parts(edit.after?)?.cmp(&parts(edit.before?)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::catalog::ResourceCatalog;
    use serde_json::json;

    fn ruling(kind: &str, path: &str, before: Value, after: Value, properties: Value) -> (Outcome, Option<Rule>) {
        let found = ResourceCatalog::embedded().get(kind).unwrap();
        let edit = Edit { path, before: Some(&before), after: Some(&after), properties: &properties };
        let ruling = found.ruling(edit);
        assert!(ruling.rule.is_none() || ruling.page.is_some(), "{kind} {path}");
        (ruling.outcome, ruling.rule)
    }

    fn simple(kind: &str, path: &str, before: Value, after: Value) -> (Outcome, Option<Rule>) {
        ruling(kind, path, before, after, json!({}))
    }

    #[test]
    fn entries_are_of_known_properties_and_have_public_pages() {
        for entry in ENTRIES {
            let found = ResourceCatalog::embedded().get(entry.resource).unwrap();
            for path in entry.paths {
                assert!(found.schema_at(path).is_some(), "{} {path}", entry.resource);
            }
            assert!(entry.page.starts_with("https://docs.aws.amazon.com/"), "{}", entry.resource);
        }
    }

    #[test]
    fn storage_only_grows() {
        let fsx = "AWS::FSx::FileSystem";
        let scratch_1 = json!({ "LustreConfiguration": { "DeploymentType": "SCRATCH_1" } });
        let scratch_2 = json!({ "LustreConfiguration": { "DeploymentType": "SCRATCH_2" } });
        let path = "StorageCapacity";
        assert_eq!(
            ruling(fsx, path, json!(2400), json!(1200), scratch_2.clone()),
            (Outcome::Refused, Some(Rule::OnlyGrows))
        );
        assert_eq!(ruling(fsx, path, json!(1200), json!(2400), scratch_2), (Outcome::InPlace, None));
        assert_eq!(ruling(fsx, path, json!(1200), json!(2400), scratch_1), (Outcome::Refused, Some(Rule::FixedSize)));
        for (kind, path) in [("AWS::EC2::Volume", "Size"), ("AWS::RDS::DBInstance", "AllocatedStorage")] {
            assert_eq!(simple(kind, path, json!("100"), json!("20")), (Outcome::Refused, Some(Rule::OnlyGrows)));
            assert_eq!(simple(kind, path, json!(20), json!(100)), (Outcome::InPlace, None));
        }
    }

    #[test]
    fn a_lower_version_replaces_and_a_higher_one_stays_open() {
        let change = |before, after| simple("AWS::FSx::FileSystem", "FileSystemTypeVersion", before, after);
        assert_eq!(change(json!("2.15"), json!("2.12")), (Outcome::Replaces, Some(Rule::OnlyRaised)));
        assert_eq!(change(json!("2.12"), json!("2.15")), (Outcome::MayReplace, None));
        assert_eq!(change(json!("2.15"), json!("2.9")), (Outcome::Replaces, Some(Rule::OnlyRaised)));
    }

    #[test]
    fn what_fsx_changes_in_place_stays() {
        let change = |part: &str| {
            let path = format!("LustreConfiguration/{part}");
            simple("AWS::FSx::FileSystem", &path, json!("a"), json!("b"))
        };
        for part in ["DataCompressionType", "WeeklyMaintenanceStartTime", "AutomaticBackupRetentionDays"] {
            assert_eq!(change(part), (Outcome::InPlace, Some(Rule::Stays)), "{part}");
        }
        assert_eq!(change("DeploymentType"), (Outcome::Replaces, None));
        assert_eq!(change("PerUnitStorageThroughput"), (Outcome::MayReplace, None));
    }

    #[test]
    fn instances() {
        let change = |path| simple("AWS::EC2::Instance", path, json!(1), json!(2)).0;
        assert_eq!(change("BlockDeviceMappings/0/Ebs/VolumeSize"), Outcome::Replaces);
        assert_eq!(change("BlockDeviceMappings"), Outcome::Replaces);
        assert_eq!(change("BlockDeviceMappings/0/Ebs/DeleteOnTermination"), Outcome::InPlace);
        for path in ["InstanceType", "EbsOptimized", "UserData"] {
            assert_eq!(change(path), Outcome::Restarts, "{path}");
        }
        assert_eq!(change("SecurityGroupIds"), Outcome::InPlace);
        assert_eq!(change("ImageId"), Outcome::Replaces);
    }

    #[test]
    fn what_has_no_update_and_what_stays() {
        assert_eq!(
            simple("AWS::EC2::Volume", "KmsKeyId", json!("a"), json!("b")),
            (Outcome::Refused, Some(Rule::NoUpdate))
        );
        for path in ["AvailabilityZone", "CidrBlock"] {
            let found = simple("AWS::EC2::Subnet", path, json!("a"), json!("b"));
            assert_eq!(found, (Outcome::Refused, Some(Rule::PlaceStays)));
        }
        assert_eq!(simple("AWS::EC2::VPC", "CidrBlock", json!("a"), json!("b")).0, Outcome::Refused);
        assert_eq!(simple("AWS::RDS::DBInstance", "MultiAZ", json!(false), json!(true)).0, Outcome::InPlace);
        assert_eq!(simple("AWS::RDS::DBInstance", "Engine", json!("a"), json!("b")).0, Outcome::MayReplace);
        let group = "AWS::AutoScaling::AutoScalingGroup";
        assert_eq!(simple(group, "LaunchTemplate/Version", json!("1"), json!("2")).0, Outcome::InPlace);
    }

    #[test]
    fn the_property_that_takes_tags() {
        let of = |kind| ResourceCatalog::embedded().get(kind).unwrap().tags_property();
        assert_eq!(of("AWS::EC2::PlacementGroup"), Some("Tags"));
        assert_eq!(of("AWS::EFS::FileSystem"), Some("FileSystemTags"));
        assert_eq!(of("AWS::EC2::LaunchTemplate"), Some("TagSpecifications"));
        assert_eq!(of("AWS::EC2::Route"), None);
    }
}
