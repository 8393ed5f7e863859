//! From a module's bytes to what instances are made of, once for all lcores.

use crate::abi::hooks::{Bitmap, MessageFilter};
use crate::cache::Cache;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::limits::{MODULE_BYTES_MAX, STACK_BYTES};
use crate::metrics::Export;
use crate::spec::PluginSpec;
use crate::{imports, wasi};
use std::sync::Arc;
use tapir_parsers::plugin::Hook;
use wasmtime::{Config, Engine, ExternType, InstancePre, Linker, Module};

/// What every plugin exports besides its memory and its start.
pub(crate) const MANDATORY: [&str; 5] = [
    "on_http_req",
    "on_http_resp",
    "check_payload",
    "parse_payload",
    "get_hook_bitmap",
];
/// How a module begins: as a command, or as a library.
pub(crate) const STARTS: [&str; 2] = ["_start", "_initialize"];

/// What a plugin has said it wants to be called for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    pub(crate) bitmap: Bitmap,
    pub(crate) filter: MessageFilter,
    /// It can be called for messages of other protocols.
    pub(crate) takes_messages: bool,
}

impl Hooks {
    /// Whether it checks and parses payloads.
    pub fn parses(&self) -> bool {
        self.bitmap.parses()
    }

    /// Whether it enriches messages at `hook`.
    pub fn enriches(&self, hook: Hook) -> bool {
        self.bitmap.enriches(hook) && (hook != Hook::Message || self.takes_messages)
    }

    /// Whether it enriches messages of the protocol of this number.
    pub fn wants_message(&self, protocol: u8) -> bool {
        self.enriches(Hook::Message) && self.filter.wants(protocol)
    }

    /// Whether it is called for this function.
    pub fn has(&self, export: Export) -> bool {
        match export {
            Export::CheckPayload | Export::ParsePayload => self.parses(),
            Export::OnHttpReq => self.enriches(Hook::HttpRequest),
            Export::OnHttpResp => self.enriches(Hook::HttpResponse),
            Export::OnCustomMessage => self.enriches(Hook::Message),
        }
    }
}

/// What a module imports and exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Module and name of each import.
    pub imports: Vec<(String, String)>,
    /// Those among them that the host does not have, or not like this.
    pub unknown: Vec<String>,
    /// Names of exports.
    pub exports: Vec<String>,
    /// Exports that are missing, or not what they should be.
    pub missing: Vec<String>,
    /// Linear memory at the start, bytes.
    pub memory_bytes: u64,
}

/// A plugin ready to be instantiated.
pub struct Plugin {
    /// What it was set up with.
    pub spec: PluginSpec,
    pub(crate) name: Arc<str>,
    pub(crate) pre: InstancePre<Guest>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

/// The engine that all plugins of a host share.
pub(crate) fn engine() -> Result<Engine, LoadError> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK_BYTES);
    config.wasm_multi_memory(false);
    config.wasm_memory64(false);
    Engine::new(&config).map_err(|e| LoadError::Engine(format!("{e:#}")))
}

/// All that guests may import.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Guest>, LoadError> {
    let mut linker = Linker::new(engine);
    imports::define(&mut linker)
        .and_then(|()| wasi::define(&mut linker))
        .map_err(|e| LoadError::Engine(format!("{e:#}")))?;
    Ok(linker)
}

impl Plugin {
    /// Reads and compiles the module of `spec`.
    pub(crate) fn load(
        engine: &Engine,
        linker: &Linker<Guest>,
        cache: Option<&Cache>,
        spec: &PluginSpec,
    ) -> Result<Self, LoadError> {
        let bytes = std::fs::read(&spec.path).map_err(|source| LoadError::Read {
            path: spec.path.clone(),
            source,
        })?;
        Self::compile(engine, linker, cache, spec, &bytes)
    }

    /// Compiles a module in binary form, unless the cache has it.
    pub(crate) fn compile(
        engine: &Engine,
        linker: &Linker<Guest>,
        cache: Option<&Cache>,
        spec: &PluginSpec,
        bytes: &[u8],
    ) -> Result<Self, LoadError> {
        let (module, shape) = module(engine, linker, cache, bytes)?;
        Self::new(linker, spec, &module, &shape)
    }

    /// Joins a module with what it imports, unless `shape` says that it can't be run.
    pub(crate) fn new(
        linker: &Linker<Guest>,
        spec: &PluginSpec,
        module: &Module,
        shape: &Shape,
    ) -> Result<Self, LoadError> {
        if !shape.unknown.is_empty() {
            return Err(LoadError::Imports(shape.unknown.join(", ")));
        }
        if !shape.missing.is_empty() {
            return Err(LoadError::Exports(shape.missing.join(", ")));
        }
        let pre = linker
            .instantiate_pre(module)
            .map_err(|e| LoadError::Imports(format!("{e:#}")))?;
        Ok(Self {
            spec: spec.clone(),
            name: spec.name.as_str().into(),
            pre,
        })
    }
}

/// Compiles a module in binary form, unless the cache has it, and looks at it, whether it could be run or not.
///
/// # Errors
/// When it is no module.
pub(crate) fn module(
    engine: &Engine,
    linker: &Linker<Guest>,
    cache: Option<&Cache>,
    bytes: &[u8],
) -> Result<(Module, Shape), LoadError> {
    if bytes.len() > MODULE_BYTES_MAX {
        return Err(LoadError::TooLarge { bytes: bytes.len() });
    }
    let module = match cache {
        Some(cache) => cache.compile(engine, bytes),
        None => Module::new(engine, bytes),
    };
    let module = module.map_err(|e| LoadError::compile(&e))?;
    let shape = shape(&module, linker);
    Ok((module, shape))
}

fn shape(module: &Module, linker: &Linker<Guest>) -> Shape {
    let mut shape = Shape::default();
    // Types are compared when the module is linked, names here, so that all that is missing is said at once.
    let known = known(linker);
    for import in module.imports() {
        let (from, name) = (import.module().to_owned(), import.name().to_owned());
        let is_function = matches!(import.ty(), ExternType::Func(_));
        if !is_function || !known.contains(&(from.clone(), name.clone())) {
            shape.unknown.push(format!("{from}.{name}"));
        }
        shape.imports.push((from, name));
    }
    shape.exports = module.exports().map(|export| export.name().to_owned()).collect();
    for name in MANDATORY {
        if !is_call(module, name, true) {
            shape.missing.push(format!("{name}: () -> i32"));
        }
    }
    if !STARTS.iter().any(|name| is_call(module, name, false)) {
        shape.missing.push("_start or _initialize: () -> ()".to_owned());
    }
    match module.get_export("memory") {
        Some(ExternType::Memory(memory)) => shape.memory_bytes = memory.minimum() * memory.page_size(),
        _ => shape.missing.push("memory".to_owned()),
    }
    shape
}

/// Names of what guests may import.
fn known(linker: &Linker<Guest>) -> Vec<(String, String)> {
    let mut store = wasmtime::Store::new(linker.engine(), Guest::nobody());
    linker
        .iter(&mut store)
        .map(|(module, name, _)| (module.to_owned(), name.to_owned()))
        .collect()
}

/// Whether `name` is a function without parameters that returns an i32, or nothing.
fn is_call(module: &Module, name: &str, returns: bool) -> bool {
    let Some(ExternType::Func(function)) = module.get_export(name) else {
        return false;
    };
    let mut results = function.results();
    let result = results.next();
    let fits = if returns {
        result.is_some_and(|result| result.is_i32())
    } else {
        result.is_none()
    };
    function.params().len() == 0 && fits && results.next().is_none()
}
