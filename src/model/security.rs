//! Security groups. They stand in the storage stack, because everything that comes later needs them.

use super::{Resource, Stack, Val, names::camel, props::Props, site::Site, tags};
use crate::spec::{Cidr, Dcv, LoginPool, Path};

/// Ports of Lustre clients and servers.
/// <https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html>
const LUSTRE: [(u32, u32); 2] = [(988, 988), (1018, 1023)];
const NFS: u32 = 2049;
const MYSQL: u32 = 3306;
const SSH: u32 = 22;

/// The groups of all nodes, of the head node and of login nodes.
pub(super) fn node_groups(site: Site<'_>, stack: &mut Stack) {
    nodes(site, stack);
    head(site, stack);
    for (index, pool) in site.cluster.login_nodes.iter().enumerate() {
        login(site, stack, index, pool);
    }
}

/// All nodes: everything among themselves, anything outwards.
///
/// EFA traffic is no IP traffic: only rules that name the group itself, inwards and outwards, let it pass.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html>
fn nodes(site: Site<'_>, stack: &mut Stack) {
    let cause = Path::root();
    let out = vec![cidr_rule("-1", None, "0.0.0.0/0", "Out: AWS, packages, licence servers")];
    let about = "All nodes of the cluster";
    group(site, stack, "NodesSecurityGroup", ("nodes.security_group", "nodes"), &cause, about, (Vec::new(), out));
    let itself = Val::att("NodesSecurityGroup", "GroupId");
    let rule = |kind, name: &str, other: &str, words: &str| {
        Resource::new(kind, format!("nodes.security_group.{name}"), cause.clone())
            .set("GroupId", itself.clone())
            .set(other, itself.clone())
            .set("IpProtocol", "-1")
            .set("Description", words)
    };
    let kind = "AWS::EC2::SecurityGroupIngress";
    stack.add("NodesIngress", rule(kind, "in", "SourceSecurityGroupId", "In: from all nodes, EFA too"));
    let kind = "AWS::EC2::SecurityGroupEgress";
    stack.add("NodesEgress", rule(kind, "out", "DestinationSecurityGroupId", "Out: to all nodes, EFA too"));
}

fn head(site: Site<'_>, stack: &mut Stack) {
    let node = &site.cluster.head_node;
    let mut ingress: Vec<Val> = ssh(&node.ssh_from);
    ingress.extend(node.dcv.as_ref().map(dcv).unwrap_or_default());
    let cause = Path::from("head_node");
    let names = ("head.security_group", "head");
    group(site, stack, "HeadSecurityGroup", names, &cause, "Who reaches the head node", (ingress, nowhere()));
    if let Some(group) = stack.resources.get_mut("HeadSecurityGroup") {
        let ssh = node.ssh_from.len();
        group.causes.insert("SecurityGroupIngress".to_owned(), cause.key("dcv").key("allowed_from"));
        for index in 0..ssh {
            let rule = format!("SecurityGroupIngress/{index}");
            group.causes.insert(rule, cause.key("ssh_from").index(index));
        }
    }
}

/// A login pool's group, and that of the load balancer before it.
fn login(site: Site<'_>, stack: &mut Stack, index: usize, pool: &LoginPool) {
    let cause = Path::from("login_nodes").index(index);
    let (id, address) = (format!("Login{}", camel(pool.name.as_str())), format!("login.{}", pool.name));
    let own = format!("{id}SecurityGroup");
    let mut ingress = pool.dcv.as_ref().map(dcv).unwrap_or_default();
    if !pool.ssh_from.is_empty() {
        let balancer = format!("{id}BalancerSecurityGroup");
        let names = (format!("{address}.balancer_security_group"), format!("login-{}-balancer", pool.name));
        let about = "Who reaches the load balancer of login nodes";
        let rules = (ssh(&pool.ssh_from), nowhere());
        group(site, stack, &balancer, (&names.0, &names.1), &cause, about, rules);
        ingress.push(group_rule("tcp", (SSH, SSH), Val::att(&balancer, "GroupId"), "SSH from the load balancer"));
        let out = Resource::new("AWS::EC2::SecurityGroupEgress", format!("{address}.balancer_egress"), cause.clone())
            .set("GroupId", Val::att(&balancer, "GroupId"))
            .set("DestinationSecurityGroupId", Val::att(&own, "GroupId"))
            .set("IpProtocol", "tcp")
            .set("FromPort", SSH)
            .set("ToPort", SSH)
            .set("Description", "SSH to login nodes");
        stack.add(format!("{id}BalancerEgress"), out);
    }
    let names = (format!("{address}.security_group"), format!("login-{}", pool.name));
    group(site, stack, &own, (&names.0, &names.1), &cause, "Who reaches login nodes", (ingress, nowhere()));
}

/// The group of Lustre file systems.
///
/// Its rules are resources of their own: a file system that is kept keeps its group, and a rule inside the
/// group would hold on to the groups of nodes.
pub(super) fn lustre(site: Site<'_>, stack: &mut Stack) {
    let names = ("storage.lustre_security_group", "lustre");
    let about = "Lustre file systems of the cluster";
    group(site, stack, "LustreSecurityGroup", names, &Path::from("storage"), about, (Vec::new(), nowhere()));
    for (peer, suffix, who) in LUSTRE_PEERS {
        for (number, ports) in LUSTRE.iter().enumerate() {
            let address = format!("storage.lustre_security_group.{who}.{number}");
            let between = ("LustreSecurityGroup", peer);
            let rule = Rule { address, between, ports: *ports, about: format!("Lustre, file servers and {who}") };
            let cause = Path::from("storage");
            stack.add(format!("Lustre{suffix}Ingress{number}"), rule.ingress(&cause));
            stack.add(format!("Lustre{suffix}Egress{number}"), rule.egress(&cause));
        }
    }
}

