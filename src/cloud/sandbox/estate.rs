//! Everything that is there, while one stack is being worked on.

use super::{resource::Resource, stack::Stack, world::World};

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

    /// The resource with this physical id.
    pub fn find(&self, kind: &str, physical: &str) -> Option<&'a Resource> {
        self.resources().find(|r| r.kind == kind && r.physical == physical)
    }
}
