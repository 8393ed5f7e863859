//! `tapir run`: sessions from NICs until told to stop.

use super::{config, protocol_names};
use crate::cli::Format;
use crate::failure::Failure;
use crate::logging;
use crate::place::Place;
use std::net::SocketAddr;
use std::path::PathBuf;
use tapir_config::{Config, Core, Cores, Device, Distribution, PciAddress, Port, RecordFormat};
use tapir_config::{ProtocolName, Sink, Vdev, Whole};
use tapir_parsers::l7::Protocol;

/// Arguments of `tapir run`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Configuration in TOML; the other flags have precedence over what it says.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Receive from the NIC at this PCI address, instead of the ports of the configuration; may be
    /// repeated.
    #[arg(long, value_name = "ADDRESS")]
    pci: Vec<PciAddress>,

    /// Receive from this virtual device of DPDK, as in net_af_packet0,iface=veth0; may be repeated.
    #[arg(long, value_name = "ARGS")]
    vdev: Vec<Vdev>,

    /// Receive queues of each port; one for each worker unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    queues: Option<u64>,

    /// Who gives each worker its flows: auto, rss or software.
    #[arg(long, value_name = "HOW", value_parser = distribution)]
    distribution: Option<Distribution>,

    /// Cores of the workers, as in 1-3,8.
    #[arg(long, value_name = "CORES")]
    lcores: Option<Cores>,

    /// Core of the collector.
    #[arg(long, value_name = "CORE")]
    collector_core: Option<Core>,

    /// Where records go instead of the sinks of the configuration: PATH, unix:PATH or
    /// tcp:ADDRESS:PORT; standard output unless given.
    #[arg(long, short, value_name = "TO")]
    output: Option<Place>,

    /// How records are written.
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Read only this protocol; may be repeated.
    #[arg(long = "proto", value_name = "P", value_parser = protocol_names::parser())]
    protocols: Vec<Protocol>,

    /// Serve metrics for Prometheus at this address.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,

    /// Work without hugepages: slower, for trials.
    #[arg(long)]
    no_huge: bool,
}

/// Runs until SIGINT or SIGTERM, then drains.
#[cfg(feature = "dpdk")]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    use crate::live::Appliance;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let config = args.configuration()?;
    logging::configure(config.log.level);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process at once, for whoever can't wait.
        let failed = |e| Failure::operation("installing a signal handler", e);
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop)).map_err(failed)?;
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(failed)?;
    }
    let reload = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&reload))
        .map_err(|e| Failure::operation("installing a signal handler", e))?;
    let mut appliance = Appliance::start(&config)?;
    appliance.run_until(
        || stop.load(Ordering::Relaxed),
        || {
            reload
                .swap(false, Ordering::Relaxed)
                .then(|| args.reread())
                .flatten()
        },
    );
    let asked = stop.load(Ordering::Relaxed);
    let outcome = appliance.stop()?;
    outcome.print();
    if asked {
        Ok(())
    } else {
        Err(Failure::Operation(
            "a worker ended by itself; please report this as a bug".to_owned(),
        ))
    }
}

/// A build without libdpdk has no NICs.
#[cfg(not(feature = "dpdk"))]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.configuration()?;
    logging::configure(config.log.level);
    Err(Failure::Operation(
        "run: this tapir was built without DPDK; build it with default features".to_owned(),
    ))
}

impl Args {
    /// The configuration as it is now; what is wrong with it is logged, and nothing changes.
    #[cfg(feature = "dpdk")]
    fn reread(&self) -> Option<Config> {
        match self.configuration() {
            Ok(config) => Some(config),
            Err(Failure::Operation(message) | Failure::Usage(message)) => {
                log::error!("reload: {message}");
                None
            }
            Err(Failure::OutputClosed) => None,
        }
    }

