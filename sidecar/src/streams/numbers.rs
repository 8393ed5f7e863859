//! Which ciphertext plain bytes crossed the socket as.
//!
//! Records of plain bytes first carry numbers of the plain streams, which stand in no segment: the offset, with the
//! highest bit for the way. Before they leave they get the sequence number at which the ciphertext began that the
//! library's call moved, so that it can be found on the wire.

use crate::event::Way;
use crate::limits::PLAIN_NUMBERS_MAX;
use std::collections::VecDeque;
use tapir_parsers::record::{HEADER_BYTES, RecordHeader, flag};

const RECEIVED: u32 = 1 << 31;
/// Offsets are compared in 31 bits.
const OFFSET: u32 = RECEIVED - 1;

/// Where the last calls' plain bytes began, and their ciphertext, by way.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    calls: [VecDeque<(u32, Option<u32>)>; 2],
}

impl Numbers {
    /// The number of a way's first plain byte.
    pub(super) fn first(way: Way) -> u32 {
        match way {
            Way::Sent => 0,
            Way::Received => RECEIVED,
        }
    }

    /// A call has moved plain bytes from `offset` on, as ciphertext from `seq` on.
    pub(super) fn note(&mut self, way: Way, offset: u64, seq: Option<u32>) {
        let calls = &mut self.calls[way as usize];
        if calls.len() >= PLAIN_NUMBERS_MAX {
            calls.pop_front();
        }
        calls.push_back((offset as u32 & OFFSET, seq));
    }

    /// Where the ciphertext began of the call that moved the plain byte of that number first of all. Of other bytes
    /// nothing is said: two messages would have one number, which whoever joins records takes for one exchange.
    fn on_wire(&self, number: u32) -> Option<u32> {
        let way = if number & RECEIVED == 0 {
            Way::Sent
        } else {
            Way::Received
        };
        let offset = number & OFFSET;
        self.calls[way as usize]
            .iter()
            .rev()
            .find(|(first, _)| *first == offset)?
            .1
    }
}

/// Gives a record of plain bytes its numbers on the wire, as far as they are known.
pub(crate) fn translate(entry: &mut [u8], numbers: Option<&Numbers>) {
    let Some(head) = entry.get_mut(..HEADER_BYTES) else {
        return;
    };
    let mut header: RecordHeader = bytemuck::pod_read_unaligned(head);
    let mut one = |number: &mut u32, known: u32| {
        let found = numbers
            .filter(|_| header.flags & known != 0)
            .and_then(|numbers| numbers.on_wire(*number));
        *number = found.unwrap_or(0);
        header.flags &= if found.is_some() { u32::MAX } else { !known };
    };
    one(&mut header.request_seq, flag::REQUEST_SEQ);
    one(&mut header.response_seq, flag::RESPONSE_SEQ);
    head.copy_from_slice(bytemuck::bytes_of(&header));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_a_call_has_its_number() {
        let mut numbers = Numbers::default();
        numbers.note(Way::Sent, 0, Some(1000));
        numbers.note(Way::Sent, 50, None);
        numbers.note(Way::Sent, 70, Some(3000));
        numbers.note(Way::Received, 0, Some(7));
        let sent = |offset| numbers.on_wire(Numbers::first(Way::Sent) + offset);
        assert_eq!(
            [sent(0), sent(49), sent(50), sent(70), sent(71)],
            [Some(1000), None, None, Some(3000), None]
        );
        let received = |offset| numbers.on_wire(Numbers::first(Way::Received) + offset);
        assert_eq!([received(0), received(3)], [Some(7), None]);
    }

    #[test]
    fn of_calls_long_ago_nothing_is_known() {
        let mut numbers = Numbers::default();
        for call in 0..PLAIN_NUMBERS_MAX as u64 + 1 {
            numbers.note(Way::Sent, 10 * call, Some(call as u32));
        }
        assert_eq!([numbers.on_wire(0), numbers.on_wire(10)], [None, Some(1)]);
    }

    #[test]
    fn offsets_may_wrap() {
        let mut numbers = Numbers::default();
        numbers.note(Way::Received, u64::from(OFFSET) + 6, Some(2));
        assert_eq!(numbers.on_wire(RECEIVED | 5), Some(2));
    }
}
