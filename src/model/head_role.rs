//! What the head node may do: launch, tag and end the cluster's own compute nodes, and little else.

use super::{
    Stack, Val, accounting, names,
    names::{CLUSTER_TAG, NODE_TAG, ROLE_TAG},
    node_role::{dcv_licence, own_bucket, read_artifacts, read_munge_key, write_logs},
    policy::{Statement, text},
    site::Site,
};
use crate::spec::{Arn, Cluster, NodeIam, Purchase};
use std::collections::BTreeSet;

/// The statements of the head node's policy.
pub(super) fn statements(site: Site<'_>, stack: &mut Stack) -> Vec<Statement> {
    let mut all = read_artifacts(site, None);
    all.push(write_status(site.cluster));
    all.push(end_orders(site.cluster));
    all.extend(write_logs(site));
    all.push(put_metrics());
    all.extend(launch(site.cluster));
    all.extend(tag(site.cluster));
    all.push(terminate(site.cluster));
    all.extend(attach(site, stack));
    all.push(look());
    all.extend(use_keys(site.cluster));
    all.push(pass_roles(site, stack));
    all.push(service_roles(site.cluster));
    all.push(read_munge_key(site, stack));
    all.extend(dcv_licence(site.cluster.head_node.dcv.as_ref()));
    let secrets = accounting::secrets(site, stack);
    if !secrets.is_empty() {
        let read = Statement::allow("ReadDatabase", &["secretsmanager:GetSecretValue"]);
        all.push(secrets.into_iter().fold(read, Statement::on_val));
    }
    all
}

fn ec2(kind: &str) -> String {
    format!("arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*")
}

fn request_tag(key: &str) -> String {
    format!("aws:RequestTag/{key}")
}

fn resource_tag(key: &str) -> String {
    format!("aws:ResourceTag/{key}")
}

/// Reports for people, and the objects from which compute nodes learn their names.
fn write_status(cluster: &Cluster) -> Statement {
    let prefix = names::prefix(cluster);
    let write = own_bucket(Statement::allow("WriteStatus", &["s3:PutObject", "s3:DeleteObject"]));
    ["status", "launches"].iter().fold(write, |all, folder| {
        all.on(format!("arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{prefix}/{folder}/*"))
    })
}

/// Orders of people end when they are carried out; giving them is not the head node's.
fn end_orders(cluster: &Cluster) -> Statement {
    let prefix = names::prefix(cluster);
    own_bucket(Statement::allow("EndOrders", &["s3:DeleteObject"]))
        .on(format!("arn:${{AWS::Partition}}:s3:::${{ArtifactBucket}}/{prefix}/orders/*"))
}

/// Disk and memory, by the CloudWatch agent. Slurm's numbers are log events that CloudWatch itself makes metrics of.
fn put_metrics() -> Statement {
    // PutMetricData knows no resources; the namespace is what there is to narrow it by.
    let put = Statement::allow("PutMetrics", &["cloudwatch:PutMetricData"]).on("*");
    put.when("StringEquals", "cloudwatch:namespace", names::METRICS)
}

