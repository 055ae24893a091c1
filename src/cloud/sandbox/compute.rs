//! EC2's port, and the hook by which tests launch instances as a cluster's head node would.

use super::{
    attributes::private_ip,
    control::{Call, Sandbox},
    effects,
    eval::plain,
    faults::Script,
    fleet, guards, head,
    iam::{self, Access},
    ids::{hex, number},
    instance::Instance,
    resource::Resource,
    updates, volumes,
    world::World,
};
use crate::{
    catalog::{InstanceCatalog, InstanceType},
    cloud::{
        CLUSTER_TAG, Compute, ErrorKind, Fleet, FleetInput, ImageQuery, ImageState, InstanceHealth, InstanceState,
        InterfaceState, LAUNCH_TAG, Result, SnapshotState, SubnetState, TaggedResource, VolumeModification,
        VolumeState,
    },
};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

const SERVICE: &str = "ec2";

/// Real time between two looks at a machine that shuts down.
const SHUTDOWN: std::time::Duration = std::time::Duration::from_millis(150);

/// What an instance is launched from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Its type.
    pub instance_type: String,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Whether it is a spot instance.
    pub spot: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its launch template, by id.
    pub template: Option<String>,
}

impl Sandbox {
    /// Launches an instance outside all stacks; gives its id.
    pub fn launch(&self, launch: Launch) -> Result<String> {
        self.call(Call::change(SERVICE, "RunInstances"), |world, _| Ok(run(world, &self.region, launch)))
    }

    /// Writes a file of so many bytes into a file system, as a job does; its path has no leading slash.
    ///
    /// # Errors
    /// When there is no such file system.
    pub fn write_file(&self, file_system: &str, path: &str, bytes: u64) -> Result<()> {
        let call = Call::change("sandbox", "WriteFile");
        self.call(call, |world, _| {
            let files = world.files.get_mut(file_system);
            let files = files.ok_or_else(|| call.error(ErrorKind::NotFound, "NotFound", "no such file system"))?;
            files.insert(path.to_owned(), bytes);
            Ok(())
        })
    }

    /// The files of a file system, by path without a leading slash; none when there is no such file system.
    ///
    /// # Errors
    /// When the state file cannot be read.
    pub fn files(&self, file_system: &str) -> Result<Vec<String>> {
        let list = |world: &mut World| world.files.get(file_system).map(|files| files.keys().cloned().collect());
        self.call(Call::look("sandbox", "Files"), |world, _| Ok(list(world).unwrap_or_default()))
    }

    /// An action of EC2's that knows no resources.
    fn looks(&self, action: &str) -> Access {
        Access::new(action, "*").with("aws:RequestedRegion", &self.region)
    }
}

/// Puts an instance into the world; gives its id.
pub(super) fn run(world: &mut World, region: &str, launch: Launch) -> String {
    let nth = world.count("launched").to_string();
    let id = format!("i-0{}", hex(&[region, "launched", &nth], 16));
    let data = launch.template.as_ref().and_then(|template| {
        let (_, found) = world.resources().find(|(_, resource)| resource.physical == *template)?;
        found.properties.pointer("/LaunchTemplateData/Placement/GroupName").map(plain)
    });
    let instance = Instance {
        placement_group: data,
        id: id.clone(),
        region: region.to_owned(),
        zone: world.zone_of(region, &launch.subnet),
        private_ip: free_address(world, region, &id),
        public_ip: None,
        launched: world.now,
        booted: None,
        terminated: None,
        stopped: None,
        shutting_down: false,
        secondary: Vec::new(),
        ended_by: None,
        interrupted: None,
        rebalance: None,
        instance_type: launch.instance_type,
        subnet: launch.subnet,
        security_groups: launch.security_groups,
        spot: launch.spot,
        tags: launch.tags,
        template: launch.template,
    };
    world.instances.insert(id.clone(), instance);
    id
}

