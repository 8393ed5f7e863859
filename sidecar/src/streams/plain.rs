//! Plain bytes of TLS connections: a stream of its own above a connection's, with the same ends and the same end.
//!
//! The kernel's programs tell plain bytes by the TLS library's object. Which connection that is, they mostly know at
//! once; where the application carries the ciphertext itself they find out later or never, and what came before waits.

use super::connection::Connection;
use super::{HostSink, Streams};
use crate::event::{Data, Plain, TlsObject, Way};
use crate::limits::{
    CONNECTIONS_MAX, PLAIN_BYTES_WAITING_MAX, PLAIN_LINGER_NS, PLAIN_TURN_NS, PLAIN_WAIT_NS,
    PLAIN_WAITING_MAX,
};
use crate::tls::library::Library;
use hashbrown::HashMap;
use std::collections::VecDeque;
use tapir_parsers::field::Ended;

/// Plain streams stand among the connections by numbers that no socket has.
pub(super) const FIRST_KEY: u64 = 1 << 63;

/// What waits for its connection to be known, or for its turn.
struct Waiting {
    way: Way,
    offset: u64,
    other_offset: u64,
    len: u32,
    seq: Option<u32>,
    time_ns: u64,
    bytes: Vec<u8>,
}

impl Waiting {
    fn of(plain: &Plain<'_>, time_ns: u64) -> Self {
        Self {
            way: plain.way,
            offset: plain.offset,
            other_offset: plain.other_offset,
            len: plain.len,
            seq: plain.seq,
            time_ns,
            bytes: plain.bytes.to_vec(),
        }
    }
}

/// All plain streams.
#[derive(Default)]
pub(super) struct Plains {
    /// By object: the number among connections.
    keys: HashMap<TlsObject, u64>,
    /// By socket: the objects. Mostly one; two when a connection goes through a proxy that is itself spoken to by TLS.
    of_sockets: HashMap<u64, Vec<TlsObject>>,
    waiting: HashMap<TlsObject, VecDeque<Waiting>>,
    /// Received while a call that sends was not over; with socket and library.
    turns: HashMap<TlsObject, (u64, Library, VecDeque<Waiting>)>,
    waiting_count: usize,
    waiting_bytes: usize,
    made: u64,
    /// Ends that were told of, in order of time, until all that came before them must have been told of.
    lingering: VecDeque<(u64, Over)>,
}

/// What is over.
#[derive(Clone, Copy, Debug)]
enum Over {
    /// A direction of the socket's connection.
    Side(u64, Way),
    /// All of it.
    All(u64, Ended, Option<[u32; 2]>),
}

impl Plains {
    /// The objects of a socket.
    fn of_socket(&self, cookie: u64) -> &[TlsObject] {
        self.of_sockets.get(&cookie).map_or(&[], Vec::as_slice)
    }

    fn keys_of(&self, cookie: u64) -> Vec<u64> {
        let objects = self.of_socket(cookie).iter();
        objects
            .filter_map(|object| self.keys.get(object).copied())
            .collect()
    }

    fn forget(&mut self, cookie: u64) {
        for object in self.of_sockets.remove(&cookie).unwrap_or_default() {
            self.keys.remove(&object);
        }
    }

    fn take_waiting(&mut self, object: &TlsObject) -> VecDeque<Waiting> {
        let waiting = self.waiting.remove(object).unwrap_or_default();
        self.uncount_waiting(&waiting);
        waiting
    }

    fn has_room(&self, plain: &Plain<'_>) -> bool {
        self.waiting_count < PLAIN_WAITING_MAX
            && self.waiting_bytes + plain.bytes.len() <= PLAIN_BYTES_WAITING_MAX
    }

    fn count_waiting(&mut self, plain: &Plain<'_>) {
        self.waiting_count += 1;
        self.waiting_bytes += plain.bytes.len();
    }

    fn uncount_waiting(&mut self, pieces: &VecDeque<Waiting>) {
        self.waiting_count -= pieces.len();
        self.waiting_bytes -= pieces.iter().map(|piece| piece.bytes.len()).sum::<usize>();
    }
}

