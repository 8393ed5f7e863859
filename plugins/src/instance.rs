//! One plugin on one lcore: its store, its functions, and how it has been doing.

use crate::abi::hooks::{BITMAP_BYTES, Bitmap, FILTER_BYTES, MessageFilter};
use crate::compile::{Hooks, Plugin, STARTS};
use crate::error::LoadError;
use crate::guest::{Call, Guest};
use crate::limits::START_DEADLINE;
use crate::metrics::{Export, InstanceCounters, Reason};
use crate::spec::ticks;
use crate::ticker::LogQueue;
use crate::wasi::Exit;
use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::plugin::Event;
use wasmtime::{Store, Trap, TypedFunc};

type Function = TypedFunc<(), i32>;

/// What runs: gone when the plugin is set aside, and made anew when it is tried again.
struct Running {
    store: Store<Guest>,
    functions: [Option<Function>; Export::ALL.len()],
}

/// A plugin on one lcore.
pub(crate) struct Instance {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) hooks: Hooks,
    pub(crate) counters: Arc<InstanceCounters>,
    running: Option<Running>,
    payload_bytes_max: usize,
    logs: LogQueue,
    /// What went wrong in the last call.
    pub(crate) failure: Option<Reason>,
    /// Failures in a row.
    failures: u32,
    /// When it is tried again, capture time in ns; 0: it is not set aside.
    aside_until_ns: u64,
}

/// What a call is for.
pub(crate) struct Task<'t> {
    pub(crate) call: Call,
    pub(crate) l7: u8,
    pub(crate) about: &'t tapir_parsers::plugin::Call<'t>,
    pub(crate) event: Option<&'t Event<'t>>,
}

impl Instance {
    /// Instantiates and starts `plugin`.
    pub(crate) fn new(
        plugin: Arc<Plugin>,
        payload_bytes_max: usize,
        logs: LogQueue,
    ) -> Result<Self, LoadError> {
        let mut instance = Self {
            plugin,
            hooks: Hooks::default(),
            counters: Arc::default(),
            running: None,
            payload_bytes_max,
            logs,
            failure: None,
            failures: 0,
            aside_until_ns: 0,
        };
        let running = instance.start(START_DEADLINE)?;
        instance.running = Some(running);
        Ok(instance)
    }

