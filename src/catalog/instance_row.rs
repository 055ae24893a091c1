//! One row of the instance-type table: text to [`InstanceType`] and back.

use super::instance_types::{
    Accelerator, AcceleratorKind, Arch, DiskKind, EbsOptimized, EfaFacts, Gpu, Hypervisor,
    InstanceStore, InstanceType, NetworkFacts,
};

/// The columns after the name, with what the header says of each. `tools/catalog.py` has the same.
pub(super) const COLUMNS: [(&str, &str); 21] = [
    ("vcpus", "default vCPUs"),
    ("cores", "default physical cores"),
    ("threads", "default threads per core"),
    (
        "valid_threads",
        "threads per core that CpuOptions may ask for, comma list",
    ),
    ("memory_mib", "memory, MiB"),
    ("arch", "x86_64, arm64, x86_64_mac or arm64_mac"),
    ("efa", "maximum EFA interfaces, 0 without EFA"),
    ("cards", "maximum network cards"),
    ("interfaces", "maximum network interfaces"),
    ("network", "network performance in AWS's words"),
    ("base_gbps", "baseline bandwidth of all cards, Gbit/s"),
    ("peak_gbps", "peak bandwidth of all cards, Gbit/s"),
    (
        "gpus",
        "COUNT:SHARE:MANUFACTURER:NAME:MIB each, semicolon list; SHARE 1 is a whole GPU",
    ),
    (
        "accelerators",
        "KIND:COUNT:CORES:NAME:MIB each; KIND neuron, inference, fpga, media",
    ),
    (
        "placement",
        "placement group strategies, comma list of cluster, partition, spread",
    ),
    ("disk_gb", "instance store in total, GB, 0 without"),
    ("disk", "instance store kind: nvme, ssd, hdd"),
    ("ebs", "EBS-optimised: default, supported, unsupported"),
    ("hypervisor", "nitro, xen, metal"),
    (
        "usage",
        "purchase options, comma list of on-demand, spot, capacity-block",
    ),
    ("flags", "comma list of current, burstable"),
];

/// Why a row is no instance type: the column that cannot be read, or `columns` when their number is
/// wrong.
pub(super) type BadColumn = &'static str;

/// Reads what stands behind the name in a row.
pub(super) fn parse(name: &str, row: &str) -> Result<InstanceType, BadColumn> {
    let fields: Vec<&str> = row.split('\t').collect();
    let fields: [&str; COLUMNS.len()] = fields.try_into().map_err(|_| "columns")?;
    let [
        vcpus,
        cores,
        threads,
        valid_threads,
        memory_mib,
        arch,
        efa,
        cards,
        interfaces,
        network,
        base_gbps,
        peak_gbps,
        gpus,
        accelerators,
        placement,
        disk_gb,
        disk,
        ebs,
        hypervisor,
        usage,
        flags,
    ] = fields;
    Ok(InstanceType {
        name: name.to_owned(),
        vcpus: read(vcpus).ok_or("vcpus")?,
        cores: read(cores).ok_or("cores")?,
        threads_per_core: read(threads).ok_or("threads")?,
        valid_threads_per_core: list(valid_threads, ',', read).ok_or("valid_threads")?,
        memory_mib: read(memory_mib).ok_or("memory_mib")?,
        arch: word(&ARCH, arch).ok_or("arch")?,
        efa: match read(efa).ok_or("efa")? {
            0 => None,
            max_interfaces => Some(EfaFacts { max_interfaces }),
        },
        network_cards: read(cards).ok_or("cards")?,
        network: NetworkFacts {
            performance: network.to_owned(),
            baseline_gbps: maybe(base_gbps).ok_or("base_gbps")?,
            peak_gbps: maybe(peak_gbps).ok_or("peak_gbps")?,
            max_interfaces: read(interfaces).ok_or("interfaces")?,
        },
        gpus: list(gpus, ';', gpu).ok_or("gpus")?,
        accelerators: list(accelerators, ';', accelerator).ok_or("accelerators")?,
        placement_cluster: has(placement, "cluster"),
        placement_partition: has(placement, "partition"),
        placement_spread: has(placement, "spread"),
        instance_store: match read(disk_gb).ok_or("disk_gb")? {
            0 => None,
            gb => Some(InstanceStore {
                gb,
                kind: word(&DISK, disk).ok_or("disk")?,
            }),
        },
        ebs_optimized: word(&EBS, ebs).ok_or("ebs")?,
        hypervisor: word(&HYPERVISOR, hypervisor).ok_or("hypervisor")?,
        current_generation: has(flags, "current"),
        burstable: has(flags, "burstable"),
        on_demand: has(usage, "on-demand"),
        spot: has(usage, "spot"),
        capacity_block: has(usage, "capacity-block"),
    })
}

