//! Everything that is there, while one stack is being worked on.

use super::{eval::plain, resource::Resource, stack::Stack, world::World};

/// The world without a stack, and the stack.
pub(super) struct Estate<'a> {
    pub world: &'a World,
    pub stack: &'a Stack,
}

impl<'a> Estate<'a> {
    /// Every resource that is there, of the stack's region and of none.
    pub fn resources(&self) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let (world, stack) = (self.world, self.stack);
        let all = world.resources().map(|(_, r)| r).chain(stack.present()).chain(world.retained.values());
        all.filter(move |resource| resource.is_in(&stack.region))
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
}