    fn start(&mut self, deadline: Duration) -> Result<Running, LoadError> {
        let plugin = &self.plugin;
        let guest = Guest::new(
            Arc::clone(&plugin.name),
            plugin.spec.memory_bytes_max,
            self.payload_bytes_max,
            Arc::clone(&self.counters),
            self.logs.clone(),
        );
        let mut store = Store::new(plugin.pre.module().engine(), guest);
        store.limiter(|guest| guest);
        store.set_epoch_deadline(ticks(deadline));
        let failed = |call, error: &wasmtime::Error| LoadError::Start {
            call,
            reason: describe(error),
        };
        let instance = (plugin.pre.instantiate(&mut store)).map_err(|e| failed("instantiation", &e))?;
        store.data_mut().memory = instance.get_memory(&mut store, "memory");
        for name in STARTS {
            let Ok(start) = instance.get_typed_func::<(), ()>(&mut store, name) else {
                continue;
            };
            if let Err(error) = start.call(&mut store, ()) {
                // A command of Go's or Rust's may end its `main` like this, and be called all the same.
                if store.data().exited != Some(0) {
                    return Err(failed(name, &error));
                }
            }
            break;
        }
        store.data_mut().exited = None;
        let mut call = |name: &'static str| -> Result<Option<i32>, LoadError> {
            let Ok(function) = instance.get_typed_func::<(), i32>(&mut store, name) else {
                return Ok(None);
            };
            let result = function.call(&mut store, ());
            result.map(Some).map_err(|e| failed(name, &e))
        };
        let bitmap = call("get_hook_bitmap")?.unwrap_or(0);
        let filter = call("get_custom_message_hook")?.unwrap_or(0);
        self.hooks.bitmap = match bitmap {
            0 => Bitmap::default(),
            at => {
                Bitmap::new(bytes_at::<BITMAP_BYTES>(&store, at).ok_or(LoadError::Hooks("get_hook_bitmap"))?)
            }
        };
        let no_filter = LoadError::Hooks("get_custom_message_hook");
        self.hooks.filter = match filter {
            0 => MessageFilter::default(),
            at => MessageFilter::new(bytes_at::<FILTER_BYTES>(&store, at).ok_or(no_filter)?),
        };
        let functions = Export::ALL.map(|export| instance.get_typed_func(&mut store, export.name()).ok());
        self.hooks.takes_messages = functions
            .get(Export::OnCustomMessage as usize)
            .is_some_and(Option::is_some);
        Ok(Running { store, functions })
    }

    /// Whether it may be called at `now_ns` of capture time. One whose time aside is over is started anew,
    /// with `deadline` for that.
    pub(crate) fn is_ready(&mut self, now_ns: u64, export: Export, deadline: Duration) -> bool {
        if self.aside_until_ns == 0 {
            return self.running.is_some();
        }
        if now_ns < self.aside_until_ns {
            return false;
        }
        match self.start(deadline) {
            Ok(running) => {
                log::info!("plugin {}: tried again", self.plugin.name);
                self.running = Some(running);
                self.aside_until_ns = 0;
                self.failures = 0;
                self.counters.aside(false);
                true
            }
            Err(error) => {
                self.counters.failure(export, Reason::Start);
                self.set_aside(now_ns, &error);
                false
            }
        }
    }

    fn set_aside(&mut self, now_ns: u64, why: &dyn std::fmt::Display) {
        let retry_ns = self.plugin.spec.retry_ns;
        log::warn!(
            "plugin {}: set aside for {} s after {} failures in a row; the last: {why}",
            self.plugin.name,
            retry_ns / 1_000_000_000,
            self.failures.max(1)
        );
        self.running = None;
        self.aside_until_ns = now_ns.saturating_add(retry_ns).max(1);
        self.counters.aside(true);
        self.counters.memory(0);
    }

    /// Calls a function, which must return 0 or what is `valid`. `None` when it failed, or is not there.
    pub(crate) fn call(
        &mut self,
        export: Export,
        task: &Task<'_>,
        valid: impl Fn(i32) -> bool,
    ) -> Option<i32> {
        let running = self.running.as_mut()?;
        let function = running.functions.get(export as usize)?.as_ref()?;
        let store = &mut running.store;
        let guest = store.data_mut();
        guest.begin(task.call, task.l7, task.about);
        if let Some(event) = task.event {
            guest.event_len = crate::abi::event::write(event, guest.event_room()).unwrap_or(0);
        }
        store.set_epoch_deadline(self.plugin.spec.deadline_ticks());
        let result = function.call(&mut *store, ());
        let memory = store.data().memory;
        let bytes = memory.map_or(0, |memory| memory.data_size(&*store));
        self.counters.memory(bytes);
        let guest = store.data_mut();
        guest.call = Call::None;
        let fault = guest.fault;
        let (result, failure) = match result {
            Ok(value) if value != 0 && !valid(value) => (None, Some((Reason::BadReturn, value.to_string()))),
            Ok(value) => (Some(value), fault.map(|reason| (reason, String::new()))),
            Err(error) => {
                // What was handed over before a trap is not to be trusted.
                guest.records.clear();
                guest.protocol = None;
                let reason = match reason_of(&error) {
                    Reason::Trap => fault.filter(|f| *f == Reason::Memory).unwrap_or(Reason::Trap),
                    reason => reason,
                };
                (None, Some((reason, describe(&error))))
            }
        };
        self.failure = failure.as_ref().map(|(reason, _)| *reason);
        match failure {
            Some((reason, text)) => self.failed(export, reason, &text, task.about.time_ns),
            None => self.failures = 0,
        }
        result
    }

    /// Takes note of a failure.
    fn failed(&mut self, export: Export, reason: Reason, text: &str, now_ns: u64) {
        self.counters.failure(export, reason);
        self.failures += 1;
        log::debug!(
            "plugin {}: {} failed: {} {text}",
            self.plugin.name,
            export.name(),
            reason.name()
        );
        if self.failures >= self.plugin.spec.failures_max {
            self.set_aside(now_ns, &format_args!("{} in {}", reason.name(), export.name()));
        }
    }

    /// What the last call handed over.
    pub(crate) fn guest(&self) -> Option<&Guest> {
        self.running.as_ref().map(|running| running.store.data())
    }
}

/// Bytes of the guest's memory.
fn bytes_at<const N: usize>(store: &Store<Guest>, at: i32) -> Option<[u8; N]> {
    let memory = store.data().memory?;
    let bytes = memory.data(store).get(at.cast_unsigned() as usize..)?;
    bytes.first_chunk().copied()
}

fn reason_of(error: &wasmtime::Error) -> Reason {
    if error.downcast_ref::<Exit>().is_some() {
        return Reason::Exit;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Reason::Timeout,
        Some(Trap::StackOverflow) => Reason::Stack,
        _ => Reason::Trap,
    }
}

/// What went wrong, without the guest's own stack.
fn describe(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