/// An address that no other living instance of the region has.
fn free_address<'w>(world: &'w World, region: &str, id: &str) -> String {
    let living = world.instances.values().filter(|other| other.region == region && other.state(world.now).is_some());
    let all = |one: &'w Instance| one.secondary.iter().chain([&one.private_ip]);
    let taken: BTreeSet<&String> = living.flat_map(all).collect();
    let first = private_ip(&[id]);
    let others = (1..1000_u32).map(|nth| private_ip(&[id, &nth.to_string()]));
    let free = [first.clone()].into_iter().chain(others).find(|address| !taken.contains(address));
    free.unwrap_or(first)
}

#[async_trait]
impl Compute for Sandbox {
    async fn instances_of(&self, cluster: &str) -> Result<Vec<InstanceState>> {
        let call = Call::look(SERVICE, "DescribeInstances");
        self.call(call, |world, _| {
            self.permit(world, call, &[self.looks("ec2:DescribeInstances")])?;
            let ours = instances(world, &self.region, cluster);
            Ok(ours.filter_map(|i| i.view(world.now)).collect())
        })
    }

    async fn instances(&self, ids: &[String]) -> Result<Vec<InstanceState>> {
        let call = Call::look(SERVICE, "DescribeInstances");
        self.call(call, |world, _| {
            self.permit(world, call, &[self.looks("ec2:DescribeInstances")])?;
            let known = ids.iter().collect::<BTreeSet<_>>().into_iter().filter_map(|id| world.instances.get(id));
            let known: Vec<&Instance> = known.collect();
            let waits = known.iter().any(|one| one.shutting_down);
            Ok((waits, known.into_iter().filter_map(|i| i.view(world.now)).collect()))
        })
        .map(|(waits, found)| {
            // However much of the sandbox's time is skipped: a machine needs real time to shut down.
            if waits {
                std::thread::sleep(SHUTDOWN);
            }
            found
        })
    }

    async fn launched(&self, launch: &str) -> Result<Vec<InstanceState>> {
        let call = Call::look(SERVICE, "DescribeInstances");
        self.call(call, |world, _| {
            self.permit(world, call, &[self.looks("ec2:DescribeInstances")])?;
            let of = |i: &&Instance| i.region == self.region && i.tags.get(LAUNCH_TAG).is_some_and(|tag| tag == launch);
            Ok(world.instances.values().filter(of).filter_map(|i| i.view(world.now)).collect())
        })
    }

    async fn create_fleet(&self, input: &FleetInput) -> Result<Fleet> {
        let call = Call::change(SERVICE, "CreateFleet");
        self.call(call, |world, script| {
            let principal = self.principal(world).transpose().map_err(|words| call.malformed(words))?;
            fleet::create(world, script, &self.region, call, principal.as_ref(), input)
        })
    }

    async fn tag(&self, ids: &[String], tags: &BTreeMap<String, String>) -> Result<()> {
        let call = Call::change(SERVICE, "CreateTags");
        self.call(call, |world, _| {
            let keyed = |access: Access| tags.keys().fold(access, |all, key| all.with("aws:TagKeys", key));
            let wanted = iam::instances(world, &self.region, "ec2:CreateTags", ids).into_iter();
            let wanted: Vec<Access> = wanted.map(|one| keyed(one).tagged("aws:RequestTag", tags)).collect();
            self.permit(world, call, &wanted)?;
            for id in ids {
                if let Some(instance) = world.instances.get_mut(id) {
                    instance.tags.extend(tags.clone());
                }
            }
            Ok(())
        })
    }

    /// Nothing ails in the sandbox.
    async fn ailing(&self, _: &[String]) -> Result<Vec<InstanceHealth>> {
        let call = Call::look(SERVICE, "DescribeInstanceStatus");
        self.call(call, |world, _| {
            self.permit(world, call, &[self.looks("ec2:DescribeInstanceStatus")])?;
            Ok(Vec::new())
        })
    }

    async fn termination_protected(&self, ids: &[String]) -> Result<Vec<String>> {
        self.call(Call::look(SERVICE, "DescribeInstanceAttribute"), |world, _| {
            let guarded = |id: &&String| {
                world.resources().any(|(_, one)| one.physical == **id && guards::termination(one).is_some())
            };
            Ok(ids.iter().filter(guarded).cloned().collect())
        })
    }