    /// The file's configuration, or the defaults, with the flags laid over it. Its sinks are what is
    /// wanted in the end: where there are none, records are counted and thrown away.
    pub(crate) fn configuration(&self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(path) => config::load(path)?,
            None => Config::default(),
        };
        self.override_ports(&mut config);
        if config.ports.is_empty() {
            let message = "no port: give --pci ADDRESS or --vdev ARGS, or [[ports]] in --config FILE";
            return Err(Failure::Usage(message.to_owned()));
        }
        self.override_sinks(&mut config);
        if let Some(lcores) = &self.lcores {
            config.workers.lcores = lcores.clone();
        }
        config.workers.collector_core = self.collector_core.or(config.workers.collector_core);
        config.metrics.listen = self.metrics.or(config.metrics.listen);
        config.eal.hugepages &= !self.no_huge;
        if !self.protocols.is_empty() {
            config.protocols.enabled = self
                .protocols
                .iter()
                .map(|p| ProtocolName::new(p.name()))
                .collect();
        }
        config
            .check()
            .map_err(|problems| Failure::Usage(problems.to_string()))?;
        Ok(config)
    }

    fn override_ports(&self, config: &mut Config) {
        if !self.pci.is_empty() || !self.vdev.is_empty() {
            let pci = self.pci.iter().copied().map(Device::Pci);
            let vdev = self.vdev.iter().cloned().map(Device::Vdev);
            config.ports = pci.chain(vdev).map(Port::new).collect();
        }
        for port in &mut config.ports {
            port.queues = self.queues.and_then(Whole::new).or(port.queues);
            port.distribution = self.distribution.unwrap_or(port.distribution);
        }
    }

    fn override_sinks(&self, config: &mut Config) {
        let format = match self.format {
            Some(Format::None) => {
                config.sinks.clear();
                return;
            }
            Some(Format::Json) => Some(RecordFormat::Json),
            Some(Format::Table) => Some(RecordFormat::Table),
            Some(Format::Flatbuffers) => Some(RecordFormat::Flatbuffers),
            None => None,
        };
        let elsewhere = format.unwrap_or(RecordFormat::Flatbuffers);
        let sink = match &self.output {
            Some(Place::File(path)) => Sink::file(path.clone(), elsewhere),
            Some(Place::Unix(path)) => Sink::unix(path.clone(), elsewhere),
            Some(Place::Tcp(listen)) => Sink::tcp(*listen, elsewhere),
            None if format.is_some() || config.sinks.is_empty() => {
                Sink::stdout(format.unwrap_or(RecordFormat::Json))
            }
            None => return,
        };
        config.sinks = vec![sink];
    }
}

fn distribution(name: &str) -> Result<Distribution, String> {
    let names: Vec<_> = Distribution::ALL.iter().map(|how| how.name()).collect();
    Distribution::from_name(name).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn with_file(text: &str, change: impl FnOnce(&mut Args)) -> Config {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut args = Args {
            config: Some(file.path().to_owned()),
            ..Args::default()
        };
        change(&mut args);
        args.configuration().unwrap()
    }

    const FILE: &str = "[[ports]]\npci = \"01:00.0\"\nqueues = 2\n[workers]\nlcores = [1, 2]\n\
                        [[sinks]]\ntype = \"unix\"\npath = \"/run/t\"\n";

    #[test]
    fn a_file_alone_stands_as_it_is() {
        let config = with_file(FILE, |_| {});
        assert_eq!(config, Config::parse(FILE, "", &[]).unwrap());
    }

    #[test]
    fn flags_have_precedence() {
        let config = with_file(FILE, |args| {
            args.vdev = vec!["net_null0".parse().unwrap()];
            args.lcores = "3-4".parse().ok();
            args.output = "out.json".parse().ok();
            args.format = Some(Format::Json);
            args.no_huge = true;
        });
        assert_eq!(
            config.ports,
            [Port::new(Device::Vdev("net_null0".parse().unwrap()))]
        );
        assert_eq!(config.workers.lcores.to_string(), "3,4");
        assert_eq!(config.sinks, [Sink::file("out.json".into(), RecordFormat::Json)]);
        assert!(!config.eal.hugepages);
    }

    #[test]
    fn without_sinks_records_go_to_stdout_unless_none_are_wanted() {
        let port = "[[ports]]\nvdev = \"net_null0\"\n";
        assert_eq!(with_file(port, |_| {}).sinks, [Sink::stdout(RecordFormat::Json)]);
        let table = with_file(FILE, |args| args.format = Some(Format::Table));
        assert_eq!(table.sinks, [Sink::stdout(RecordFormat::Table)]);
        assert!(
            with_file(FILE, |args| args.format = Some(Format::None))
                .sinks
                .is_empty()
        );
    }
}