impl<S: HostSink> Streams<S> {
    pub(super) fn plain(&mut self, cookie: u64, plain: &Plain<'_>, time_ns: u64) {
        self.counters.plains += 1;
        if !self.plains.keys.contains_key(&plain.object) {
            if cookie == 0 {
                self.wait(plain, time_ns);
                return;
            }
            if !self.begin_plain(cookie, plain) {
                self.counters.strangers += 1;
                self.counters.bytes_of_strangers += u64::from(plain.len);
                return;
            }
            for piece in self.plains.take_waiting(&plain.object) {
                let before = Plain {
                    way: piece.way,
                    offset: piece.offset,
                    other_offset: piece.other_offset,
                    seq: piece.seq,
                    len: piece.len,
                    bytes: &piece.bytes,
                    ..*plain
                };
                self.feed_plain(cookie, &before, piece.time_ns);
            }
        }
        let waits = plain.is_sending || self.plains.turns.contains_key(&plain.object);
        if plain.way == Way::Received && waits && self.plains.has_room(plain) {
            let (_, _, pieces) = (self.plains.turns)
                .entry(plain.object)
                .or_insert_with(|| (cookie, plain.library, VecDeque::new()));
            pieces.push_back(Waiting::of(plain, time_ns));
            self.plains.count_waiting(plain);
            self.counters.plains_waited += 1;
            return;
        }
        self.feed_plain(cookie, plain, time_ns);
        if plain.way == Way::Sent {
            self.end_turn(&plain.object);
        }
    }

    /// What waited for a call that sends need not wait any more.
    fn end_turn(&mut self, object: &TlsObject) {
        let Some((cookie, library, pieces)) = self.plains.turns.remove(object) else {
            return;
        };
        self.plains.uncount_waiting(&pieces);
        for piece in pieces {
            let plain = Plain {
                way: piece.way,
                library,
                object: *object,
                offset: piece.offset,
                other_offset: piece.other_offset,
                seq: piece.seq,
                is_sending: false,
                len: piece.len,
                bytes: &piece.bytes,
            };
            self.feed_plain(cookie, &plain, piece.time_ns);
        }
    }

    /// The same for all that has waited too long.
    pub(super) fn end_turns(&mut self, now_ns: u64) {
        let due_ns = now_ns.saturating_sub(PLAIN_TURN_NS);
        let is_due = |pieces: &VecDeque<Waiting>| pieces.front().is_none_or(|piece| piece.time_ns <= due_ns);
        let due = self
            .plains
            .turns
            .iter()
            .filter(|(_, (_, _, pieces))| is_due(pieces));
        for object in due.map(|(object, _)| *object).collect::<Vec<_>>() {
            self.end_turn(&object);
        }
    }

    /// Puts a stream for `plain`'s object beside its connection; false when that is not known or there is no room.
    fn begin_plain(&mut self, cookie: u64, plain: &Plain<'_>) -> bool {
        if self.connections.len() >= CONNECTIONS_MAX {
            self.counters.refused += 1;
            return false;
        }
        let Some(below) = self.connections.get_mut(&cookie) else {
            return false;
        };
        // Whatever waits came first.
        let first = |way: Way| {
            let waits = self.plains.waiting.get(&plain.object).into_iter().flatten();
            let offset = waits
                .filter(|piece| piece.way == way)
                .map(|piece| piece.offset)
                .min();
            offset.unwrap_or(if way == plain.way {
                plain.offset
            } else {
                plain.other_offset
            })
        };
        let offsets = Way::BOTH.map(first);
        let connection = Connection::above(below, plain.library, offsets);
        self.plains.made += 1;
        let key = FIRST_KEY + self.plains.made;
        self.connections.insert(key, connection);
        self.plains.keys.insert(plain.object, key);
        self.plains
            .of_sockets
            .entry(cookie)
            .or_default()
            .push(plain.object);
        true
    }

