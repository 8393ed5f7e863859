//! Records of the same exchange, seen on the wire and at the sockets of its ends, become one.
//!
//! Every record waits for a set time from when it came. What comes meanwhile and is of the same exchange is
//! merged into it: by the sequence number of the request or of the response, which all observers of a TCP
//! connection agree on; over UDP by the id of the request, where both began at about the same time. What
//! finds no partner leaves as it came. The table is bounded: the oldest record leaves early when it is full.

mod counters;
mod key;
mod merge;
#[cfg(test)]
mod tests;

pub(crate) use counters::JoinCounters;
pub use counters::JoinCounts;

use hashbrown::{DefaultHashBuilder, HashTable};
use key::{Key, Keys, Rule};
use merge::{Host, merge};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::field::{Joined, Source};
use tapir_parsers::host::split_entry;
use tapir_parsers::record::RecordView;

/// How records are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinOptions {
    /// How long a record waits for others of its exchange.
    pub wait: Duration,
    /// Bytes that may wait, before the oldest leaves early.
    pub bytes_max: usize,
    /// How far apart the beginnings of one exchange may be that has no sequence numbers.
    pub start_difference: Duration,
}

impl Default for JoinOptions {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(2),
            bytes_max: crate::limits::JOIN_BYTES,
            start_difference: Duration::from_millis(50),
        }
    }
}

/// A record that waits, made of one or more.
struct Waiting {
    entry: Vec<u8>,
    since_ns: u64,
    keys: Keys,
    /// One of its records is of the wire.
    wire: bool,
    /// What is known of the ends at which it was read.
    host: Host,
    rule: Option<Joined>,
    /// Records that it was made of.
    records: u64,
}

/// The table of records that wait. Times are of any monotonic clock, ns.
pub(crate) struct Joiner {
    options: JoinOptions,
    waiting: VecDeque<Waiting>,
    /// Number of the oldest record that waits; others follow one by one.
    first: u64,
    /// Numbers of records by their keys.
    index: HashTable<(Key, u64)>,
    hasher: DefaultHashBuilder,
    bytes: usize,
    counters: Arc<JoinCounters>,
    /// Where entries are put together.
    scratch: Vec<u8>,
}

impl Joiner {
    pub(crate) fn new(options: JoinOptions, counters: Arc<JoinCounters>) -> Self {
        Self {
            options,
            waiting: VecDeque::new(),
            first: 0,
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            bytes: 0,
            counters,
            scratch: Vec::new(),
        }
    }

    /// Takes a record in. `out` gets those that leave for it.
    pub(crate) fn push(&mut self, view: &RecordView<'_>, now_ns: u64, mut out: impl FnMut(&[u8])) {
        let is_wire = view.source() == Source::Wire;
        self.counters.entered(is_wire);
        let keys = Keys::of(view);
        self.scratch.clear();
        view.append_to(&mut self.scratch);
        if keys.is_empty() {
            self.counters.left_alone(is_wire);
            out(&self.scratch);
            return;
        }
        if let Some((at, rule)) = self.partner(&keys, view, is_wire) {
            self.merge_into(at, rule, &keys, is_wire);
        } else {
            self.insert(keys, is_wire, now_ns);
        }
        while self.bytes > self.options.bytes_max && self.leave(&mut out) {
            self.counters.pushed_out();
        }
    }

    /// Lets go of those whose time is over.
    pub(crate) fn expire(&mut self, now_ns: u64, mut out: impl FnMut(&[u8])) {
        let wait_ns = self.options.wait.as_nanos() as u64;
        while self
            .waiting
            .front()
            .is_some_and(|oldest| now_ns.saturating_sub(oldest.since_ns) >= wait_ns)
        {
            self.leave(&mut out);
        }
    }

    /// Lets go of all.
    pub(crate) fn flush(&mut self, mut out: impl FnMut(&[u8])) {
        while self.leave(&mut out) {}
    }