    async fn console(&self, id: &str) -> Result<Option<String>> {
        let call = Call::look(SERVICE, "GetConsoleOutput");
        self.call(call, |world, script| match world.instances.get(id) {
            Some(instance) => Ok(head::console(world, script, instance)),
            None => {
                let words = format!("The instance ID '{id}' does not exist");
                Err(call.error(ErrorKind::NotFound, "InvalidInstanceID.NotFound", words))
            }
        })
    }

    async fn terminate(&self, ids: &[String]) -> Result<()> {
        let call = Call::change(SERVICE, "TerminateInstances");
        self.call(call, |world, _| {
            self.permit(world, call, &iam::instances(world, &self.region, "ec2:TerminateInstances", ids))?;
            // EC2 terminates all or none.
            for id in ids {
                if let Some(words) =
                    world.resources().find(|(_, one)| one.physical == *id).and_then(|(_, one)| guards::termination(one))
                {
                    return Err(call.error(ErrorKind::Invalid, "OperationNotPermitted", words));
                }
            }
            for id in ids {
                if let Some(instance) = world.instances.get_mut(id) {
                    instance.terminated.get_or_insert(world.now);
                }
            }
            effects::refill(world, ids);
            Ok(())
        })
    }

    async fn stop(&self, id: &str) -> Result<()> {
        let call = Call::change(SERVICE, "StopInstances");
        self.call(call, |world, _| {
            let now = world.now;
            // Only a machine that runs can shut down.
            let machine = world.ahead_ms.is_some();
            let instance = volumes::instance(world, call, id)?;
            if instance.stopped.is_none() {
                instance.stopped = Some(now);
                instance.shutting_down = machine && instance.booted.is_some();
            }
            Ok(())
        })
    }

    async fn start(&self, id: &str) -> Result<()> {
        let call = Call::change(SERVICE, "StartInstances");
        self.call(call, |world, _| {
            let now = world.now;
            let instance = volumes::instance(world, call, id)?;
            if instance.state(now) == Some("stopping") {
                let words = format!("The instance '{id}' is not in a state from which it can be started.");
                return Err(call.error(ErrorKind::Busy, "IncorrectInstanceState", words));
            }
            if instance.stopped.take().is_some() {
                instance.booted = None;
                effects::head_boots(world, id);
            }
            Ok(())
        })
    }

    async fn protect_instance(&self, id: &str, protected: bool) -> Result<()> {
        let call = Call::change(SERVICE, "ModifyInstanceAttribute");
        self.call(call, |world, _| {
            volumes::instance(world, call, id)?;
            volumes::protect(world, id, protected);
            Ok(())
        })
    }

    async fn volumes_of(&self, cluster: &str) -> Result<Vec<VolumeState>> {
        self.call(Call::look(SERVICE, "DescribeVolumes"), |world, _| {
            Ok(volumes::of_cluster(world, &self.region, cluster))
        })
    }

    async fn volumes(&self, ids: &[String]) -> Result<Vec<VolumeState>> {
        let ids: BTreeSet<&String> = ids.iter().collect();
        self.call(Call::look(SERVICE, "DescribeVolumes"), |world, script| {
            let there = ids.iter().filter(|id| !script.absent.contains(id));
            Ok(there.filter_map(|id| volumes::view(world, &self.region, id)).collect())
        })
    }

    async fn snapshots_of(&self, ids: &[String]) -> Result<Vec<SnapshotState>> {
        let call = Call::look(SERVICE, "DescribeSnapshots");
        self.call(call, |world, _| {
            self.permit(world, call, &[self.looks("ec2:DescribeSnapshots")])?;
            Ok(volumes::snapshots(world, &self.region, ids))
        })
    }

    async fn modifications(&self, ids: &[String]) -> Result<Vec<VolumeModification>> {
        self.call(Call::look(SERVICE, "DescribeVolumesModifications"), |world, _| {
            let one = |id: &String| {
                let state = updates::modification(volumes::made(world, id)?, world.now)?.to_owned();
                let progress = Some(if state == "completed" { 100 } else { 0 });
                Some(VolumeModification { volume: id.clone(), state, progress })
            };
            Ok(ids.iter().filter_map(one).collect())
        })
    }

