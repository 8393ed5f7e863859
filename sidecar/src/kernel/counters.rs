//! What the kernel's programs count: one entry for each name, per CPU, added up when read.

use libbpf_rs::{MapCore, MapFlags, Object};

macro_rules! counters {
    ($($(#[doc = $help:literal])* $name:ident = $text:literal;)*) => {
        /// What is counted, in the order of `enum counter` in bpf/events.h.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter {
            $($(#[doc = $help])* $name,)*
        }

        impl Counter {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in metrics.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it counts.
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($help),*).trim_ascii(),)*
                }
            }
        }
    };
}

counters! {
    /// Connections told of.
    Open = "open";
    /// Data told of.
    Data = "data";
    /// Ends of directions told of.
    End = "end";
    /// Ends of connections told of.
    Close = "close";
    /// Processes told of that took a connection over.
    Speaker = "speaker";
    /// Plain bytes of TLS connections told of.
    Plain = "plain";
    /// Datagrams told of.
    Datagram = "datagram";
    /// Connections not told of, since the ring was full.
    OpenLost = "open_lost";
    /// Data not told of, since the ring was full.
    DataLost = "data_lost";
    /// Ends of directions not told of, since the ring was full.
    EndLost = "end_lost";
    /// Ends of connections not told of, since the ring was full.
    CloseLost = "close_lost";
    /// Processes not told of, since the ring was full.
    SpeakerLost = "speaker_lost";
    /// Plain bytes not told of, since the ring was full.
    PlainLost = "plain_lost";
    /// Datagrams not told of, since the ring was full.
    DatagramLost = "datagram_lost";
    /// Bytes of the data told of.
    Bytes = "bytes";
    /// Bytes that came along.
    BytesCaptured = "bytes_captured";
    /// Bytes of the data not told of.
    BytesLost = "bytes_lost";
    /// Data looked at without being taken.
    Peeked = "peeked";
    /// Connections left out because their other end is watched.
    OtherEnd = "other_end";
    /// Connections that no filter lets pass.
    Filtered = "filtered";
    /// Connections left out for want of time.
    Shed = "shed";
    /// Data that begins no protocol, of which nothing was told.
    Withheld = "withheld";
    /// Bytes of that.
    BytesWithheld = "bytes_withheld";
    /// Connections given up because they begin no protocol.
    Unknown = "unknown";
    /// The sidecar's own connections, left out.
    Own = "own";
    /// Connections left out because the kernel itself encrypts them.
    Ulp = "ulp";
    /// Datagrams of which it is not known where they went or came from.
    NoAddress = "no_address";
    /// Data of sockets for which the kernel had no memory.
    NoStorage = "no_storage";
    /// Unix sockets left out because neither end has a name (`socketpair`).
    Unnamed = "unnamed";
    /// Cgroups made later that filters ask for, and that found no room there: nothing in them is watched.
    CgroupNoRoom = "cgroup_no_room";
    /// Plain bytes told of.
    PlainBytes = "plain_bytes";
    /// Plain bytes not told of, since the ring was full.
    PlainBytesLost = "plain_bytes_lost";
    /// Calls of TLS libraries for which there was no room: their plain bytes are missing.
    TlsNoCall = "tls_no_call";
    /// Objects of TLS libraries for which there was no room: their plain bytes are missing.
    TlsNoObject = "tls_no_object";
    /// Calls of TLS libraries whose result could not be read: their plain bytes are missing.
    TlsNoCount = "tls_no_count";
    /// Processes not told of whose TLS libraries are to be looked for.
    TlsLookLost = "tls_look_lost";
    /// Data of which it is not known where it belongs, since other calls moved some at the same time.
    Unplaced = "unplaced";
    /// Bytes of that.
    BytesUnplaced = "bytes_unplaced";
    /// Messages of calls that moved more at once than are looked at.
    MessagesLost = "messages_lost";
    /// Data longer than is taken of one call.
    MissingLimit = "missing_limit";
    /// Data in more buffers than are looked at.
    MissingBuffers = "missing_buffers";
    /// Data in memory that could not be read without waiting.
    MissingUnreadable = "missing_unreadable";
    /// Data that never was in the process's memory (sendfile, splice).
    MissingNoMemory = "missing_no_memory";
    /// Data moved by a system call that names no buffers (io_uring).
    MissingSyscall = "missing_syscall";
    /// Data moved by the kernel itself.
    MissingKernel = "missing_kernel";
    /// Data of 32-bit processes.
    MissingCompat = "missing_compat";
    /// Data that the application had thrown away.
    MissingDiscarded = "missing_discarded";
}

/// Counts of all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self([0; Counter::ALL.len()])
    }
}

impl Counters {
    /// How often `counter` happened.
    pub fn of(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// Events that found the ring full.
    pub fn lost(&self) -> u64 {
        use Counter::{CloseLost, DataLost, DatagramLost, EndLost, OpenLost, PlainLost, SpeakerLost};
        let lost = [
            OpenLost,
            DataLost,
            EndLost,
            CloseLost,
            SpeakerLost,
            PlainLost,
            DatagramLost,
        ];
        lost.iter().map(|counter| self.of(*counter)).sum()
    }

    pub(super) fn read(object: &Object) -> libbpf_rs::Result<Self> {
        let mut counts = Self::default();
        let Some(map) = object.maps().find(|map| map.name() == "counters") else {
            return Ok(counts);
        };
        for (key, sum) in counts.0.iter_mut().enumerate() {
            let values = map.lookup_percpu(&(key as u32).to_ne_bytes(), MapFlags::ANY)?;
            *sum = values.iter().flatten().filter_map(|value| number(value)).sum();
        }
        Ok(counts)
    }
}

fn number(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
}
