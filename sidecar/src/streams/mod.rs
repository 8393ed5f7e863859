//! Events to records: the bytes of each connection in order, gaps as facts, to the parsers' engine.
//!
//! The kernel tells of data right after the call that moved it, so it comes in order but where threads share a
//! socket. Every event names the sequence number of its first byte: what was lost on the way shows, byte for byte.

mod arrivals;
mod connection;
mod counters;
mod datagrams;
mod living;
mod mirror;
mod numbers;
#[cfg(test)]
mod order_tests;
mod plain;
#[cfg(test)]
mod plain_tests;
mod side;
mod sinks;

pub use arrivals::Arrivals;
pub use counters::StreamCounters;
pub use numbers::Numbers;
pub(crate) use numbers::translate;
use sinks::{Discarded, Of, OfAny};
pub use sinks::{HostSink, Parties};

use crate::event::{Closed, Data, Event, Open, Role, Way, What, Who};
use crate::limits::{
    CONNECTIONS_MAX, HELD_BYTES_PER_SIDE_MAX, HELD_PER_SIDE_MAX, HOLE_TIMEOUT_NS, SESSIONS_PER_TICK,
};
use connection::{Connection, Interest};
use hashbrown::{HashMap, HashSet};
use mirror::Mirror;
use plain::Plains;
use side::{Held, Placement, Side, seq_diff};
use tapir_parsers::engine::{Begin, Chunk, Engine, SessionId, Standing, Verdict};
use tapir_parsers::field::Ended;

/// How connections that carry TLS begin: a record of a handshake (RFC 8446, 5.1).
const TLS_HANDSHAKE: [u8; 2] = [22, 3];

/// What the kernel's programs are to do with a connection from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// No protocol begins with what was told last: look at what follows.
    Look,
    /// Tell nothing more.
    Ignore,
    /// Tell everything.
    Tell,
}

/// All connections, and the engine that reads them.
pub struct Streams<S> {
    connections: HashMap<u64, Connection>,
    /// Flows of datagrams, by the numbers that they have in `connections`.
    flows: HashMap<datagrams::Key, u64>,
    flows_made: u64,
    next_flows_ns: u64,
    mirror: Mirror,
    /// Of a connection with both ends on this host, the one that is left out.
    left_out: Option<Role>,
    /// Of connections in which data waits for its turn.
    waiting: Vec<u64>,
    plains: Plains,
    /// Connections whose sockets were gone when that was looked at last.
    missing: HashSet<u64>,
    /// For the kernel, by cookie; taken by whoever can tell it.
    orders: Vec<(u64, Order)>,
    engine: Engine,
    sink: S,
    counters: StreamCounters,
}

impl<S: HostSink> Streams<S> {
    /// No connections yet; what they say goes through `engine` to `sink`. Of those with both ends on this host, one is
    /// left out.
    pub fn new(engine: Engine, sink: S, left_out: Option<Role>) -> Self {
        Self {
            connections: HashMap::new(),
            flows: HashMap::new(),
            flows_made: 0,
            next_flows_ns: 0,
            mirror: Mirror::default(),
            left_out,
            waiting: Vec::new(),
            plains: Plains::default(),
            missing: HashSet::new(),
            orders: Vec::new(),
            engine,
            sink,
            counters: StreamCounters::default(),
        }
    }

    /// What was counted so far.
    pub fn counters(&self) -> &StreamCounters {
        &self.counters
    }

