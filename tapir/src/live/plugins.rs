//! The plugins of a run.

use crate::failure::Failure;
use std::sync::Arc;
use tapir_collector::metrics::MetricSource;
use tapir_config::Config;
use tapir_parsers::plugin::PluginHost;

/// The host; without plugins it waits for the first.
#[cfg(feature = "plugins")]
pub(super) struct LivePlugins(Arc<tapir_plugins::Host>);

/// A build without plugins runs none.
#[cfg(not(feature = "plugins"))]
pub(super) struct LivePlugins;

#[cfg(feature = "plugins")]
impl LivePlugins {
    /// Loads the configured plugins.
    pub(super) fn start(config: &Config) -> Result<Self, Failure> {
        Ok(Self(Arc::new(crate::plugins::host(config)?)))
    }

    /// What workers run plugins with.
    pub(super) fn host(&self) -> Option<Arc<dyn PluginHost>> {
        Some(Arc::clone(&self.0) as _)
    }

    /// What is counted of them.
    pub(super) fn metrics(&self) -> Option<Arc<dyn MetricSource>> {
        let source = super::plugin_metrics::PluginSource::new(Arc::clone(&self.0));
        Some(Arc::new(source))
    }

    /// Exchanges the plugins for those of `config`.
    pub(super) fn reload(&self, config: &Config) {
        crate::plugins::load(&self.0, config);
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
