//! A queue's stack: launch templates and placement groups of its pools, and the role of its nodes.

use super::{
    Resource, Stack, StackKey, Val,
    machine::{self, metadata, os_name, user_data},
    names::camel,
    node_role::{NodeRole, read_artifacts, read_launches, read_tags, write_logs},
    pool::{self, PoolTemplate, pool_templates},
    props::Props,
    site::Site,
    tags,
};
use crate::{
    catalog::InstanceType,
    spec::{Path, Pool, Purchase, Queue},
};

const USER_DATA: &str = include_str!("../../templates/user-data/compute.sh");

/// From so many EFA cards on, only the first has an address; the others carry EFA traffic alone, or a
/// subnet would be empty after a few nodes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html>
const EFA_ONLY_FROM: u32 = 8;

/// The stack of the `index`-th queue.
pub(super) fn queue(site: Site<'_>, index: usize, queue: &Queue) -> Stack {
    let cause = Path::from("queues").index(index);
    let description = format!("hpcctl cluster {}: queue {}", site.cluster.name, queue.name);
    let stack = Stack::new(StackKey::Queue(queue.name.to_string()), description, cause.clone());
    let mut builder = Builder { site, queue, cause, stack, profile: Val::from("") };
    builder.stack.bucket();
    builder.role();
    for (index, pool) in queue.pools.iter().enumerate() {
        builder.pool(index, pool);
    }
    builder.stack
}

struct Builder<'c> {
    site: Site<'c>,
    queue: &'c Queue,
    cause: Path,
    stack: Stack,
    profile: Val,
}

