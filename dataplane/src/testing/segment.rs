//! One TCP segment, still easy to change.

use super::frame::{Ends, Frame};

/// Options of a segment (RFC 9293 section 3.1, RFC 7323).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale.
    pub window_scale: Option<u8>,
    /// Timestamp value and echo.
    pub timestamps: Option<(u32, u32)>,
}

impl TcpOptions {
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(mss) = self.mss {
            bytes.extend([2, 4]);
            bytes.extend(mss.to_be_bytes());
        }
        if let Some(shift) = self.window_scale {
            bytes.extend([1, 3, 3, shift]);
        }
        if let Some((value, echo)) = self.timestamps {
            bytes.extend([1, 1, 8, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(echo.to_be_bytes());
        }
        bytes
    }
}

/// A TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From whom to whom.
    pub ends: Ends,
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// Sequence number of its first byte, or of its SYN or FIN.
    pub seq: u32,
    /// Acknowledgement number; valid with the flag.
    pub ack: u32,
    /// Bits as in the header.
    pub flags: u8,
    /// Window as in the header.
    pub window: u16,
    /// Options.
    pub options: TcpOptions,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Segment {
    /// Flag bits.
    pub const FIN: u8 = 1;
    /// Flag bits.
    pub const SYN: u8 = 2;
    /// Flag bits.
    pub const RST: u8 = 4;
    /// Flag bits.
    pub const PSH: u8 = 8;
    /// Flag bits.
    pub const ACK: u8 = 16;

    /// Bytes of headers before the payload in [`frame`](Self::frame).
    pub fn header_len(&self) -> usize {
        let ip = if self.ends.src.is_ipv6() { 40 } else { 20 };
        14 + ip + 20 + self.options.bytes().len()
    }

    /// Sequence number behind the payload.
    pub fn end(&self) -> u32 {
        self.seq.wrapping_add(self.payload.len() as u32)
    }

    /// Whether bit `flag` is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The segment on the wire.
    pub fn frame(&self) -> Frame {
        let options = self.options.bytes();
        let mut l4 = Vec::new();
        l4.extend(self.ends.src.port().to_be_bytes());
        l4.extend(self.ends.dst.port().to_be_bytes());
        l4.extend(self.seq.to_be_bytes());
        l4.extend(self.ack.to_be_bytes());
        l4.push(((20 + options.len()) as u8 / 4) << 4);
        l4.push(self.flags);
        l4.extend(self.window.to_be_bytes());
        l4.extend([0; 4]);
        l4.extend(options);
        l4.extend(&self.payload);
        Frame::new(self.time_ns, self.ends.frame(6, l4, 16, true))
    }

    /// The same bytes in two segments, cut at `at`. A FIN goes with the second, a SYN with the first.
    ///
    /// # Panics
    /// When `at` is beyond the payload.
    pub fn split(&self, at: usize) -> [Self; 2] {
        let (head, tail) = self.payload.split_at(at);
        let syn = u32::from(self.has(Self::SYN));
        let first = Self {
            payload: head.to_vec(),
            flags: self.flags & !(Self::FIN | Self::PSH),
            ..self.clone()
        };
        let second = Self {
            payload: tail.to_vec(),
            seq: self.seq.wrapping_add(at as u32 + syn),
            flags: self.flags & !Self::SYN,
            ..self.clone()
        };
        [first, second]
    }

    /// The same at another time.
    #[must_use]
    pub fn at(self, time_ns: u64) -> Self {
        Self { time_ns, ..self }
    }
}
