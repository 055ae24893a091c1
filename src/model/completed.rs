//! A cluster with what its file leaves to AWS filled in.

use crate::{
    catalog::Ground,
    spec::{AvailabilityZone, Cluster, SubnetZone, subnets_in_use},
};

/// The cluster with the zones of its subnets and the mount names of its file systems, as far as they are known and the
/// file does not say them.
pub fn completed(cluster: &Cluster, ground: &Ground) -> Cluster {
    let mut cluster = cluster.clone();
    let told: Vec<SubnetZone> = subnets_in_use(&cluster)
        .into_iter()
        .filter(|subnet| cluster.network.subnet_zones.iter().all(|known| known.subnet != **subnet))
        .filter_map(|subnet| {
            let zone = AvailabilityZone(ground.zone(subnet.as_str())?.to_owned());
            Some(SubnetZone { subnet: subnet.clone(), zone })
        })
        .collect();
    cluster.network.subnet_zones.extend(told);
    for lustre in cluster.storage.iter_mut().filter_map(|storage| storage.fsx_lustre.as_mut()) {
        let (Some(id), None) = (&lustre.file_system_id, &lustre.mount_name) else { continue };
        lustre.mount_name = ground.lustre.as_ref().and_then(|known| known.get(id.as_str())).cloned();
    }
    cluster
}
