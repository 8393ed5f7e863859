//! What the host keeps for one instance: the call under way, and what the guest has handed over.

use crate::abi::context::Context;
use crate::limits::{EVENT_BYTES_MAX, LOG_LINES_A_SECOND, TABLE_ELEMENTS_MAX};
use crate::metrics::{InstanceCounters, Reason};
use crate::ticker::LogQueue;
use arrayvec::ArrayVec;
use std::sync::Arc;
use tapir_parsers::limits::PLUGIN_NAME_BYTES_MAX;
use tapir_parsers::parser::Direction;
use tapir_parsers::record::FlowFacts;
use wasmtime::{Memory, ResourceLimiter};

/// What the guest is called for; without a call the host tells it nothing and takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    None,
    Check,
    Parse,
    Request,
    Response,
    Message,
}

/// Data of one instance's store. Buffers keep their memory from call to call.
pub(crate) struct Guest {
    pub(crate) name: Arc<str>,
    pub(crate) memory: Option<Memory>,
    pub(crate) call: Call,
    pub(crate) context: Context,
    pub(crate) payload: Vec<u8>,
    /// The message that is enriched, encoded; `event_len` bytes of it hold.
    pub(crate) event: Vec<u8>,
    pub(crate) event_len: usize,
    /// Records handed over, checked; empty: none.
    pub(crate) records: Vec<u8>,
    /// Name of a protocol handed over.
    pub(crate) protocol: Option<ArrayVec<u8, PLUGIN_NAME_BYTES_MAX>>,
    /// What went wrong in this call, though the guest goes on.
    pub(crate) fault: Option<Reason>,
    /// It has ended itself, with this code.
    pub(crate) exited: Option<i32>,
    /// State of the guest's random numbers.
    pub(crate) random: u64,
    pub(crate) counters: Arc<InstanceCounters>,
    memory_bytes_max: usize,
    logs: LogQueue,
    /// Second of capture time, or of nothing while there is none, and lines logged in it.
    logged: (u64, u32),
}

impl Guest {
    pub(crate) fn new(
        name: Arc<str>,
        memory_bytes_max: usize,
        payload_bytes_max: usize,
        counters: Arc<InstanceCounters>,
        logs: LogQueue,
    ) -> Self {
        Self {
            name,
            memory: None,
            call: Call::None,
            context: Context {
                facts: FlowFacts::default(),
                direction: Direction::ToServer,
                l7: 0,
                time_us: 0,
                buf_size: u16::try_from(payload_bytes_max).unwrap_or(u16::MAX),
            },
            payload: Vec::with_capacity(payload_bytes_max),
            event: Vec::new(),
            event_len: 0,
            records: Vec::with_capacity(1024),
            protocol: None,
            fault: None,
            exited: None,
            random: 0x9E37_79B9_7F4A_7C15,
            counters,
            memory_bytes_max,
            logs,
            logged: (0, 0),
        }
    }

    /// Data of a store in which nothing is run.
    pub(crate) fn nobody() -> Self {
        Self::new("".into(), 0, 0, Arc::default(), LogQueue::closed())
    }

    /// A call begins: what the last one left is gone.
    pub(crate) fn begin(&mut self, call: Call, l7: u8, about: &tapir_parsers::plugin::Call<'_>) {
        self.call = call;
        self.context.facts = *about.facts;
        self.context.direction = about.direction;
        self.context.time_us = about.time_ns / 1000;
        self.context.l7 = l7;
        self.payload.clear();
        self.payload.extend_from_slice(about.payload);
        self.records.clear();
        self.protocol = None;
        self.fault = None;
    }

    /// Room for the message that is enriched.
    pub(crate) fn event_room(&mut self) -> &mut [u8] {
        self.event.resize(EVENT_BYTES_MAX, 0);
        &mut self.event
    }

    /// Takes note of what the guest did wrong; the first of a call counts.
    pub(crate) fn note(&mut self, reason: Reason) {
        self.fault.get_or_insert(reason);
    }

    /// A line of the guest's own, unless it logs too much.
    pub(crate) fn log(&mut self, level: log::Level, line: &str) {
        let second = self.context.time_us / 1_000_000;
        if self.logged.0 != second {
            self.logged = (second, 0);
        }
        self.logged.1 += 1;
        if self.logged.1 > LOG_LINES_A_SECOND || !self.logs.push(&self.name, level, line) {
            self.counters.log_line_dropped();
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.memory_bytes_max;
        if !allowed {
            self.note(Reason::Memory);
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        8
    }
}
