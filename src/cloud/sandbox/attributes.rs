//! What `Fn::GetAtt` gives.

use super::{
    ids::{Naming, hex, number, uuid},
    inventory::made_up_zone,
    world::ACCOUNT,
};
use crate::catalog::ResourceCatalog;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The attributes of a resource with this physical id.
pub(super) fn of(naming: &Naming<'_>, physical: &str) -> BTreeMap<String, Value> {
    let mut found = general(naming, physical);
    found.extend(special(naming, physical));
    found
}

/// Everything that the schema calls read-only: ARNs, ids, and a made-up value for the rest.
fn general(naming: &Naming<'_>, physical: &str) -> BTreeMap<String, Value> {
    let catalog = ResourceCatalog::embedded().get(naming.kind);
    let names: Vec<String> = catalog.iter().flat_map(|kind| kind.attributes()).collect();
    names.into_iter().map(|name| (name.clone(), Value::from(guess(naming, physical, &name)))).collect()
}

fn guess(naming: &Naming<'_>, physical: &str, name: &str) -> String {
    match name {
        _ if name.to_ascii_lowercase().ends_with("arn") => arn(naming, physical),
        _ if name.ends_with("Id") || name.ends_with("Name") || name.ends_with("Ref") => physical.to_owned(),
        _ => format!("{physical}-{}", name.to_ascii_lowercase()),
    }
}

fn arn(naming: &Naming<'_>, physical: &str) -> String {
    if physical.starts_with("arn:") {
        return physical.to_owned();
    }
    let region = naming.region;
    let regional = |service: &str, what: String| format!("arn:aws:{service}:{region}:{ACCOUNT}:{what}");
    match naming.kind {
        "AWS::IAM::Role" => format!("arn:aws:iam::{ACCOUNT}:role{}{physical}", path(naming)),
        "AWS::IAM::InstanceProfile" => format!("arn:aws:iam::{ACCOUNT}:instance-profile{}{physical}", path(naming)),
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{physical}"),
        "AWS::Logs::LogGroup" => regional("logs", format!("log-group:{physical}:*")),
        "AWS::KMS::Key" => regional("kms", format!("key/{physical}")),
        "AWS::FSx::FileSystem" => regional("fsx", format!("file-system/{physical}")),
        "AWS::EFS::FileSystem" => regional("elasticfilesystem", format!("file-system/{physical}")),
        "AWS::RDS::DBInstance" => regional("rds", format!("db:{physical}")),
        "AWS::RDS::DBCluster" => regional("rds", format!("cluster:{physical}")),
        kind => {
            let mut parts = kind.split("::").skip(1).map(str::to_ascii_lowercase);
            let (service, what) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            regional(&service, format!("{what}/{physical}"))
        }
    }
}

fn path<'a>(naming: &'a Naming<'_>) -> &'a str {
    naming.properties.get("Path").and_then(Value::as_str).unwrap_or("/")
}