/// Launching: only from the cluster's launch templates, and only instances that carry the cluster's tag.
///
/// `CreateFleet` itself launches nothing: each launch is judged once more as `RunInstances`, with the tags.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-prerequisites.html>
fn launch(cluster: &Cluster) -> Vec<Statement> {
    let name = cluster.name.as_str();
    let templates = Statement::allow("LaunchFromTemplates", &["ec2:CreateFleet", "ec2:RunInstances"])
        .on(ec2("launch-template"))
        .when("StringEquals", &resource_tag(CLUSTER_TAG), name);
    let instances = Statement::allow("LaunchTagged", &["ec2:RunInstances"]).on(ec2("instance")).when(
        "StringEquals",
        &request_tag(CLUSTER_TAG),
        name,
    );
    let kinds = ["network-interface", "subnet", "security-group", "volume", "capacity-reservation", "placement-group"];
    let with = Statement::allow("LaunchWith", &["ec2:CreateFleet", "ec2:RunInstances"])
        .on("arn:${AWS::Partition}:ec2:${AWS::Region}::image/*")
        .on("arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*");
    let with = kinds.iter().fold(with, |all, kind| all.on(ec2(kind)));
    let groups: BTreeSet<&str> = cluster
        .queues
        .iter()
        .flat_map(|queue| &queue.pools)
        .filter_map(|pool| pool.capacity_reservation.as_ref()?.resource_group.as_ref())
        .map(Arn::as_str)
        .collect();
    // A group of reservations is a resource of the launch, and EC2 lists it in the caller's name.
    let actions = ["ec2:CreateFleet", "ec2:RunInstances", "resource-groups:ListGroupResources"];
    let reserved = (!groups.is_empty())
        .then(|| groups.iter().fold(Statement::allow("LaunchIntoGroups", &actions), |all, group| all.on(group)));
    let fleets = Statement::allow("Fleets", &["ec2:CreateFleet"]).on(ec2("fleet")).on(ec2("instance"));
    [templates, instances, with, fleets].into_iter().chain(reserved).collect()
}

/// Tagging: what is being launched, and the node's name on what is there.
fn tag(cluster: &Cluster) -> Vec<Statement> {
    let kinds = ["instance", "volume", "network-interface", "fleet"];
    let born = Statement::allow("TagLaunched", &["ec2:CreateTags"]).when(
        "StringEquals",
        "ec2:CreateAction",
        Val::list(["CreateFleet", "RunInstances"]),
    );
    let named = Statement::allow("TagNodes", &["ec2:CreateTags"])
        .on(ec2("instance"))
        .when("StringEquals", &resource_tag(CLUSTER_TAG), cluster.name.as_str())
        .when("StringEquals", &resource_tag(ROLE_TAG), "compute")
        .when("ForAllValues:StringEquals", "aws:TagKeys", Val::list(["Name", NODE_TAG]));
    vec![kinds.iter().fold(born, |all, kind| all.on(ec2(kind))), named]
}

fn terminate(cluster: &Cluster) -> Statement {
    Statement::allow("EndNodes", &["ec2:TerminateInstances"])
        .on(ec2("instance"))
        .when("StringEquals", &resource_tag(CLUSTER_TAG), cluster.name.as_str())
        .when("StringEquals", &resource_tag(ROLE_TAG), "compute")
}

/// What lasts longer than a head node: its volumes, and the address by which the other nodes know it.
///
/// `AttachVolume` and `DetachVolume` are judged on the volume and on the instance. A volume that the user brings has no tag
/// of the cluster and is named. An interface of a stack's instance has no tags at all: its subnet narrows it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>
fn attach(site: Site<'_>, stack: &mut Stack) -> Vec<Statement> {
    let name = site.cluster.name.as_str();
    let actions = ["ec2:AttachVolume", "ec2:DetachVolume"];
    let mut all = vec![
        Statement::allow("AttachVolumes", &actions)
            .on(ec2("volume"))
            .on(ec2("instance"))
            .when("StringEquals", &resource_tag(CLUSTER_TAG), name)
            .when("StringEquals", &resource_tag(ROLE_TAG), Val::list(["head", "storage"])),
    ];
    let own = site.cluster.storage.iter().filter_map(|one| one.ebs.as_ref()?.volume_id.as_ref());
    let arn = |id: &crate::spec::VolumeId| ec2("volume").replace("/*", &format!("/{}", id.as_str()));
    let arns: BTreeSet<String> = own.map(arn).collect();
    if !arns.is_empty() {
        all.push(arns.iter().fold(Statement::allow("AttachOwnVolumes", &actions), |all, arn| all.on(arn)));
    }
    let subnet = match site.head_subnet(stack, site.cluster.head_node.subnet.as_ref()) {
        Val::Ref(parameter) => format!("${{{parameter}}}"),
        Val::Str(id) => id,
        _ => "*".to_owned(),
    };
    let address = Statement::allow("TakeAddress", &["ec2:AssignPrivateIpAddresses"]).on(ec2("network-interface"));
    let subnet = ec2("subnet").replace("/*", &format!("/{subnet}"));
    all.push(address.when("ArnEquals", "ec2:Subnet", super::policy::text(&subnet)));
    all
}