    async fn attach_volume(&self, volume: &str, instance: &str, device: &str) -> Result<()> {
        let call = Call::change(SERVICE, "AttachVolume");
        self.call(call, |world, _| {
            self.permit(world, call, &iam::volume(world, &self.region, "ec2:AttachVolume", volume, instance))?;
            volumes::attach(world, call, &self.region, volume, instance, device)
        })
    }

    async fn detach_volume(&self, volume: &str) -> Result<()> {
        let call = Call::change(SERVICE, "DetachVolume");
        self.call(call, |world, _| {
            let holder = volumes::attached(world, volume).map(|one| one.instance.clone()).unwrap_or_default();
            self.permit(world, call, &iam::volume(world, &self.region, "ec2:DetachVolume", volume, &holder))?;
            volumes::detach(world, volume);
            Ok(())
        })
    }

    async fn interface_of(&self, instance: &str) -> Result<Option<InterfaceState>> {
        self.call(Call::look(SERVICE, "DescribeInstances"), |world, _| {
            let found = world.instances.get(instance).filter(|one| one.state(world.now).is_some());
            Ok(found.map(volumes::interface))
        })
    }

    async fn assign_address(&self, interface: &str, address: Option<&str>) -> Result<String> {
        let call = Call::change(SERVICE, "AssignPrivateIpAddresses");
        self.call(call, |world, _| {
            let holder = volumes::holder(world, call, interface)?;
            let address = match address {
                Some(address) => address.to_owned(),
                None => free_address(world, &self.region, interface),
            };
            volumes::give_address(world, call, &holder, &address)?;
            Ok(address)
        })
    }

    async fn subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>> {
        let call = Call::look(SERVICE, "DescribeSubnets");
        self.call(call, |world, script| ids.iter().map(|id| subnet(world, script, call, &self.region, id)).collect())
    }

    async fn newest_image(&self, query: &ImageQuery) -> Result<Option<ImageState>> {
        self.call(Call::look(SERVICE, "DescribeImages"), |_, script| {
            if script.absent.contains(&query.name) {
                return Ok(None);
            }
            let words = [&self.region, &query.owner, &query.name, &query.architecture].map(String::as_str);
            let first = format!("ami-0{}", hex(&words, 16));
            let later =
                (2..100_u32).map(|nth| format!("ami-0{}", hex(&[&words[..], &[&nth.to_string()]].concat(), 16)));
            // Once the newest is deregistered there is a newer one.
            let mut all = [first].into_iter().chain(later).zip(1_u32..);
            let newest = all.find(|(id, _)| !script.absent.contains(id));
            let day = |nth| query.name.replace('*', &format!("202601{nth:02}"));
            Ok(newest.map(|(id, nth)| ImageState { id, name: day(nth) }))
        })
    }

    async fn instance_types(&self) -> Result<Vec<InstanceType>> {
        self.call(Call::look(SERVICE, "DescribeInstanceTypes"), |_, _| {
            let catalog = InstanceCatalog::embedded();
            Ok(catalog.names().filter_map(|name| catalog.get(name)).collect())
        })
    }

    async fn tagged(&self, cluster: &str) -> Result<Vec<TaggedResource>> {
        self.call(Call::look(SERVICE, "DescribeTags"), |world, _| {
            let all = world.resources().map(|(_, r)| r).chain(world.retained.values()).chain(world.ghosts());
            let ours = all.filter(|r| r.is_in(&self.region) && r.tags.get(CLUSTER_TAG).is_some_and(|t| t == cluster));
            let resources =
                ours.filter_map(|r| Some(TaggedResource { id: ec2_id(r), kind: ec2_kind(&r.kind)?.to_owned() }));
            let instances = instances(world, &self.region, cluster).filter(|i| i.state(world.now).is_some());
            let instances = instances.map(|i| TaggedResource { id: i.id.clone(), kind: "instance".to_owned() });
            let found: BTreeSet<TaggedResource> = resources.chain(instances).collect();
            Ok(found.into_iter().collect())
        })
    }

