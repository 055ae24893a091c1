//! What an EC2 instance type is: the facts of `DescribeInstanceTypes` that a cluster needs.
//!
//! A type is one row of `data/instance-types.txt`; the header there names the columns.

/// One EC2 instance type.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceType {
    /// `c5n.18xlarge`.
    pub name: String,
    /// vCPUs as launched without CPU options.
    pub vcpus: u32,
    /// Physical cores.
    pub cores: u32,
    /// Hardware threads on each core as launched.
    pub threads_per_core: u32,
    /// Threads per core that EC2's `CpuOptions` may ask for; empty when AWS names none (bare metal).
    pub valid_threads_per_core: Vec<u32>,
    /// Memory in MiB, before the kernel takes its share.
    pub memory_mib: u64,
    /// Processor architecture.
    pub arch: Arch,
    /// Elastic Fabric Adapter; `None` when the type has none.
    pub efa: Option<EfaFacts>,
    /// Network cards. More than one needs an interface on each to reach the full bandwidth.
    pub network_cards: u32,
    /// Network bandwidth and interfaces.
    pub network: NetworkFacts,
    /// GPUs, one entry a model.
    pub gpus: Vec<Gpu>,
    /// Other accelerators: Trainium, Inferentia, FPGA, media.
    pub accelerators: Vec<Accelerator>,
    /// May be launched in a cluster placement group.
    pub placement_cluster: bool,
    /// May be launched in a partition placement group.
    pub placement_partition: bool,
    /// May be launched in a spread placement group.
    pub placement_spread: bool,
    /// Local disks in total; `None` without.
    pub instance_store: Option<InstanceStore>,
    /// Dedicated bandwidth to EBS.
    pub ebs_optimized: EbsOptimized,
    /// What runs below the instance.
    pub hypervisor: Hypervisor,
    /// AWS still recommends it for new work.
    pub current_generation: bool,
    /// CPU credits: performance above a baseline is not for ever.
    pub burstable: bool,
    /// Can be bought on demand.
    pub on_demand: bool,
    /// Can be bought as spot.
    pub spot: bool,
    /// Can be bought as a capacity block for ML.
    pub capacity_block: bool,
}

/// Processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// Intel and AMD.
    X86_64,
    /// AWS Graviton.
    Arm64,
    /// An Intel Mac: runs macOS only.
    X86_64Mac,
    /// An Apple-silicon Mac: runs macOS only.
    Arm64Mac,
}

/// The Elastic Fabric Adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfaFacts {
    /// How many EFA interfaces an instance may have.
    pub max_interfaces: u32,
}

/// The network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkFacts {
    /// AWS's own words: `100 Gigabit`, `Up to 10 Gigabit`, `4x 100 Gigabit`, `Moderate`.
    pub performance: String,
    /// Sustained Gbit/s over all cards; `None` where AWS's figures contradict each other.
    pub baseline_gbps: Option<f64>,
    /// Gbit/s over all cards in a burst; `None` as above.
    pub peak_gbps: Option<f64>,
    /// Elastic network interfaces over all cards.
    pub max_interfaces: u32,
}

/// GPUs of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// How many, as the operating system sees them.
    pub count: u32,
    /// 1 for a whole GPU, 0.125 for an eighth of one (the `g6f` family).
    pub share: f64,
    /// `NVIDIA`.
    pub manufacturer: String,
    /// `A100`.
    pub name: String,
    /// Memory of each in MiB, where AWS says.
    pub memory_mib: Option<u64>,
}

/// Accelerators of one model that are no GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accelerator {
    /// What it is for.
    pub kind: AcceleratorKind,
    /// How many.
    pub count: u32,
    /// Neuron cores on each, for [`AcceleratorKind::Neuron`].
    pub cores: Option<u32>,
    /// `Trainium2`.
    pub name: String,
    /// Memory of each in MiB, where AWS says.
    pub memory_mib: Option<u64>,
}

/// What an accelerator is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AcceleratorKind {
    /// AWS Trainium and Inferentia.
    Neuron,
    /// Inference, of another maker.
    Inference,
    /// Field-programmable gate array.
    Fpga,
    /// Video transcoding.
    Media,
}

/// Local disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceStore {
    /// All disks together, in GB (powers of ten).
    pub gb: u64,
    /// What the disks are.
    pub kind: DiskKind,
}

/// What local disks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskKind {
    /// NVMe solid state.
    Nvme,
    /// Solid state on an older bus.
    Ssd,
    /// Spinning.
    Hdd,
}

/// Dedicated bandwidth to EBS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EbsOptimized {
    /// Always on.
    Default,
    /// Can be asked for.
    Supported,
    /// Not to be had.
    Unsupported,
}

/// What runs below an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hypervisor {
    /// Nitro.
    Nitro,
    /// Xen, on older types.
    Xen,
    /// Nothing: bare metal.
    Metal,
}

impl InstanceType {
    /// Whether EC2 can launch it with one thread per core: `Some(false)` also when there is only one
    /// to begin with or on bare metal (where only the operating system can), `None` when the source
    /// names no valid values although the type has two threads (the `g5` family).
    pub fn can_disable_hyperthreading(&self) -> Option<bool> {
        match &self.valid_threads_per_core[..] {
            _ if self.threads_per_core == 1 || self.bare_metal() => Some(false),
            [] => None,
            valid => Some(valid.contains(&1)),
        }
    }

    /// The first network card that can carry EFA. EC2 does not say which ones can; where a type has one card more than EFA
    /// interfaces, card 0 is for the address alone (p6-b300).
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html>
    pub fn first_efa_card(&self) -> u32 {
        let one_more = |efa: EfaFacts| efa.max_interfaces > 1 && self.network_cards == efa.max_interfaces + 1;
        u32::from(self.efa.is_some_and(one_more))
    }

