//! Networks: security groups, subnets.

use crate::cloud::sandbox::{estate::Estate, eval::plain};
use serde_json::Value;
use std::{collections::BTreeSet, net::Ipv4Addr};

/// A group's own rules: none twice.
pub(super) fn group(properties: &Value) -> Option<String> {
    ["SecurityGroupIngress", "SecurityGroupEgress"].into_iter().find_map(|direction| {
        let mut seen = BTreeSet::new();
        let rules = properties.get(direction)?.as_array()?;
        rules.iter().find(|rule| !seen.insert(key(rule))).map(twice)
    })
}

/// A rule as a resource of its own: not there already, neither alone nor in the group.
pub(super) fn lone_rule(estate: &Estate<'_>, kind: &str, direction: &str, properties: &Value) -> Option<String> {
    let group = properties.get("GroupId")?.as_str()?;
    let lone = estate.resources().filter(|r| r.kind == kind && r.text("GroupId") == Some(group)).map(|r| &r.properties);
    let within = estate.find("AWS::EC2::SecurityGroup", group).and_then(|r| r.properties.get(direction)?.as_array());
    let mut others = lone.chain(within.into_iter().flatten());
    others.any(|other| key(other) == key(properties)).then(|| twice(properties))
}

pub(super) fn key(rule: &Value) -> Vec<String> {
    const PARTS: [&str; 9] = [
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIp",
        "CidrIpv6",
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
        "SourcePrefixListId",
        "DestinationPrefixListId",
    ];
    PARTS.iter().map(|part| rule.get(part).map(plain).unwrap_or_default()).collect()
}

fn twice(rule: &Value) -> String {
    let [protocol, from, to, cidr, ..] = &key(rule)[..] else { return String::new() };
    format!(
        "the specified rule \"peer: {cidr}, {protocol}, from port: {from}, to port: {to}, ALLOW\" already exists \
         (Service: Ec2, Status Code: 400, Error Code: InvalidPermission.Duplicate)"
    )
}

/// A subnet lies in its VPC and overlaps with no other.
pub(super) fn subnet(estate: &Estate<'_>, properties: &Value) -> Option<String> {
    let text = properties.get("CidrBlock")?.as_str()?;
    let vpc_id = properties.get("VpcId")?.as_str()?;
    let wanted = range(text)?;
    if let Some(vpc) = estate.find("AWS::EC2::VPC", vpc_id).and_then(|vpc| range(vpc.text("CidrBlock")?))
        && (wanted.0 < vpc.0 || wanted.1 > vpc.1)
    {
        return Some(format!(
            "The CIDR '{text}' is invalid. (Service: Ec2, Status Code: 400, Error Code: InvalidSubnet.Range)"
        ));
    }
    let others = estate.resources().filter(|r| r.kind == "AWS::EC2::Subnet" && r.text("VpcId") == Some(vpc_id));
    let overlaps = |other: (u32, u32)| wanted.0 <= other.1 && other.0 <= wanted.1;
    let conflict = others.filter_map(|r| range(r.text("CidrBlock")?)).any(overlaps);
    conflict.then(|| {
        format!("The CIDR '{text}' conflicts with another subnet (Service: Ec2, Status Code: 400, Error Code: InvalidSubnet.Conflict)")
    })
}

/// The first and the last address of `10.0.0.0/16`.
fn range(cidr: &str) -> Option<(u32, u32)> {
    let (address, bits) = cidr.split_once('/')?;
    let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
    let hosts = u32::MAX.checked_shr(bits.parse().ok()?).unwrap_or(0);
    Some((address & !hosts, address | hosts))
}

/// A database needs subnets in two zones; the zones of subnets that no stack made are not held against it.
pub(super) fn db_subnets(estate: &Estate<'_>, properties: &Value) -> Option<String> {
    let ids: BTreeSet<&str> = properties.get("SubnetIds")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let zone = |id: &&str| {
        let subnet = estate.find("AWS::EC2::Subnet", id)?;
        Some(
            subnet
                .attributes
                .get("AvailabilityZone")
                .map_or_else(|| estate.world.zone_of(&estate.stack.region, id), plain),
        )
    };
    let zones: Option<BTreeSet<String>> = ids.iter().map(zone).collect();
    let count = zones.map_or(ids.len(), |zones| zones.len());
    (count < 2).then(|| {
        format!(
            "Resource handler returned message: \"The DB subnet group doesn't meet Availability Zone (AZ) coverage \
             requirement. Current AZ coverage: {count}. Add subnets to cover at least 2 AZs. (Service: Rds, Status Code: \
             400)\" (HandlerErrorCode: InvalidRequest)"
        )
    })
}
