//! What holds on to a resource, so that its service refuses to delete it.

use super::{estate::Estate, instance::Instance, resource::Resource, volumes};
use serde_json::Value;

/// Types that have network interfaces: each is in a subnet and in security groups.
const INTERFACES: &[&str] = &[
    "AWS::EC2::Instance",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::VPCEndpoint",
    "AWS::EFS::MountTarget",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::FSx::FileSystem",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
];
/// Types that are deleted before their VPC can be.
const IN_VPC: &[&str] = &[
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
];
const RULES: &[&str] = &["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"];
const DATABASES: &[&str] = &["AWS::RDS::DBCluster", "AWS::RDS::DBInstance"];

impl Estate<'_> {
    /// Why a service refuses to delete a resource, if it does, in its words.
    pub fn blocked(&self, resource: &Resource) -> Option<String> {
        let id = &resource.physical;
        match resource.kind.as_str() {
            "AWS::S3::Bucket" => self.full(id),
            "AWS::EC2::SecurityGroup" => self.group_user(id).map(|user| dependency(id, &user)),
            "AWS::EC2::Subnet" => self.subnet_user(id).map(|user| dependency(id, &user)),
            "AWS::EC2::VPC" => self.user(id, IN_VPC).map(|user| dependency(id, &user)),
            "AWS::EC2::Volume" => self.attached(id).map(|user| {
                format!("Volume {id} is currently attached to {user} (Service: Ec2, Status Code: 400, Error Code: VolumeInUse)")
            }),
            "AWS::EC2::PlacementGroup" => self.placed(id).map(|_| {
                format!(
                    "The placement group {id} is in use and may not be deleted. (Service: Ec2, Status Code: 400, Error \
                     Code: InvalidPlacementGroup.InUse)"
                )
            }),
            "AWS::RDS::DBParameterGroup" | "AWS::RDS::DBClusterParameterGroup" => self.user(id, DATABASES).map(|_| {
                format!(
                    "One or more database instances are still members of this parameter group {id}, so the group cannot \
                     be deleted (Service: Rds, Status Code: 400, Error Code: InvalidDBParameterGroupState)"
                )
            }),
            "AWS::RDS::DBSubnetGroup" => self.user(id, DATABASES).map(|user| {
                format!(
                    "Cannot delete the subnet group '{id}' because at least one database instance: {user} is still using \
                     it. (Service: Rds, Status Code: 400, Error Code: InvalidDBSubnetGroupStateFault)"
                )
            }),
            _ => None,
        }
    }

    fn full(&self, bucket: &str) -> Option<String> {
        let full = self.world.buckets.get(bucket).is_some_and(|bucket| !bucket.objects.is_empty());
        full.then(|| {
            "Resource handler returned message: \"The bucket you tried to delete is not empty (Service: S3, Status Code: \
             409)\" (HandlerErrorCode: GeneralServiceException)"
                .to_owned()
        })
    }

    /// A resource of one of these types that refers to `id`.
    fn user(&self, id: &str, kinds: &[&str]) -> Option<String> {
        let uses = |r: &&Resource| {
            kinds.contains(&r.kind.as_str()) && r.physical != id && r.present_or_kept() && mentions(&r.properties, id)
        };
        self.resources().find(uses).map(|r| r.physical.clone())
    }

    /// A launch template that names a group does not hold it; what was launched from it does.
    fn instance(&self, holds: impl Fn(&Instance) -> bool) -> Option<String> {
        let now = self.world.now;
        let mut alive =
            self.world.instances.values().filter(|i| i.region == self.stack.region && i.state(now).is_some());
        alive.find(|i| holds(i)).map(|i| i.id.clone())
    }

    fn group_user(&self, id: &str) -> Option<String> {
        let another = |r: &&Resource| match r.kind.as_str() {
            "AWS::EC2::SecurityGroup" => r.physical != id && mentions(&r.properties, id),
            kind => RULES.contains(&kind) && r.text("GroupId") != Some(id) && mentions(&r.properties, id),
        };
        let rule = || self.resources().filter(|r| r.present_or_kept()).find(another).map(|r| r.physical.clone());
        let instance = || self.instance(|i| i.security_groups.iter().any(|group| group == id));
        self.user(id, INTERFACES).or_else(instance).or_else(rule)
    }

    fn subnet_user(&self, id: &str) -> Option<String> {
        let groups = self.resources().filter(|r| r.kind == "AWS::RDS::DBSubnetGroup" && mentions(&r.properties, id));
        let database = || groups.into_iter().find_map(|group| self.user(&group.physical, DATABASES));
        self.user(id, INTERFACES).or_else(|| self.instance(|i| i.subnet == id)).or_else(database)
    }

    /// The instance that a stack, or a node itself, has attached a volume to.
    fn attached(&self, volume: &str) -> Option<String> {
        let itself = volumes::attached(self.world, volume).map(|one| one.instance.clone());
        itself.or_else(|| self.user(volume, &["AWS::EC2::Instance", "AWS::EC2::VolumeAttachment"]))
    }

    fn placed(&self, group: &str) -> Option<String> {
        self.instance(|i| i.placement_group.as_deref() == Some(group))
    }
}

fn dependency(id: &str, user: &str) -> String {
    format!(
        "resource {id} has a dependent object: {user} (Service: Ec2, Status Code: 400, Error Code: DependencyViolation)"
    )
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        _ => false,
    }
}