/// What `hpcctl node` asks of EC2; its Describe calls know no resources.
fn look() -> Statement {
    let region = Val::reference("AWS::Region");
    Statement::allow("Look", &["ec2:DescribeInstanceStatus", "ec2:DescribeInstances", "ec2:DescribeVolumes"])
        .on("*")
        .when("StringEquals", "aws:RequestedRegion", region)
}

/// Passing roles on to EC2: those of its compute nodes, and those that the user gave to queues.
fn pass_roles(site: Site<'_>, stack: &mut Stack) -> Statement {
    let cluster = site.cluster;
    let pass = Statement::allow("PassRoles", &["iam:PassRole"])
        .on(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{}*", names::compute_iam_path(cluster)))
        .when("StringEquals", "iam:PassedToService", Val::list(["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]));
    let nodes: Vec<&NodeIam> = cluster.queues.iter().filter_map(|queue| queue.iam.as_ref()).collect();
    let profiles: BTreeSet<&Arn> = nodes.iter().filter_map(|node| node.instance_profile.as_ref()).collect();
    let roles = nodes.iter().filter(|node| node.instance_profile.is_none()).filter_map(|node| node.role.as_ref());
    let roles: BTreeSet<&str> = roles.map(Arn::as_str).collect();
    let pass = roles.iter().fold(pass, |all, arn| all.on(arn));
    profiles.into_iter().fold(pass, |all, profile| all.on_val(stack.role_of(profile)))
}

/// The keys of compute nodes' disks, and of the volumes that the head node attaches: whoever launches or attaches must be
/// able to use them, and to let EC2 use them, through EC2 alone.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>
fn use_keys(cluster: &Cluster) -> Vec<Statement> {
    let disks = cluster.queues.iter().filter_map(|queue| queue.root_volume.kms_key.as_ref());
    let own = cluster.head_node.data_volume.kms_key.as_ref();
    let volumes = cluster.storage.iter().filter_map(|storage| storage.ebs.as_ref()?.kms_key.as_ref());
    let keys: BTreeSet<&str> = disks.chain(own).chain(volumes).map(Arn::as_str).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let through = || text("ec2.${AWS::Region}.${AWS::URLSuffix}");
    let actions = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"];
    let using = Statement::allow("UseKeys", &actions).when("StringEquals", "kms:ViaService", through());
    let grant = Statement::allow("GrantKeys", &["kms:CreateGrant"])
        .when("StringEquals", "kms:ViaService", through())
        .when("Bool", "kms:GrantIsForAWSResource", "true");
    [using, grant].into_iter().map(|statement| keys.iter().fold(statement, |all, key| all.on(key))).collect()
}

/// The roles that EC2 makes for itself in an account that has never had a fleet or a spot instance.
fn service_roles(cluster: &Cluster) -> Statement {
    let pools = || cluster.queues.iter().flat_map(|queue| &queue.pools);
    let spot = pools().any(|pool| pool.purchase == Purchase::Spot);
    let services = if spot { vec!["ec2fleet", "spot"] } else { vec!["ec2fleet"] };
    let names: Vec<String> = services.iter().map(|service| format!("{service}.amazonaws.com")).collect();
    let base = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role";
    let create = Statement::allow("ServiceRoles", &["iam:CreateServiceLinkedRole"]);
    let create = names.iter().fold(create, |all, name| all.on(format!("{base}/{name}/*")));
    create.when("StringEquals", "iam:AWSServiceName", Val::list(names))
}
