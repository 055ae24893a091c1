//! Letting go of Lustre in time: its servers wait minutes for a client that is gone, and all other clients with them.
//!
//! <https://docs.aws.amazon.com/fsx/latest/LustreGuide/working-with-ec2-spot-instances.html>

use super::{Machine, NodeError, machine::Mount, processes::Call};
use crate::cloud::Clock;
use std::time::Duration;

/// How a file system was let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmounted {
    /// Nobody used it any more.
    Free,
    /// After those who used it were ended.
    Ended,
    /// It is out of sight, and goes when the last one who uses it does.
    Lazily,
}

/// Between telling processes to end and looking again.
const PAUSE: Duration = Duration::from_secs(1);

impl Machine {
    /// The Lustre mounts, and those that the pool's file names; what was mounted last comes first.
    pub(super) fn lustre(&self, named: &[String]) -> Vec<String> {
        let ours = |mount: &Mount| mount.kind == "lustre" || named.contains(&mount.at);
        let mut found: Vec<String> = self.mounts().into_iter().filter(ours).map(|mount| mount.at).collect();
        found.reverse();
        found
    }

    /// Unmounts a file system within `patience`, whoever uses it.
    ///
    /// # Errors
    /// When it cannot even be unmounted lazily.
    pub(super) async fn unmount(
        &self,
        clock: &dyn Clock,
        at: &str,
        patience: Duration,
    ) -> Result<Unmounted, NodeError> {
        let umount = |options: &[&str]| Call::new("umount", options.iter().copied().chain([at]));
        // -M: never the users of another file system, should this one be gone already.
        let users = |signal: &str| Call::new("fuser", ["--kill", signal, "--ismountpoint", "--mount", at]);
        let part = (patience / 4).max(Duration::from_secs(1));
        // Dirty pages go to the servers now: this may take the longest.
        if self.run(&umount(&[]), patience - part.min(patience / 2)).await.is_ok() {
            return Ok(Unmounted::Free);
        }
        for signal in ["-TERM", "-KILL"] {
            // Nobody there is a failure, too.
            let _ = self.run(&users(signal), part).await;
            clock.sleep(PAUSE).await;
            if self.run(&umount(&[]), part).await.is_ok() {
                return Ok(Unmounted::Ended);
            }
        }
        self.run(&umount(&["--force", "--lazy"]), part).await.map(|_| Unmounted::Lazily)
    }
}
