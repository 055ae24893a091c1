//! Volumes that leave the head node: exported no more, unmounted, out of fstab, detached; and the way back.

use crate::{
    cloud::Cloud,
    node::{Cluster, Events, Home, Machine, NodeError, attach, detach, processes::Call},
};
use std::time::Duration;

/// How a line begins that is set aside until a new configuration deletes it, or the volume comes back.
const AWAY: &str = "#away ";
/// How long `exportfs` may take, or a mount.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between looks whether EC2 has detached a volume, or whether its device is there.
const LOOK: Duration = Duration::from_secs(3);
/// Looks before it is given up: two minutes.
const LOOKS: u32 = 40;

/// A volume of the head node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    name: String,
    id: String,
    /// Where it is mounted.
    pub at: String,
}

/// The volumes with these ids.
///
/// # Errors
/// When this head node has none such, or does not know where it is mounted.
pub(super) fn find(cluster: &Cluster, ids: &[String]) -> Result<Vec<Volume>, NodeError> {
    let all = cluster.volumes()?;
    let one = |id: &String| {
        let (name, _) = all.iter().find(|(_, known)| known == id)?;
        let at = cluster.config.volumes.iter().find(|one| one.name == *name)?.mount.clone()?;
        Some(Volume { name: name.clone(), id: id.clone(), at })
    };
    let found = |id: &String| one(id).ok_or_else(|| NodeError::Missing(format!("the place of the volume {id}")));
    ids.iter().map(found).collect()
}

impl Volume {
    /// Nobody mounts it from here any more.
    pub async fn unexport(&self, machine: &Machine) -> Result<(), NodeError> {
        let ours = |line: &str| line.split_whitespace().next() == Some(self.at.as_str());
        if Home::edit(&machine.exports, |line| ours(line).then(|| format!("{AWAY}{line}")))? {
            machine.run(&Call::new("exportfs", ["-ra"]), PATIENCE).await?;
        }
        Ok(())
    }

    /// Detaches it, once it is unmounted, and waits until EC2 says so.
    pub async fn detach(&self, cloud: &Cloud, cluster: &Cluster, machine: &Machine) -> Result<(), NodeError> {
        Home::edit(&machine.fstab, |line| self.is_mounted_by(line).then(|| format!("{AWAY}{line}")))?;
        detach(cloud, cluster, std::slice::from_ref(&self.name)).await?;
        for _ in 0..LOOKS {
            let found = cloud.compute.volumes(std::slice::from_ref(&self.id)).await?.pop();
            if found.is_none_or(|one| one.attachment.is_none()) {
                return Ok(());
            }
            cloud.clock.sleep(LOOK).await;
        }
        let minutes = u64::from(LOOKS) * LOOK.as_secs() / 60;
        let (name, volume, state) = (self.name.clone(), self.id.clone(), "attached yet".to_owned());
        Err(NodeError::Volume { name, volume, minutes, state })
    }

    /// Attaches, mounts and exports it as it was.
    pub async fn come_back(
        &self,
        cloud: &Cloud,
        cluster: &Cluster,
        machine: &Machine,
        events: Events<'_>,
    ) -> Result<(), NodeError> {
        attach(cloud, cluster, std::slice::from_ref(&self.name), events).await?;
        Home::edit(&machine.fstab, |line| back(line).filter(|line| self.is_mounted_by(line)).map(str::to_owned))?;
        let mount = Call::new("mount", [self.at.as_str()]);
        for number in 1..=LOOKS {
            if machine.mounts().iter().any(|mount| mount.at == self.at) {
                break;
            }
            match machine.run(&mount, PATIENCE).await {
                // Its device may not be there yet.
                Err(_) if number < LOOKS => cloud.clock.sleep(LOOK).await,
                result => return result.map(drop).and(self.export(machine).await),
            }
        }
        self.export(machine).await
    }

    async fn export(&self, machine: &Machine) -> Result<(), NodeError> {
        let ours = |line: &&str| line.split_whitespace().next() == Some(self.at.as_str());
        if Home::edit(&machine.exports, |line| back(line).filter(ours).map(str::to_owned))? {
            machine.run(&Call::new("exportfs", ["-ra"]), PATIENCE).await?;
        }
        Ok(())
    }

    fn is_mounted_by(&self, line: &str) -> bool {
        !line.starts_with('#') && line.split_whitespace().nth(1) == Some(self.at.as_str())
    }
}

/// A line that was set aside, as it was.
fn back(line: &str) -> Option<&str> {
    line.strip_prefix(AWAY)
}