    fn feed_plain(&mut self, cookie: u64, plain: &Plain<'_>, time_ns: u64) {
        let Some(key) = self.plains.keys.get(&plain.object).copied() else {
            self.counters.bytes_of_strangers += u64::from(plain.len);
            return;
        };
        let speaker = self.connections.get(&cookie).map(|below| below.speaker);
        if let (Some(speaker), Some(connection)) = (speaker, self.connections.get_mut(&key)) {
            connection.speaker = speaker;
            if let Some(numbers) = &mut connection.numbers {
                numbers.note(plain.way, plain.offset, plain.seq);
            }
        }
        let data = Data {
            way: plain.way,
            // Plain streams have numbers of their own, which begin at 0.
            seq: plain.offset as u32,
            peer_seq: plain.other_offset as u32,
            len: plain.len,
            withheld: 0,
            arrived_ns: None,
            bytes: plain.bytes,
            library: Some(plain.library),
        };
        self.place(key, &data, time_ns);
    }

    /// Keeps what belongs to no connection that is known, within bounds.
    fn wait(&mut self, plain: &Plain<'_>, time_ns: u64) {
        self.counters.plains_waited += 1;
        if !self.plains.has_room(plain) {
            self.counters.bytes_unbound += u64::from(plain.len);
            return;
        }
        self.plains.count_waiting(plain);
        let pieces = self.plains.waiting.entry(plain.object).or_default();
        pieces.push_back(Waiting::of(plain, time_ns));
    }

    /// Gives up what waited since before `due_ns`.
    pub(super) fn give_up_waiting(&mut self, now_ns: u64) {
        let due_ns = now_ns.saturating_sub(PLAIN_WAIT_NS);
        let is_due = |pieces: &VecDeque<Waiting>| pieces.front().is_none_or(|piece| piece.time_ns <= due_ns);
        let due = self.plains.waiting.iter().filter(|(_, pieces)| is_due(pieces));
        for object in due.map(|(object, _)| *object).collect::<Vec<_>>() {
            let pieces = self.plains.take_waiting(&object);
            self.counters.bytes_unbound += pieces.iter().map(|piece| u64::from(piece.len)).sum::<u64>();
        }
    }

    /// The direction below has ended, so the plain ones have.
    pub(super) fn end_plains(&mut self, cookie: u64, way: Way, time_ns: u64) {
        if self.plains.of_sockets.contains_key(&cookie) {
            self.plains
                .lingering
                .push_back((time_ns, Over::Side(cookie, way)));
        }
    }

    /// A connection is over that may have plain bytes: it waits for the last of them.
    pub(super) fn linger(&mut self, cookie: u64, ended: Ended, seq: Option<[u32; 2]>, time_ns: u64) {
        self.plains
            .lingering
            .push_back((time_ns, Over::All(cookie, ended, seq)));
    }

    /// Ends what has waited long enough.
    pub(super) fn end_lingering(&mut self, now_ns: u64) {
        self.end_turns(now_ns);
        let due_ns = now_ns.saturating_sub(PLAIN_LINGER_NS);
        while let Some((time_ns, over)) = self
            .plains
            .lingering
            .pop_front_if(|(time_ns, _)| *time_ns <= due_ns)
        {
            match over {
                Over::Side(cookie, way) => {
                    for key in self.plains.keys_of(cookie) {
                        self.end_side(key, way, None, time_ns);
                    }
                }
                Over::All(cookie, ended, seq) => {
                    self.close_plains(cookie, ended, time_ns);
                    self.close_one(cookie, ended, seq, time_ns);
                }
            }
        }
    }

    /// The connection below goes without a record.
    pub(super) fn discard_plains(&mut self, cookie: u64) {
        for key in self.plains.keys_of(cookie) {
            self.discard(key);
        }
        self.plains.forget(cookie);
    }

    /// The connection below is over.
    fn close_plains(&mut self, cookie: u64, ended: Ended, time_ns: u64) {
        for key in self.plains.keys_of(cookie) {
            self.close_one(key, ended, None, time_ns);
        }
        self.plains.forget(cookie);
    }
}
