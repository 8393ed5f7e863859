//! Datagrams: no order and no gaps, but flows that nobody opens or closes.

use super::connection::{Connection, Interest, is_likely_client};
use super::{HostSink, Of, Streams};
use crate::event::{Datagram, Open, Role, Way};
use crate::limits::{DATAGRAM_FLOW_IDLE_NS, DATAGRAM_FLOW_IDLE_WHEN_FULL_NS, DATAGRAM_FLOWS_MAX};
use std::net::IpAddr;
use tapir_parsers::engine::{Begin, Chunk, Standing, Verdict};
use tapir_parsers::field::Ended;

/// Flows of datagrams have numbers of their own, which no socket's cookie reaches.
pub(super) const FIRST_FLOW: u64 = 1 << 52;

/// A socket, and whom it speaks with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    cookie: u64,
    remote: (IpAddr, u16),
}

impl<S: HostSink> Streams<S> {
    /// One datagram of a socket.
    pub(super) fn datagram(&mut self, cookie: u64, datagram: &Datagram<'_>, time_ns: u64) {
        self.counters.datagrams += 1;
        let missing = datagram.len - datagram.bytes.len() as u32;
        self.counters.bytes_not_captured += u64::from(missing);
        let key = Key {
            cookie,
            remote: datagram.remote,
        };
        let flow = match self.flows.get(&key) {
            Some(flow) => *flow,
            None => match self.new_flow(key, datagram, time_ns) {
                Some(flow) => flow,
                None => {
                    self.counters.bytes_of_strangers += datagram.bytes.len() as u64;
                    return;
                }
            },
        };
        self.feed_datagram(flow, datagram, time_ns);
    }

    fn new_flow(&mut self, key: Key, datagram: &Datagram<'_>, time_ns: u64) -> Option<u64> {
        if self.flows.len() >= DATAGRAM_FLOWS_MAX {
            self.end_idle_flows(time_ns, DATAGRAM_FLOW_IDLE_WHEN_FULL_NS);
        }
        if self.flows.len() >= DATAGRAM_FLOWS_MAX {
            self.counters.refused += 1;
            return None;
        }
        let open = Open {
            role: role_of(datagram),
            l4: 1,
            netns: datagram.netns,
            this: datagram.this,
            peer: None,
            local: datagram.local,
            remote: datagram.remote,
            seq: [0; 2],
            passed: [0; 2],
            from_start: false,
        };
        let flow = FIRST_FLOW + self.flows_made;
        self.flows_made += 1;
        self.counters.flows += 1;
        let mut connection = Connection::new(open, flow);
        if let Some(other) = self.mirror.note(flow, &open) {
            self.introduce(&mut connection, other);
            if let Some(role) = self.left_out {
                // What is told of when a call is over may come behind the whole exchange: then the end that was told of
                // first goes on, so that each exchange comes once.
                let is_late = (self.connections.get(&other))
                    .is_some_and(|other| other.is_answered && other.interest != Interest::None);
                let left_out = if role == open.role || is_late {
                    connection.interest = Interest::None;
                    true
                } else {
                    self.leave_out(other)
                };
                self.counters.other_ends += u64::from(left_out);
            }
        }
        self.connections.insert(flow, connection);
        self.flows.insert(key, flow);
        Some(flow)
    }

    /// Nothing more is wanted of a flow, since its other end is watched.
    fn leave_out(&mut self, flow: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&flow) else {
            return false;
        };
        connection.interest = Interest::None;
        let session = connection.session.take();
        self.discard_session(session);
        true
    }

    fn feed_datagram(&mut self, flow: u64, datagram: &Datagram<'_>, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&flow) else {
            return;
        };
        connection.last_ns = time_ns;
        connection.speaker = datagram.this;
        let is_servers = connection.open.role == Role::Server;
        connection.is_answered |= is_servers == (datagram.way == Way::Sent);
        if datagram.way == Way::Received && connection.open.local.0.is_unspecified() {
            connection.open.local = datagram.local;
        }
        let bytes = datagram.bytes;
        if connection.is_idle(datagram.way) || bytes.is_empty() {
            self.counters.bytes_idle += bytes.len() as u64;
            return;
        }
        self.counters.bytes_fed += bytes.len() as u64;
        let chunk = Chunk {
            bytes,
            time_ns,
            offset: 0,
            peer_offset: None,
        };
        let direction = connection.direction(datagram.way);
        let mut sink = Of {
            sink: &mut self.sink,
            connection,
        };
        if let Some(id) = connection.session {
            match self.engine.data(id, direction, &chunk, &mut sink) {
                Verdict::Continue => {}
                Verdict::Ignore => connection.end_session(Interest::None),
                Verdict::Rest => connection.end_session(Interest::Recognised),
            }
            return;
        }
        let standing = Standing {
            direction_is_sure: false,
            at_stream_start: false,
            recognised_before: connection.interest == Interest::Recognised,
            behind_loss: false,
            other_offset: None,
        };
        let begun = self.engine.begin_with(
            connection.ends(),
            || connection.facts(),
            direction,
            standing,
            &chunk,
            &mut sink,
        );
        match begun {
            Begin::Session(id) => connection.begin_session(id),
            Begin::Ignore => connection.interest = Interest::None,
            Begin::Rest => connection.interest = Interest::Recognised,
            Begin::NoMatch => connection.count_try(datagram.way),
        }
    }

    /// Ends the flows in which nothing was said for `idle_ns`.
    pub(super) fn end_idle_flows(&mut self, now_ns: u64, idle_ns: u64) {
        let mut idle = Vec::new();
        let connections = &self.connections;
        self.flows.retain(|_, flow| {
            let last_ns = connections.get(flow).map_or(0, |connection| connection.last_ns);
            let over = last_ns.saturating_add(idle_ns) <= now_ns;
            if over {
                idle.push(*flow);
            }
            !over
        });
        for flow in idle {
            self.close(flow, Ended::Timeout, None, now_ns);
        }
    }

    /// When idle flows are looked for.
    pub(super) fn tick_flows(&mut self, now_ns: u64) {
        if now_ns >= self.next_flows_ns {
            self.next_flows_ns = now_ns + DATAGRAM_FLOW_IDLE_NS / 10;
            self.end_idle_flows(now_ns, DATAGRAM_FLOW_IDLE_NS);
        }
    }
}

/// A guess: who has a known port serves, else who was spoken to first.
fn role_of(datagram: &Datagram<'_>) -> Role {
    let (local, remote) = (datagram.local.1, datagram.remote.1);
    match is_likely_client(local, remote, datagram.way == Way::Sent) {
        true => Role::Client,
        false => Role::Server,
    }
}
