//! What EAL is started with.

use std::fmt;

use crate::id::CpuId;

/// How much of DPDK's own log goes to stderr (and syslog).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What stops an operation.
    Error,
    /// And what is odd.
    #[default]
    Warning,
    /// And what it does.
    Info,
    /// Everything, from every library and driver.
    Debug,
}

/// Arguments of [`Eal::init`](crate::Eal::init). Without a call nothing is probed: PCI devices are opened
/// only when named, since the machine's own NIC may be one.
#[derive(Clone, Debug, Default)]
pub struct EalConfig {
    pub(crate) vdevs: Vec<String>,
    pub(crate) no_huge: bool,
    allow: Vec<String>,
    all_pci: bool,
    in_memory: bool,
    memory_mb: Option<u32>,
    file_prefix: Option<String>,
    main_cpus: Vec<CpuId>,
    log_level: LogLevel,
    telemetry: bool,
    others: Vec<String>,
}

impl EalConfig {
    /// No devices, hugepages, one lcore, warnings and errors logged.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Probes this PCI device: its address (`0000:01:00.0`), with driver arguments after a comma.
    #[must_use]
    pub fn allow(mut self, device: impl Into<String>) -> Self {
        self.allow.push(device.into());
        self
    }

    /// Probes every PCI device bound to a driver DPDK can use.
    #[must_use]
    pub fn all_pci(mut self) -> Self {
        self.all_pci = true;
        self
    }

    /// Adds a virtual device: its name, with arguments after commas (`net_af_packet0,iface=veth0,qpairs=2`).
    #[must_use]
    pub fn vdev(mut self, device: impl Into<String>) -> Self {
        self.vdevs.push(device.into());
        self
    }

    /// Ordinary pages instead of hugepages: slower, fixed to [`EalConfig::memory_mb`], for tests.
    #[must_use]
    pub fn no_huge(mut self) -> Self {
        self.no_huge = true;
        self
    }

    /// Keeps no files, so there is nothing to mount, share or clean up.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Memory taken at start, in MiB. With `no_huge` that is all there will be (DPDK's default: 64); with
    /// hugepages more is taken when needed.
    #[must_use]
    pub fn memory_mb(mut self, mib: u32) -> Self {
        self.memory_mb = Some(mib);
        self
    }

    /// Names this process's files, so that several DPDK processes can run side by side.
    #[must_use]
    pub fn file_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.file_prefix = Some(prefix.into());
        self
    }

    /// Where EAL's own threads may run; all CPUs of the process if never called. Not where packets are
    /// worked on: that is [`Lcore`](crate::Lcore)'s.
    #[must_use]
    pub fn main_cpus(mut self, cpus: impl IntoIterator<Item = CpuId>) -> Self {
        self.main_cpus.extend(cpus);
        self
    }

    /// How much DPDK logs.
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.log_level = level;
        self
    }

    /// Lets `dpdk-telemetry.py` connect (a thread and a socket of DPDK's).
    #[must_use]
    pub fn telemetry(mut self) -> Self {
        self.telemetry = true;
        self
    }

    /// Any other EAL option, as on the command line of a DPDK program.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.others.push(option.into());
        self
    }

    /// The command line, program name first. Virtual devices are not on it: probed after EAL is up, each
    /// can fail with its own error; as options, EAL only logs a failure and goes on.
    pub(crate) fn to_args(&self, allowed_cpus: &[CpuId]) -> Vec<String> {
        let cpus = if self.main_cpus.is_empty() {
            allowed_cpus
        } else {
            &self.main_cpus
        };
        let cpus = cpus.iter().map(CpuId::to_string).collect::<Vec<_>>().join(",");
        // One lcore only, free to run anywhere: the other ids are for threads that register.
        let mut args = vec!["tapir".to_owned(), format!("--lcores=0@({cpus})")];
        for device in &self.allow {
            args.push(format!("--allow={device}"));
        }
        if self.allow.is_empty() && !self.all_pci {
            args.push("--no-pci".to_owned());
        }
        if self.no_huge {
            args.push("--no-huge".to_owned());
        }
        if self.in_memory {
            // 22.11 takes --no-huge for legacy memory, which it won't combine with --in-memory. Without
            // hugepages the configuration is the only file left, so this comes to the same.
            args.push(
                if self.no_huge {
                    "--no-shconf"
                } else {
                    "--in-memory"
                }
                .to_owned(),
            );
        }
        if let Some(mib) = self.memory_mb {
            args.extend(["-m".to_owned(), mib.to_string()]);
        }
        if let Some(prefix) = &self.file_prefix {
            args.push(format!("--file-prefix={prefix}"));
        }
        if !self.telemetry {
            args.push("--no-telemetry".to_owned());
        }
        let level = self.log_level;
        args.push(format!("--log-level={level}"));
        if level == LogLevel::Debug {
            // The plain level is a ceiling; components have lower ones of their own.
            args.push(format!("--log-level=*:{level}"));
        }
        args.extend(self.others.iter().cloned());
        args
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_probed_unless_asked_for() {
        let args = EalConfig::new().to_args(&[CpuId(0), CpuId(3)]);
        assert_eq!(
            args,
            [
                "tapir",
                "--lcores=0@(0,3)",
                "--no-pci",
                "--no-telemetry",
                "--log-level=warning"
            ]
        );
    }

    #[test]
    fn an_allow_list_replaces_no_pci() {
        let args = EalConfig::new()
            .allow("0000:01:00.0")
            .main_cpus([CpuId(2)])
            .to_args(&[CpuId(0)]);
        assert!(args.contains(&"--allow=0000:01:00.0".to_owned()));
        assert!(args.contains(&"--lcores=0@(2)".to_owned()));
        assert!(!args.contains(&"--no-pci".to_owned()));
    }

    #[test]
    fn in_memory_keeps_hugepages() {
        let args = EalConfig::new().in_memory().to_args(&[CpuId(0)]);
        assert!(args.contains(&"--in-memory".to_owned()) && !args.contains(&"--no-shconf".to_owned()));
    }

    #[test]
    fn every_option_has_its_argument() {
        let args = EalConfig::new()
            .no_huge()
            .in_memory()
            .memory_mb(256)
            .file_prefix("a")
            .telemetry()
            .all_pci()
            .log_level(LogLevel::Debug)
            .option("--iova-mode=va")
            .to_args(&[CpuId(0)]);
        assert_eq!(
            args[2..],
            [
                "--no-huge",
                "--no-shconf",
                "-m",
                "256",
                "--file-prefix=a",
                "--log-level=debug",
                "--log-level=*:debug",
                "--iova-mode=va"
            ]
        );
    }
}
