//! From the configuration to what ports and workers are started with.

use crate::failure::Failure;
use crate::options;
use dpdk_bindings::CpuId;
use std::sync::Arc;
use tapir_config::{Config, Core, Device};
use tapir_dataplane::live::{Distribution, LiveOptions, PortOptions};
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_parsers::plugin::PluginHost;

/// What the dataplane is started with.
pub(super) fn live(config: &Config, plugins: Option<Arc<dyn PluginHost>>) -> Result<LiveOptions, Failure> {
    let cpu = |core: &Core| CpuId(core.get());
    let workers: Vec<CpuId> = config.workers.lcores.as_slice().iter().map(cpu).collect();
    let workers = if workers.is_empty() {
        vec![last_core()?]
    } else {
        workers
    };
    let receiver = config.workers.rx_lcore.as_ref().map(cpu);
    check_cpus(&workers)?;
    check_cpus(receiver.as_slice())?;
    let eal = &config.eal;
    Ok(LiveOptions {
        ports: config.ports.iter().map(port).collect(),
        lcores: workers,
        receiver_lcore: receiver,
        main_cpus: eal
            .main_cores
            .iter()
            .flat_map(|cores| cores.as_slice())
            .map(cpu)
            .collect(),
        no_huge: !eal.hugepages,
        in_memory: eal.in_memory,
        file_prefix: eal.file_prefix.clone(),
        memory_mb: eal.memory.map(|bytes| (bytes.get() >> 20) as u32),
        log_level: log_level(eal.log_level),
        eal_args: eal.extra_args.clone(),
        ring_bytes: config.records.ring.as_usize(),
        pipeline: PipelineOptions {
            plugins,
            ..options::pipeline(config)?
        },
        ..LiveOptions::default()
    })
}

fn log_level(level: tapir_config::EalLog) -> dpdk_bindings::LogLevel {
    use dpdk_bindings::LogLevel;
    match level.name() {
        "error" => LogLevel::Error,
        "warning" => LogLevel::Warning,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        _ => LogLevel::default(),
    }
}

fn port(port: &tapir_config::Port) -> PortOptions {
    let (device, is_pci) = match &port.device {
        Device::Pci(address) => (address.to_string(), true),
        Device::Vdev(vdev) => (vdev.as_str().to_owned(), false),
    };
    PortOptions {
        device,
        is_pci,
        descriptors: port.rx_descriptors.get() as u16,
        mtu: port.mtu.get() as u16,
        promiscuous: port.promiscuous,
        queues: port.queues.map(|queues| queues.get() as u16),
        distribution: match (port.distribution, port.rss) {
            (tapir_config::Distribution::Software, _) | (_, tapir_config::Rss::Off) => Distribution::Software,
            (tapir_config::Distribution::Rss, _) => Distribution::Rss,
            (tapir_config::Distribution::Auto, _) => Distribution::Auto,
        },
    }
}

/// Whether the process may use all these CPUs; said before DPDK is started.
fn check_cpus(cpus: &[CpuId]) -> Result<(), Failure> {
    let usable: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .iter()
        .map(|core| core.id)
        .collect();
    match cpus.iter().find(|cpu| !usable.contains(&usize::from(cpu.0))) {
        Some(cpu) if !usable.is_empty() => Err(Failure::Operation(format!(
            "core {cpu} is not there, or this process may not use it; it has {usable:?}: choose others with --lcores or in [workers]"
        ))),
        _ => Ok(()),
    }
}

/// The last CPU that the process may use: the first is busy with everything else.
fn last_core() -> Result<CpuId, Failure> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let last = cores.iter().map(|core| core.id).max();
    last.map(|id| CpuId(id as u16)).ok_or_else(|| {
        Failure::Operation("the system does not tell its CPUs; name some with --lcores".to_owned())
    })
}