    async fn still_there(&self, resources: Vec<TaggedResource>) -> Result<Vec<TaggedResource>> {
        self.call(Call::look(SERVICE, "DescribeSecurityGroups"), |world, _| {
            let all = || world.resources().map(|(_, r)| r).chain(world.retained.values());
            let is = |one: &TaggedResource, r: &Resource| ec2_kind(&r.kind) == Some(&one.kind) && ec2_id(r) == one.id;
            let there = |one: &TaggedResource| one.kind == "instance" || all().any(|r| is(one, r));
            Ok(resources.into_iter().filter(there).collect())
        })
    }
}

fn instances<'w>(world: &'w World, region: &'w str, cluster: &'w str) -> impl Iterator<Item = &'w Instance> {
    let ours = move |i: &&Instance| i.region == region && i.tags.get(CLUSTER_TAG).is_some_and(|tag| tag == cluster);
    world.instances.values().filter(ours)
}

/// An address is known to tags by its allocation.
fn ec2_id(resource: &Resource) -> String {
    let allocation = resource.attributes.get("AllocationId").filter(|_| resource.kind == "AWS::EC2::EIP");
    allocation.map_or_else(|| resource.physical.clone(), plain)
}

/// EC2's word for what a type makes; `None`: it takes no tags, or is counted elsewhere.
fn ec2_kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::EC2::CapacityReservation" => "capacity-reservation",
        "AWS::EC2::EIP" => "elastic-ip",
        "AWS::EC2::FlowLog" => "vpc-flow-log",
        "AWS::EC2::InternetGateway" => "internet-gateway",
        "AWS::EC2::KeyPair" => "key-pair",
        "AWS::EC2::LaunchTemplate" => "launch-template",
        "AWS::EC2::NatGateway" => "natgateway",
        "AWS::EC2::NetworkInterface" => "network-interface",
        "AWS::EC2::PlacementGroup" => "placement-group",
        "AWS::EC2::RouteTable" => "route-table",
        "AWS::EC2::SecurityGroup" => "security-group",
        "AWS::EC2::Snapshot" => "snapshot",
        "AWS::EC2::Subnet" => "subnet",
        "AWS::EC2::VPC" => "vpc",
        "AWS::EC2::VPCEndpoint" => "vpc-endpoint",
        "AWS::EC2::Volume" => "volume",
        _ => return None,
    })
}

pub(super) fn subnet(world: &World, script: &Script, call: Call, region: &str, id: &str) -> Result<SubnetState> {
    let made = world.resources().map(|(_, r)| r).find(|r| r.kind == "AWS::EC2::Subnet" && r.physical == id);
    if let Some(subnet) = made {
        let text = |name: &str| subnet.text(name).unwrap_or_default().to_owned();
        return Ok(SubnetState {
            id: id.to_owned(),
            vpc_id: text("VpcId"),
            zone: subnet.attributes.get("AvailabilityZone").map(plain).unwrap_or_default(),
            free_addresses: free_addresses(&text("CidrBlock")),
            cidr: text("CidrBlock"),
        });
    }
    if !id.starts_with("subnet-") || script.absent.iter().any(|name| name == id) {
        let words = format!("The subnet ID '{id}' does not exist");
        return Err(call.error(ErrorKind::NotFound, "InvalidSubnetID.NotFound", words));
    }
    let cidr = format!("10.{}.{}.0/24", number(&[id, "b"], 200), number(&[id, "c"], 256));
    Ok(SubnetState {
        id: id.to_owned(),
        vpc_id: world.outside.vpc(script),
        zone: world.zone_of(region, id),
        free_addresses: free_addresses(&cidr),
        cidr,
    })
}

/// All but the five that AWS keeps for itself.
fn free_addresses(cidr: &str) -> u32 {
    let bits = cidr.rsplit('/').next().and_then(|bits| bits.parse::<u32>().ok()).unwrap_or(32);
    1u32.checked_shl(32 - bits.min(32)).unwrap_or(u32::MAX).saturating_sub(5)
}
