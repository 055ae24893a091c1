//! AWS regions and the partitions they belong to.
//!
//! From botocore's `partitions.json`, through `tools/catalog.py`. Availability zones are not listed:
//! which letters an account sees is the account's own fact.

use super::closest::closest as nearest;
use super::table::Table;

const TEXT: &str = include_str!("data/regions.txt");

/// A region of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// `eu-west-1`.
    pub name: &'static str,
    /// `Europe (Ireland)`.
    pub long_name: &'static str,
    /// Which AWS it belongs to.
    pub partition: Partition,
    /// What its service endpoints end with: `amazonaws.com`.
    pub dns_suffix: &'static str,
}

/// A separate AWS with its own accounts; its name is the second part of every ARN in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-cn`: China.
    China,
    /// `aws-us-gov`: GovCloud.
    UsGov,
    /// `aws-eusc`: the European Sovereign Cloud.
    EuSovereign,
    /// `aws-iso` and its siblings: isolated regions of governments, with their own suffix (`-b`).
    Isolated(&'static str),
}

impl Partition {
    /// The name in ARNs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::UsGov => "aws-us-gov",
            Self::EuSovereign => "aws-eusc",
            Self::Isolated(name) => name,
        }
    }

    fn parse(name: &'static str) -> Self {
        match name {
            "aws" => Self::Aws,
            "aws-cn" => Self::China,
            "aws-us-gov" => Self::UsGov,
            "aws-eusc" => Self::EuSovereign,
            other => Self::Isolated(other),
        }
    }
}

/// The region of that name. `None` also for a region newer than this table.
pub fn region(name: &str) -> Option<Region> {
    let (name, row) = Table::new(TEXT).rows().find(|(found, _)| *found == name)?;
    parse(name, row)
}

/// Every known region, sorted by name.
pub fn regions() -> impl Iterator<Item = Region> {
    Table::new(TEXT)
        .rows()
        .filter_map(|(name, row)| parse(name, row))
}

/// The partition of a region. `None` when the region is not known.
pub fn partition(region_name: &str) -> Option<Partition> {
    region(region_name).map(|r| r.partition)
}

/// The known region that a mistyped name most likely meant.
pub fn closest(name: &str) -> Option<&'static str> {
    nearest(name, Table::new(TEXT).names())
}

fn parse(name: &'static str, row: &'static str) -> Option<Region> {
    let mut fields = row.splitn(3, '\t');
    let partition = Partition::parse(fields.next()?);
    let dns_suffix = fields.next()?;
    let long_name = fields.next()?;
    Some(Region {
        name,
        long_name,
        partition,
        dns_suffix,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn regions_know_their_partition() {
        let ireland = region("eu-west-1").unwrap();
        assert_eq!(ireland.long_name, "Europe (Ireland)");
        assert_eq!(ireland.dns_suffix, "amazonaws.com");
        assert_eq!(partition("eu-west-1"), Some(Partition::Aws));
        assert_eq!(partition("cn-north-1").map(Partition::name), Some("aws-cn"));
        assert_eq!(
            partition("us-gov-west-1").map(Partition::name),
            Some("aws-us-gov")
        );
        assert_eq!(
            partition("us-iso-east-1"),
            Some(Partition::Isolated("aws-iso"))
        );
        assert_eq!(
            partition("eusc-de-east-1").map(Partition::name),
            Some("aws-eusc")
        );
        assert_eq!(partition("eu-west-9"), None);
        assert_eq!(partition("aws-global"), None);
    }

    #[test]
    fn every_row_parses() {
        assert_eq!(regions().count(), Table::new(TEXT).names().count());
        assert!(regions().count() >= 34);
    }

    #[test]
    fn a_typing_mistake_gets_a_suggestion() {
        assert_eq!(closest("eu-wets-1"), Some("eu-west-1"));
        assert_eq!(closest("eu_west_1"), Some("eu-west-1"));
        assert_eq!(closest("moon"), None);
    }
}
