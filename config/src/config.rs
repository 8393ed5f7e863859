//! The whole configuration.

use crate::problem::{Conflict, Problem, Problems};
use crate::reader::{Findings, TableReader, unknown};
use crate::section::{Key, Section};
use crate::sections::*;
use crate::values::{RecordFormat, Whole};
use std::collections::HashSet;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Most ports: DPDK is built for 32 (`RTE_MAX_ETHPORTS`).
const PORTS_MAX: usize = 32;

/// Most plugins: what a host takes.
const PLUGINS_MAX: usize = 32;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// DPDK's environment.
    pub eal: Eal,
    /// Where packets come in.
    pub ports: Vec<Port>,
    /// Which cores do the work.
    pub workers: Workers,
    /// From frames to packets.
    pub wire: Wire,
    /// The flow tables.
    pub flows: Flows,
    /// TCP streams.
    pub tcp: Tcp,
    /// Application protocols.
    pub protocols: Protocols,
    /// Protocols of plugins.
    pub plugins: Vec<Plugin>,
    /// What they may use together.
    pub plugin_limits: PluginLimits,
    /// Session records.
    pub records: Records,
    /// Where sidecars connect to.
    pub sidecars: Vec<Sidecar>,
    /// How their records meet those of the wire.
    pub join: Join,
    /// What is left out of records.
    pub redaction: Redaction,
    /// Where records go.
    pub sinks: Vec<Sink>,
    /// Counters over HTTP.
    pub metrics: Metrics,
    /// Log lines.
    pub log: Log,
}

/// A section as documentation shows it.
pub(crate) struct SectionDescription {
    pub(crate) name: &'static str,
    /// Whether it is a `[[name]]` that may come several times.
    pub(crate) repeated: bool,
    /// Whether there is none of it: an example only shows what it would be like.
    pub(crate) absent: bool,
    pub(crate) about: &'static [&'static str],
    pub(crate) keys: Vec<Key>,
}

