//! The network stack: VPC, subnets, the way out, and the record of what was turned away.
//!
//! The addresses are cut into eighths whatever the number of zones: the first is for public subnets,
//! the others for one private subnet a zone. So a zone more or less never moves a subnet.

use super::{
    Resource, Stack, StackKey, Val,
    cidr::Block,
    flow_logs,
    site::{Site, zone_count},
    tags,
};
use crate::spec::{CreateNetwork, Nat, Path};

const ANYWHERE: &str = "0.0.0.0/0";

/// The network stack, when the network is created.
pub(super) fn network(site: Site<'_>) -> Option<Stack> {
    let create = site.created()?;
    let description = format!("hpcctl cluster {}: network", site.cluster.name);
    let stack = Stack::new(StackKey::Network, description, cause(""));
    let mut builder = Builder { site, create, stack };
    builder.vpc();
    builder.public_subnets();
    builder.private_subnets();
    if create.s3_endpoint {
        builder.s3_endpoint();
    }
    if create.flow_logs {
        flow_logs::record(site, &mut builder.stack, &cause("flow_logs"));
    }
    Some(builder.stack)
}

fn cause(key: &str) -> Path {
    let base = Path::from("network.create");
    if key.is_empty() { base } else { base.key(key) }
}

struct Builder<'c> {
    site: Site<'c>,
    create: &'c CreateNetwork,
    stack: Stack,
}

impl Builder<'_> {
    fn resource(&self, kind: &'static str, name: &str, cause: Path) -> Resource {
        let tags = tags::named(self.site.cluster, "network", &name.replace('_', "-"));
        Resource::new(kind, format!("network.{name}"), cause).set("Tags", tags)
    }

    fn vpc(&mut self) {
        let vpc = self
            .resource("AWS::EC2::VPC", "vpc", cause(""))
            .set("CidrBlock", Block::parse(self.create.cidr.as_str()).to_string())
            .set("EnableDnsSupport", true)
            .set("EnableDnsHostnames", true)
            .because("CidrBlock", cause("cidr"));
        let vpc = self.stack.add("Vpc", vpc);
        self.stack.output("VpcId", vpc.clone());
        let gateway = self.resource("AWS::EC2::InternetGateway", "internet_gateway", cause(""));
        let gateway = self.stack.add("InternetGateway", gateway);
        let attachment = Resource::new("AWS::EC2::VPCGatewayAttachment", "network.internet_attachment", cause(""))
            .set("VpcId", vpc)
            .set("InternetGatewayId", gateway);
        self.stack.add("InternetAttachment", attachment);
    }

    fn zone(&self, index: usize) -> Val {
        match self.create.zones.get(index) {
            Some(zone) => zone.as_str().into(),
            None => Val::Select(index, Box::new(Val::Zones)),
        }
    }

    fn subnet(&mut self, name: &str, index: usize, block: Block, public: bool) -> Val {
        let zones =
            if self.create.zones.is_empty() { cause("availability_zones") } else { cause("zones").index(index) };
        let subnet = self
            .resource("AWS::EC2::Subnet", &format!("{}_subnet.{index}", name.to_lowercase()), cause(""))
            .set("VpcId", Val::reference("Vpc"))
            .set("AvailabilityZone", self.zone(index))
            .set("CidrBlock", block.to_string())
            .set("MapPublicIpOnLaunch", public)
            .because("AvailabilityZone", zones)
            .because("CidrBlock", cause("cidr"));
        let id = format!("{name}Subnet{index}");
        let subnet = self.stack.add(id.clone(), subnet);
        self.stack.output(id, subnet.clone());
        subnet
    }

    /// How many NAT gateways there are; each stands in a public subnet of its own zone.
    fn nats(&self) -> usize {
        match self.create.nat {
            Nat::None => 0,
            Nat::Single => 1,
            Nat::PerZone => {
                let room = Block::parse(self.create.cidr.as_str()).part(3, 0).parts(3) as usize;
                zone_count(self.create).min(room)
            }
        }
    }

    fn public_subnets(&mut self) {
        let block = Block::parse(self.create.cidr.as_str()).part(3, 0);
        let table = self.table("PublicRoutes", "public_routes");
        let route = Resource::new("AWS::EC2::Route", "network.public_route", cause(""))
            .set("RouteTableId", table.clone())
            .set("DestinationCidrBlock", ANYWHERE)
            .set("GatewayId", Val::reference("InternetGateway"))
            .after("InternetAttachment");
        self.stack.add("PublicRoute", route);
        for index in 0..self.nats().max(1) {
            let subnet = self.subnet("Public", index, block.part(3, index as u32), true);
            self.associate("Public", index, subnet.clone(), table.clone());
            if index < self.nats() {
                self.nat(index, subnet);
            }
        }
        self.stack.output("PublicSubnet0Zone", Val::att("PublicSubnet0", "AvailabilityZone"));
    }

    fn nat(&mut self, index: usize, subnet: Val) {
        let address = self
            .resource("AWS::EC2::EIP", &format!("nat_address.{index}"), cause("nat"))
            .set("Domain", "vpc")
            .after("InternetAttachment");
        self.stack.add(format!("NatAddress{index}"), address);
        let nat = self
            .resource("AWS::EC2::NatGateway", &format!("nat.{index}"), cause("nat"))
            .set("AllocationId", Val::att(format!("NatAddress{index}"), "AllocationId"))
            .set("SubnetId", subnet);
        self.stack.add(format!("Nat{index}"), nat);
    }

    fn private_subnets(&mut self) {
        let all = Block::parse(self.create.cidr.as_str());
        for index in 0..zone_count(self.create) {
            let subnet = self.subnet("Private", index, all.part(3, index as u32 + 1), false);
            let table = self.table(&format!("PrivateRoutes{index}"), &format!("private_routes.{index}"));
            self.associate("Private", index, subnet, table.clone());
            if let Some(nat) = index.checked_rem(self.nats()) {
                let route = Resource::new("AWS::EC2::Route", format!("network.private_route.{index}"), cause("nat"))
                    .set("RouteTableId", table)
                    .set("DestinationCidrBlock", ANYWHERE)
                    .set("NatGatewayId", Val::reference(format!("Nat{nat}")));
                self.stack.add(format!("PrivateRoute{index}"), route);
            }
        }
    }

    fn table(&mut self, id: &str, name: &str) -> Val {
        let table = self.resource("AWS::EC2::RouteTable", name, cause("")).set("VpcId", Val::reference("Vpc"));
        self.stack.add(id, table)
    }

    fn associate(&mut self, name: &str, index: usize, subnet: Val, table: Val) {
        let address = format!("network.{}_association.{index}", name.to_lowercase());
        let association = Resource::new("AWS::EC2::SubnetRouteTableAssociation", address, cause(""))
            .set("SubnetId", subnet)
            .set("RouteTableId", table);
        self.stack.add(format!("{name}Association{index}"), association);
    }

    fn s3_endpoint(&mut self) {
        let mut tables = vec![Val::reference("PublicRoutes")];
        tables.extend((0..zone_count(self.create)).map(|index| Val::reference(format!("PrivateRoutes{index}"))));
        let endpoint = Resource::new("AWS::EC2::VPCEndpoint", "network.s3_endpoint", cause("s3_endpoint"))
            .set("VpcId", Val::reference("Vpc"))
            .set("VpcEndpointType", "Gateway")
            .set("ServiceName", Val::sub("com.amazonaws.${AWS::Region}.s3"))
            .set("RouteTableIds", tables);
        self.stack.add("S3Endpoint", endpoint);
    }
}
