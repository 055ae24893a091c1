//! The instance metadata, and the hooks by which tests and rehearsals make EC2 take an instance back.

use super::control::{Call, Sandbox};
use super::{
    instance::{Instance, NOTICE},
    world::World,
};
use crate::cloud::{ErrorKind, Interruption, Metadata, Result, Timestamp};
use async_trait::async_trait;

const SERVICE: &str = "imds";

impl Sandbox {
    /// The same account, seen by a program on this instance.
    pub fn on_instance(&self, id: &str) -> Self {
        let mut there = self.clone();
        there.instance = Some(id.to_owned());
        there
    }

    /// EC2 wants a spot instance back: the notice shows at once, and in two minutes the instance is terminated.
    ///
    /// # Errors
    /// When there is no such spot instance.
    pub fn interrupt(&self, id: &str) -> Result<()> {
        let call = Call::change("ec2", "SendSpotInstanceInterruptions");
        self.call(call, |world, _| {
            let now = world.now;
            spot(world, call, id)?.interrupted.get_or_insert(now);
            Ok(())
        })
    }

    /// EC2 recommends to move the work of a spot instance elsewhere.
    ///
    /// # Errors
    /// When there is no such spot instance.
    pub fn recommend_rebalance(&self, id: &str) -> Result<()> {
        let call = Call::change("ec2", "SendRebalanceRecommendation");
        self.call(call, |world, _| {
            let now = world.now;
            spot(world, call, id)?.rebalance.get_or_insert(now);
            Ok(())
        })
    }

    /// What the metadata says of the instance that this program runs on.
    fn here<T>(&self, operation: &'static str, read: impl FnOnce(&Instance, Timestamp) -> T) -> Result<T> {
        let call = Call::look(SERVICE, operation);
        self.call(call, |world, _| {
            let own = self.instance.as_ref().and_then(|id| world.instances.get(id));
            let alive = own.filter(|instance| instance.state(world.now).is_some());
            alive.map(|own| read(own, world.now)).ok_or_else(|| {
                let words = format!("this is no instance of the sandbox: {} names one", super::INSTANCE_VARIABLE);
                call.error(ErrorKind::Network, "NoInstance", words)
            })
        })
    }
}

fn spot<'w>(world: &'w mut World, call: Call, id: &str) -> Result<&'w mut Instance> {
    let now = world.now;
    let found = world.instances.get_mut(id).filter(|instance| instance.spot && instance.state(now).is_some());
    found.ok_or_else(|| {
        call.error(ErrorKind::NotFound, "InvalidInstanceID.NotFound", format!("`{id}` is no spot instance that runs"))
    })
}

#[async_trait]
impl Metadata for Sandbox {
    async fn instance_id(&self) -> Result<String> {
        self.here("instance-id", |instance, _| instance.id.clone())
    }

    async fn tag(&self, key: &str) -> Result<Option<String>> {
        self.here("tags", |instance, _| instance.tags.get(key).cloned())
    }

    async fn interruption(&self) -> Result<Option<Interruption>> {
        let notice = |at: Timestamp| Interruption { action: "terminate".to_owned(), at: at.plus(NOTICE) };
        self.here("spot/instance-action", |instance, now| instance.interrupted.filter(|at| *at <= now).map(notice))
    }

    async fn rebalance(&self) -> Result<Option<Timestamp>> {
        self.here("events/recommendations/rebalance", |instance, _| instance.rebalance)
    }
}
