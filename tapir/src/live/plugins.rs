//! The plugins of a run, or none.

use crate::failure::Failure;
use std::sync::Arc;
use tapir_collector::metrics::MetricSource;
use tapir_config::Config;
use tapir_parsers::plugin::PluginHost;

/// The host, where there are plugins.
#[cfg(feature = "plugins")]
pub(super) struct LivePlugins(Option<Arc<tapir_plugins::Host>>);

/// A build without plugins runs none.
#[cfg(not(feature = "plugins"))]
pub(super) struct LivePlugins;

#[cfg(feature = "plugins")]
impl LivePlugins {
    /// Loads the configured plugins.
    pub(super) fn start(config: &Config) -> Result<Self, Failure> {
        Ok(Self(crate::plugins::host(config)?.map(Arc::new)))
    }

    /// What workers run plugins with.
    pub(super) fn host(&self) -> Option<Arc<dyn PluginHost>> {
        self.0.clone().map(|host| host as _)
    }

    /// What is counted of them.
    pub(super) fn metrics(&self) -> Option<Arc<dyn MetricSource>> {
        let host = Arc::clone(self.0.as_ref()?);
        Some(Arc::new(super::plugin_metrics::PluginSource::new(host)))
    }

    /// Exchanges the plugins for those of `config`.
    pub(super) fn reload(&self, config: &Config) {
        match &self.0 {
            Some(host) => crate::plugins::load(host, config),
            None if config.plugins.is_empty() => log::info!("reload: there are no plugins"),
            None => log::warn!("reload: plugins can't be added to a run that began without any; restart it"),
        }
    }
}

#[cfg(not(feature = "plugins"))]
impl LivePlugins {
    pub(super) fn start(config: &Config) -> Result<Self, Failure> {
        crate::options::without_plugins(config).map(|()| Self)
    }

    pub(super) fn host(&self) -> Option<Arc<dyn PluginHost>> {
        None
    }

    pub(super) fn metrics(&self) -> Option<Arc<dyn MetricSource>> {
        None
    }

    pub(super) fn reload(&self, _config: &Config) {
        log::info!("reload: this tapir was built without plugins");
    }
}