impl Config {
    /// Reads the file at `path`; `protocols` are the names that can be configured.
    ///
    /// # Errors
    /// Everything that is wrong with it, or that it can't be read.
    pub fn load(path: &Path, protocols: &[&str]) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = std::fs::read(path).map_err(|error| unreadable(&file, &error.to_string()))?;
        let text = String::from_utf8(text).map_err(|_| unreadable(&file, "it is not UTF-8 text"))?;
        Self::parse(&text, &file, protocols)
    }

    /// Reads `text`; problems name it `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, file: &str, protocols: &[&str]) -> Result<Self, Problems> {
        let mut findings = Findings::new(file, text, protocols);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            findings.syntax(error);
        }
        let config = Self::read(root.get_ref(), &mut findings);
        for conflict in config.conflicts() {
            findings.conflict(conflict);
        }
        findings.into_result(config)
    }

    /// Checks what a file's values are checked for together, for a configuration put together from flags.
    ///
    /// # Errors
    /// Everything that is wrong with it, without file and line.
    pub fn check(&self) -> Result<(), Problems> {
        let problem = |conflict: Conflict| Problem {
            file: None,
            line: None,
            key: conflict.key,
            value: None,
            message: conflict.message,
        };
        let problems: Vec<_> = self.conflicts().into_iter().map(problem).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problems(problems))
        }
    }

    fn read(root: &DeTable<'_>, findings: &mut Findings<'_>) -> Self {
        reject_unknown_sections(root, findings);
        Self {
            eal: section(root, findings),
            ports: repeated::<PortKeys, _>(root, findings, Port::read),
            workers: section(root, findings),
            wire: section(root, findings),
            flows: section(root, findings),
            tcp: section(root, findings),
            protocols: section(root, findings),
            plugins: repeated::<PluginKeys, _>(root, findings, Plugin::read),
            plugin_limits: section(root, findings),
            records: section(root, findings),
            sidecars: repeated::<SidecarKeys, _>(root, findings, Sidecar::read),
            join: section(root, findings),
            redaction: section(root, findings),
            sinks: repeated::<SinkKeys, _>(root, findings, Sink::read),
            metrics: section(root, findings),
            log: section(root, findings),
        }
    }

    /// What can only be told from several sections or several keys together.
    fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = self.workers.conflicts();
        conflicts.extend(self.wire.conflicts());
        conflicts.extend(self.protocols.conflicts());
        conflicts.extend(self.port_conflicts());
        conflicts.extend(self.plugin_conflicts());
        conflicts.extend(self.sink_conflicts());
        conflicts.extend(self.sidecar_conflicts());
        conflicts
    }

    fn port_conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut seen = HashSet::new();
        for (index, port) in self.ports.iter().enumerate() {
            let (key, name) = match &port.device {
                Device::Pci(pci) => ("pci", pci.to_string()),
                Device::Vdev(vdev) => ("vdev", vdev.name().to_owned()),
            };
            if !seen.insert(name.clone()) {
                let message = match key {
                    "pci" => format!("{name} is already a port; remove one"),
                    _ => format!("there is a device named {name} already; change its number"),
                };
                conflicts.push(Conflict::new(format!("ports[{index}].{key}"), message));
            }
        }
        if self.ports.len() > PORTS_MAX {
            let message = format!("{} ports; DPDK takes at most {PORTS_MAX}", self.ports.len());
            conflicts.push(Conflict::new(format!("ports[{PORTS_MAX}]"), message));
        }
        conflicts
    }

    fn plugin_conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut seen = HashSet::new();
        for (index, plugin) in self.plugins.iter().enumerate() {
            if !seen.insert(&plugin.name) {
                let message = format!("another plugin is named '{}'; give one a name", plugin.name);
                conflicts.push(Conflict::new(format!("plugins[{index}].path"), message));
            }
        }
        if self.plugins.len() > PLUGINS_MAX {
            let message = format!("{} plugins; there can be {PLUGINS_MAX}", self.plugins.len());
            conflicts.push(Conflict::new(format!("plugins[{PLUGINS_MAX}]"), message));
        }
        conflicts
    }

    fn sink_conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut seen = HashSet::new();
        for (index, sink) in self.sinks.iter().enumerate() {
            let (key, place) = match &sink.destination {
                Destination::File { path, .. } | Destination::Unix { path, .. } => {
                    ("path", path.display().to_string())
                }
                Destination::Tcp { listen, .. } => ("listen", listen.to_string()),
                Destination::Collector(CollectorSocket::Unix(path)) => ("path", path.display().to_string()),
                Destination::Collector(CollectorSocket::Tcp(connect, _)) => ("connect", connect.to_string()),
                Destination::Stdout => ("type", "standard output".to_owned()),
            };
            if self
                .metrics
                .listen
                .is_some_and(|address| address.to_string() == place)
            {
                let message = format!("{place} is also metrics.listen; change the port of one");
                conflicts.push(Conflict::new(format!("sinks[{index}].{key}"), message));
            }
            if !seen.insert(place.clone()) {
                let message = format!("another sink goes to {place}; change or remove one");
                conflicts.push(Conflict::new(format!("sinks[{index}].{key}"), message));
            }
        }
        conflicts
    }

    fn sidecar_conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let mut seen = HashSet::new();
        for (index, sidecar) in self.sidecars.iter().enumerate() {
            let (key, place) = match &sidecar.socket {
                SidecarSocket::Unix(path) => ("path", path.display().to_string()),
                SidecarSocket::Tcp(listen, _) => ("listen", listen.to_string()),
            };
            let is_sink = self.sinks.iter().any(|sink| match &sink.destination {
                Destination::File { path, .. }
                | Destination::Unix { path, .. }
                | Destination::Collector(CollectorSocket::Unix(path)) => path.display().to_string() == place,
                Destination::Tcp { listen, .. } => listen.to_string() == place,
                Destination::Collector(_) | Destination::Stdout => false,
            });
            let is_metrics = self
                .metrics
                .listen
                .is_some_and(|listen| listen.to_string() == place);
            let taken = match (is_sink, is_metrics, seen.insert(place.clone())) {
                (true, ..) => "a sink's",
                (_, true, _) => "metrics.listen",
                (.., false) => "another listener's",
                _ => continue,
            };
            let message = format!("{place} is also {taken}; change one");
            conflicts.push(Conflict::new(format!("sidecars[{index}].{key}"), message));
        }
        conflicts
    }

    /// The configuration that the printed example has: defaults, with one port and one sink.
    pub(crate) fn of_example() -> Self {
        let mut port = "0000:01:00.0".parse().map(|pci| Port::new(Device::Pci(pci)));
        if let Ok(port) = &mut port {
            port.queues = Whole::new(1);
        }
        let sink = Sink::file("/var/lib/tapir/sessions.fb".into(), RecordFormat::Flatbuffers);
        Self {
            ports: port.into_iter().collect(),
            sinks: vec![sink],
            ..Self::default()
        }
    }

    /// All sections in the order of the file, with the values of `self`; of those that may come several
    /// times the first.
    pub(crate) fn describe(&self) -> Vec<SectionDescription> {
        let port = self.ports.first().map(Port::keys).unwrap_or_default();
        let plugin = self.plugins.first().map(Plugin::keys).unwrap_or_default();
        let sidecar = self.sidecars.first().map(Sidecar::keys).unwrap_or_default();
        let sink = self.sinks.first().map(Sink::keys).unwrap_or_default();
        vec![
            describe(&self.eal, false),
            describe(&port, true),
            describe(&self.workers, false),
            describe(&self.wire, false),
            describe(&self.flows, false),
            describe(&self.tcp, false),
            describe(&self.protocols, false),
            SectionDescription {
                absent: self.plugins.is_empty(),
                ..describe(&plugin, true)
            },
            describe(&self.plugin_limits, false),
            describe(&self.records, false),
            SectionDescription {
                absent: self.sidecars.is_empty(),
                ..describe(&sidecar, true)
            },
            describe(&self.join, false),
            describe(&self.redaction, false),
            describe(&sink, true),
            describe(&self.metrics, false),
            describe(&self.log, false),
        ]
    }
}

