//! What calls of the ports touch: the actions and resources that AWS judges them by.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>

use super::{
    super::{
        eval::plain,
        volumes,
        world::{ACCOUNT, World},
    },
    Access, principal,
};
use crate::cloud::FleetInput;
use serde_json::Value;
use std::collections::BTreeMap;

/// An action on an object of a bucket.
pub(in super::super) fn object(action: &str, bucket: &str, key: &str, owner: &str) -> Access {
    Access::new(action, format!("arn:aws:s3:::{bucket}/{key}")).with("aws:ResourceAccount", owner)
}

/// An action on a bucket.
pub(in super::super) fn bucket(action: &str, bucket: &str, prefix: Option<&str>, owner: &str) -> Access {
    let access = Access::new(action, format!("arn:aws:s3:::{bucket}")).with("aws:ResourceAccount", owner);
    match prefix {
        Some(prefix) => access.with("s3:prefix", prefix),
        None => access,
    }
}

/// An action on instances that are there.
pub(in super::super) fn instances(world: &World, region: &str, action: &str, ids: &[String]) -> Vec<Access> {
    let one = |id: &String| {
        let tags = world.instances.get(id).map(|instance| &instance.tags);
        Access::new(action, arn(region, "instance", id)).tagged("aws:ResourceTag", tags.into_iter().flatten())
    };
    ids.iter().map(one).collect()
}

/// Giving a volume to an instance, or taking it away: an action on both. Attaching one with a customer's key gives EC2 a
/// grant for the key, in the caller's name.
pub(in super::super) fn volume(world: &World, region: &str, action: &str, volume: &str, instance: &str) -> Vec<Access> {
    let made = volumes::made(world, volume);
    let tags = made.map(|one| &one.tags);
    let on = Access::new(action, arn(region, "volume", volume)).tagged("aws:ResourceTag", tags.into_iter().flatten());
    let mut all = vec![on];
    all.extend(instances(world, region, action, &[instance.to_owned()]));
    let key = made.and_then(|one| one.properties.get("KmsKeyId")).filter(|_| action == "ec2:AttachVolume");
    all.extend(key.map(|key| {
        let access = Access::new("kms:CreateGrant", plain(key));
        let through = format!("ec2.{region}.amazonaws.com");
        access.with("kms:ViaService", &through).with("kms:GrantIsForAWSResource", "true")
    }));
    all
}

fn arn(region: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{id}")
}

/// What a fleet needs, in the order in which it fails.
pub(in super::super) struct Fleet {
    /// For the call itself.
    pub call: Vec<Access>,
    /// For the launches, by template: without it the fleet answers with errors.
    pub launches: BTreeMap<String, Vec<Access>>,
    /// For the disks, by template: without it instances come and end.
    pub disks: BTreeMap<String, Vec<Access>>,
}

/// `CreateFleet` launches by `RunInstances` in the caller's name, with all that the launch template names.
pub(in super::super) fn fleet(world: &World, region: &str, input: &FleetInput) -> Fleet {
    let mut fleet = Fleet {
        call: vec![Access::new("ec2:CreateFleet", arn(region, "fleet", "*"))],
        launches: BTreeMap::new(),
        disks: BTreeMap::new(),
    };
    for template in &input.templates {
        let found = world.resources().map(|(_, one)| one).find(|one| one.physical == template.id);
        let data = found.and_then(|one| one.properties.get("LaunchTemplateData")).unwrap_or(&Value::Null);
        let tags = found.map(|one| one.tags.clone()).unwrap_or_default();
        let by =
            |action| Access::new(action, arn(region, "launch-template", &template.id)).tagged("aws:ResourceTag", &tags);
        fleet.call.push(by("ec2:CreateFleet"));
        let mut launch = vec![by("ec2:RunInstances")];
        launch.extend(run(world, region, input, data));
        fleet.launches.insert(template.id.clone(), launch);
        fleet.disks.insert(template.id.clone(), keys(region, data));
    }
    fleet
}

