//! Plugins, from the configuration to their host.

use crate::failure::Failure;
use std::sync::Arc;
use tapir_config::{Config, Plugin, PluginL4};
use tapir_plugins::{Host, L4, LoadError, PluginSpec};

/// The host of the configured plugins; `None` where there are none. Those that can't be run are logged, and
/// the others run.
///
/// # Errors
/// When the system lets no host be.
pub(crate) fn host(config: &Config) -> Result<Option<Host>, Failure> {
    if config.plugins.is_empty() {
        return Ok(None);
    }
    let limits = &config.plugin_limits;
    let host = new_host()?
        .with_budget(Some(limits.time_per_second.as_duration()))
        .with_payload_bytes(limits.payload.as_usize());
    load(&host, config);
    Ok(Some(host))
}

/// As [`host`], for a replay: plugins may take as long as they do, so that it is the same every time.
pub(crate) fn host_for_replay(config: &Config) -> Result<Option<Arc<Host>>, Failure> {
    Ok(host(config)?.map(|host| Arc::new(host.with_budget(None))))
}

/// A host without plugins.
pub(crate) fn new_host() -> Result<Host, Failure> {
    Host::new().map_err(|e| Failure::operation("plugins", e))
}

/// Loads the configured plugins instead of those of before.
pub(crate) fn load(host: &Host, config: &Config) {
    let specs: Vec<_> = config.plugins.iter().map(spec).collect();
    let refused: Vec<(String, LoadError)> = host.load(&specs);
    for (name, error) in &refused {
        log::error!("plugin {name}: not loaded: {error}");
    }
    log::info!(
        "{} of {} plugins loaded",
        specs.len() - refused.len(),
        specs.len()
    );
}

fn spec(plugin: &Plugin) -> PluginSpec {
    PluginSpec {
        name: plugin.name.clone(),
        path: plugin.path.clone(),
        ports: plugin.ports.iter().map(|port| port.get() as u16).collect(),
        l4: match plugin.l4 {
            PluginL4::Any => L4::Any,
            PluginL4::Tcp => L4::Tcp,
            PluginL4::Udp => L4::Udp,
        },
        framed: plugin.framed,
        deadline: plugin.deadline.as_duration(),
        memory_bytes_max: plugin.memory.as_usize(),
        failures_max: u32::try_from(plugin.failures.get()).unwrap_or(u32::MAX),
        retry_ns: plugin.retry.as_ns(),
    }
}
