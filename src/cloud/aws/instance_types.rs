//! EC2: instance types, as the catalogue has them.
//!
//! The rules (a share of a GPU, bandwidth that contradicts itself, Inferentia told twice) are those of
//! `tools/catalog.py`, which writes the embedded table from recorded answers of the same call: a test of both
//! compares them.

use super::super::Result;
use super::errors::failed;
use super::values::{count, text};
use crate::catalog::{
    Accelerator, AcceleratorKind, Arch, DiskKind, EbsOptimized, EfaFacts, Gpu, Hypervisor, InstanceStore, InstanceType,
    NetworkFacts,
};
use aws_sdk_ec2::{
    Client,
    types::{
        ArchitectureType, DiskType, EbsOptimizedSupport, EphemeralNvmeSupport, GpuDeviceInfo, InstanceTypeHypervisor,
        InstanceTypeInfo, NetworkInfo, PlacementGroupStrategy, UsageClassType,
    },
};

/// All instance types of the region, by name. A type whose architecture we do not know is left out.
pub(super) async fn all(client: &Client) -> Result<Vec<InstanceType>> {
    let mut pages = client.describe_instance_types().into_paginator().page_size(100).items().send();
    let mut found = Vec::new();
    while let Some(facts) = pages.next().await {
        found.extend(instance_type(&facts.map_err(failed("ec2", "DescribeInstanceTypes"))?));
    }
    found.sort_by(|a: &InstanceType, b| a.name.cmp(&b.name));
    Ok(found)
}

fn instance_type(from: &InstanceTypeInfo) -> Option<InstanceType> {
    let cpu = from.v_cpu_info()?;
    let network = from.network_info()?;
    let placement = from.placement_group_info().map(|info| info.supported_strategies()).unwrap_or_default();
    let usage = from.supported_usage_classes();
    Some(InstanceType {
        name: from.instance_type()?.as_str().to_owned(),
        vcpus: count(cpu.default_v_cpus()),
        cores: count(cpu.default_cores()),
        threads_per_core: count(cpu.default_threads_per_core()),
        valid_threads_per_core: cpu.valid_threads_per_core().iter().map(|n| count(Some(*n))).collect(),
        memory_mib: from.memory_info().and_then(|m| m.size_in_mib()).map_or(0, i64::unsigned_abs),
        arch: arch(from)?,
        efa: efa(network),
        network_cards: count(network.maximum_network_cards()),
        network: network_facts(network),
        gpus: from.gpu_info().map(|info| info.gpus().iter().map(gpu).collect()).unwrap_or_default(),
        accelerators: accelerators(from),
        placement_cluster: placement.contains(&PlacementGroupStrategy::Cluster),
        placement_partition: placement.contains(&PlacementGroupStrategy::Partition),
        placement_spread: placement.contains(&PlacementGroupStrategy::Spread),
        instance_store: store(from),
        ebs_optimized: ebs(from),
        hypervisor: hypervisor(from),
        current_generation: from.current_generation().unwrap_or_default(),
        burstable: from.burstable_performance_supported().unwrap_or_default(),
        on_demand: usage.contains(&UsageClassType::OnDemand),
        spot: usage.contains(&UsageClassType::Spot),
        capacity_block: usage.contains(&UsageClassType::CapacityBlock),
    })
}

/// Some old types list i386 beside x86_64.
fn arch(from: &InstanceTypeInfo) -> Option<Arch> {
    let known = |arch: &ArchitectureType| match arch {
        ArchitectureType::X8664 => Some(Arch::X86_64),
        ArchitectureType::Arm64 => Some(Arch::Arm64),
        ArchitectureType::X8664Mac => Some(Arch::X86_64Mac),
        ArchitectureType::Arm64Mac => Some(Arch::Arm64Mac),
        _ => None,
    };
    from.processor_info()?.supported_architectures().iter().find_map(known)
}

fn efa(network: &NetworkInfo) -> Option<EfaFacts> {
    let max_interfaces = count(network.efa_info().and_then(|info| info.maximum_efa_interfaces()));
    (network.efa_supported() == Some(true) && max_interfaces > 0).then_some(EfaFacts { max_interfaces })
}

fn network_facts(from: &NetworkInfo) -> NetworkFacts {
    let performance = text(from.network_performance());
    let bandwidth = bandwidth(from).filter(|(_, peak)| agrees(&performance, *peak));
    NetworkFacts {
        baseline_gbps: bandwidth.map(|(baseline, _)| rounded(baseline)),
        peak_gbps: bandwidth.map(|(_, peak)| rounded(peak)),
        max_interfaces: count(from.maximum_network_interfaces()),
        performance,
    }
}