    /// The place among those that wait of the one that a record belongs with: the oldest where numbers tell,
    /// else the one that began nearest.
    fn partner(&self, keys: &Keys, view: &RecordView<'_>, is_wire: bool) -> Option<(usize, Joined)> {
        let host = Host::of(split_entry(&self.scratch).1, view);
        for key in keys.iter() {
            let found = self
                .index
                .iter_hash(self.hasher.hash_one(key))
                .filter(|(other, _)| other == key)
                .filter_map(|(_, number)| {
                    let at = (number - self.first) as usize;
                    let waiting = self.waiting.get(at)?;
                    let apart = start_ns(&waiting.entry)?.abs_diff(view.header.start_ns);
                    let fits = match key.rule() {
                        Rule::Number => !(is_wire && waiting.wire),
                        Rule::Id => {
                            let again = waiting.host.is_told_again_by(&host);
                            u128::from(apart) <= self.options.start_difference.as_nanos()
                                && !(is_wire && waiting.wire)
                                && (is_wire || !again || apart == 0)
                        }
                    };
                    let rank = if key.rule() == Rule::Number { 0 } else { apart };
                    fits.then_some((rank, at))
                })
                .min();
            if let Some((_, at)) = found {
                return Some((at, key.rule().name()));
            }
        }
        None
    }

    fn merge_into(&mut self, at: usize, rule: Joined, keys: &Keys, is_wire: bool) {
        let Some(waiting) = self.waiting.get_mut(at) else {
            return;
        };
        let before = waiting.entry.len();
        let again = merge(waiting, &self.scratch, rule, is_wire);
        self.counters.begins_to_wait();
        self.bytes = self.bytes + waiting.entry.len() - before;
        let mut added = Keys::default();
        for key in keys.iter() {
            // It may be found by what only the other one has.
            if !waiting.keys.contains(key) && waiting.keys.add(*key) {
                added.add(*key);
            }
        }
        if again {
            self.counters.told_again();
        }
        self.list(&added, self.first + at as u64);
    }

    fn insert(&mut self, keys: Keys, is_wire: bool, now_ns: u64) {
        let entry = self.scratch.as_slice().to_vec();
        let Some(view) = RecordView::new(&entry) else {
            return;
        };
        let host = Host::of(split_entry(&entry).1, &view);
        self.bytes += entry.len() + WAITING_BYTES;
        self.list(&keys, self.first + self.waiting.len() as u64);
        self.waiting.push_back(Waiting {
            entry,
            since_ns: now_ns,
            keys,
            wire: is_wire,
            host,
            rule: None,
            records: 1,
        });
        self.counters.begins_to_wait();
    }

    fn list(&mut self, keys: &Keys, number: u64) {
        let Self { index, hasher, .. } = self;
        for key in keys.iter() {
            index.insert_unique(hasher.hash_one(key), (*key, number), |(key, _)| {
                hasher.hash_one(key)
            });
        }
    }

    /// The oldest leaves; false when there is none.
    fn leave(&mut self, out: &mut impl FnMut(&[u8])) -> bool {
        let Some(waiting) = self.waiting.pop_front() else {
            return false;
        };
        for key in waiting.keys.iter() {
            let hash = self.hasher.hash_one(key);
            let found = self
                .index
                .find_entry(hash, |(other, number)| other == key && *number == self.first);
            if let Ok(entry) = found {
                entry.remove();
            }
        }
        self.first += 1;
        self.bytes -= waiting.entry.len() + WAITING_BYTES;
        self.counters.left(waiting.records, waiting.wire, waiting.rule);
        out(&waiting.entry);
        true
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What a record that waits costs besides its own bytes: its place, its keys, their places in the index.
const WAITING_BYTES: usize = size_of::<Waiting>() + 3 * size_of::<(Key, u64)>();

fn start_ns(entry: &[u8]) -> Option<u64> {
    RecordView::new(entry).map(|view| view.header.start_ns)
}
