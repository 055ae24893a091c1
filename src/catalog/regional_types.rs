//! Resource types that CloudFormation does not have everywhere.
//!
//! From the schemas that CloudFormation publishes for each region, as cfn-lint 1.58 carries them:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html>. Of the types that a
//! cluster is made of, these two are missing somewhere; `tests/regional-types` holds the lists against cfn-lint's.

/// Regions without `AWS::Budgets::Budget`.
const WITHOUT_BUDGETS: [&str; 19] = [
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
    "us-gov",
];
/// Regions without `AWS::FSx::FileSystem`.
const WITHOUT_FSX: [&str; 1] = ["ap-southeast-6"];

/// Whether CloudFormation lacks a type in a region.
pub fn is_missing(resource_type: &str, region: &str) -> bool {
    let list: &[&str] = match resource_type {
        "AWS::Budgets::Budget" => &WITHOUT_BUDGETS,
        "AWS::FSx::FileSystem" => &WITHOUT_FSX,
        _ => &[],
    };
    list.iter().any(|one| region == *one || (*one == "us-gov" && region.starts_with("us-gov-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_not_everywhere() {
        assert!(
            is_missing("AWS::Budgets::Budget", "us-gov-west-1") && is_missing("AWS::Budgets::Budget", "eu-north-1")
        );
        assert!(!is_missing("AWS::Budgets::Budget", "eu-west-1") && !is_missing("AWS::Budgets::Budget", "cn-north-1"));
        assert!(is_missing("AWS::FSx::FileSystem", "ap-southeast-6"));
    }
}
