//! The plugins of one lcore: who is asked, in which order, and with how much time.

use crate::abi::record;
use crate::budget::Budget;
use crate::guest::Call as Kind;
use crate::host::Slot;
use crate::instance::{Instance, Task};
use crate::limits::RESTART_DEADLINE;
use crate::metrics::Export;
use crate::trace::{self, CallReport, Trace};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tapir_parsers::parser::{Direction, Speaker};
use tapir_parsers::plugin::{Call, Claim, Event, Hook, Info, Parsed, Plugins, Wanted};

/// Return values of the functions that read messages.
const NEXT: i32 = 0;
const TAKEN: i32 = 1;

/// The plugins of one lcore.
pub struct LcorePlugins {
    instances: Vec<Instance>,
    budget: Budget,
    payload_bytes_max: usize,
    slot: Arc<Slot>,
    generation: u64,
    /// The engine was told what these instances want.
    told: bool,
    trace: Option<Trace>,
}

/// What became of one question in a walk.
enum Answer {
    /// The plugin was not asked.
    NotAsked,
    /// It failed, or does not want it.
    Next,
    /// It returned this, and nobody else is asked.
    Value(i32),
}

impl LcorePlugins {
    pub(crate) fn new(
        instances: Vec<Instance>,
        budget: Option<Duration>,
        payload_bytes_max: usize,
        slot: Arc<Slot>,
        trace: Option<Trace>,
    ) -> Self {
        Self {
            instances,
            budget: Budget::new(budget),
            payload_bytes_max,
            generation: slot.generation(),
            slot,
            told: false,
            trace,
        }
    }

    /// Takes over the instances of a newer configuration, once they are there.
    fn refresh(&mut self) {
        let generation = self.slot.generation();
        if generation != self.generation
            && let Some(instances) = self.slot.take()
        {
            self.generation = generation;
            self.instances = instances;
            self.told = false;
        }
    }

    /// Asks the instance `at`, unless it is set aside or there is no time left.
    fn ask(
        &mut self,
        at: usize,
        export: Export,
        task: &Task<'_>,
        start: &mut Option<Instant>,
        valid: impl Fn(i32) -> bool,
    ) -> Answer {
        let Some(instance) = self.instances.get_mut(at) else {
            return Answer::NotAsked;
        };
        // Whoever wants nothing costs no look at the clock.
        let began = *start.get_or_insert_with(Instant::now);
        if !self.budget.has_time(began) {
            instance.counters.passed();
            return Answer::NotAsked;
        }
        let ready = instance.is_ready(task.about.time_ns, export, RESTART_DEADLINE);
        if !ready {
            return Answer::NotAsked;
        }
        let value = instance.call(export, task, valid);
        let now = Instant::now();
        let took = now.saturating_duration_since(began);
        *start = Some(now);
        self.budget.spend(took);
        if let Some(trace) = &self.trace {
            report(instance, export, task, value, took, trace);
        }
        // A protocol's number of 0 is none, whatever the direction beside it.
        let none = |value: i32| value == NEXT || export == Export::CheckPayload && value & 0xFF == 0;
        let value = value.filter(|value| !none(*value));
        instance.counters.call(export, took, value.is_some());
        value.map_or(Answer::Next, Answer::Value)
    }
}

/// Tells whoever wants to know of a call.
#[cold]
fn report(
    instance: &Instance,
    export: Export,
    task: &Task<'_>,
    value: Option<i32>,
    took: Duration,
    trace: &Trace,
) {
    let guest = instance.guest();
    let protocol = guest.and_then(|guest| guest.protocol.as_deref());
    trace(&CallReport {
        plugin: &instance.plugin.name,
        export,
        flow_id: task.about.facts.flow_id,
        direction: task.about.direction,
        time_ns: task.about.time_ns,
        payload_bytes: task.about.payload.len(),
        answer: value.map_or(trace::Answer::Failed, trace::Answer::Value),
        failure: instance.failure,
        took,
        protocol: protocol.unwrap_or(&[]),
        records: guest.map_or(&[], |guest| &guest.records),
    });
}

/// What a value of `check_payload` says: the protocol's number and who spoke.
fn claim_of(value: i32) -> Option<(u8, Speaker)> {
    let number = (value & 0xFF) as u8;
    let speaker = match value.cast_unsigned() >> 8 {
        // From before the SDK knew directions: what is known of the flow stands.
        0 => Speaker::Either,
        1 => Speaker::Client,
        2 => Speaker::Server,
        _ => return None,
    };
    Some((number, speaker))
}

