//! What every step has at hand.

use super::{ApplyError, Event, Listener, Lock, NodeProgram};
use crate::{cloud::Cloud, model::StackKey, plan::Plan};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What every step has at hand.
#[derive(Clone)]
pub struct Context<'a> {
    /// The cloud.
    pub cloud: &'a Cloud,
    /// The plan.
    pub plan: &'a Plan,
    /// Who hears of events.
    pub listener: &'a dyn Listener,
    /// Whether to stop.
    pub stop: Stop,
    /// hpcctl for the nodes; none for a cloud whose nodes do not run.
    pub programs: Vec<NodeProgram>,
    /// Names of resources in the plan, by stack and logical id.
    pub addresses: BTreeMap<(StackKey, String), String>,
    /// A word that no other attempt has.
    pub attempt: String,
    /// The lock, while it is held; the cloud looks at it then before it changes anything.
    pub lock: Option<&'a Lock>,
    /// How long jobs may run on before a file system that goes is given up for now.
    pub patience: Duration,
}

/// How long jobs may run on when nobody says how long.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A wish to stop, set by whoever catches Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl<'a> Context<'a> {
    /// A context for a plan.
    pub fn new(cloud: &'a Cloud, plan: &'a Plan, listener: &'a dyn Listener, stop: Stop) -> Self {
        let name =
            |change: &crate::plan::Change| ((change.stack.clone(), change.logical_id.clone()), change.address.clone());
        let addresses = plan.changes.iter().map(name).collect();
        Self {
            cloud,
            plan,
            listener,
            stop,
            programs: Vec::new(),
            addresses,
            attempt: cloud.clock.unique(),
            lock: None,
            patience: PATIENCE,
        }
    }

    /// Tells the listener.
    pub fn tell(&self, event: &Event) {
        self.listener.event(self.cloud.clock.now(), event);
    }

    /// The artifact bucket.
    pub fn bucket(&self) -> String {
        self.plan.content.bucket.clone().unwrap_or_default()
    }

    /// A resource's name in the plan; its logical id when the plan does not name it.
    pub fn address(&self, stack: &StackKey, logical_id: &str) -> String {
        let key = (stack.clone(), logical_id.to_owned());
        self.addresses.get(&key).cloned().unwrap_or_else(|| format!("{stack}.{logical_id}"))
    }

    /// A client request token: the same plan and step give the same.
    pub fn token(&self, step: usize) -> String {
        format!("hpcctl-{}-{step}", self.plan.id())
    }

    /// A client request token of this attempt alone, for what must be done anew each time: what was written since the
    /// last attempt is in no export that began before.
    pub fn fresh_token(&self, step: usize) -> String {
        format!("{}-{}", self.token(step), self.attempt)
    }

    /// Waits before the next look, a little longer each time; refuses when somebody asked to stop.
    pub async fn pause(&self, pace: &mut Pace) -> Result<(), ApplyError> {
        if self.stop.is_set() {
            return Err(ApplyError::Interrupted);
        }
        self.cloud.clock.sleep(pace.next_pause()).await;
        Ok(())
    }

    /// Looks until there is nothing more to see; gives what is seen after that many seconds.
    pub async fn until_gone<T>(
        &self,
        seconds: i64,
        mut look: impl AsyncFnMut() -> Result<Option<T>, ApplyError>,
    ) -> Result<Option<T>, ApplyError> {
        let until = self.cloud.clock.now().plus(seconds);
        let mut pace = Pace::new();
        loop {
            let Some(left) = look().await? else { return Ok(None) };
            if self.cloud.clock.now() >= until {
                return Ok(Some(left));
            }
            self.pause(&mut pace).await?;
        }
    }

    /// The same for what is taken back after a failure: nobody's wish to stop ends that.
    pub fn taking_back(&self) -> Self {
        Self { stop: Stop::default(), ..self.clone() }
    }
}

/// The pace of looking: from half a second to five.
pub struct Pace(Duration);

impl Pace {
    /// A new pace.
    pub fn new() -> Self {
        Self(Duration::from_millis(500))
    }

    /// The next pause.
    pub fn next_pause(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 3 / 2).min(Duration::from_secs(5));
        now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        cloud::{Timestamp, sandbox},
        observe::Live,
        plan::{DestroyOptions, Source, destroy},
    };
    use std::cell::Cell;

    struct Nobody;

    impl Listener for Nobody {
        fn event(&self, _: Timestamp, _: &Event) {}
    }

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_wait_has_a_bound_and_ends_with_its_cause_or_by_a_wish() {
        let cloud = sandbox::in_memory("eu-west-1");
        let source = Source { name: String::new(), sha256: String::new(), text: String::new() };
        let plan = destroy("c", "eu-west-1", source, &Live::default(), &DestroyOptions::default()).unwrap();
        let stop = Stop::default();
        let context = Context::new(&cloud, &plan, &Nobody, stop.clone());
        let looks = Cell::new(0);
        // There for so many looks.
        let wait = async |context: &Context<'_>, seconds: i64, there: u32| {
            looks.set(0);
            let began = cloud.clock.now().0;
            let look = async || {
                looks.set(looks.get() + 1);
                Ok((looks.get() <= there).then_some("there"))
            };
            (context.until_gone(seconds, look).await, looks.get(), cloud.clock.now().0 - began)
        };
        run(async {
            assert_eq!(wait(&context, 60, 0).await, (Ok(None), 1, 0), "gone already");
            assert_eq!(wait(&context, 0, 9).await, (Ok(Some("there")), 1, 0), "no time, one look");
            let (result, looks, seconds) = wait(&context, 60, 2).await;
            assert_eq!((result, looks, seconds < 5), (Ok(None), 3, true));
            let (result, _, seconds) = wait(&context, 60, u32::MAX).await;
            assert_eq!((result, (60..=65).contains(&seconds)), (Ok(Some("there")), true), "{seconds}");
            stop.set();
            assert_eq!(wait(&context, 60, 9).await, (Err(ApplyError::Interrupted), 1, 0));
            let (result, looks, _) = wait(&context.taking_back(), 60, 9).await;
            assert_eq!((result, looks), (Ok(None), 10), "what is taken back is taken back");
        });
    }
}
