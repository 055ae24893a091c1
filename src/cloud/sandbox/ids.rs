//! Physical ids in AWS's shapes, the same in every run.

use super::world::ACCOUNT;
use crate::catalog::ResourceCatalog;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// So many hexadecimal digits of the digest of these words.
pub(super) fn hex(words: &[&str], digits: usize) -> String {
    let digest = Sha256::digest(words.join("\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..digits.min(64)].to_owned()
}

/// A number below `limit` from these words.
pub(super) fn number(words: &[&str], limit: u64) -> u64 {
    u64::from_str_radix(&hex(words, 12), 16).unwrap_or(0) % limit.max(1)
}

/// A UUID from these words.
pub(super) fn uuid(words: &[&str]) -> String {
    let hex = hex(words, 32);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}

/// Ids with 17 hexadecimal digits after a prefix, by type.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>
const PREFIXES: &[(&str, &str)] = &[
    ("AWS::EC2::CapacityReservation", "cr"),
    ("AWS::EC2::EIPAssociation", "eipassoc"),
    ("AWS::EC2::FlowLog", "fl"),
    ("AWS::EC2::Instance", "i"),
    ("AWS::EC2::InternetGateway", "igw"),
    ("AWS::EC2::LaunchTemplate", "lt"),
    ("AWS::EC2::NatGateway", "nat"),
    ("AWS::EC2::NetworkInterface", "eni"),
    ("AWS::EC2::RouteTable", "rtb"),
    ("AWS::EC2::SecurityGroup", "sg"),
    ("AWS::EC2::SecurityGroupEgress", "sgr"),
    ("AWS::EC2::SecurityGroupIngress", "sgr"),
    ("AWS::EC2::Subnet", "subnet"),
    ("AWS::EC2::SubnetRouteTableAssociation", "rtbassoc"),
    ("AWS::EC2::VPC", "vpc"),
    ("AWS::EC2::VPCEndpoint", "vpce"),
    ("AWS::EC2::Volume", "vol"),
    ("AWS::EFS::AccessPoint", "fsap"),
    ("AWS::EFS::FileSystem", "fs"),
    ("AWS::EFS::MountTarget", "fsmt"),
    ("AWS::FSx::DataRepositoryAssociation", "dra"),
    ("AWS::FSx::FileSystem", "fs"),
    ("AWS::FSx::Snapshot", "fsvolsnap"),
    ("AWS::FSx::StorageVirtualMachine", "svm"),
    ("AWS::FSx::Volume", "fsvol"),
];

/// What a physical id is made from.
pub(super) struct Naming<'a> {
    pub region: &'a str,
    pub stack: &'a str,
    pub logical: &'a str,
    pub kind: &'a str,
    pub properties: &'a Value,
    /// Makes a replacement's id another one.
    pub nth: u64,
}

impl Naming<'_> {
    /// The physical id.
    pub fn physical(&self) -> String {
        if let Some((_, prefix)) = PREFIXES.iter().find(|(kind, _)| *kind == self.kind) {
            return format!("{prefix}-0{}", self.hex(16));
        }
        let name = || self.name();
        match self.kind {
            "AWS::EC2::EIP" => self.public_ip(),
            "AWS::EC2::Route" => format!("{}|{}", self.text("RouteTableId"), self.text("DestinationCidrBlock")),
            "AWS::EC2::VPCGatewayAttachment" => format!("IGW|{}", self.text("VpcId")),
            "AWS::EC2::VolumeAttachment" => format!("{}|{}", self.text("VolumeId"), self.text("InstanceId")),
            "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{ACCOUNT}:policy/{}", name()),
            "AWS::KMS::Key" => uuid(&[self.stack, self.logical, &self.nth.to_string()]),
            "AWS::S3::BucketPolicy" => self.text("Bucket").to_owned(),
            "AWS::S3::Bucket" => name().to_ascii_lowercase(),
            "AWS::SNS::Topic" => self.arn("sns", &name()),
            "AWS::SNS::Subscription" => format!("{}:{}", self.text("TopicArn"), uuid(&[self.stack, self.logical])),
            "AWS::SecretsManager::Secret" => self.arn("secretsmanager", &format!("secret:{}-{}", name(), self.hex(6))),
            kind if kind.starts_with("AWS::ElasticLoadBalancingV2::") => {
                let part = kind.rsplit("::").next().unwrap_or_default().to_ascii_lowercase();
                self.arn("elasticloadbalancing", &format!("{part}/{}/{}", name(), self.hex(16)))
            }
            kind if kind.starts_with("AWS::RDS::") => name().to_ascii_lowercase(),
            _ => name(),
        }
    }

    /// The name that the template gives, or one in CloudFormation's manner.
    pub fn name(&self) -> String {
        if let Some(given) = given_name(self.kind, self.properties) {
            return given;
        }
        format!("{}-{}-{}", self.stack, self.logical, self.hex(12).to_ascii_uppercase())
    }

    fn arn(&self, service: &str, what: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{what}", self.region)
    }

    fn public_ip(&self) -> String {
        let part = |n: &str| number(&[self.stack, self.logical, n, &self.nth.to_string()], 254) + 1;
        format!("198.51.{}.{}", part("c"), part("d"))
    }

    fn text(&self, name: &str) -> &str {
        self.properties.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Digits of this resource.
    pub fn hex(&self, digits: usize) -> String {
        hex(&[self.region, self.stack, self.logical, self.kind, &self.nth.to_string()], digits)
    }
}

/// The name that a template gives a resource, where the name is (part of) the identity: such names are unique, and
/// CloudFormation does not replace a resource that has one.
pub(super) fn given_name(kind: &str, properties: &Value) -> Option<String> {
    let property = name_property(kind)?;
    let found = property.split('/').try_fold(properties, |value, part| value.get(part))?;
    found.as_str().map(str::to_owned)
}

/// The property that names a resource of a type.
fn name_property(kind: &str) -> Option<String> {
    match kind {
        "AWS::Budgets::Budget" => return Some("Budget/BudgetName".to_owned()),
        "AWS::EC2::LaunchTemplate" => return Some("LaunchTemplateName".to_owned()),
        "AWS::IAM::ManagedPolicy" => return Some("ManagedPolicyName".to_owned()),
        "AWS::SNS::Topic" => return Some("TopicName".to_owned()),
        "AWS::SecretsManager::Secret" | "AWS::Events::Rule" => return Some("Name".to_owned()),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" | "AWS::ElasticLoadBalancingV2::TargetGroup" => {
            return Some("Name".to_owned());
        }
        "AWS::S3::BucketPolicy" | "AWS::EC2::EIP" => return None,
        _ => {}
    }
    let found = ResourceCatalog::embedded().get(kind)?;
    let [only] = found.primary_identifier.as_slice() else { return None };
    let settable = !found.read_only.iter().any(|path| path.covers(only));
    settable.then(|| only.as_str().to_owned())
}
