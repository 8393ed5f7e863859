//! Puts fragmented IP datagrams together again.

use super::blocks::Blocks;
use super::datagram::{Datagram, Key, Misfit};
use super::{DecodeOptions, Decoded, DropReason, Fragment, Packet, decode_ip};
use crate::limits::{
    FRAGMENT_BYTES_MAX, FRAGMENT_DATAGRAMS_MAX, FRAGMENT_HEADER_BYTES_MAX, FRAGMENT_NESTING_MAX,
    FRAGMENT_TIMEOUT_NS,
};
use crate::slab::{NONE, Slab};
use std::collections::HashMap;

/// Bounds of one reassembler.
#[derive(Clone, Copy, Debug)]
pub struct ReassemblyLimits {
    /// Datagrams that wait for fragments at once.
    pub datagrams: usize,
    /// Bytes of waiting fragments, with what it takes to keep them.
    pub bytes: usize,
    /// How long a datagram waits from its first fragment on, ns of packet time.
    pub timeout_ns: u64,
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            datagrams: FRAGMENT_DATAGRAMS_MAX,
            bytes: FRAGMENT_BYTES_MAX,
            timeout_ns: FRAGMENT_TIMEOUT_NS,
        }
    }
}

/// What became of fragments after [`Reassembler::push`] had taken them in.
#[derive(Clone, Debug)]
pub struct FragmentCounts {
    /// Fragments waiting now.
    pub held: u64,
    /// Fragments that waited and became part of a whole datagram.
    pub merged: u64,
    /// Datagrams put together.
    pub datagrams: u64,
    dropped: [u64; DropReason::COUNT],
}

impl FragmentCounts {
    /// Fragments that waited and were dropped for that reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or_default()
    }

    /// Fragments that waited and were dropped, over all reasons.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// Puts IPv4 and IPv6 fragments together within bounds.
///
/// # Accounting
///
/// Every fragment given to [`push`](Self::push) ends in exactly one place:
///
/// | answer of `push` | the fragment | counted by |
/// |---|---|---|
/// | `Ok(None)` | is held: in [`FragmentCounts::held`], later in `merged` or in `dropped` | the reassembler |
/// | `Ok(Some(_))` | completed a datagram, which is the packet returned | the caller, as decoded |
/// | `Err(reason)` | was dropped, or the datagram that it completed was | the caller, by that reason |
///
/// So for one lcore, at any moment:
/// `packets = decoded + dropped by the caller + held + merged + dropped by the reassembler`.
///
/// # Policy
///
/// * Overlap: the whole datagram is refused, and what follows of it until it times out, for IPv6 as
///   RFC 5722 demands, and for IPv4 alike (as Linux does since 4.20): nobody fragments that way except to
///   be read differently by different readers. An exact copy of a fragment is dropped alone, since mirror
///   ports duplicate.
/// * At a bound the oldest datagram goes, counted as `fragment_evicted`.
/// * Fragments are of one datagram when addresses, identification, IPv4 protocol (RFC 791 section 3.2,
///   RFC 8200 section 4.5), VLAN tags and tunnel are the same.
pub struct Reassembler {
    datagrams: Slab<Datagram>,
    by_key: HashMap<Key, u32>,
    /// Ends of the list of datagrams by age.
    oldest: u32,
    newest: u32,
    blocks: Blocks,
    /// The datagram put together last; the one before it, while a fragment inside it is taken in.
    whole: Vec<u8>,
    outer: Vec<u8>,
    limits: ReassemblyLimits,
    counts: FragmentCounts,
}

impl Default for Reassembler {
    fn default() -> Self {
        Self::new(ReassemblyLimits::default())
    }
}

impl Reassembler {
    /// An empty reassembler of these bounds.
    pub fn new(limits: ReassemblyLimits) -> Self {
        Self {
            datagrams: Slab::with_limit(limits.datagrams.max(1)),
            // Twice the room: a map that is half empty never grows.
            by_key: HashMap::with_capacity(limits.datagrams.max(1) * 2),
            oldest: NONE,
            newest: NONE,
            blocks: Blocks::new(limits.bytes),
            whole: Vec::new(),
            outer: Vec::new(),
            limits,
            counts: FragmentCounts {
                held: 0,
                merged: 0,
                datagrams: 0,
                dropped: [0; DropReason::COUNT],
            },
        }
    }

