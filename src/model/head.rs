//! The head stack: the node that runs slurmctld, the logs of all nodes, and login nodes.

use super::{
    Resource, Stack, StackKey, Val, flow_logs, head_role, login,
    machine::{self, metadata, os_name, user_data},
    names,
    node_role::NodeRole,
    props::Props,
    site::Site,
    tags,
};
use crate::{catalog::EbsOptimized, spec::Path};

const USER_DATA: &str = include_str!("../../templates/user-data/head.sh");

/// The head stack.
pub(super) fn head(site: Site<'_>) -> Stack {
    let description = format!("hpcctl cluster {}: head and login nodes", site.cluster.name);
    let cause = Path::from("head_node");
    let mut stack = Stack::new(StackKey::Head, description, cause.clone());
    stack.bucket();
    // A group of that name that exists goes on: CloudFormation would refuse to make it.
    if site.cluster.monitoring.logs.enabled && site.ground.log_group.is_none() {
        let group = flow_logs::log_group(site, "head.log_group", Path::from("monitoring.logs"))
            .set("LogGroupName", names::log_group(site.cluster))
            .set("Tags", tags::named(site.cluster, "head", "logs"));
        let group = stack.add("LogGroup", group);
        stack.output("LogGroupName", group);
    }
    let instance = instance(site, &mut stack, &cause);
    let instance = stack.add("HeadInstance", instance);
    stack.output("HeadInstanceId", instance.clone());
    stack.output("HeadPrivateIp", Val::att("HeadInstance", "PrivateIp"));
    stack.output("HeadPrivateDnsName", Val::att("HeadInstance", "PrivateDnsName"));
    if site.cluster.head_node.elastic_ip {
        let address = Resource::new("AWS::EC2::EIP", "head.elastic_ip", cause.key("elastic_ip"))
            .set("Domain", "vpc")
            .set("InstanceId", instance)
            .set("Tags", tags::named(site.cluster, "head", "head"));
        let address = stack.add("HeadElasticIp", address);
        stack.output("HeadElasticIp", address);
    }
    for (index, pool) in site.cluster.login_nodes.iter().enumerate() {
        login::add(site, &mut stack, index, pool);
    }
    stack
}

fn instance(site: Site<'_>, stack: &mut Stack, cause: &Path) -> Resource {
    let node = &site.cluster.head_node;
    // A role of the user's own has what its owner gave it.
    let own = node.iam.as_ref().is_some_and(|iam| iam.role.is_some() || iam.instance_profile.is_some());
    let statements = if own { Vec::new() } else { head_role::statements(site, stack) };
    let role = NodeRole {
        id: "Head".to_owned(),
        address: "head".to_owned(),
        cause: cause.clone(),
        iam: node.iam.as_ref(),
        actions: node.custom_actions.as_ref(),
        statements,
    };
    let profile = role.build(site, stack);
    let known = site.catalog.get(node.instance_type.as_str());
    let optimized = known.as_ref().map(|known| known.ebs_optimized != EbsOptimized::Unsupported);
    let cpu = known.as_ref().filter(|_| !node.hyperthreading).and_then(machine::one_thread);
    let tokens = [
        ("@@CLUSTER@@", site.cluster.name.as_str()),
        ("@@OS@@", os_name(site.cluster.image.os)),
        ("@@PROXY@@", site.proxy()),
        ("@@NO_PROXY@@", &names::no_proxy(site.cluster)),
    ];
    let image = site.image(stack, node.ami.as_ref(), &node.instance_type);
    let root = root_volume(site, stack, &image, cause);
    let subnet = site.head_subnet(stack, node.subnet.as_ref());
    let groups = site.groups(stack, Some("HeadSecurityGroup"), &node.additional_security_groups);
    let resource = Resource::new("AWS::EC2::Instance", "head.instance", cause.clone())
        .set("InstanceType", node.instance_type.as_str())
        .set("ImageId", image)
        .set("SubnetId", subnet)
        .set("SecurityGroupIds", groups)
        .set("IamInstanceProfile", profile.name)
        .maybe("KeyName", node.key_name.as_deref())
        .maybe("CpuOptions", cpu)
        .maybe("EbsOptimized", optimized)
        .set(root.0, root.1)
        .set("MetadataOptions", metadata(false))
        .set("Monitoring", true)
        .set("DisableApiTermination", site.cluster.deletion_protection)
        .set("InstanceInitiatedShutdownBehavior", "stop")
        .set("PropagateTagsToVolumeOnCreation", true)
        .set("UserData", user_data(USER_DATA, &tokens))
        .set("Tags", tags::named(site.cluster, "head", "head"));
    because(site, resource, cause)
}

/// The root volume. An instance by itself cannot say the throughput; a launch template can.
fn root_volume(site: Site<'_>, stack: &mut Stack, image: &Val, cause: &Path) -> (&'static str, Val) {
    let volume = &site.cluster.head_node.root_volume;
    let mapping = site.root_device(image, volume);
    if machine::throughput(volume.volume_type, volume.throughput_mib).is_none() {
        return ("BlockDeviceMappings", mapping);
    }
    let own = tags::own(site.cluster, "head");
    let template = Resource::new("AWS::EC2::LaunchTemplate", "head.root_volume", cause.key("root_volume"))
        .set(
            "LaunchTemplateData",
            Props::new().set("BlockDeviceMappings", mapping).set("MetadataOptions", metadata(false)),
        )
        .set("TagSpecifications", tags::specifications(&["launch-template"], own));
    let template = stack.add("HeadRootVolume", template);
    let version = Val::att("HeadRootVolume", "LatestVersionNumber");
    ("LaunchTemplate", Props::new().set("LaunchTemplateId", template).set("Version", version).into())
}

fn because(site: Site<'_>, resource: Resource, cause: &Path) -> Resource {
    let node = &site.cluster.head_node;
    let image = if node.ami.is_some() { cause.key("ami") } else { Path::from("image") };
    let subnet = if node.subnet.is_some() { cause.key("subnet") } else { Path::from("network.head_node_subnet") };
    resource
        .because("InstanceType", cause.key("instance_type"))
        .because("ImageId", image)
        .because("SubnetId", subnet)
        .because("SecurityGroupIds", cause.key("additional_security_groups"))
        .because("IamInstanceProfile", cause.key("iam"))
        .because("KeyName", cause.key("key_name"))
        .because("CpuOptions", cause.key("hyperthreading"))
        .because("BlockDeviceMappings", cause.key("root_volume"))
        .because("UserData", Path::from("network.http_proxy"))
        .because("DisableApiTermination", Path::from("deletion_protection"))
}
