//! What only a host knows of an exchange: the processes, and how long the server's took.
//!
//! It stands in a ring entry as one text of [`Field::Host`], behind all others; packets have none and pay
//! nothing for it. The layout is private to one process, as that of the whole entry.

use crate::conversation::cut_at_character;
use crate::field::Field;
use crate::limits::HOST_TEXT_BYTES_MAX;
use crate::record::{HEADER_BYTES, RecordSink, RecordView, write_text};

/// A process of a host. What is empty is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process<'a> {
    /// Its id, as the host sees it.
    pub pid: u32,
    /// Name of the command.
    pub comm: &'a str,
    /// Path of the program.
    pub executable: &'a str,
    /// Id of the container that it runs in.
    pub container: &'a str,
    /// The pod that this belongs to: `namespace/name`.
    pub pod: &'a str,
}

/// What a host knows of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostFacts<'a> {
    /// The process whose sockets were read; the server's, where both ends are known.
    pub process: Option<Process<'a>>,
    /// The client's process, where `process` is the server's.
    pub client_process: Option<Process<'a>>,
    /// How long the last bytes of the request waited in the server's socket before they were read, ns.
    pub queue_ns: Option<u64>,
    /// From then to the first bytes of the response being written, ns.
    pub app_ns: Option<u64>,
}

/// Which facts follow, in this order.
mod bit {
    pub(super) const PROCESS: u8 = 1;
    pub(super) const CLIENT_PROCESS: u8 = 1 << 1;
    pub(super) const QUEUE: u8 = 1 << 2;
    pub(super) const APP: u8 = 1 << 3;
}

impl<'a> HostFacts<'a> {
    /// Appends these facts to a ring entry, whose length is corrected. Texts are cut at
    /// [`HOST_TEXT_BYTES_MAX`].
    pub fn append_to(&self, entry: &mut Vec<u8>) {
        if *self == Self::default() {
            return;
        }
        let at = entry.len();
        write_text(entry, Field::Host, &[]);
        let text_at = entry.len();
        self.write(entry);
        // Both lengths are known now: that of the text behind its field, and that of the entry, which stands first.
        let len = (entry.len() - text_at) as u16;
        if let Some(head) = entry.get_mut(at + 1..text_at) {
            head.copy_from_slice(&len.to_le_bytes());
        }
        let len = (entry.len() as u32).to_ne_bytes();
        if let Some(first) = entry.first_chunk_mut() {
            *first = len;
        }
    }

    fn write(&self, to: &mut Vec<u8>) {
        let known = |is_known, bit| if is_known { bit } else { 0 };
        to.push(
            known(self.process.is_some(), bit::PROCESS)
                | known(self.client_process.is_some(), bit::CLIENT_PROCESS)
                | known(self.queue_ns.is_some(), bit::QUEUE)
                | known(self.app_ns.is_some(), bit::APP),
        );
        for process in [self.process, self.client_process].into_iter().flatten() {
            let texts = [process.comm, process.executable, process.container, process.pod]
                .map(|text| cut_at_character(text.as_bytes(), HOST_TEXT_BYTES_MAX));
            to.extend_from_slice(&process.pid.to_le_bytes());
            to.extend_from_slice(texts.map(|text| (text.len() as u16).to_le_bytes()).as_flattened());
            texts.iter().for_each(|text| to.extend_from_slice(text));
        }
        for ns in [self.queue_ns, self.app_ns].into_iter().flatten() {
            to.extend_from_slice(&ns.to_le_bytes());
        }
    }

    /// Reads a text of [`Field::Host`]; of one that is not whole nothing is known.
    pub fn read(text: &'a [u8]) -> Self {
        Self::read_whole(&mut { text }).unwrap_or_default()
    }

    fn read_whole(rest: &mut &'a [u8]) -> Option<Self> {
        let (&known, after) = rest.split_first()?;
        *rest = after;
        let mut facts = Self::default();
        if known & bit::PROCESS != 0 {
            facts.process = Some(read_process(rest)?);
        }
        if known & bit::CLIENT_PROCESS != 0 {
            facts.client_process = Some(read_process(rest)?);
        }
        if known & bit::QUEUE != 0 {
            facts.queue_ns = Some(u64::from_le_bytes(take(rest)?));
        }
        if known & bit::APP != 0 {
            facts.app_ns = Some(u64::from_le_bytes(take(rest)?));
        }
        Some(facts)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn read_process<'a>(rest: &mut &'a [u8]) -> Option<Process<'a>> {
    let pid = u32::from_le_bytes(take(rest)?);
    let lens: [[u8; 2]; 4] = [take(rest)?, take(rest)?, take(rest)?, take(rest)?];
    let lens = lens.map(|len| usize::from(u16::from_le_bytes(len)));
    let (texts, after) = rest.split_at_checked(lens.iter().sum())?;
    *rest = after;
    // One look for all of them.
    let mut texts = std::str::from_utf8(texts).ok()?;
    let mut text = |len| {
        let (text, after) = texts.split_at_checked(len)?;
        texts = after;
        Some(text)
    };
    Some(Process {
        pid,
        comm: text(lens[0])?,
        executable: text(lens[1])?,
        container: text(lens[2])?,
        pod: text(lens[3])?,
    })
}

