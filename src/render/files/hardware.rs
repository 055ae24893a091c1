//! What Slurm may count on in a pool: the least of its instance types.

use super::RenderError;
use crate::{
    catalog::{Gpu, InstanceCatalog, InstanceType},
    spec::{Path, Pool, Queue},
};

/// A node of a pool as Slurm sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hardware {
    /// CPUs that jobs are placed on: cores, or hardware threads with hyperthreading.
    pub cpus: u32,
    /// Cores.
    pub cores: u32,
    /// Hardware threads on each core.
    pub threads: u32,
    /// Memory for jobs in MiB.
    pub memory_mib: u64,
    /// GPUs, when every type has some.
    pub gpus: Option<Gpus>,
}

/// The GPUs of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gpus {
    /// How many.
    pub count: u32,
    /// Their model as a Slurm type, such as `a100`, when all types of the pool have the same.
    pub kind: Option<String>,
    /// Their device files, where they are known.
    pub files: Option<String>,
    /// Whether they are NVIDIA's.
    pub nvidia: bool,
}

impl Hardware {
    /// The least of the pool's types. A type that the catalog does not know is an error.
    pub fn of(queue: &Queue, pool: &Pool, at: &Path, catalog: &InstanceCatalog) -> Result<Self, RenderError> {
        let known = |(index, name): (usize, &crate::spec::InstanceTypeName)| {
            catalog.get(name.as_str()).ok_or_else(|| RenderError::UnknownInstanceType {
                name: name.to_string(),
                path: at.key("instance_types").index(index),
            })
        };
        let types: Vec<InstanceType> = pool.instance_types.iter().enumerate().map(known).collect::<Result<_, _>>()?;
        let cores = least(&types, |one| u64::from(one.cores)) as u32;
        let vcpus = least(&types, |one| u64::from(one.vcpus)) as u32;
        let threads = types.first().map_or(1, |one| one.threads_per_core);
        let alike = types.iter().all(|one| one.threads_per_core == threads);
        // Types with one thread a core beside others with two: Slurm takes every CPU for a core.
        let (cpus, cores, threads) = match (queue.hyperthreading, alike) {
            (false, _) => (cores, cores, 1),
            (true, true) => (vcpus, vcpus / threads.max(1), threads),
            (true, false) => (vcpus, vcpus, 1),
        };
        // The kernel and its crash reserve take some of what EC2 names; 95 % is what every type leaves.
        let memory = least(&types, |one| one.memory_mib) * 95 / 100;
        Ok(Self { cpus, cores, threads, memory_mib: pool.schedulable_memory_mib.unwrap_or(memory), gpus: gpus(&types) })
    }

    /// Memory for each CPU in MiB.
    pub fn memory_per_cpu(&self) -> u64 {
        (self.memory_mib / u64::from(self.cpus.max(1))).max(1)
    }
}

fn least(types: &[InstanceType], of: impl Fn(&InstanceType) -> u64) -> u64 {
    types.iter().map(of).min().unwrap_or_default()
}

fn gpus(types: &[InstanceType]) -> Option<Gpus> {
    let count = least(types, |one| u64::from(one.gpu_count())) as u32;
    let all: Vec<&Gpu> = types.iter().flat_map(|one| &one.gpus).collect();
    let first = all.first().filter(|_| count > 0)?;
    let same = all.iter().all(|gpu| gpu.name == first.name);
    let maker = |name: &str| all.iter().all(|gpu| gpu.manufacturer.eq_ignore_ascii_case(name));
    let files = match (maker("NVIDIA"), maker("AMD")) {
        (true, _) => Some(device_range("/dev/nvidia", 0, count)),
        (_, true) => Some(device_range("/dev/dri/renderD", 128, count)),
        _ => None,
    };
    let kind = || first.name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    Some(Gpus { count, kind: same.then(kind).filter(|kind| !kind.is_empty()), files, nvidia: maker("NVIDIA") })
}

fn device_range(stem: &str, first: u32, count: u32) -> String {
    match count {
        1 => format!("{stem}{first}"),
        _ => format!("{stem}[{first}-{}]", first + count - 1),
    }
}

impl Gpus {
    /// The node's `Gres` value: `gpu:a100:8`.
    pub fn gres(&self) -> String {
        match &self.kind {
            Some(kind) => format!("gpu:{kind}:{}", self.count),
            None => format!("gpu:{}", self.count),
        }
    }
}
