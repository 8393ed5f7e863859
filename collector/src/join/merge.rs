//! How two records of one exchange become one.

use super::Waiting;
use tapir_parsers::field::{Joined, Kind};
use tapir_parsers::host::{HostFacts, split_entry};
use tapir_parsers::record::{HEADER_BYTES, RecordHeader, RecordView, flag};

/// At which ends a record was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    /// Ends of which one has told: 0 for a record of the wire.
    ends: u8,
    /// Who told first: pid and command.
    first: Option<(u32, String)>,
    /// How long the response took as that end saw it.
    rrt_ns: Option<u64>,
}

impl Host {
    pub(super) fn of(facts: HostFacts<'_>, view: &RecordView<'_>) -> Self {
        let told = facts.process.or(facts.client_process);
        let is_host = view.source() == tapir_parsers::field::Source::Host;
        Self {
            ends: u8::from(is_host),
            first: told.map(|process| (process.pid, process.comm.to_owned())),
            rrt_ns: view.has(flag::RRT).then_some(view.header.rrt_ns),
        }
    }

    /// Whether the end that `other` was read at has told already.
    pub(super) fn is_told_again_by(&self, other: &Self) -> bool {
        other.ends > 0 && (self.ends >= 2 || self.ends == 1 && self.first == other.first)
    }
}

/// Merges the record `new` into one that waits; whether it said again what was known.
pub(super) fn merge(waiting: &mut Waiting, new: &[u8], rule: Joined, new_is_wire: bool) -> bool {
    let Some(new_view) = RecordView::new(new) else {
        return false;
    };
    let Some(old_view) = RecordView::new(&waiting.entry) else {
        return false;
    };
    waiting.records += 1;
    let (old_texts, old_facts) = split_entry(&waiting.entry);
    let (new_texts, new_facts) = split_entry(new);
    let new_host = Host::of(new_facts, &new_view);
    let again = waiting.host.is_told_again_by(&new_host);
    let facts = match (waiting.host.ends, new_host.ends) {
        (0, _) => new_facts,
        (_, 0) => old_facts,
        _ if again => first_of(old_facts, new_facts),
        _ if is_nearer(&new_host, &waiting.host) => of_both_ends(new_facts, old_facts),
        _ => of_both_ends(old_facts, new_facts),
    };
    // The wire's word counts, unless it has not seen all that a host has; so does that of who came first.
    let (prefers_new, is_of_wire) = (new_is_wire && !waiting.wire, new_is_wire || waiting.wire);
    let (first, second) = if prefers_new {
        (&new_view, &old_view)
    } else {
        (&old_view, &new_view)
    };
    let takes_second = !is_whole(first) && is_whole(second);
    let texts = if prefers_new == takes_second {
        old_texts
    } else {
        new_texts
    };
    let mut header = if takes_second { second.header } else { first.header };
    header.flow = first.header.flow;
    let of_flow = flag::IPV6 | flag::TUNNEL_ID;
    header.flags = header.flags & !of_flow | first.header.flags & of_flow;
    let says_more = waiting.host.ends == 0 || !again;
    if says_more || new_is_wire {
        header.joined = 1 + rule as u8;
        waiting.rule = Some(waiting.rule.unwrap_or(rule));
    } else {
        header.joined = old_view.header.joined;
    }
    let mut entry = Vec::with_capacity(texts.len() + 128);
    write_header(&mut entry, header);
    entry.extend_from_slice(texts.get(HEADER_BYTES..).unwrap_or_default());
    set_len(&mut entry);
    facts.append_to(&mut entry);
    waiting.wire = is_of_wire;
    if new_host.ends > 0 && !again {
        waiting.host = Host {
            ends: waiting.host.ends + 1,
            ..if waiting.host.ends == 0 {
                new_host
            } else {
                waiting.host.clone()
            }
        };
    }
    waiting.entry = entry;
    again
}

fn write_header(to: &mut Vec<u8>, header: RecordHeader) {
    to.extend_from_slice(bytemuck::bytes_of(&header));
}

fn set_len(entry: &mut [u8]) {
    let len = (entry.len() as u32).to_ne_bytes();
    if let Some(first) = entry.first_chunk_mut() {
        *first = len;
    }
}

/// Whether `end` is nearer to where responses are made: they took less time as it saw it.
fn is_nearer(end: &Host, other: &Host) -> bool {
    matches!((end.rrt_ns, other.rrt_ns), (Some(this), Some(that)) if this < that)
}

/// Whether nothing of the exchange is missing.
fn is_whole(view: &RecordView<'_>) -> bool {
    let is_answered = !matches!(view.kind(), Kind::NoResponse | Kind::Orphan);
    is_answered && view.header.gap_bytes == 0 && !view.has(flag::TRUNCATED)
}

/// What either says, the first before the second.
fn first_of<'a>(first: HostFacts<'a>, second: HostFacts<'a>) -> HostFacts<'a> {
    HostFacts {
        process: first.process.or(second.process),
        client_process: first.client_process.or(second.client_process),
        queue_ns: first.queue_ns.or(second.queue_ns),
        app_ns: first.app_ns.or(second.app_ns),
    }
}

/// What the server's end says and the client's: the server is where the response took less time.
fn of_both_ends<'a>(server: HostFacts<'a>, client: HostFacts<'a>) -> HostFacts<'a> {
    HostFacts {
        process: server.process.or(client.process),
        client_process: client
            .client_process
            .or(server.client_process)
            .or(server.process.and(client.process)),
        queue_ns: server.queue_ns.or(client.queue_ns),
        app_ns: server.app_ns.or(client.app_ns),
    }
}