/// The part of a ring entry before what a host knows, and that.
pub fn split_entry(entry: &[u8]) -> (&[u8], HostFacts<'_>) {
    let mut at = HEADER_BYTES;
    while let Some(&[field, low, high]) = entry.get(at..).and_then(<[u8]>::first_chunk::<3>) {
        let text_at = at + 3;
        let end = text_at + usize::from(u16::from_le_bytes([low, high]));
        if field == Field::Host as u8 {
            let text = entry.get(text_at..end).unwrap_or_default();
            return (entry.get(..at).unwrap_or_default(), HostFacts::read(text));
        }
        at = end;
    }
    (entry, HostFacts::default())
}

/// A sink that appends a host's facts to the records on their way to another.
pub struct WithHost<'a, F> {
    sink: &'a mut dyn RecordSink,
    /// The entry at hand; its memory is used again.
    entry: &'a mut Vec<u8>,
    facts: F,
}

impl<'a, 'f, F: FnMut(&RecordView<'_>) -> HostFacts<'f>> WithHost<'a, F> {
    /// Hands records on to `sink` with what `facts` says of each.
    pub fn new(sink: &'a mut dyn RecordSink, entry: &'a mut Vec<u8>, facts: F) -> Self {
        Self { sink, entry, facts }
    }
}

impl<'f, F: FnMut(&RecordView<'_>) -> HostFacts<'f>> RecordSink for WithHost<'_, F> {
    fn record(&mut self, entry: &[u8]) {
        self.entry.clear();
        self.entry.extend_from_slice(entry);
        if let Some(view) = RecordView::new(entry) {
            (self.facts)(&view).append_to(self.entry);
        }
        self.sink.record(self.entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordHeader;

    fn entry() -> Vec<u8> {
        let mut header: RecordHeader = bytemuck::Zeroable::zeroed();
        let mut texts = Vec::new();
        write_text(&mut texts, Field::ReqType, b"PING");
        header.entry_len = (HEADER_BYTES + texts.len()) as u32;
        [bytemuck::bytes_of(&header), &texts].concat()
    }

    #[test]
    fn facts_come_back_as_they_were_said() {
        let process = |pid| Process {
            pid,
            comm: "redis-server",
            executable: "/usr/bin/redis-server",
            container: "",
            pod: "shop/redis-0",
        };
        for known in 0..16u8 {
            let is = |bit: u8| known & bit != 0;
            let facts = HostFacts {
                process: is(1).then(|| process(1)),
                client_process: is(2).then(|| process(u32::MAX)),
                queue_ns: is(4).then_some(5),
                app_ns: is(8).then_some(u64::MAX),
            };
            let plain = entry();
            let mut sink: Vec<Vec<u8>> = Vec::new();
            let mut room = Vec::new();
            WithHost::new(&mut sink, &mut room, |_| facts).record(&plain);
            let view = RecordView::new(&sink[0]).unwrap();
            assert_eq!(HostFacts::read(view.text(Field::Host).unwrap_or_default()), facts);
            assert_eq!(view.header.entry_len as usize, sink[0].len());
            assert_eq!(view.text(Field::ReqType), Some(&b"PING"[..]));
            assert_eq!(sink[0].len() == plain.len(), known == 0);
            let (before, host) = split_entry(&sink[0]);
            assert_eq!((&before[4..], host), (&plain[4..], facts));
        }
    }

    #[test]
    fn long_texts_are_cut_and_half_a_text_is_none() {
        let long = "é".repeat(HOST_TEXT_BYTES_MAX);
        let process = Process {
            pid: 7,
            executable: &long,
            ..Process::default()
        };
        let facts = HostFacts {
            process: Some(process),
            ..HostFacts::default()
        };
        let mut bytes = Vec::new();
        facts.write(&mut bytes);
        let read = HostFacts::read(&bytes).process.unwrap();
        assert_eq!((read.pid, read.executable), (7, &long[..HOST_TEXT_BYTES_MAX]));
        for len in 0..bytes.len() {
            assert_eq!(HostFacts::read(&bytes[..len]), HostFacts::default());
        }
    }
}