    /// The engine: its counters and sizes.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where records go.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// What the kernel's programs are to do, by cookie, since this was asked last; later ones hold.
    pub fn orders(&mut self) -> std::vec::Drain<'_, (u64, Order)> {
        self.orders.drain(..)
    }

    /// Connections that are followed.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Takes one event; `time_ns` is its time in Unix ns.
    pub fn event(&mut self, event: &Event<'_>, time_ns: u64) {
        match &event.what {
            What::Open(open) => self.open(event.cookie, open, None),
            What::OpenUnix(open, name) => self.open(event.cookie, open, Some(name)),
            What::Data(data) => self.data(event.cookie, data, event.time_ns, time_ns),
            What::Plain(plain) => self.plain(event.cookie, plain, time_ns),
            What::Datagram(datagram) => self.datagram(event.cookie, datagram, time_ns),
            What::Speaker(who) => self.speaker(event.cookie, *who),
            What::End(way, seq) => self.end(event.cookie, *way, *seq, time_ns),
            What::Close { how, seq } => {
                let ended = match how {
                    Closed::InOrder => Ended::Fin,
                    Closed::Reset => Ended::Rst,
                    Closed::Shed => Ended::Evicted,
                };
                self.close(event.cookie, ended, Some(*seq), time_ns);
            }
        }
    }

    /// Plain bytes have no socket that there could be orders for.
    fn order(&mut self, key: u64, order: Order) {
        if key < plain::FIRST_KEY {
            self.orders.push((key, order));
        }
    }

    fn open(&mut self, cookie: u64, open: &Open, socket: Option<&[u8]>) {
        self.counters.opens += 1;
        if self.connections.contains_key(&cookie) {
            // Threads that began at once, or user space was thought to have forgotten it.
            self.counters.opens_again += 1;
            return;
        }
        if self.connections.len() >= CONNECTIONS_MAX {
            self.counters.refused += 1;
            self.order(cookie, Order::Ignore);
            return;
        }
        let mut connection = Connection::new(*open, cookie);
        connection.socket = socket.map(Box::from);
        let other = match socket {
            None => self.mirror.note(cookie, open),
            // Of a Unix stream the kernel's programs leave one end out, since each end knows the other.
            Some(_) => None,
        };
        if let Some(other) = other {
            self.introduce(&mut connection, other);
            // Who has an end that serves at the other side is the client.
            let role = match open.role {
                Role::Server => Role::Server,
                _ => Role::Client,
            };
            if self.left_out == Some(role) {
                self.counters.other_ends += 1;
                self.mirror.forget(cookie, open);
                self.order(cookie, Order::Ignore);
                return;
            }
            if self.left_out.is_some() {
                self.counters.other_ends += 1;
                self.discard(other);
                self.order(other, Order::Ignore);
            }
        }
        self.connections.insert(cookie, connection);
    }

    /// Tells two ends of one connection who holds the other.
    fn introduce(&mut self, connection: &mut Connection, other: u64) {
        if let Some(other) = self.connections.get_mut(&other) {
            other.open.peer.get_or_insert(connection.open.this);
            connection.open.peer.get_or_insert(other.open.this);
        }
    }

    /// Takes a connection out without a record: its other end makes them.
    fn discard(&mut self, cookie: u64) {
        self.discard_plains(cookie);
        let Some(connection) = self.connections.remove(&cookie) else {
            return;
        };
        self.mirror.forget(cookie, &connection.open);
        self.counters.bytes_idle += connection.sides.iter().map(Side::held_len).sum::<u64>();
        self.discard_session(connection.session);
    }

    fn discard_session(&mut self, session: Option<SessionId>) {
        if let Some(id) = session {
            let mut discarded = Discarded(&mut self.counters.records_discarded);
            self.engine.close(id, Ended::Shutdown, 0, &mut discarded);
        }
    }

    fn speaker(&mut self, cookie: u64, who: Who) {
        self.counters.speakers += 1;
        match self.connections.get_mut(&cookie) {
            Some(connection) => connection.speaker = who,
            None => self.counters.strangers += 1,
        }
    }

    fn data(&mut self, cookie: u64, data: &Data<'_>, event_ns: u64, time_ns: u64) {
        self.counters.data += 1;
        let Some(connection) = self.connections.get_mut(&cookie) else {
            self.counters.strangers += 1;
            self.counters.bytes_of_strangers += u64::from(data.len);
            return;
        };
        if let Some(arrived_ns) = data.arrived_ns {
            let end = data.seq.wrapping_add(data.len);
            let waited_ns = event_ns.saturating_sub(arrived_ns);
            connection.arrivals.read(end, data.len, waited_ns);
        }
        connection.library = data.library.or(connection.library);
        connection.is_tls |= data.bytes.starts_with(&TLS_HANDSHAKE);
        if connection.is_in_turn(data) {
            self.feed(cookie, data.way, data.bytes, data.peer_seq, time_ns);
        } else {
            self.place(cookie, data, time_ns);
        }
    }

    /// Data of a connection that is known, in its turn.
    fn place(&mut self, cookie: u64, data: &Data<'_>, time_ns: u64) {
        self.give_up_heard(cookie, data, time_ns);
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        let side = connection.side(data.way);
        match side.place(data.seq, data.len) {
            Placement::Next(skip) => {
                self.counters.bytes_seen += u64::from(skip);
                self.pass(cookie, data, skip, time_ns);
                self.release(cookie, data.way);
            }
            Placement::Seen => self.counters.bytes_seen += u64::from(data.len),
            Placement::Ahead(_) if data.withheld > 0 || connection.is_idle(data.way) => {
                self.give_up(cookie, data.way, data.seq, time_ns);
                self.pass(cookie, data, 0, time_ns);
            }
            Placement::Ahead(_) => self.hold(cookie, data, time_ns),
        }
    }

    /// Keeps data that is ahead of its turn, or gives up what is missing before it.
    fn hold(&mut self, cookie: u64, data: &Data<'_>, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        let side = connection.side(data.way);
        let (count, bytes) = side.held();
        if count == 0 {
            self.waiting.push(cookie);
        }
        self.counters.held += 1;
        side.hold(Held {
            seq: data.seq,
            peer_seq: data.peer_seq,
            len: data.len,
            time_ns,
            bytes: data.bytes.to_vec(),
        });
        if count + 1 > HELD_PER_SIDE_MAX || bytes + data.bytes.len() > HELD_BYTES_PER_SIDE_MAX {
            self.give_up_first(cookie, data.way, time_ns);
        }
    }

    /// Who spoke `data` had heard of what waits the other way, so that comes first, and what is missing before it was
    /// lost.
    fn give_up_heard(&mut self, cookie: u64, data: &Data<'_>, time_ns: u64) {
        let way = data.way.opposite();
        let heard = |streams: &mut Self| {
            let first = streams.connections.get_mut(&cookie)?.side(way).first_held()?;
            Some(seq_diff(data.peer_seq, first) > 0)
        };
        while heard(self) == Some(true) {
            self.give_up_first(cookie, way, time_ns);
        }
    }

    /// The hole before the first data that waits is a gap.
    fn give_up_first(&mut self, cookie: u64, way: Way, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        let side = connection.side(way);
        if let Some(hole) = side.hole() {
            let to = side.next_seq.wrapping_add(hole);
            self.give_up(cookie, way, to, time_ns);
        }
        self.release(cookie, way);
    }

    /// Hands on what waited for its turn.
    fn release(&mut self, cookie: u64, way: Way) {
        loop {
            let connection = self.connections.get_mut(&cookie);
            let Some(held) = connection.and_then(|connection| connection.side(way).take_due()) else {
                return;
            };
            let data = Data {
                way,
                seq: held.seq,
                peer_seq: held.peer_seq,
                len: held.len,
                withheld: 0,
                arrived_ns: None,
                bytes: &held.bytes,
                library: None,
            };
            let placement = self
                .connections
                .get_mut(&cookie)
                .map(|connection| connection.side(way).place(held.seq, held.len));
            match placement {
                Some(Placement::Next(skip)) => {
                    self.counters.bytes_seen += u64::from(skip);
                    self.pass(cookie, &data, skip, held.time_ns);
                }
                _ => self.counters.bytes_seen += u64::from(held.len),
            }
        }
    }

    /// What is missing up to `seq` will never come.
    fn give_up(&mut self, cookie: u64, way: Way, seq: u32, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        if let Placement::Ahead(missing) = connection.side(way).place(seq, 0) {
            self.counters.gaps += 1;
            self.gap(cookie, way, missing, time_ns);
        }
    }

    /// Data whose turn it is, from `skip` on; what of it was not captured is a gap.
    fn pass(&mut self, cookie: u64, data: &Data<'_>, skip: u32, time_ns: u64) {
        let bytes = data.bytes.get(skip as usize..).unwrap_or_default();
        if !bytes.is_empty() {
            self.feed(cookie, data.way, bytes, data.peer_seq, time_ns);
        }
        let missing = data.len - skip - bytes.len() as u32;
        if missing > 0 {
            self.counters.bytes_not_captured += u64::from(missing);
            self.gap(cookie, data.way, missing, time_ns);
        }
    }

    /// The next bytes of a direction, to its session or to inference.
    fn feed(&mut self, cookie: u64, way: Way, bytes: &[u8], peer_seq: u32, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        let side = connection.side(way);
        let offset = side.offset;
        side.advance(bytes.len() as u32);
        if connection.is_idle(way) {
            self.counters.bytes_idle += bytes.len() as u64;
            return;
        }
        self.counters.bytes_fed += bytes.len() as u64;
        let peer_offset = connection.side(way.opposite()).offset_of(peer_seq);
        let chunk = Chunk {
            bytes,
            time_ns,
            offset,
            // What the other side had of the plain bytes that it encrypted, nobody tells.
            peer_offset: (connection.plain.is_none() || way == Way::Sent).then_some(peer_offset),
        };
        let direction = connection.direction(way);
        let mut sink = Of {
            sink: &mut self.sink,
            connection,
        };
        if let Some(id) = connection.session {
            match self.engine.data(id, direction, &chunk, &mut sink) {
                Verdict::Continue => {}
                Verdict::Ignore => {
                    connection.end_session(Interest::None);
                    self.order(cookie, Order::Ignore);
                }
                Verdict::Rest => connection.end_session(Interest::Recognised),
            }
            return;
        }
        let standing = Standing {
            direction_is_sure: connection.is_sure(),
            at_stream_start: connection.open.from_start && offset == 0,
            recognised_before: connection.interest == Interest::Recognised,
            behind_loss: false,
            other_offset: Some(connection.sides[way.opposite() as usize].offset),
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
            Begin::Session(id) => {
                connection.begin_session(id);
                if std::mem::take(&mut connection.no_match_told) {
                    self.order(cookie, Order::Tell);
                }
            }
            Begin::Ignore => {
                connection.interest = Interest::None;
                self.order(cookie, Order::Ignore);
            }
            Begin::Rest => connection.interest = Interest::Recognised,
            Begin::NoMatch => {
                connection.count_try(way);
                connection.no_match_told = true;
                let order = match connection.interest {
                    Interest::None => Order::Ignore,
                    _ => Order::Look,
                };
                self.order(cookie, order);
            }
        }
    }

    /// Bytes of a direction that will never be seen.
    fn gap(&mut self, cookie: u64, way: Way, len: u32, time_ns: u64) {
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        connection.side(way).advance(len);
        self.counters.bytes_in_gaps += u64::from(len);
        let Some(id) = connection.session else { return };
        let mut sink = Of {
            sink: &mut self.sink,
            connection,
        };
        let direction = connection.direction(way);
        let verdict = self.engine.gap(id, direction, u64::from(len), time_ns, &mut sink);
        if verdict == Verdict::Ignore {
            connection.end_session(Interest::None);
            self.order(cookie, Order::Ignore);
        }
    }

    /// A direction ends at `seq`.
    fn end(&mut self, cookie: u64, way: Way, seq: u32, time_ns: u64) {
        self.counters.ends += 1;
        if !self.connections.contains_key(&cookie) {
            self.counters.strangers += 1;
            return;
        }
        self.end_side(cookie, way, Some(seq), time_ns);
        self.end_plains(cookie, way, time_ns);
    }

    fn end_side(&mut self, cookie: u64, way: Way, seq: Option<u32>, time_ns: u64) {
        self.give_up_all(cookie, way, seq, time_ns);
        let Some(connection) = self.connections.get_mut(&cookie) else {
            return;
        };
        if std::mem::replace(&mut connection.side(way).ended, true) {
            return;
        }
        let direction = connection.direction(way);
        if let Some(id) = connection.session {
            let mut sink = Of {
                sink: &mut self.sink,
                connection,
            };
            self.engine.half_close(id, direction, &mut sink);
        }
    }

    /// Nothing of a direction comes any more: hands on all that waits, and what is missing up to `seq` is a gap.
    fn give_up_all(&mut self, cookie: u64, way: Way, seq: Option<u32>, time_ns: u64) {
        while self
            .connections
            .get_mut(&cookie)
            .is_some_and(|connection| connection.side(way).held().0 > 0)
        {
            self.give_up_first(cookie, way, time_ns);
        }
        if let Some(seq) = seq {
            self.give_up(cookie, way, seq, time_ns);
        }
    }

    /// A connection is over.
    fn close(&mut self, cookie: u64, ended: Ended, seq: Option<[u32; 2]>, time_ns: u64) {
        self.counters.closes += u64::from(seq.is_some());
        if !self.connections.contains_key(&cookie) {
            self.counters.strangers += u64::from(seq.is_some());
            return;
        }
        if self
            .connections
            .get(&cookie)
            .is_some_and(|c| c.is_tls || c.library.is_some() || c.is_read)
        {
            self.linger(cookie, ended, seq, time_ns);
        } else {
            self.close_one(cookie, ended, seq, time_ns);
        }
    }

    fn close_one(&mut self, cookie: u64, ended: Ended, seq: Option<[u32; 2]>, time_ns: u64) {
        for way in Way::BOTH {
            self.give_up_all(cookie, way, seq.map(|seq| seq[way as usize]), time_ns);
        }
        let Some(connection) = self.connections.remove(&cookie) else {
            return;
        };
        self.mirror.forget(cookie, &connection.open);
        if connection.is_tls {
            self.sink.tls_closed(&connection.parties(), connection.is_read);
        }
        if let Some(id) = connection.session {
            let mut sink = Of {
                sink: &mut self.sink,
                connection: &connection,
            };
            self.engine.close(id, ended, time_ns, &mut sink);
        }
    }

    /// Looks for requests whose time is over and holes that waited too long. Call it at intervals.
    pub fn tick(&mut self, now_ns: u64) {
        let mut sink = OfAny {
            sink: &mut self.sink,
            connections: &self.connections,
        };
        self.engine.sweep(now_ns, SESSIONS_PER_TICK, &mut sink);
        self.give_up_waiting(now_ns);
        self.end_lingering(now_ns);
        self.tick_flows(now_ns);
        let due_ns = now_ns.saturating_sub(HOLE_TIMEOUT_NS);
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|cookie| {
            for way in Way::BOTH {
                let since = |streams: &mut Self| {
                    let connection = streams.connections.get_mut(cookie)?;
                    connection.side(way).waiting_since()
                };
                while since(self).is_some_and(|since_ns| since_ns <= due_ns) {
                    self.give_up_first(*cookie, way, now_ns);
                }
            }
            let connection = self.connections.get_mut(cookie);
            connection.is_some_and(|c| Way::BOTH.into_iter().any(|way| c.side(way).held().0 > 0))
        });
        self.waiting = waiting;
    }

    /// Ends everything: whatever is under way becomes a record.
    pub fn finish(&mut self, now_ns: u64) {
        self.give_up_waiting(u64::MAX);
        self.end_turns(u64::MAX);
        let mut cookies: Vec<u64> = self.connections.keys().copied().collect();
        cookies.sort_unstable();
        for cookie in cookies {
            self.close(cookie, Ended::Shutdown, None, now_ns);
        }
        self.end_lingering(u64::MAX);
    }
}