impl Builder<'_> {
    fn role(&mut self) {
        let mut statements = read_artifacts(self.site, Some("compute"));
        statements.push(read_launches(self.site));
        statements.extend(write_logs(self.site));
        statements.push(read_tags());
        let role = NodeRole {
            id: "Compute".to_owned(),
            address: format!("queue.{}", self.queue.name),
            cause: self.cause.clone(),
            iam: self.queue.iam.as_ref(),
            actions: self.queue.custom_actions.as_ref(),
            statements,
        };
        self.profile = role.build(self.site, &mut self.stack).arn;
        self.stack.output("InstanceProfileArn", self.profile.clone());
    }

    fn pool(&mut self, index: usize, pool: &Pool) {
        let cause = self.cause.key("pools").index(index);
        let placement = self.placement(pool);
        for template in pool_templates(self.site.cluster.name.as_str(), self.queue, pool, self.site.catalog) {
            self.launch_template(pool, &template, &cause, placement.clone());
        }
        let subnets = self.site.pool_subnets(&mut self.stack, pool, self.queue);
        self.stack.output(format!("Subnets{}", camel(pool.name.as_str())), Val::Join(",".to_owned(), subnets));
    }

    /// The placement group of a pool. What is reserved has its place already: a reservation serves a placement group only
    /// when it was made in it, and this one would be new.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-cpg.html>
    fn placement(&mut self, pool: &Pool) -> Option<Val> {
        if let Some(own) = &self.queue.existing_placement_group {
            return Some(own.as_str().into());
        }
        let reserved = matches!(pool.purchase, Purchase::CapacityBlock | Purchase::CapacityReservation);
        if !self.queue.placement_group || reserved {
            return None;
        }
        let address = format!("queue.{}.placement_group.{}", self.queue.name, pool.name);
        let tags = tags::of_pool(self.site.cluster, self.queue, pool);
        let group = Resource::new("AWS::EC2::PlacementGroup", address, self.cause.key("placement_group"))
            .set("Strategy", "cluster")
            .set("Tags", tags::list(tags));
        Some(self.stack.add(format!("PlacementGroup{}", camel(pool.name.as_str())), group))
    }

    fn launch_template(&mut self, pool: &Pool, template: &PoolTemplate, cause: &Path, placement: Option<Val>) {
        let Some((first, name)) = template.instance_types.first() else { return };
        let known = self.site.catalog.get(name.as_str());
        let own = tags::with_users(self.site.cluster, tags::of_pool(self.site.cluster, self.queue, pool));
        let data = self
            .data(pool, name, known.as_ref())
            .maybe("Placement", placement.map(|group| Props::new().set("GroupName", group)));
        let resource = Resource::new("AWS::EC2::LaunchTemplate", &template.address, cause.clone())
            .set("LaunchTemplateName", template.name.as_str())
            .set("LaunchTemplateData", data)
            .set("TagSpecifications", tags::specifications(&["launch-template"], own));
        let resource = self.because(resource, cause, *first);
        let id = &template.logical_id;
        let reference = self.stack.add(id, resource);
        self.stack.output(format!("{id}Id"), reference);
        self.stack.output(format!("{id}Version"), Val::att(id, "LatestVersionNumber"));
    }

    /// What is launched. Whether it is a spot instance is for `CreateFleet` to say, not for the template;
    /// only capacity blocks must be asked for here.
    fn data(&mut self, pool: &Pool, name: &crate::spec::InstanceTypeName, known: Option<&InstanceType>) -> Props {
        let (site, queue) = (self.site, self.queue);
        let cluster = site.cluster;
        let full_name = format!("{}-{}-{}", cluster.name, queue.name, pool.name);
        let own = tags::of_pool(cluster, queue, pool);
        let all = tags::launched([&cluster.tags, &queue.tags, &pool.tags], own, full_name);
        let cpu = known.filter(|_| !queue.hyperthreading).and_then(machine::one_thread);
        let block =
            (pool.purchase == Purchase::CapacityBlock).then(|| Props::new().set("MarketType", "capacity-block"));
        let tokens = [
            ("@@CLUSTER@@", cluster.name.as_str()),
            ("@@QUEUE@@", queue.name.as_str()),
            ("@@POOL@@", pool.name.as_str()),
            ("@@OS@@", os_name(cluster.image.os)),
            ("@@PROXY@@", site.proxy()),
            ("@@NO_PROXY@@", &super::names::no_proxy(site.cluster)),
        ];
        let groups = site.groups(&mut self.stack, None, &queue.additional_security_groups);
        let network = self.network(known, groups);
        let image = site.image(&mut self.stack, queue.ami.as_ref(), name);
        Props::new()
            .set("InstanceType", name.as_str())
            .set("BlockDeviceMappings", site.root_device(&image, &queue.root_volume))
            .set("ImageId", image)
            .set("IamInstanceProfile", Props::new().set("Arn", self.profile.clone()))
            .set("MetadataOptions", metadata(tags::fit_metadata(&all)))
            .set("Monitoring", Props::new().set("Enabled", cluster.monitoring.detailed))
            .set("InstanceInitiatedShutdownBehavior", "terminate")
            .maybe("CpuOptions", cpu)
            .maybe("InstanceMarketOptions", block)
            .maybe("CapacityReservationSpecification", reservation(pool))
            .set(network.0, network.1)
            .set("TagSpecifications", tags::specifications(&["instance", "volume", "network-interface"], all))
            .set("UserData", user_data(USER_DATA, &tokens))
    }

    /// Security groups, or the interfaces that carry them when an interface needs more to be said.
    fn network(&self, known: Option<&InstanceType>, groups: Vec<Val>) -> (&'static str, Vec<Val>) {
        let count = pool::interfaces(self.queue, known);
        if count == 0 && !self.queue.public_ip {
            return ("SecurityGroupIds", groups);
        }
        let first = known.map_or(0, InstanceType::first_efa_card);
        let interface = |card: u32| {
            let kind = match () {
                () if card < first => "interface",
                () if card > 0 && count >= EFA_ONLY_FROM => "efa-only",
                () => "efa",
            };
            // Where card 0 has the address alone, each of the others begins anew at its own first device.
            let device = if first > 0 { 0 } else { card.min(1) };
            Props::new()
                .set("DeviceIndex", device)
                .maybe("NetworkCardIndex", (count > 0).then_some(card))
                .maybe("InterfaceType", (count > 0).then_some(kind))
                .maybe("AssociatePublicIpAddress", (count <= 1 && self.queue.public_ip).then_some(true))
                .set("DeleteOnTermination", true)
                .set("Groups", groups.clone())
                .into()
        };
        let cards = if count > 0 { count + first } else { 1 };
        ("NetworkInterfaces", (0..cards).map(interface).collect())
    }

    fn because(&self, resource: Resource, cause: &Path, first: usize) -> Resource {
        let queue = |key: &str| self.cause.key(key);
        let image = if self.queue.ami.is_some() { queue("ami") } else { Path::from("image") };
        resource
            .because("LaunchTemplateData/InstanceType", cause.key("instance_types").index(first))
            .because("LaunchTemplateData/ImageId", image)
            .because("LaunchTemplateData/IamInstanceProfile", queue("iam"))
            .because("LaunchTemplateData/BlockDeviceMappings", queue("root_volume"))
            .because("LaunchTemplateData/Monitoring", Path::from("monitoring.detailed"))
            .because("LaunchTemplateData/CpuOptions", queue("hyperthreading"))
            .because("LaunchTemplateData/InstanceMarketOptions", cause.key("purchase"))
            .because("LaunchTemplateData/CapacityReservationSpecification", cause.key("capacity_reservation"))
            .because("LaunchTemplateData/SecurityGroupIds", queue("additional_security_groups"))
            .because("LaunchTemplateData/NetworkInterfaces", queue("efa"))
            .because("LaunchTemplateData/Placement", queue("placement_group"))
            .because("LaunchTemplateData/TagSpecifications", Path::from("tags"))
    }
}

fn reservation(pool: &Pool) -> Option<Props> {
    let wish = pool.capacity_reservation.as_ref()?;
    let target = Props::new()
        .maybe("CapacityReservationId", wish.id.as_ref().map(|id| id.as_str()))
        .maybe("CapacityReservationResourceGroupArn", wish.resource_group.as_ref().map(|group| group.as_str()));
    Some(Props::new().set("CapacityReservationTarget", target))
}
