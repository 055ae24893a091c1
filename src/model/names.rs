//! Names that several rooms must agree on.
//!
//! Templates, policies and the files on nodes meet in these names; nothing else may spell them.

use crate::{catalog, spec::Cluster};

/// The tag that everything of a cluster carries; its value is the cluster's name.
pub const CLUSTER_TAG: &str = "hpcctl:cluster";
/// The tag with the part in the cluster: `head`, `compute`, `login`, `storage` ...
pub const ROLE_TAG: &str = "hpcctl:role";
/// The tag with the region of a role: IAM is one for all regions.
pub const REGION_TAG: &str = "hpcctl:region";
/// The tag with the queue of a compute node.
pub const QUEUE_TAG: &str = "hpcctl:queue";
/// The tag with the pool of a compute node.
pub const POOL_TAG: &str = "hpcctl:pool";
/// The tag with the Slurm node name of a compute node.
pub const NODE_TAG: &str = "hpcctl:node";

/// The name, below a cluster's `launches/`, of the object from which nodes learn the head node's address.
pub const HEAD_ADDRESS: &str = "head";

/// The CloudWatch namespace of what nodes report. Head metrics have the one dimension `Cluster`.
pub const METRICS: &str = "hpcctl";
/// The dimension of head metrics.
pub const CLUSTER_DIMENSION: &str = "Cluster";
/// Percent of the head node's root volume in use.
pub const DISK_USED: &str = "HeadDiskUsedPercent";
/// Percent of the head node's memory in use.
pub const MEMORY_USED: &str = "HeadMemoryUsedPercent";
/// Slurm nodes that have jobs.
pub const NODES_ALLOCATED: &str = "NodesAllocated";
/// Slurm nodes that wait for jobs.
pub const NODES_IDLE: &str = "NodesIdle";
/// Slurm nodes that are drained or down.
pub const NODES_DOWN: &str = "NodesDown";
/// Jobs that run.
pub const JOBS_RUNNING: &str = "JobsRunning";
/// Jobs that wait.
pub const JOBS_PENDING: &str = "JobsPending";

/// The log group of a cluster; its streams begin with `head/`, `login/` or `compute/`.
pub fn log_group(cluster: &Cluster) -> String {
    format!("/hpcctl/{}", cluster.name)
}

/// What AWS's host names end with in the cluster's region: `amazonaws.com`, in China `amazonaws.com.cn`.
pub fn dns_suffix(cluster: &Cluster) -> &'static str {
    catalog::region(cluster.region.as_str()).map_or("amazonaws.com", |region| region.dns_suffix)
}

/// What nodes reach without the proxy: the instance metadata, themselves, and services with an endpoint in the VPC. A
/// network that hpcctl builds has one for S3; those of others the file names.
pub fn no_proxy(cluster: &Cluster) -> String {
    let mut direct = vec!["169.254.169.254".to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    if cluster.network.create.as_ref().is_some_and(|create| create.s3_endpoint) {
        let host = format!("s3.{}.{}", cluster.region, dns_suffix(cluster));
        direct.extend([host.clone(), format!(".{host}")]);
    }
    direct.extend(cluster.network.no_proxy.iter().cloned());
    direct.join(",")
}

/// The key prefix of a cluster in the artifact bucket.
pub fn prefix(cluster: &Cluster) -> String {
    format!("clusters/{}", cluster.name)
}

/// The IAM path below which roles of clusters lie where the cluster file names none.
pub const IAM_PATH: &str = "/hpcctl/";

/// The IAM path of the cluster's roles and profiles: the user's path, or `/hpcctl/`, and the cluster's name.
///
/// A path of its own lets the head node's right to pass roles end at the cluster's roles, which have
/// generated names.
pub fn iam_path(cluster: &Cluster) -> String {
    let base = cluster.iam.as_ref().and_then(|iam| iam.path.as_deref()).unwrap_or(IAM_PATH);
    format!("{}/{}/", base.trim_end_matches('/'), cluster.name)
}

/// The IAM path of compute nodes' roles: the only ones that the head node may pass on.
pub fn compute_iam_path(cluster: &Cluster) -> String {
    format!("{}compute/", iam_path(cluster))
}

/// The launch template's name: `CLUSTER/QUEUE/POOL`, with `/TYPE` when the pool needs one for each type.
///
/// Cluster, queue and pool names hold no slash, so no two pools share a name; and nothing that makes
/// CloudFormation replace a launch template changes while its name stays, so the name never collides
/// with itself.
pub fn launch_template(cluster: &str, queue: &str, pool: &str, instance_type: Option<&str>) -> String {
    match instance_type {
        Some(instance_type) => format!("{cluster}/{queue}/{pool}/{instance_type}"),
        None => format!("{cluster}/{queue}/{pool}"),
    }
}

/// A name of the cluster file as a logical id: `spot-a` is `SpotA`.
///
/// Different names give different ids: a hyphen that no letter follows becomes `X`, and `-x` is `Xx`.
pub fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    if let Some(first) = chars.next() {
        out.push(first.to_ascii_uppercase());
    }
    while let Some(char) = chars.next() {
        match (char, chars.peek().copied()) {
            ('-', Some('x')) => {
                chars.next();
                out.push_str("Xx");
            }
            ('-', Some(letter)) if letter.is_ascii_alphabetic() => {
                chars.next();
                out.push(letter.to_ascii_uppercase());
            }
            ('-', _) => out.push('X'),
            ('.', _) => {}
            (other, _) => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn camel_gives_different_ids_to_different_names() {
        let alphabet = ['a', 'b', 'x', '1', '-'];
        let mut names = vec![String::from("a"), String::from("x")];
        for from in 0..3 {
            let longer: Vec<String> = names
                .iter()
                .filter(|name| name.len() == from + 1)
                .flat_map(|name| alphabet.iter().map(move |char| format!("{name}{char}")))
                .collect();
            names.extend(longer);
        }
        let ids: BTreeSet<String> = names.iter().map(|name| camel(name)).collect();
        assert_eq!(ids.len(), names.len());
        assert!(ids.iter().all(|id| id.chars().all(|char| char.is_ascii_alphanumeric())));
    }

    #[test]
    fn camel_reads_well() {
        assert_eq!(camel("spot"), "Spot");
        assert_eq!(camel("gpu-large"), "GpuLarge");
        assert_eq!(camel("c5n.18xlarge"), "C5n18xlarge");
    }
}
