//! Shared file systems: what each kind of node mounts, and what the head node exports.

use crate::{
    model::names,
    spec::{Cluster, Storage},
};
use serde::Serialize;

/// The mounts of one kind of node.
#[derive(Debug, Serialize)]
pub(super) struct Mounts {
    /// FSx for Lustre is among them.
    lustre: bool,
    /// EFS is among them.
    efs: bool,
    mounts: Vec<Mount>,
    /// Homes are on the head node's data volume.
    homes: bool,
    /// The names of volumes besides that one.
    volumes: Vec<String>,
    /// Directories that the head node exports and the others mount.
    exports: Vec<String>,
    /// The end of AWS's host names in this region.
    dns_suffix: &'static str,
}

/// One call of a function of storage.sh.
#[derive(Debug, Serialize)]
struct Mount {
    command: &'static str,
    name: String,
    mount: String,
    /// What is known of a file system that exists already.
    facts: Vec<String>,
}

/// What the nodes mount: on the head node its volumes, elsewhere what it exports.
pub(super) fn mounts(cluster: &Cluster, head: bool) -> Mounts {
    let dns_suffix = names::dns_suffix(cluster);
    let volumes = cluster.storage.iter().filter(|one| one.ebs.is_some());
    let mut exports: Vec<String> = volumes.map(|one| one.mount.to_string()).collect();
    // Homes are on the head node unless a file system is mounted there.
    let homes = !cluster.mounts_home();
    if homes {
        exports.insert(0, "/home".to_owned());
    }
    let wanted = |one: &&Storage| head || one.ebs.is_none();
    Mounts {
        lustre: cluster.storage.iter().any(|one| one.fsx_lustre.is_some()),
        efs: cluster.storage.iter().any(|one| one.efs.is_some()),
        mounts: cluster.storage.iter().filter(wanted).filter_map(|one| mount(cluster, one, dns_suffix)).collect(),
        homes,
        volumes: cluster.storage.iter().filter(|one| one.ebs.is_some()).map(|one| one.name.to_string()).collect(),
        exports,
        dns_suffix,
    }
}

/// The port of the node itself behind which TLS to an EFS begins, one for each.
fn tunnel_port(cluster: &Cluster, of: &Storage) -> usize {
    let before = cluster.storage.iter().take_while(|one| one.name != of.name).filter(|one| one.efs.is_some());
    20_490 + before.count()
}

fn mount(cluster: &Cluster, one: &Storage, dns_suffix: &str) -> Option<Mount> {
    let (command, facts) = match (&one.fsx_lustre, &one.efs, &one.ebs) {
        (Some(lustre), _, _) => (
            "mount_lustre",
            match &lustre.file_system_id {
                Some(id) => vec![
                    format!("{id}.fsx.{}.{dns_suffix}", cluster.region),
                    lustre.mount_name.clone().unwrap_or_else(|| "fsx".to_owned()),
                ],
                None => Vec::new(),
            },
        ),
        (_, Some(efs), _) => {
            let tunnel =
                if efs.encryption_in_transit { tunnel_port(cluster, one).to_string() } else { "clear".to_owned() };
            ("mount_efs", [tunnel].into_iter().chain(efs.file_system_id.iter().map(|id| id.to_string())).collect())
        }
        (_, _, Some(ebs)) => ("mount_volume", ebs.volume_id.iter().map(|id| id.to_string()).collect()),
        // OpenZFS, ONTAP and File Cache are refused by the checks.
        _ => return None,
    };
    Some(Mount { command, name: one.name.to_string(), mount: one.mount.to_string(), facts })
}
