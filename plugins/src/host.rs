//! Loads plugins, hands each lcore its own, and exchanges them while packets flow.

use crate::cache::Cache;
use crate::compile::{self, Hooks, Plugin, Shape};
use crate::error::LoadError;
use crate::guest::Guest;
use crate::instance::Instance;
use crate::lcore::LcorePlugins;
use crate::limits::{BUDGET_DEFAULT, PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MAX, PLUGINS_MAX};
use crate::metrics::{InstanceCounters, PluginMetrics};
use crate::spec::PluginSpec;
use crate::ticker::{LogQueue, Ticker};
use crate::trace::Trace;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tapir_parsers::plugin::{PluginHost, Plugins};
use wasmtime::{Engine, Linker};

/// Where an lcore finds the instances of a newer configuration.
#[derive(Default)]
pub(crate) struct Slot {
    generation: AtomicU64,
    instances: Mutex<Option<Vec<Instance>>>,
}

impl Slot {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The instances that lie ready, without waiting for whoever puts them there.
    pub(crate) fn take(&self) -> Option<Vec<Instance>> {
        self.instances.try_lock().ok()?.take()
    }

    fn put(&self, instances: Vec<Instance>) {
        *lock(&self.instances) = Some(instances);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// What is behind a lock is whole at every moment, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What changes when the configuration does.
#[derive(Default)]
struct State {
    plugins: Vec<Arc<Plugin>>,
    slots: Vec<Arc<Slot>>,
    counters: Vec<(Arc<str>, Arc<InstanceCounters>)>,
    /// What instances counted that are no more.
    retired: Vec<PluginMetrics>,
}

impl State {
    /// What was counted of each plugin, instances that are no more included.
    fn metrics(&self) -> Vec<PluginMetrics> {
        let mut metrics = self.retired.clone();
        for (name, counters) in &self.counters {
            let place = metrics.iter().position(|plugin| *plugin.name == **name);
            let at = place.unwrap_or_else(|| {
                metrics.push(PluginMetrics {
                    name: name.to_string(),
                    ..PluginMetrics::default()
                });
                metrics.len() - 1
            });
            if let Some(plugin) = metrics.get_mut(at) {
                plugin.add(counters);
            }
        }
        metrics
    }

    /// Adds up what the instances of before have counted: they will be exchanged.
    fn retire(&mut self) {
        self.retired = self.metrics();
        self.counters.clear();
        for plugin in &mut self.retired {
            plugin.memory_bytes = 0;
            plugin.lcores_aside = 0;
        }
    }
}

/// The plugins of a process.
pub struct Host {
    engine: Engine,
    linker: Linker<Guest>,
    cache: Option<PathBuf>,
    logs: LogQueue,
    budget: Option<Duration>,
    payload_bytes_max: usize,
    trace: Option<Trace>,
    state: Mutex<State>,
    ticker: Ticker,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("plugins", &lock(&self.state).plugins)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// A host without plugins.
    ///
    /// # Errors
    /// When the system lets it have no engine or no thread.
    pub fn new() -> Result<Self, LoadError> {
        let engine = compile::engine()?;
        let linker = compile::linker(&engine)?;
        let (ticker, logs) = Ticker::start(&engine).map_err(|e| LoadError::Engine(e.to_string()))?;
        Ok(Self {
            engine,
            linker,
            cache: None,
            logs,
            budget: Some(BUDGET_DEFAULT),
            payload_bytes_max: PAYLOAD_BYTES_DEFAULT,
            trace: None,
            state: Mutex::default(),
            ticker,
        })
    }

    /// The time of each second that an lcore may spend on plugins; `None`: as much as they take, which
    /// makes a replay the same every time.
    #[must_use]
    pub fn with_budget(mut self, budget: Option<Duration>) -> Self {
        self.budget = budget;
        self
    }

    /// Bytes of a payload that are shown to plugins, up to
    /// [`PAYLOAD_BYTES_MAX`](crate::limits::PAYLOAD_BYTES_MAX).
    #[must_use]
    pub fn with_payload_bytes(mut self, bytes: usize) -> Self {
        self.payload_bytes_max = bytes.clamp(1, PAYLOAD_BYTES_MAX);
        self
    }

    /// Keeps what is compiled in this folder, and takes it from there. When that can't be, it is logged, and
    /// plugins are compiled at each start.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Tells `trace` of every call, for lcores that begin later.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Loads the plugins of `specs` in this order, instead of those of before, and hands them to the lcores
    /// that there are. Those that can't be run are left out, and returned with the reason.
    pub fn load(&self, specs: &[PluginSpec]) -> Vec<(String, LoadError)> {
        let cache = self
            .cache
            .as_ref()
            .filter(|_| !specs.is_empty())
            .and_then(|folder| {
                let why = |error: &_| log::warn!("plugins are compiled anew: {}: {error}", folder.display());
                Cache::open(folder).inspect_err(why).ok()
            });
        let load = |spec: &PluginSpec| Plugin::load(&self.engine, &self.linker, cache.as_ref(), spec);
        self.exchange(specs, load)
    }

    /// Loads a module that is in memory instead of the plugins of before, compiled once: what it imports and exports,
    /// and why it was refused, if it was.
    ///
    /// # Errors
    /// When it is no module.
    pub fn examine(&self, spec: &PluginSpec, module: &[u8]) -> Result<(Shape, Option<LoadError>), LoadError> {
        let (module, shape) = compile::module(&self.engine, &self.linker, None, module)?;
        let plugin = |spec: &PluginSpec| Plugin::new(&self.linker, spec, &module, &shape);
        let refused = self.exchange(std::slice::from_ref(spec), plugin).pop();
        Ok((shape, refused.map(|(_, error)| error)))
    }

    /// As [`load`](Self::load), of a module that is in memory.
    pub fn load_module(&self, spec: &PluginSpec, module: &[u8]) -> Result<(), LoadError> {
        let compile = |spec: &PluginSpec| self.compile(spec, module);
        let specs = std::slice::from_ref(spec);
        self.exchange(specs, compile)
            .pop()
            .map_or(Ok(()), |(_, error)| Err(error))
    }

    /// As [`load`](Self::load), of modules that are in memory.
    pub fn load_modules(&self, modules: &[(PluginSpec, Vec<u8>)]) -> Vec<(String, LoadError)> {
        let specs: Vec<_> = modules.iter().map(|(spec, _)| spec.clone()).collect();
        self.exchange(&specs, |spec| {
            let module = modules.iter().find(|(of, _)| of.name == spec.name);
            let bytes = module.map_or(&[][..], |(_, bytes)| bytes);
            self.compile(spec, bytes)
        })
    }

    fn compile(&self, spec: &PluginSpec, module: &[u8]) -> Result<Plugin, LoadError> {
        Plugin::compile(&self.engine, &self.linker, None, spec, module)
    }

    fn exchange(
        &self,
        specs: &[PluginSpec],
        load: impl Fn(&PluginSpec) -> Result<Plugin, LoadError>,
    ) -> Vec<(String, LoadError)> {
        let (mut plugins, mut refused) = (Vec::<Arc<Plugin>>::new(), Vec::new());
        if !specs.is_empty() {
            self.ticker.tick();
        }
        for spec in specs {
            let known = plugins.iter().any(|plugin| plugin.spec.name == spec.name);
            let loaded = match known {
                true => Err(LoadError::Name),
                false if plugins.len() >= PLUGINS_MAX => Err(LoadError::TooMany),
                // One that does not start is refused now, and not on every lcore.
                false => load(spec).and_then(|plugin| {
                    let plugin = Arc::new(plugin);
                    self.instantiate(&plugin).map(|_| plugin)
                }),
            };
            match loaded {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => refused.push((spec.name.clone(), error)),
            }
        }
        let mut state = lock(&self.state);
        state.plugins = plugins;
        state.retire();
        for slot in state.slots.clone() {
            let instances = self.instances(&mut state);
            slot.put(instances);
        }
        refused
    }

    fn instantiate(&self, plugin: &Arc<Plugin>) -> Result<Instance, LoadError> {
        Instance::new(Arc::clone(plugin), self.payload_bytes_max, self.logs.clone())
    }

    /// One instance of each plugin.
    fn instances(&self, state: &mut State) -> Vec<Instance> {
        let mut instances = Vec::with_capacity(state.plugins.len());
        for plugin in &state.plugins {
            match self.instantiate(plugin) {
                Ok(instance) => {
                    let counters = Arc::clone(&instance.counters);
                    state.counters.push((Arc::clone(&plugin.name), counters));
                    instances.push(instance);
                }
                Err(error) => log::error!("plugin {}: {error}", plugin.name),
            }
        }
        instances
    }

    /// The plugins that are loaded, with what they want, in order.
    pub fn plugins(&self) -> Vec<(Arc<Plugin>, Hooks)> {
        let plugins = lock(&self.state).plugins.clone();
        let hooks = |plugin: &Arc<Plugin>| self.instantiate(plugin).map(|instance| instance.hooks);
        plugins
            .into_iter()
            .map(|plugin| {
                let hooks = hooks(&plugin).unwrap_or_default();
                (plugin, hooks)
            })
            .collect()
    }

    /// What was counted of each plugin since the host began, those of before a reload included.
    pub fn metrics(&self) -> Vec<PluginMetrics> {
        lock(&self.state).metrics()
    }
}

impl PluginHost for Host {
    fn for_lcore(&self) -> Box<dyn Plugins> {
        let slot = Arc::new(Slot::default());
        let mut state = lock(&self.state);
        let instances = self.instances(&mut state);
        state.slots.push(Arc::clone(&slot));
        Box::new(LcorePlugins::new(
            instances,
            self.budget,
            self.payload_bytes_max,
            slot,
            self.trace.clone(),
        ))
    }
}
