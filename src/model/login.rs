//! Login nodes: a group of machines that keeps its size, behind a load balancer for SSH.

use super::{
    Resource, Stack, Val,
    machine::{metadata, os_name, user_data},
    names::camel,
    node_role::{NodeRole, dcv_licence, read_artifacts, read_head_address, write_logs},
    props::Props,
    site::Site,
    tags,
};
use crate::spec::{Cidr, LoginPool, Path};

const USER_DATA: &str = include_str!("../../templates/user-data/login.sh");
const SSH: u32 = 22;

/// Adds a pool of login nodes.
pub(super) fn add(site: Site<'_>, stack: &mut Stack, index: usize, pool: &LoginPool) {
    let cause = Path::from("login_nodes").index(index);
    let mut builder = Builder {
        site,
        pool,
        id: format!("Login{}", camel(pool.name.as_str())),
        address: format!("login.{}", pool.name),
        cause,
    };
    builder.launch_template(stack);
    builder.group(stack);
    if !pool.ssh_from.is_empty() {
        builder.balancer(stack);
    }
}

struct Builder<'c> {
    site: Site<'c>,
    pool: &'c LoginPool,
    id: String,
    address: String,
    cause: Path,
}

impl Builder<'_> {
    fn resource(&self, kind: &'static str, name: &str) -> Resource {
        Resource::new(kind, format!("{}.{name}", self.address), self.cause.clone())
    }

    fn name(&self) -> String {
        format!("login-{}", self.pool.name)
    }

    fn profile(&self, stack: &mut Stack) -> Val {
        let mut statements = read_artifacts(self.site, Some("login"));
        statements.extend(write_logs(self.site));
        statements.push(read_head_address(self.site));
        statements.extend(dcv_licence(self.pool.dcv.as_ref()));
        let role = NodeRole {
            id: self.id.clone(),
            address: self.address.clone(),
            cause: self.cause.clone(),
            iam: self.pool.iam.as_ref(),
            actions: self.pool.custom_actions.as_ref(),
            statements,
        };
        role.build(self.site, stack).arn
    }

    fn launch_template(&mut self, stack: &mut Stack) {
        let (site, pool) = (self.site, self.pool);
        let profile = self.profile(stack);
        let own = tags::own(site.cluster, "login");
        let name = format!("{}-{}", site.cluster.name, self.name());
        let all = tags::launched([&site.cluster.tags], own.clone(), name);
        let tokens = [
            ("@@CLUSTER@@", site.cluster.name.as_str()),
            ("@@POOL@@", pool.name.as_str()),
            ("@@OS@@", os_name(site.cluster.image.os)),
            ("@@PROXY@@", site.proxy()),
            ("@@NO_PROXY@@", &super::names::no_proxy(site.cluster)),
        ];
        stack.bucket();
        let groups = format!("{}SecurityGroup", self.id);
        let image = site.image(stack, pool.ami.as_ref(), &pool.instance_type);
        let data = Props::new()
            .set("InstanceType", pool.instance_type.as_str())
            .set("BlockDeviceMappings", site.root_device(&image, &pool.root_volume))
            .set("ImageId", image)
            .set("SecurityGroupIds", site.groups(stack, Some(&groups), &pool.additional_security_groups))
            .set("IamInstanceProfile", Props::new().set("Arn", profile))
            .maybe("KeyName", pool.key_name.as_deref())
            .set("MetadataOptions", metadata(tags::fit_metadata(&all)))
            .set("TagSpecifications", tags::specifications(&["instance", "volume", "network-interface"], all))
            .set("UserData", user_data(USER_DATA, &tokens));
        let template = self
            .resource("AWS::EC2::LaunchTemplate", "launch_template")
            .set("LaunchTemplateData", data)
            .set("TagSpecifications", tags::specifications(&["launch-template"], own))
            .because("LaunchTemplateData/InstanceType", self.cause.key("instance_type"))
            .because("LaunchTemplateData/ImageId", self.cause.key("ami"))
            .because("LaunchTemplateData/KeyName", self.cause.key("key_name"))
            .because("LaunchTemplateData/BlockDeviceMappings", self.cause.key("root_volume"))
            .because("LaunchTemplateData/SecurityGroupIds", self.cause.key("additional_security_groups"))
            .because("LaunchTemplateData/TagSpecifications", Path::from("tags"));
        stack.add(format!("{}LaunchTemplate", self.id), template);
    }

    /// New templates reach new nodes only: nobody who is logged in loses a machine to an update.
    fn group(&self, stack: &mut Stack) {
        let template = format!("{}LaunchTemplate", self.id);
        let version = Props::new()
            .set("LaunchTemplateId", Val::reference(&template))
            .set("Version", Val::att(&template, "LatestVersionNumber"));
        let hook = Props::new()
            .set("LifecycleHookName", "grace")
            .set("LifecycleTransition", "autoscaling:EC2_INSTANCE_TERMINATING")
            .set("HeartbeatTimeout", self.pool.grace_minutes * 60)
            .set("DefaultResult", "CONTINUE");
        let targets = (!self.pool.ssh_from.is_empty()).then(|| vec![Val::reference(format!("{}Targets", self.id))]);
        let propagate = |(key, value): (&String, &String)| -> Val {
            Props::new().set("Key", key.as_str()).set("Value", value.as_str()).set("PropagateAtLaunch", false).into()
        };
        let group = self
            .resource("AWS::AutoScaling::AutoScalingGroup", "group")
            .set("LaunchTemplate", version)
            .set("MinSize", self.pool.count.to_string())
            .set("MaxSize", self.pool.count.to_string())
            .set("DesiredCapacity", self.pool.count.to_string())
            .set("VPCZoneIdentifier", vec![self.site.head_subnet(stack, self.pool.subnet.as_ref())])
            .maybe("TargetGroupARNs", targets)
            .set("HealthCheckType", "EC2")
            .set("HealthCheckGracePeriod", 600_u32)
            .set("LifecycleHookSpecificationList", vec![Val::from(hook)])
            .set("Tags", tags::own(self.site.cluster, "login").iter().map(propagate).collect::<Vec<Val>>())
            .because("MinSize", self.cause.key("count"))
            .because("MaxSize", self.cause.key("count"))
            .because("DesiredCapacity", self.cause.key("count"))
            .because("LifecycleHookSpecificationList", self.cause.key("grace_minutes"))
            .because("VPCZoneIdentifier", self.cause.key("subnet"));
        let group = stack.add(format!("{}Group", self.id), group);
        stack.output(format!("{}GroupName", self.id), group);
    }

    fn balancer(&self, stack: &mut Stack) {
        let (id, cause) = (&self.id, self.cause.key("ssh_from"));
        let tags = || tags::named(self.site.cluster, "login", &self.name());
        let scheme = if self.faces_internet() { "internet-facing" } else { "internal" };
        let balancer = self
            .resource("AWS::ElasticLoadBalancingV2::LoadBalancer", "balancer")
            .set("Type", "network")
            .set("Scheme", scheme)
            .set("Subnets", vec![self.site.head_subnet(stack, self.pool.subnet.as_ref())])
            .set("SecurityGroups", vec![self.site.group(stack, &format!("{id}BalancerSecurityGroup"))])
            .set("LoadBalancerAttributes", self.attributes())
            .set("Tags", tags())
            .because("Scheme", cause);
        let balancer = stack.add(format!("{id}Balancer"), balancer);
        let vpc = self.site.vpc(stack);
        let targets = self
            .resource("AWS::ElasticLoadBalancingV2::TargetGroup", "targets")
            .set("Protocol", "TCP")
            .set("Port", SSH)
            .set("VpcId", vpc)
            .set("TargetType", "instance")
            .set("HealthCheckProtocol", "TCP")
            .set("Tags", tags());
        let targets = stack.add(format!("{id}Targets"), targets);
        let forward = Props::new().set("Type", "forward").set("TargetGroupArn", targets);
        let listener = self
            .resource("AWS::ElasticLoadBalancingV2::Listener", "listener")
            .set("LoadBalancerArn", balancer)
            .set("Protocol", "TCP")
            .set("Port", SSH)
            .set("DefaultActions", vec![Val::from(forward)]);
        stack.add(format!("{id}Listener"), listener);
        stack.output(format!("{id}BalancerDnsName"), Val::att(format!("{id}Balancer"), "DNSName"));
    }

    fn attributes(&self) -> Vec<Val> {
        let attribute = |key: &str, value: bool| Props::new().set("Key", key).set("Value", value.to_string()).into();
        vec![
            attribute("deletion_protection.enabled", self.site.cluster.deletion_protection),
            attribute("load_balancing.cross_zone.enabled", true),
        ]
    }

    /// In a created network the subnet is public. In one that exists, whoever lets public addresses in has
    /// a subnet that they can come in by.
    fn faces_internet(&self) -> bool {
        let created = self.site.created().is_some() && self.pool.subnet.is_none();
        created || self.pool.ssh_from.iter().any(is_public)
    }
}

/// Whether a block has addresses outside of the private ranges (RFC 1918, RFC 6598, RFC 4193).
fn is_public(cidr: &Cidr) -> bool {
    let address = cidr.as_str().split('/').next().unwrap_or_default();
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => {
            let [first, second, ..] = v4.octets();
            !(v4.is_private() || first == 100 && (64..128).contains(&second))
        }
        Ok(std::net::IpAddr::V6(v6)) => v6.segments()[0] & 0xfe00 != 0xfc00,
        Err(_) => false,
    }
}