fn special(naming: &Naming<'_>, physical: &str) -> BTreeMap<String, Value> {
    let region = naming.region;
    let text = |name: &str| naming.properties.get(name).and_then(Value::as_str).unwrap_or_default();
    let values = match naming.kind {
        "AWS::FSx::FileSystem" => json!({
            "DNSName": format!("{physical}.fsx.{region}.amazonaws.com"),
            "LustreMountName": mount_name(naming, physical),
            "RootVolumeId": format!("fsvol-0{}", hex(&[physical, "root"], 16)),
        }),
        "AWS::EFS::FileSystem" => json!({ "FileSystemId": physical }),
        "AWS::EFS::MountTarget" => json!({ "IpAddress": private_ip(&[physical]) }),
        "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" => database(naming, physical),
        "AWS::EC2::Instance" => json!({
            "InstanceId": physical,
            "PrivateIp": private_ip(&[physical]),
            "PrivateDnsName": format!("ip-{}.{region}.compute.internal", private_ip(&[physical]).replace('.', "-")),
            "PublicIp": public_ip(&[physical]),
            "PublicDnsName": format!("ec2-{}.{region}.compute.amazonaws.com", public_ip(&[physical]).replace('.', "-")),
            "AvailabilityZone": made_up_zone(region, text("SubnetId")),
        }),
        "AWS::EC2::LaunchTemplate" => json!({
            "LaunchTemplateId": physical, "DefaultVersionNumber": "1", "LatestVersionNumber": "1",
        }),
        "AWS::EC2::EIP" => json!({
            "PublicIp": physical, "AllocationId": format!("eipalloc-0{}", naming.hex(16)),
        }),
        "AWS::EC2::VPC" => json!({
            "DefaultSecurityGroup": format!("sg-0{}", hex(&[physical, "default"], 16)),
            "DefaultNetworkAcl": format!("acl-0{}", hex(&[physical, "default"], 16)),
            "CidrBlockAssociations": [format!("vpc-cidr-assoc-0{}", hex(&[physical], 16))],
        }),
        "AWS::EC2::Subnet" => json!({
            "AvailabilityZone": naming.properties.get("AvailabilityZone").cloned()
                .unwrap_or_else(|| Value::from(made_up_zone(region, physical))),
        }),
        "AWS::EC2::SecurityGroup" => json!({ "GroupId": physical, "VpcId": text("VpcId") }),
        "AWS::EC2::NetworkInterface" => json!({ "PrimaryPrivateIpAddress": private_ip(&[physical]) }),
        "AWS::S3::Bucket" => json!({
            "DomainName": format!("{physical}.s3.amazonaws.com"),
            "RegionalDomainName": format!("{physical}.s3.{region}.amazonaws.com"),
            "DualStackDomainName": format!("{physical}.s3.dualstack.{region}.amazonaws.com"),
            "WebsiteURL": format!("http://{physical}.s3-website-{region}.amazonaws.com"),
        }),
        "AWS::IAM::Role" => json!({ "RoleId": format!("AROA{}", hex(&[physical], 17).to_ascii_uppercase()) }),
        "AWS::SNS::Topic" => json!({ "TopicName": naming.name() }),
        "AWS::SSM::Parameter" => json!({ "Value": text("Value"), "Type": text("Type") }),
        _ => Value::Object(Map::new()),
    };
    let Value::Object(values) = values else { return BTreeMap::new() };
    values.into_iter().collect()
}

/// SCRATCH_1 has the fixed name `fsx`, all others a random one.
fn mount_name(naming: &Naming<'_>, physical: &str) -> String {
    let deployment = naming.properties.pointer("/LustreConfiguration/DeploymentType").and_then(Value::as_str);
    if deployment.is_none_or(|d| d == "SCRATCH_1") { "fsx".to_owned() } else { hex(&[physical, "mount"], 8) }
}

fn database(naming: &Naming<'_>, physical: &str) -> Value {
    let text = |name: &str| naming.properties.get(name).map(super::eval::plain);
    let engine = text("Engine").unwrap_or_default();
    let port = text("Port").unwrap_or_else(|| if engine.contains("postgres") { "5432" } else { "3306" }.to_owned());
    let part = if naming.kind.ends_with("DBCluster") { "cluster-" } else { "" };
    let host = format!("{physical}.{part}{}.{}.rds.amazonaws.com", hex(&[naming.region], 12), naming.region);
    let resource = format!("db-{}", hex(&[physical, naming.stack], 26).to_ascii_uppercase());
    let secret = format!("secret:rds!{}-{}", uuid(&[physical, "secret"]), &hex(&[physical, "secret"], 6));
    json!({
        "Endpoint.Address": host, "Endpoint.Port": port, "Endpoint.HostedZoneId": "Z29XKXDKYMONMX",
        "ReadEndpoint.Address": host.replace(".cluster-", ".cluster-ro-"),
        "DbiResourceId": resource, "DBClusterResourceId": resource,
        "MasterUserSecret.SecretArn": format!("arn:aws:secretsmanager:{}:{ACCOUNT}:{secret}", naming.region),
    })
}

/// A private address from these words.
pub(super) fn private_ip(words: &[&str]) -> String {
    let part = |n: &str, limit| number(&[words, &[n]].concat(), limit);
    format!("10.0.{}.{}", part("c", 256), part("d", 250) + 4)
}

/// A public address (of a documentation range) from these words.
pub(super) fn public_ip(words: &[&str]) -> String {
    format!("203.0.113.{}", number(&[words, &["public"]].concat(), 254) + 1)
}
