//! `[[plugins]]`: protocols that are added, and messages that are enriched, at run time.

use crate::reader::TableReader;
use crate::section::{Section, section};
use crate::values::{Bytes, PluginL4, Time, Whole};
use std::path::{Path, PathBuf};

/// A port that flows of a plugin may have.
pub type PluginPort = Whole<1, 65535>;
type Deadline = Time<1, 1000>;
type Memory = Bytes<{ 64 << 10 }, { 4 << 30 }>;
type Failures = Whole<1, 1_000_000>;
type Retry = Time<1000, 86_400_000>;

section! {
    /// A Wasm plugin of DeepFlow's interface; one [[plugins]] each. They are asked in the order of the file,
    /// before all built-in protocols but HTTP. Reload them with SIGHUP.
    pub(crate) struct PluginKeys ["plugins"] {
        /// The module.
        path: Option<PathBuf> = None,

        /// Its name in logs and metrics. Left out, the file's name without its ending.
        name: Option<String> = None,

        /// Ports of which a flow must have one so that the plugin is asked about it. Empty: it is asked
        /// about every flow, which costs every flow.
        ports: Vec<PluginPort> = Vec::new(),

        /// Transport of the flows that it is asked about.
        l4: PluginL4 = PluginL4::Any,

        /// The lengths that it tells (`req_len`, `resp_len`) are those of whole messages: what lies behind
        /// one is shown again, and what has not come yet is passed.
        framed: bool = false,

        /// How long one call may take.
        deadline: Deadline = Deadline::of_ms::<5>(),

        /// Memory that it may have on each lcore.
        memory: Memory = Memory::of::<{ 64 << 20 }>(),

        /// Failures in a row after which it is set aside.
        failures: Failures = Failures::of::<5>(),

        /// How long it is set aside before it is tried again.
        retry: Retry = Retry::of_ms::<60_000>(),
    }
}

/// A Wasm plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The module.
    pub path: PathBuf,
    /// In logs and metrics.
    pub name: String,
    /// Ports of which a flow must have one; empty: any.
    pub ports: Vec<PluginPort>,
    /// Transport of a flow.
    pub l4: PluginL4,
    /// It tells how long messages are.
    pub framed: bool,
    /// How long one call may take.
    pub deadline: Deadline,
    /// Memory on each lcore.
    pub memory: Memory,
    /// Failures in a row before it is set aside.
    pub failures: Failures,
    /// How long that lasts.
    pub retry: Retry,
}

impl Plugin {
    /// The module at `path`, with the usual bounds.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(path.into(), PluginKeys::default())
    }

    fn of(path: PathBuf, keys: PluginKeys) -> Self {
        let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self {
            name: keys.name.or_else(|| stem(&path)).unwrap_or_default(),
            path,
            ports: keys.ports,
            l4: keys.l4,
            framed: keys.framed,
            deadline: keys.deadline,
            memory: keys.memory,
            failures: keys.failures,
            retry: keys.retry,
        }
    }

    /// Reads one `[[plugins]]`; nothing, and a problem noted, where it has no path.
    pub(crate) fn read(reader: &mut TableReader<'_, '_, '_>) -> Option<Self> {
        let mut keys = PluginKeys::read(reader);
        let Some(path) = keys.path.take() else {
            if !reader.has("path") {
                reader.conflict(
                    "",
                    "expected a module; add path = \"/etc/tapir/plugins/house.wasm\"",
                );
            }
            return None;
        };
        Some(Self::of(path, keys))
    }

    /// As the file has it, for documentation.
    pub(crate) fn keys(&self) -> PluginKeys {
        PluginKeys {
            path: Some(self.path.clone()),
            name: Some(self.name.clone()),
            ports: self.ports.clone(),
            l4: self.l4,
            framed: self.framed,
            deadline: self.deadline,
            memory: self.memory,
            failures: self.failures,
            retry: self.retry,
        }
    }
}