/// What an instance of this template is made of.
fn run(world: &World, region: &str, input: &FleetInput, data: &Value) -> Vec<Access> {
    let action = "ec2:RunInstances";
    let texts = |path: &str| data.pointer(path).and_then(Value::as_array).into_iter().flatten().map(plain);
    let groups = texts("/SecurityGroupIds").chain(texts("/NetworkInterfaces/0/Groups"));
    let mut tags = tags_of(data, "instance");
    tags.extend(input.tags.clone());
    let mut all = vec![
        Access::new(action, arn(region, "instance", "*")).tagged("aws:RequestTag", &tags),
        Access::new(action, arn(region, "volume", "*")),
        Access::new(action, arn(region, "network-interface", "*")),
        Access::new(action, format!("arn:aws:ec2:{region}::image/{}", plain(&data["ImageId"]))),
    ];
    all.extend(input.subnets.iter().map(|subnet| Access::new(action, arn(region, "subnet", subnet))));
    all.extend(groups.map(|group| Access::new(action, arn(region, "security-group", &group))));
    let one = |path: &str, kind: &str| Some(Access::new(action, arn(region, kind, &plain(data.pointer(path)?))));
    let target = "/CapacityReservationSpecification/CapacityReservationTarget";
    all.extend(one("/Placement/GroupName", "placement-group"));
    all.extend(one(&format!("{target}/CapacityReservationId"), "capacity-reservation"));
    let group = data.pointer(&format!("{target}/CapacityReservationResourceGroupArn")).map(plain);
    for action in ["ec2:RunInstances", "resource-groups:ListGroupResources"] {
        all.extend(group.iter().map(|group| Access::new(action, group)));
    }
    for kind in ["instance", "volume", "network-interface"] {
        let tags = tags_of(data, kind);
        let born = Access::new("ec2:CreateTags", arn(region, kind, "*")).with("ec2:CreateAction", "RunInstances");
        all.extend((!tags.is_empty()).then(|| born.tagged("aws:RequestTag", &tags)));
    }
    all.extend(pass_role(world, data));
    all
}

/// Handing the role in the template's profile to EC2. Of a profile that no stack made, the sandbox's IAM knows the role.
fn pass_role(world: &World, data: &Value) -> Option<Access> {
    let profile = plain(data.pointer("/IamInstanceProfile/Arn")?);
    let role = principal::role_of_profile(world, &profile).map(principal::role_arn);
    let users =
        || format!("arn:aws:iam::{ACCOUNT}:role/service/{}-role", profile.rsplit('/').next().unwrap_or_default());
    let access = Access::new("iam:PassRole", role.unwrap_or_else(users));
    Some(access.with("iam:PassedToService", "ec2.amazonaws.com"))
}

/// The customer's keys of the disks: the launch uses them in the caller's name, through EC2.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>
fn keys(region: &str, data: &Value) -> Vec<Access> {
    let devices = data.get("BlockDeviceMappings").and_then(Value::as_array).into_iter().flatten();
    let keys = devices.filter_map(|device| device.pointer("/Ebs/KmsKeyId")).map(plain);
    let through = format!("ec2.{region}.amazonaws.com");
    let actions = [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
    ];
    let uses = |key: String| {
        let through = through.clone();
        actions.into_iter().map(move |action| {
            let access = Access::new(action, key.clone()).with("kms:ViaService", &through);
            access.with("kms:GrantIsForAWSResource", "true")
        })
    };
    keys.flat_map(uses).collect()
}

fn tags_of(data: &Value, kind: &str) -> BTreeMap<String, String> {
    let specifications = data.get("TagSpecifications").and_then(Value::as_array).into_iter().flatten();
    let ours = specifications.filter(|one| one["ResourceType"] == kind).filter_map(|one| one["Tags"].as_array());
    ours.flatten().map(|tag| (plain(&tag["Key"]), plain(&tag["Value"]))).collect()
}