/// Baseline and peak over all cards.
fn bandwidth(from: &NetworkInfo) -> Option<(f64, f64)> {
    from.network_cards().iter().try_fold((0.0, 0.0), |(baseline, peak), card| {
        Some((baseline + card.baseline_bandwidth_in_gbps()?, peak + card.peak_bandwidth_in_gbps()?))
    })
}

/// Whether the cards' sum fits EC2's own words; on a dozen types each card carries the whole instance's figure.
fn agrees(performance: &str, peak: f64) -> bool {
    let words = performance.strip_prefix("Up to ").unwrap_or(performance);
    let Some(words) = words.strip_suffix(" Gigabit") else { return true };
    let (cards, each) = words.split_once("x ").unwrap_or(("1", words));
    match (cards.parse::<f64>(), each.parse::<f64>()) {
        (Ok(cards), Ok(each)) => (cards * each - peak).abs() <= cards * each / 4.0,
        _ => true,
    }
}

/// To three digits after the point, as the table has them.
fn rounded(gbps: f64) -> f64 {
    (gbps * 1000.0).round() / 1000.0
}

/// A type with a share of a GPU says that it has none, and one logical one.
fn gpu(from: &GpuDeviceInfo) -> Gpu {
    let whole = count(from.count());
    Gpu {
        count: if whole == 0 { count(from.logical_gpu_count()) } else { whole },
        share: rounded(from.gpu_partition_size().unwrap_or(1.0)),
        manufacturer: text(from.manufacturer()),
        name: text(from.name()),
        memory_mib: mib(from.memory_info().and_then(|memory| memory.size_in_mib())),
    }
}

/// Inferentia is told twice, as Neuron and as an inference accelerator: the first counts.
fn accelerators(from: &InstanceTypeInfo) -> Vec<Accelerator> {
    let device = |kind, devices, cores, name, memory| Accelerator {
        kind,
        count: count(devices),
        cores,
        name: text(name),
        memory_mib: mib(memory),
    };
    let neuron = from.neuron_info().map(|info| info.neuron_devices()).unwrap_or_default().iter().map(|d| {
        let cores = d.core_info().and_then(|core| core.count()).map(|n| count(Some(n)));
        device(AcceleratorKind::Neuron, d.count(), cores, d.name(), d.memory_info().and_then(|m| m.size_in_mib()))
    });
    let mut found: Vec<Accelerator> = neuron.collect();
    if found.is_empty() {
        let inference = from.inference_accelerator_info().map(|info| info.accelerators()).unwrap_or_default();
        found.extend(inference.iter().map(|d| {
            let memory = d.memory_info().and_then(|m| m.size_in_mib());
            device(AcceleratorKind::Inference, d.count(), None, d.name(), memory)
        }));
    }
    found.extend(from.fpga_info().map(|info| info.fpgas()).unwrap_or_default().iter().map(|d| {
        device(AcceleratorKind::Fpga, d.count(), None, d.name(), d.memory_info().and_then(|m| m.size_in_mib()))
    }));
    found.extend(from.media_accelerator_info().map(|info| info.accelerators()).unwrap_or_default().iter().map(|d| {
        device(AcceleratorKind::Media, d.count(), None, d.name(), d.memory_info().and_then(|m| m.size_in_mib()))
    }));
    found
}

fn mib(size: Option<i32>) -> Option<u64> {
    size.and_then(|size| u64::try_from(size).ok())
}

fn store(from: &InstanceTypeInfo) -> Option<InstanceStore> {
    let info = from.instance_storage_info()?;
    let gb = info.total_size_in_gb().and_then(|gb| u64::try_from(gb).ok()).filter(|gb| *gb > 0)?;
    let first = info.disks().first().and_then(|disk| disk.r#type());
    let kind = match (info.nvme_support(), first) {
        (Some(EphemeralNvmeSupport::Required), _) => DiskKind::Nvme,
        (_, Some(DiskType::Hdd)) => DiskKind::Hdd,
        _ => DiskKind::Ssd,
    };
    Some(InstanceStore { gb, kind })
}

fn ebs(from: &InstanceTypeInfo) -> EbsOptimized {
    match from.ebs_info().and_then(|info| info.ebs_optimized_support()) {
        Some(EbsOptimizedSupport::Default) => EbsOptimized::Default,
        Some(EbsOptimizedSupport::Supported) => EbsOptimized::Supported,
        _ => EbsOptimized::Unsupported,
    }
}

fn hypervisor(from: &InstanceTypeInfo) -> Hypervisor {
    match from.hypervisor() {
        _ if from.bare_metal() == Some(true) => Hypervisor::Metal,
        Some(InstanceTypeHypervisor::Xen) => Hypervisor::Xen,
        _ => Hypervisor::Nitro,
    }
}
