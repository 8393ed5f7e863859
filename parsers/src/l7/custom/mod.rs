//! Protocols that plugins bring.
//!
//! A plugin has claimed the flow when its payload was checked; from then on plugins read its payloads. They
//! are told nothing of where messages begin and end, and don't tell what they need: a payload is what a
//! segment carried, as they know it elsewhere. One that no plugin can read is kept, and shown again together
//! with what follows, and then without: so a message that spans segments is read whole, and one that nobody
//! wants does not stand in the way of the next. Plugins with framing of their own (see
//! [`Parsed::Read`](crate::plugin::Parsed::Read)) say how long a message is: what lies behind it is shown
//! again, and what is beyond the segment is passed.

#[cfg(test)]
mod tests;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::limits::{PLUGIN_MISSES_MAX, PLUGIN_NAME_BYTES_MAX, STITCH_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use crate::plugin::Parsed;
use arrayvec::ArrayVec;

/// A flow that a plugin has claimed.
#[derive(Debug)]
pub struct Custom {
    /// The plugin's number for the protocol.
    number: u8,
    /// Payloads in a row that no plugin could read.
    misses: u8,
    /// Bytes were lost before the next ones, of each direction.
    behind_gap: [bool; 2],
    /// Bytes of the unit at hand that no plugin could read by themselves, of each direction.
    unread: [u16; 2],
    name: ArrayVec<u8, PLUGIN_NAME_BYTES_MAX>,
}

const _: () = assert!(STITCH_BYTES_MAX <= u16::MAX as usize);

impl Parser for Custom {
    const NAME: &'static str = "custom";
    const ABOUT: &'static str = "protocols of plugins; `proto` is the name that the plugin gives";
    const TRANSPORTS: Transports = Transports::TCP.or(Transports::UDP);
    const PORTS: &'static [u16] = &[];
    /// Of a flow whose first message has no id, messages pair in order.
    const PAIRING: Pairing = Pairing::ById;
    // Plugins are asked by the engine; nothing here knows their protocols.
    const FIRST_BYTES: [ByteSet; 4] = [ByteSet::NONE; 4];
    /// What the plugin has called the protocol, which it may not do twice.
    const KEEPS_DATAGRAM_STATE: bool = true;

    fn probe(_head: &[u8], _context: &ProbeContext) -> Probe {
        Probe::NoMatch
    }

    fn new() -> Self {
        Self {
            number: 0,
            misses: 0,
            behind_gap: [false; 2],
            unread: [0; 2],
            name: ArrayVec::new_const(),
        }
    }

    /// From a plugin's claim: the name of its protocol, and its number.
    fn inherit(&mut self, name: &[u8], number: &[u8]) {
        self.name = name.iter().copied().take(PLUGIN_NAME_BYTES_MAX).collect();
        self.number = number.first().copied().unwrap_or(0);
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(max) = out.plugin_payload_bytes() else {
            return Advance::Malformed;
        };
        let max = max.min(STITCH_BYTES_MAX);
        let unread = usize::from(std::mem::take(&mut self.unread[direction.index()]));
        let len = input.bytes.len();
        let payload = |from: usize| {
            let rest = input.bytes.get(from..).unwrap_or(&[]);
            rest.get(..max).unwrap_or(rest)
        };
        let mut from = 0;
        // At the end of what there is, the same bytes come once more.
        let mut parsed = match unread {
            unread if unread >= len => Parsed::Unknown,
            _ => out.plugin_parse(self.number, &self.name, payload(0)),
        };
        if parsed == Parsed::Unknown && unread > 0 && unread < len {
            from = unread;
            out.pass(from);
            parsed = out.plugin_parse(self.number, &self.name, payload(from));
        }
        match parsed {
            Parsed::Read(framed) => {
                self.misses = 0;
                match framed {
                    Some(bytes) if bytes > 0 => Advance::Skip(bytes.saturating_add(from as u64)),
                    _ => Advance::Consumed(len),
                }
            }
            Parsed::Passed => Advance::Consumed(len),
            Parsed::Unknown if len < max && !input.ended => {
                self.unread[direction.index()] = len as u16;
                Advance::Need(len + 1)
            }
            Parsed::Unknown => {
                self.misses += 1;
                if self.misses >= PLUGIN_MISSES_MAX {
                    self.misses = 0;
                    return Advance::Malformed;
                }
                Advance::Consumed(len)
            }
        }
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        self.unread[direction.index()] = 0;
        self.behind_gap[direction.index()] = true;
        OnGap::Resync
    }

    /// A message may begin where a segment does.
    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.unread[direction.index()] = 0;
        let fresh = std::mem::take(&mut self.behind_gap[direction.index()]);
        Some(if fresh { 0 } else { bytes.len() })
    }
}