impl Plugins for LcorePlugins {
    fn wanted(&mut self) -> Option<Wanted> {
        self.refresh();
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let mut wanted = Wanted::default();
        for Instance { hooks, plugin, .. } in &self.instances {
            let (of, ports) = (|l4| plugin.spec.l4.is(l4), &plugin.spec.ports);
            if hooks.parses() {
                wanted.add_checks(of, ports);
            }
            for hook in [Hook::HttpRequest, Hook::HttpResponse, Hook::Message] {
                if hooks.enriches(hook) {
                    wanted.add_enriches(hook, of, ports);
                }
            }
        }
        Some(wanted)
    }

    fn check(&mut self, call: &Call<'_>) -> Option<Claim> {
        let task = Task {
            call: Kind::Check,
            l7: 0,
            about: call,
            event: None,
        };
        let mut start = None;
        for at in 0..self.instances.len() {
            let wanted = self
                .instances
                .get(at)
                .is_some_and(|i| i.hooks.parses() && i.plugin.spec.matches(call.facts));
            if !wanted {
                continue;
            }
            let answer = self.ask(at, Export::CheckPayload, &task, &mut start, |value| {
                claim_of(value).is_some()
            });
            let Answer::Value(value) = answer else { continue };
            let Some((number, speaker)) = claim_of(value) else {
                continue;
            };
            let guest = self.instances.get(at).and_then(Instance::guest);
            let name = guest.and_then(|guest| guest.protocol.clone());
            return Some(Claim {
                number,
                speaker,
                name: name.unwrap_or_default(),
            });
        }
        None
    }

    fn parse(&mut self, call: &Call<'_>, number: u8, each: &mut dyn FnMut(&Info<'_>)) -> Parsed {
        let task = Task {
            call: Kind::Parse,
            l7: number,
            about: call,
            event: None,
        };
        let mut start = None;
        let mut asked = false;
        for at in 0..self.instances.len() {
            let wanted = self
                .instances
                .get(at)
                .is_some_and(|i| i.hooks.parses() && i.plugin.spec.matches(call.facts));
            if !wanted {
                continue;
            }
            match self.ask(at, Export::ParsePayload, &task, &mut start, |value| {
                value == TAKEN
            }) {
                Answer::NotAsked => continue,
                Answer::Next => asked = true,
                Answer::Value(_) => {
                    let Some(instance) = self.instances.get(at) else {
                        break;
                    };
                    let framed = instance.plugin.spec.framed;
                    return Parsed::Read(tell(instance, call.direction, each).filter(|_| framed));
                }
            }
        }
        if asked { Parsed::Unknown } else { Parsed::Passed }
    }

    fn enrich(&mut self, call: &Call<'_>, event: &Event<'_>, each: &mut dyn FnMut(&Info<'_>)) {
        let (export, kind, l7) = match event {
            Event::HttpRequest { protocol, .. } => (Export::OnHttpReq, Kind::Request, *protocol),
            Event::HttpResponse { protocol, .. } => (Export::OnHttpResp, Kind::Response, *protocol),
            Event::Message { .. } => (Export::OnCustomMessage, Kind::Message, 0),
        };
        let task = Task {
            call: kind,
            l7,
            about: call,
            event: Some(event),
        };
        let mut start = None;
        for at in 0..self.instances.len() {
            let wanted = self.instances.get(at).is_some_and(|instance| {
                let hooked = match event {
                    Event::Message { protocol, .. } => instance.hooks.wants_message(*protocol),
                    _ => instance.hooks.enriches(event.hook()),
                };
                hooked && instance.plugin.spec.matches(call.facts)
            });
            if !wanted {
                continue;
            }
            let answer = self.ask(at, export, &task, &mut start, |value| value == TAKEN);
            if let (Answer::Value(_), Some(instance)) = (answer, self.instances.get(at)) {
                tell_last(instance, call.direction, each);
                return;
            }
        }
    }

    fn payload_bytes_max(&self) -> usize {
        self.payload_bytes_max
    }
}

/// Hands on the records of the last call. Returns the bytes that they say their messages have.
fn tell(instance: &Instance, direction: Direction, each: &mut dyn FnMut(&Info<'_>)) -> Option<u64> {
    let mut bytes = None;
    let records = instance.guest().map_or(&[][..], |guest| &guest.records);
    for record in record::split(records) {
        let Some((info, _)) = record::read(record, direction) else {
            continue;
        };
        let len = match direction {
            Direction::ToServer => info.req_len,
            Direction::ToClient => info.resp_len,
        };
        if let Some(len) = len {
            bytes = Some(bytes.unwrap_or(0) + u64::from(len));
        }
        each(&info);
    }
    bytes
}

/// Hands on the last record of the last call: one message has one.
fn tell_last(instance: &Instance, direction: Direction, each: &mut dyn FnMut(&Info<'_>)) {
    let records = instance.guest().map_or(&[][..], |guest| &guest.records);
    let last = record::split(records).last();
    if let Some((info, _)) = last.and_then(|record| record::read(record, direction)) {
        each(&info);
    }
}