    /// Without a hypervisor.
    pub fn bare_metal(&self) -> bool {
        self.hypervisor == Hypervisor::Metal
    }

    /// Built on the Nitro system, which all bare-metal types are too
    /// (<https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html>).
    pub fn nitro(&self) -> bool {
        self.hypervisor != Hypervisor::Xen
    }

    /// NVMe instance store in GB, in total.
    pub fn nvme_gb(&self) -> Option<u64> {
        self.instance_store.filter(|s| s.kind == DiskKind::Nvme).map(|s| s.gb)
    }

    /// GPUs over all models.
    pub fn gpu_count(&self) -> u32 {
        self.gpus.iter().map(|g| g.count).sum()
    }

    /// The part of the name before the dot: `c5n`.
    pub fn family(&self) -> &str {
        family(&self.name)
    }
}

/// The part of a type's name before the dot.
pub(super) fn family(name: &str) -> &str {
    name.split_once('.').map_or(name, |(family, _)| family)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::InstanceCatalog;
    use super::*;

    fn get(name: &str) -> InstanceType {
        InstanceCatalog::embedded().get(name).unwrap()
    }

    /// From AWS's instance type pages, not from the table's own source.
    #[test]
    fn well_known_types_are_as_aws_documents_them() {
        let c5n = get("c5n.18xlarge");
        assert_eq!((c5n.vcpus, c5n.cores, c5n.threads_per_core), (72, 36, 2));
        assert_eq!((c5n.memory_mib, c5n.arch), (192 * 1024, Arch::X86_64));
        assert_eq!((efa(&c5n), c5n.network_cards), (1, 1));
        assert_eq!(c5n.network.performance, "100 Gigabit");
        assert_eq!(c5n.network.baseline_gbps, Some(100.0));
        assert!(c5n.on_demand && c5n.spot && !c5n.capacity_block);
        assert!(c5n.placement_cluster && c5n.nitro() && c5n.current_generation);
        assert_eq!((c5n.nvme_gb(), c5n.family()), (None, "c5n"));

        let hpc6a = get("hpc6a.48xlarge");
        assert_eq!((hpc6a.vcpus, hpc6a.cores, hpc6a.threads_per_core), (96, 96, 1));
        assert!(!hpc6a.spot && hpc6a.on_demand);

        let p4d = get("p4d.24xlarge");
        assert_eq!((efa(&p4d), p4d.network_cards), (4, 4));
        assert_eq!((p4d.gpu_count(), p4d.gpus[0].name.as_str()), (8, "A100"));
        assert_eq!(p4d.nvme_gb(), Some(8000));

        let p5 = get("p5.48xlarge");
        assert_eq!((efa(&p5), p5.network_cards), (32, 32));
        assert_eq!((p5.gpu_count(), p5.gpus[0].name.as_str()), (8, "H100"));
        assert!(p5.capacity_block);
    }

    #[test]
    fn efa_is_where_aws_has_it() {
        for (name, interfaces, arch) in [
            ("c6gn.16xlarge", 1, Arch::Arm64),
            ("hpc7g.16xlarge", 1, Arch::Arm64),
            ("hpc7a.96xlarge", 2, Arch::X86_64),
            ("c6i.32xlarge", 1, Arch::X86_64),
            ("p3dn.24xlarge", 1, Arch::X86_64),
            ("trn1.32xlarge", 8, Arch::X86_64),
            ("g4dn.xlarge", 0, Arch::X86_64),
            ("c5.xlarge", 0, Arch::X86_64),
        ] {
            let found = get(name);
            assert_eq!((efa(&found), found.arch), (interfaces, arch), "{name}");
        }
        let t4 = &get("g4dn.xlarge").gpus[0];
        assert_eq!((t4.count, t4.name.as_str(), t4.memory_mib), (1, "T4", Some(16384)));
    }

    #[test]
    fn hyperthreading_is_known_or_said_to_be_unknown() {
        assert_eq!(get("c5n.18xlarge").can_disable_hyperthreading(), Some(true));
        assert_eq!(get("hpc6a.48xlarge").can_disable_hyperthreading(), Some(false));
        assert_eq!(get("c6gn.16xlarge").can_disable_hyperthreading(), Some(false));
        assert_eq!(get("m5.metal").can_disable_hyperthreading(), Some(false));
        assert_eq!(get("g5.xlarge").can_disable_hyperthreading(), None);
    }

    #[test]
    fn odd_types_are_told_apart() {
        let metal = get("m5.metal");
        assert!(metal.bare_metal() && metal.nitro());
        assert!(!get("m4.large").nitro());
        assert!(get("t3.micro").burstable && !get("t3.micro").placement_cluster);
        assert_eq!(get("mac2.metal").arch, Arch::Arm64Mac);
        let slice = &get("g6f.large").gpus[0];
        assert_eq!((slice.count, slice.share), (1, 0.125));
        let trainium = &get("trn1.32xlarge").accelerators[0];
        assert_eq!((trainium.kind, trainium.count), (AcceleratorKind::Neuron, 16));
        assert_eq!(trainium.cores, Some(2));
        // Each of its two cards carries the whole instance's figure: no sum is right.
        assert_eq!(get("hpc6id.32xlarge").network.baseline_gbps, None);
        assert_eq!(get("d2.xlarge").instance_store.unwrap().kind, DiskKind::Hdd);
        assert_eq!(get("d2.xlarge").nvme_gb(), None);
    }

    fn efa(of: &InstanceType) -> u32 {
        of.efa.map_or(0, |e| e.max_interfaces)
    }
}
