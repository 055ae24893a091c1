//! Everything that is there, while one stack is being worked on.

use super::{eval::plain, resource::Resource, stack::Stack, volumes, world::World};
use serde_json::Value;

/// The world without a stack, and the stack.
pub(super) struct Estate<'a> {
    pub world: &'a World,
    pub stack: &'a Stack,
}

impl<'a> Estate<'a> {
    /// Every resource that is there.
    pub fn resources(&self) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let (world, stack) = (self.world, self.stack);
        world.resources().map(|(_, r)| r).chain(stack.present()).chain(world.retained.values())
    }

    /// The zone of a subnet, where a stack, the script or the file tells it.
    pub fn known_zone(&self, subnet: &str) -> Option<String> {
        let made = self.find("AWS::EC2::Subnet", subnet).and_then(|r| r.attributes.get("AvailabilityZone")).map(plain);
        made.or_else(|| self.world.outside.told_zone(subnet))
    }

    /// The resource with this physical id.
    pub fn find(&self, kind: &str, physical: &str) -> Option<&'a Resource> {
        self.resources().find(|r| r.kind == kind && r.physical == physical)
    }

    /// Something that uses the resource with this physical id, apart from itself.
    pub fn user_of(&self, physical: &str) -> Option<&'a str> {
        let uses = |r: &&Resource| r.physical != physical && mentions(&r.properties, physical);
        let resource = self.resources().find(uses).map(|r| r.physical.as_str());
        let now = self.world.now;
        let mut alive = self.world.instances.values().filter(|i| i.state(now).is_some());
        let in_use =
            |i: &&super::instance::Instance| i.subnet == physical || i.security_groups.iter().any(|g| g == physical);
        resource.or_else(|| alive.find(in_use).map(|i| i.id.as_str()))
    }

    /// Why a resource cannot be deleted, if it cannot.
    pub fn blocked(&self, resource: &Resource) -> Option<String> {
        let id = &resource.physical;
        match resource.kind.as_str() {
            "AWS::S3::Bucket" => {
                let full = self.world.buckets.get(id).is_some_and(|bucket| !bucket.objects.is_empty());
                full.then(|| {
                    "Resource handler returned message: \"The bucket you tried to delete is not empty (Service: S3, \
                     Status Code: 409)\" (HandlerErrorCode: GeneralServiceException)"
                        .to_owned()
                })
            }
            "AWS::EC2::Volume" => volumes::attached(self.world, id).map(|one| {
                format!(
                    "Volume {id} is currently attached to {} (Service: Ec2, Status Code: 400, Error Code: VolumeInUse)",
                    one.instance
                )
            }),
            "AWS::EC2::SecurityGroup" | "AWS::EC2::Subnet" | "AWS::EC2::VPC" => self.user_of(id).map(|user| {
                format!(
                    "resource {id} has a dependent object: {user} (Service: Ec2, Status Code: 400, Error Code: \
                     DependencyViolation)"
                )
            }),
            _ => None,
        }
    }
}

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        _ => false,
    }
}
