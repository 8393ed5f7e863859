//! Spreads frames over workers so that every flow stays on one of them.
//!
//! What a NIC does with RSS, in software: a symmetric hash of both addresses of the innermost packet.
//! Ports are left out so that the fragments of a datagram, of which only the first has ports, meet the
//! rest of their flow.

use tapir_parsers::wire::{DecodeOptions, Decoded, IpAddress, LinkType, decode};

/// Says which of a number of workers a frame belongs to.
#[derive(Clone, Debug)]
pub struct Distributor {
    options: DecodeOptions,
    workers: usize,
}

impl Distributor {
    /// For `workers` workers, at least one.
    pub fn new(options: DecodeOptions, workers: usize) -> Self {
        Self {
            options,
            workers: workers.max(1),
        }
    }

    /// The worker of a frame. What can't be decoded goes to the first, who counts it.
    #[inline]
    pub fn worker(&self, link: LinkType, first_segment: &[u8], frame_len: usize) -> usize {
        if self.workers == 1 {
            return 0;
        }
        match decode(link, first_segment, frame_len, &self.options) {
            Ok(Decoded::Packet(packet)) => self.of_addresses(packet.src, packet.dst),
            Ok(Decoded::Fragment(fragment)) => self.of_addresses(fragment.src, fragment.dst),
            Err(_) => 0,
        }
    }

    fn of_addresses(&self, a: IpAddress, b: IpAddress) -> usize {
        // Addition is symmetric: both directions meet.
        let sum = u128::from_be_bytes(a.0).wrapping_add(u128::from_be_bytes(b.0));
        let mixed = (sum as u64 ^ (sum >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (((mixed >> 32) * self.workers as u64) >> 32) as usize
    }
}
