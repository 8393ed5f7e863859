//! A TCP connection as both ends' stacks would hold it.

use super::frame::{Ends, Frame};
use super::segment::{Segment, TcpOptions};
use super::{START_NS, STEP_NS};
use std::net::SocketAddr;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl Way {
    /// The other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Both ends of a connection, and what they have sent so far. Each end acknowledges all that the other
/// has sent, with its next segment.
#[derive(Clone, Debug)]
pub struct Connection {
    ends: Ends,
    next_seq: [u32; 2],
    /// What each end has received.
    acked: [u32; 2],
    time_ns: u64,
    step_ns: u64,
    segment_bytes: usize,
    /// What passed so far.
    pub segments: Vec<Segment>,
}

impl Connection {
    /// Between these ends, nothing sent yet.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            ends: Ends {
                src: client,
                dst: server,
            },
            next_seq: [0x1000_0000, 0x7000_0000],
            acked: [0; 2],
            time_ns: START_NS,
            step_ns: STEP_NS,
            segment_bytes: 1448,
            segments: Vec::new(),
        }
    }

    /// From 10.0.0.1 to 10.0.0.2, by ports.
    pub fn ports(client: u16, server: u16) -> Self {
        Self::new(([10, 0, 0, 1], client).into(), ([10, 0, 0, 2], server).into())
    }

    /// Initial sequence numbers of client and server.
    #[must_use]
    pub fn with_isn(mut self, client: u32, server: u32) -> Self {
        self.next_seq = [client, server];
        self
    }

    /// The first packet passes at `time_ns`, each further one `step_ns` later.
    #[must_use]
    pub fn with_times(mut self, time_ns: u64, step_ns: u64) -> Self {
        (self.time_ns, self.step_ns) = (time_ns, step_ns);
        self
    }

    /// Longest payload of a segment.
    #[must_use]
    pub fn with_segment_bytes(mut self, bytes: usize) -> Self {
        self.segment_bytes = bytes.max(1);
        self
    }

    /// Nothing passes for a while.
    pub fn wait(&mut self, ns: u64) -> &mut Self {
        self.time_ns += ns;
        self
    }

    /// The time of the next packet.
    pub fn now_ns(&self) -> u64 {
        self.time_ns
    }

    /// Sends one segment with these flags (ACK is not added) from where the sender stands.
    pub fn send(&mut self, way: Way, flags: u8, payload: &[u8]) -> &mut Self {
        let (own, other) = (way as usize, way.other() as usize);
        self.acked[own] = self.next_seq[other];
        self.send_blind(way, flags, payload)
    }

    /// As [`send`](Self::send), but acknowledges only what was acknowledged before: what the other end
    /// sent meanwhile is still on its way.
    pub fn send_blind(&mut self, way: Way, flags: u8, payload: &[u8]) -> &mut Self {
        let own = way as usize;
        let ends = match way {
            Way::Client => self.ends,
            Way::Server => self.ends.reversed(),
        };
        let is_syn = flags & Segment::SYN != 0;
        let ack = if flags & Segment::ACK != 0 {
            self.acked[own]
        } else {
            0
        };
        let options = TcpOptions {
            mss: is_syn.then_some(1460),
            window_scale: is_syn.then_some(7),
            timestamps: None,
        };
        self.segments.push(Segment {
            ends,
            time_ns: self.time_ns,
            seq: self.next_seq[own],
            ack,
            flags,
            window: 512,
            options,
            payload: payload.to_vec(),
        });
        let counted = u32::from(is_syn) + u32::from(flags & Segment::FIN != 0) + payload.len() as u32;
        self.next_seq[own] = self.next_seq[own].wrapping_add(counted);
        self.time_ns += self.step_ns;
        self
    }

    /// SYN, SYN-ACK, ACK.
    pub fn handshake(&mut self) -> &mut Self {
        self.send(Way::Client, Segment::SYN, &[]);
        self.send(Way::Server, Segment::SYN | Segment::ACK, &[]);
        self.ack(Way::Client)
    }

    /// A message, in as many segments as it takes.
    pub fn say(&mut self, way: Way, message: impl AsRef<[u8]>) -> &mut Self {
        for piece in message.as_ref().chunks(self.segment_bytes) {
            self.send(way, Segment::ACK | Segment::PSH, piece);
        }
        self
    }

    /// The client says something.
    pub fn client(&mut self, message: impl AsRef<[u8]>) -> &mut Self {
        self.say(Way::Client, message)
    }

    /// The server says something.
    pub fn server(&mut self, message: impl AsRef<[u8]>) -> &mut Self {
        self.say(Way::Server, message)
    }

    /// The client says something before it has received what the server sent since it last spoke.
    pub fn client_blind(&mut self, message: impl AsRef<[u8]>) -> &mut Self {
        for piece in message.as_ref().chunks(self.segment_bytes) {
            self.send_blind(Way::Client, Segment::ACK | Segment::PSH, piece);
        }
        self
    }

    /// An acknowledgement without data.
    pub fn ack(&mut self, way: Way) -> &mut Self {
        self.send(way, Segment::ACK, &[])
    }

    /// Both ends close, the client first.
    pub fn close(&mut self) -> &mut Self {
        self.send(Way::Client, Segment::FIN | Segment::ACK, &[]);
        self.send(Way::Server, Segment::FIN | Segment::ACK, &[]);
        self.ack(Way::Client)
    }

    /// One end resets.
    pub fn reset(&mut self, way: Way) -> &mut Self {
        self.send(way, Segment::RST | Segment::ACK, &[])
    }

    /// All that passed, on the wire.
    pub fn frames(&self) -> Vec<Frame> {
        self.segments.iter().map(Segment::frame).collect()
    }
}