/// The whole row, name and all, without a newline.
pub(super) fn write(of: &InstanceType) -> String {
    let InstanceType {
        name,
        vcpus,
        cores,
        threads_per_core,
        valid_threads_per_core,
        memory_mib,
        arch,
        efa,
        network_cards,
        network,
        gpus,
        accelerators,
        placement_cluster,
        placement_partition,
        placement_spread,
        instance_store,
        ebs_optimized,
        hypervisor,
        current_generation,
        burstable,
        on_demand,
        spot,
        capacity_block,
    } = of;
    let NetworkFacts {
        performance,
        baseline_gbps,
        peak_gbps,
        max_interfaces,
    } = network;
    let placement = [
        (*placement_cluster, "cluster"),
        (*placement_partition, "partition"),
        (*placement_spread, "spread"),
    ];
    let usage = [
        (*capacity_block, "capacity-block"),
        (*on_demand, "on-demand"),
        (*spot, "spot"),
    ];
    [
        name.clone(),
        vcpus.to_string(),
        cores.to_string(),
        threads_per_core.to_string(),
        join(valid_threads_per_core, ",", u32::to_string),
        memory_mib.to_string(),
        name_of(&ARCH, *arch),
        efa.map_or(0, |e| e.max_interfaces).to_string(),
        network_cards.to_string(),
        max_interfaces.to_string(),
        performance.clone(),
        baseline_gbps.map(number).unwrap_or_default(),
        peak_gbps.map(number).unwrap_or_default(),
        join(gpus, ";", write_gpu),
        join(accelerators, ";", write_accelerator),
        words(&placement),
        instance_store.map_or(0, |s| s.gb).to_string(),
        instance_store
            .map(|s| name_of(&DISK, s.kind))
            .unwrap_or_default(),
        name_of(&EBS, *ebs_optimized),
        name_of(&HYPERVISOR, *hypervisor),
        words(&usage),
        words(&[(*current_generation, "current"), (*burstable, "burstable")]),
    ]
    .join("\t")
}

type Words<T, const N: usize> = [(&'static str, T); N];

const ARCH: Words<Arch, 4> = [
    ("x86_64", Arch::X86_64),
    ("arm64", Arch::Arm64),
    ("x86_64_mac", Arch::X86_64Mac),
    ("arm64_mac", Arch::Arm64Mac),
];
const DISK: Words<DiskKind, 3> = [
    ("nvme", DiskKind::Nvme),
    ("ssd", DiskKind::Ssd),
    ("hdd", DiskKind::Hdd),
];
const EBS: Words<EbsOptimized, 3> = [
    ("default", EbsOptimized::Default),
    ("supported", EbsOptimized::Supported),
    ("unsupported", EbsOptimized::Unsupported),
];
const HYPERVISOR: Words<Hypervisor, 3> = [
    ("nitro", Hypervisor::Nitro),
    ("xen", Hypervisor::Xen),
    ("metal", Hypervisor::Metal),
];
const ACCELERATOR: Words<AcceleratorKind, 4> = [
    ("neuron", AcceleratorKind::Neuron),
    ("inference", AcceleratorKind::Inference),
    ("fpga", AcceleratorKind::Fpga),
    ("media", AcceleratorKind::Media),
];

fn word<T: Copy, const N: usize>(words: &Words<T, N>, text: &str) -> Option<T> {
    words
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value)
}

fn name_of<T: PartialEq, const N: usize>(words: &Words<T, N>, value: T) -> String {
    words
        .iter()
        .find(|(_, v)| *v == value)
        .map_or_else(String::new, |(name, _)| (*name).to_owned())
}

fn read<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// Nothing for an empty field; `None` for one that cannot be read.
#[allow(clippy::option_option)]
fn maybe<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
    if text.is_empty() {
        Some(None)
    } else {
        read(text).map(Some)
    }
}