    /// Takes a fragment in. `segments` are the bytes of the frame that it was decoded from, `now_ns` its
    /// capture time.
    ///
    /// When it was the last one missing, the datagram is decoded, tunnels included, and returned with its
    /// bytes; offsets in the packet count from their start. They are good until the next call.
    ///
    /// # Errors
    /// Why this fragment, or the datagram that it completed, was dropped.
    pub fn push<'f>(
        &mut self,
        fragment: &Fragment,
        segments: impl Iterator<Item = &'f [u8]> + Clone,
        now_ns: u64,
        options: &DecodeOptions,
    ) -> Result<Option<(Packet, &[u8])>, DropReason> {
        self.expire(now_ns);
        if !self.insert(fragment, segments, now_ns)? {
            return Ok(None);
        }
        let mut encap = fragment.encap;
        for _ in 0..FRAGMENT_NESTING_MAX {
            let fragment = match decode_ip(&self.whole, encap, options)? {
                Decoded::Packet(packet) => return Ok(Some((packet, &self.whole))),
                Decoded::Fragment(fragment) => fragment,
            };
            // The datagram was the inside of a tunnel that carries fragments itself.
            let outer = std::mem::replace(&mut self.whole, std::mem::take(&mut self.outer));
            let inserted = self.insert(&fragment, std::iter::once(&outer[..]), now_ns);
            self.outer = outer;
            if !inserted? {
                return Ok(None);
            }
            encap = fragment.encap;
        }
        Err(DropReason::LayerDepth)
    }

    /// Drops datagrams that have waited too long. [`push`](Self::push) does so as well; call this when no
    /// fragments come.
    pub fn expire(&mut self, now_ns: u64) {
        while let Some(datagram) = self.datagrams.get(self.oldest) {
            if now_ns.saturating_sub(datagram.first_ns) < self.limits.timeout_ns {
                return;
            }
            self.drop_datagram(self.oldest, DropReason::FragmentTimeout);
        }
    }

    /// Drops everything that waits, at the end of a run.
    pub fn flush(&mut self) {
        while self.datagrams.get(self.oldest).is_some() {
            self.drop_datagram(self.oldest, DropReason::FragmentUnfinished);
        }
    }

    /// What became of the fragments that were held.
    pub fn counts(&self) -> &FragmentCounts {
        &self.counts
    }

    /// Adds a fragment to its datagram. True when that made it whole; its bytes are then in `whole`.
    fn insert<'f>(
        &mut self,
        fragment: &Fragment,
        segments: impl Iterator<Item = &'f [u8]> + Clone,
        now_ns: u64,
    ) -> Result<bool, DropReason> {
        let data = bytes_between(
            segments.clone(),
            fragment.data_offset,
            u32::from(fragment.data_len),
        );
        // The first fragment's headers are those of the datagram.
        let header_len = if fragment.offset == 0 {
            u32::from(fragment.header_len)
        } else {
            0
        };
        let header = bytes_between(segments, fragment.ip_offset, header_len);
        if header_len as usize > FRAGMENT_HEADER_BYTES_MAX {
            return Err(DropReason::FragmentHeaderTooLarge);
        }
        if data.clone().map(<[u8]>::len).sum::<usize>() != usize::from(fragment.data_len) {
            return Err(DropReason::FragmentTruncated);
        }

        let index = self.find_or_create(Key::of(fragment), now_ns);
        let Some(datagram) = self.datagrams.get(index) else {
            return Err(DropReason::FragmentEvicted);
        };
        if let Some(reason) = datagram.refused {
            return Err(reason);
        }
        let place = match datagram.place(fragment) {
            Ok(place) => place,
            Err(Misfit::SameRange(copy)) if self.blocks.read(copy).flatten().eq(data.clone().flatten()) => {
                return Err(DropReason::FragmentDuplicate);
            }
            Err(Misfit::SameRange(_)) => return Err(self.refuse(index, DropReason::FragmentOverlap)),
            Err(Misfit::Refuse(reason)) => return Err(self.refuse(index, reason)),
        };
        if !self.make_room(index, [u32::from(fragment.data_len), header_len]) {
            return Err(self.refuse(index, DropReason::FragmentEvicted));
        }
        let (data, header) = (self.blocks.store(data), self.blocks.store(header));
        let Some(datagram) = self.datagrams.get_mut(index) else {
            return Err(DropReason::FragmentEvicted);
        };
        datagram.add(place, fragment, data, header);
        self.counts.held += 1;
        if !datagram.is_whole() {
            return Ok(false);
        }
        datagram.write(&self.blocks, &mut self.whole);
        let merged = self.remove(index) - 1;
        self.counts.merged += merged;
        self.counts.datagrams += 1;
        Ok(true)
    }

    /// The datagram of that key; a new one takes the place of the oldest when there are too many.
    fn find_or_create(&mut self, key: Key, now_ns: u64) -> u32 {
        if let Some(index) = self.by_key.get(&key) {
            return *index;
        }
        if self.datagrams.len() >= self.limits.datagrams.max(1) {
            self.drop_datagram(self.oldest, DropReason::FragmentEvicted);
        }
        let index = self
            .datagrams
            .insert(Datagram::new(key, now_ns, self.newest))
            .unwrap_or(NONE);
        match self.datagrams.get_mut(self.newest) {
            Some(newest) => newest.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        self.by_key.insert(key, index);
        index
    }

    /// Drops the oldest datagrams, but for the one at `index`, until chains of these lengths have room.
    fn make_room(&mut self, index: u32, lens: [u32; 2]) -> bool {
        while !self.blocks.has_room(lens) {
            let victim = match self.datagrams.get(self.oldest) {
                Some(datagram) if self.oldest == index => datagram.newer,
                _ => self.oldest,
            };
            if self.datagrams.get(victim).is_none() {
                return false;
            }
            self.drop_datagram(victim, DropReason::FragmentEvicted);
        }
        true
    }

    /// Refuses a datagram and what is still to come of it. The fragment at hand is the caller's to count.
    fn refuse(&mut self, index: u32, reason: DropReason) -> DropReason {
        if let Some(datagram) = self.datagrams.get_mut(index) {
            let dropped = datagram.clear(&mut self.blocks);
            datagram.refused = Some(reason);
            self.count_dropped(dropped, reason);
        }
        reason
    }

    /// Drops a datagram and all of it that is held.
    fn drop_datagram(&mut self, index: u32, reason: DropReason) {
        if let Some(datagram) = self.datagrams.get_mut(index) {
            let dropped = datagram.clear(&mut self.blocks);
            self.count_dropped(dropped, reason);
        }
        self.remove(index);
    }

    fn count_dropped(&mut self, fragments: u64, reason: DropReason) {
        self.counts.held -= fragments;
        if let Some(count) = self.counts.dropped.get_mut(reason as usize) {
            *count += fragments;
        }
    }

    /// Forgets a datagram. Returns how many fragments it held, which are no longer held.
    fn remove(&mut self, index: u32) -> u64 {
        let Some(datagram) = self.datagrams.get_mut(index) else {
            return 0;
        };
        let held = datagram.clear(&mut self.blocks);
        let (key, older, newer) = (datagram.key, datagram.older, datagram.newer);
        match self.datagrams.get_mut(older) {
            Some(datagram) => datagram.newer = newer,
            None => self.oldest = newer,
        }
        match self.datagrams.get_mut(newer) {
            Some(datagram) => datagram.older = older,
            None => self.newest = older,
        }
        self.by_key.remove(&key);
        self.datagrams.remove(index, Datagram::new(key, 0, NONE));
        self.counts.held -= held;
        held
    }
}

/// The bytes at `offset` of a frame, `len` of them if there are so many, segment by segment.
fn bytes_between<'f>(
    segments: impl Iterator<Item = &'f [u8]> + Clone,
    offset: u32,
    len: u32,
) -> impl Iterator<Item = &'f [u8]> + Clone {
    let (mut skip, mut left) = (offset as usize, len as usize);
    segments.filter_map(move |segment| {
        let rest = segment.get(skip..).unwrap_or_default();
        skip = skip.saturating_sub(segment.len());
        let found = rest.get(..left.min(rest.len()))?;
        left -= found.len();
        (!found.is_empty()).then_some(found)
    })
}