/// Whom the group of Lustre file systems speaks with: group, part of the rules' ids, word.
const LUSTRE_PEERS: [(&str, &str, &str); 2] =
    [("LustreSecurityGroup", "", "servers"), ("NodesSecurityGroup", "Nodes", "nodes")];

/// The logical ids of the rules of that group.
pub(super) fn lustre_rules() -> impl Iterator<Item = String> {
    LUSTRE_PEERS.into_iter().flat_map(|(_, suffix, _)| {
        let of = move |number| [format!("Lustre{suffix}Ingress{number}"), format!("Lustre{suffix}Egress{number}")];
        (0..LUSTRE.len()).flat_map(of)
    })
}

/// A TCP rule of one group about another, as a resource of its own.
struct Rule {
    address: String,
    between: (&'static str, &'static str),
    ports: (u32, u32),
    about: String,
}

impl Rule {
    fn ingress(&self, cause: &Path) -> Resource {
        self.resource("AWS::EC2::SecurityGroupIngress", "in", "SourceSecurityGroupId", cause)
    }

    fn egress(&self, cause: &Path) -> Resource {
        self.resource("AWS::EC2::SecurityGroupEgress", "out", "DestinationSecurityGroupId", cause)
    }

    fn resource(&self, kind: &'static str, way: &str, other: &str, cause: &Path) -> Resource {
        Resource::new(kind, format!("{}.{way}", self.address), cause.clone())
            .set("GroupId", Val::att(self.between.0, "GroupId"))
            .set(other, Val::att(self.between.1, "GroupId"))
            .set("IpProtocol", "tcp")
            .set("FromPort", self.ports.0)
            .set("ToPort", self.ports.1)
            .set("Description", self.about.as_str())
    }
}

/// The group of EFS mount targets.
pub(super) fn efs(site: Site<'_>, stack: &mut Stack) {
    let nodes = Val::att("NodesSecurityGroup", "GroupId");
    let ingress = vec![group_rule("tcp", (NFS, NFS), nodes, "NFS from nodes")];
    let names = ("storage.efs_security_group", "efs");
    let about = "EFS file systems of the cluster";
    group(site, stack, "EfsSecurityGroup", names, &Path::from("storage"), about, (ingress, nowhere()));
}

/// The group of the accounting database: the head node alone reaches it.
pub(super) fn database(site: Site<'_>, stack: &mut Stack) {
    let names = ("accounting.security_group", "database");
    let cause = Path::from("accounting.rds");
    let rules = (Vec::new(), nowhere());
    group(site, stack, "DatabaseSecurityGroup", names, &cause, "Accounting database", rules);
    let rule = Rule {
        address: "accounting.security_group.head".to_owned(),
        between: ("DatabaseSecurityGroup", "HeadSecurityGroup"),
        ports: (MYSQL, MYSQL),
        about: "MySQL from the head node".to_owned(),
    };
    stack.add("DatabaseHeadIngress", rule.ingress(&cause));
}

/// Adds a group, and an output with its id. Rules are (ingress, egress).
fn group(
    site: Site<'_>,
    stack: &mut Stack,
    id: &str,
    (address, name): (&str, &str),
    cause: &Path,
    about: &str,
    (ingress, egress): (Vec<Val>, Vec<Val>),
) {
    let vpc = site.vpc(stack);
    let role = address.split('.').next().unwrap_or_default();
    let group = Resource::new("AWS::EC2::SecurityGroup", address, cause.clone())
        .set("GroupDescription", about)
        .set("VpcId", vpc)
        .some("SecurityGroupIngress", ingress)
        .set("SecurityGroupEgress", egress)
        .set("Tags", tags::named(site.cluster, role, name))
        .because("VpcId", Path::from("network.vpc_id"));
    stack.add(id, group);
    stack.output(id, Val::att(id, "GroupId"));
}

fn ssh(from: &[Cidr]) -> Vec<Val> {
    from.iter().map(|cidr| cidr_rule("tcp", Some((SSH, SSH)), cidr.as_str(), "SSH")).collect()
}

fn dcv(dcv: &Dcv) -> Vec<Val> {
    let ports = Some((dcv.port, dcv.port));
    let both = |cidr: &Cidr| ["tcp", "udp"].map(|protocol| cidr_rule(protocol, ports, cidr.as_str(), "DCV"));
    dcv.allowed_from.iter().flat_map(both).collect()
}

/// Without any rule CloudFormation would let everything out; this one lets nothing out.
fn nowhere() -> Vec<Val> {
    vec![cidr_rule("-1", None, "127.0.0.1/32", "Nothing out; the group of the nodes has the rules")]
}

fn cidr_rule(protocol: &str, ports: Option<(u32, u32)>, cidr: &str, words: &str) -> Val {
    let key = if cidr.contains(':') { "CidrIpv6" } else { "CidrIp" };
    rule(protocol, ports, words).set(key, cidr).into()
}

fn group_rule(protocol: &str, ports: (u32, u32), group: Val, words: &str) -> Val {
    rule(protocol, Some(ports), words).set("SourceSecurityGroupId", group).into()
}

fn rule(protocol: &str, ports: Option<(u32, u32)>, words: &str) -> Props {
    Props::new()
        .set("IpProtocol", protocol)
        .maybe("FromPort", ports.map(|ports| ports.0))
        .maybe("ToPort", ports.map(|ports| ports.1))
        .set("Description", words)
}