fn list<T>(text: &str, separator: char, item: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(separator)
        .filter(|part| !part.is_empty())
        .map(item)
        .collect()
}

fn has(list: &str, wanted: &str) -> bool {
    list.split(',').any(|part| part == wanted)
}

fn words(of: &[(bool, &str)]) -> String {
    of.iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| *word)
        .collect::<Vec<_>>()
        .join(",")
}

fn join<T>(items: &[T], separator: &str, text: fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(separator)
}

fn parts(text: &str) -> Option<[&str; 5]> {
    text.split(':').collect::<Vec<_>>().try_into().ok()
}

fn gpu(text: &str) -> Option<Gpu> {
    let [count, share, manufacturer, name, memory_mib] = parts(text)?;
    Some(Gpu {
        count: read(count)?,
        share: read(share)?,
        manufacturer: manufacturer.to_owned(),
        name: name.to_owned(),
        memory_mib: maybe(memory_mib)?,
    })
}

fn write_gpu(gpu: &Gpu) -> String {
    let Gpu {
        count,
        share,
        manufacturer,
        name,
        memory_mib,
    } = gpu;
    format!(
        "{count}:{}:{manufacturer}:{name}:{}",
        number(*share),
        text_of(*memory_mib)
    )
}

fn accelerator(text: &str) -> Option<Accelerator> {
    let [kind, count, cores, name, memory_mib] = parts(text)?;
    Some(Accelerator {
        kind: word(&ACCELERATOR, kind)?,
        count: read(count)?,
        cores: maybe(cores)?,
        name: name.to_owned(),
        memory_mib: maybe(memory_mib)?,
    })
}

fn write_accelerator(of: &Accelerator) -> String {
    let Accelerator {
        kind,
        count,
        cores,
        name,
        memory_mib,
    } = of;
    let (kind, cores) = (name_of(&ACCELERATOR, *kind), text_of(*cores));
    format!("{kind}:{count}:{cores}:{name}:{}", text_of(*memory_mib))
}

fn text_of<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, parse};

    #[test]
    fn a_bad_row_names_its_column() {
        let good =
            "2\t1\t2\t1,2\t1024\tx86_64\t0\t1\t2\tLow\t\t\t\t\tspread\t0\t\tdefault\txen\tspot\t";
        assert!(parse("a.b", good).is_ok());
        assert_eq!(parse("a.b", "2\t1"), Err("columns"));
        for (from, to, column) in [
            ("2\t1\t2", "two\t1\t2", "vcpus"),
            ("x86_64", "sparc", "arch"),
            ("1,2", "1,x", "valid_threads"),
            ("Low\t\t", "Low\tfast\t", "base_gbps"),
            ("xen", "kvm", "hypervisor"),
            ("spread\t0\t", "spread\t5\t", "disk"),
        ] {
            assert_eq!(parse("a.b", &good.replacen(from, to, 1)), Err(column));
        }
    }

    #[test]
    fn columns_are_those_of_the_data_file() {
        let text = include_str!("data/instance-types.txt");
        for (name, words) in COLUMNS {
            assert!(text.contains(&format!("\n#   {name}: {words}\n")), "{name}");
        }
    }
}