fn describe<S: Section>(section: &S, repeated: bool) -> SectionDescription {
    SectionDescription {
        name: S::NAME,
        repeated,
        absent: false,
        about: S::ABOUT,
        keys: section.keys(),
    }
}

fn section<S: Section>(root: &DeTable<'_>, findings: &mut Findings<'_>) -> S {
    S::read(&mut TableReader::section(root, S::NAME, findings))
}

fn repeated<S: Section, T>(
    root: &DeTable<'_>,
    findings: &mut Findings<'_>,
    read: fn(&mut TableReader<'_, '_, '_>) -> Option<T>,
) -> Vec<T> {
    let Some(value) = root.get(S::NAME) else {
        return Vec::new();
    };
    let DeValue::Array(elements) = value.get_ref() else {
        let message = format!("expected one or several; write [[{}]] with two brackets", S::NAME);
        findings.refuse_name(S::NAME, &value.span(), message);
        return Vec::new();
    };
    (elements.iter().enumerate())
        .filter_map(|(index, element)| read(&mut TableReader::element(S::NAME, index, element, findings)?))
        .collect()
}

fn reject_unknown_sections(root: &DeTable<'_>, findings: &mut Findings<'_>) {
    let known: Vec<_> = Config::default()
        .describe()
        .iter()
        .map(|section| section.name)
        .collect();
    for name in root
        .keys()
        .filter(|name| !known.contains(&name.get_ref().as_ref()))
    {
        let message = unknown(
            name.get_ref(),
            &known,
            &format!("remove it; sections are {}", known.join(", ")),
        );
        findings.refuse_name(name.get_ref(), &name.span(), message);
    }
}

fn unreadable(file: &str, why: &str) -> Problems {
    let message = format!("the configuration can't be read: {why}");
    Problems(vec![Problem {
        file: Some(file.to_owned()),
        line: None,
        key: String::new(),
        value: None,
        message,
    }])
}
