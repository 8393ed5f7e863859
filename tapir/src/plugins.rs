//! Plugins, from the configuration to their host.

use crate::failure::Failure;
use std::sync::Arc;
use std::time::Duration;
use tapir_config::{Config, Plugin, PluginL4};
use tapir_plugins::{Host, L4, LoadError, PluginSpec};

/// Least time for a call of a replay.
const REPLAY_DEADLINE: Duration = Duration::from_secs(1);

/// The host of the configured plugins, of which there may be none yet. Those that can't be run are logged,
/// and the others run.
///
/// # Errors
/// When the system lets no host be.
#[cfg(feature = "dpdk")]
pub(crate) fn host(config: &Config) -> Result<Host, Failure> {
    let limits = &config.plugin_limits;
    let host = new_host()?
        .with_budget(Some(limits.time_per_second.as_duration()))
        .with_payload_bytes(limits.payload.as_usize())
        .with_cache(&limits.cache);
    if !config.plugins.is_empty() {
        load(&host, config);
    }
    Ok(host)
}

/// As `host`, for a replay. Plugins have as much time as they take, and calls a second at least: a replay is
/// the same every time, however busy the machine is.
pub(crate) fn host_for_replay(config: &Config) -> Result<Option<Arc<Host>>, Failure> {
    if config.plugins.is_empty() {
        return Ok(None);
    }
    let host = new_host()?
        .with_budget(None)
        .with_payload_bytes(config.plugin_limits.payload.as_usize());
    let patient = |plugin| {
        let spec = spec(plugin);
        PluginSpec {
            deadline: spec.deadline.max(REPLAY_DEADLINE),
            ..spec
        }
    };
    load_specs(&host, &config.plugins.iter().map(patient).collect::<Vec<_>>());
    Ok(Some(Arc::new(host)))
}

/// The configured plugins that can't be run, by their place in the configuration.
pub(crate) fn refused(config: &Config) -> Result<Vec<(usize, LoadError)>, Failure> {
    if config.plugins.is_empty() {
        return Ok(Vec::new());
    }
    let host = new_host()?.with_payload_bytes(config.plugin_limits.payload.as_usize());
    // One after the other, each instead of the one before: so each error has its place.
    let load = |(index, plugin)| host.load(&[spec(plugin)]).pop().map(|(_, error)| (index, error));
    Ok(config.plugins.iter().enumerate().filter_map(load).collect())
}

/// A host without plugins.
pub(crate) fn new_host() -> Result<Host, Failure> {
    Host::new().map_err(|e| Failure::operation("plugins", e))
}

/// Loads the configured plugins instead of those of before.
#[cfg(feature = "dpdk")]
pub(crate) fn load(host: &Host, config: &Config) {
    load_specs(host, &config.plugins.iter().map(spec).collect::<Vec<_>>());
}

fn load_specs(host: &Host, specs: &[PluginSpec]) {
    let refused: Vec<(String, LoadError)> = host.load(specs);
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
