//! The way in for fuzzers: any bytes are a run of frames, and what must always hold is checked.
//!
//! A fuzz target is one line: `fuzz_target!(|input: &[u8]| tapir_parsers::wire::fuzz::run(input));`.
//! Good first corpora are frames of each kind behind the two bytes of options, see [`run`].

#![allow(clippy::missing_panics_doc)] // Finding panics is what it is for.

use super::{DecodeOptions, Decoded, DropReason, LinkType, Reassembler, decode};

/// Every link type.
pub const LINKS: [LinkType; 5] = [
    LinkType::Ethernet,
    LinkType::LinuxCookedV1,
    LinkType::LinuxCookedV2,
    LinkType::RawIp,
    LinkType::Null,
];

/// Decodes a run of frames and checks what must hold.
///
/// `input` is, over and over: a byte that chooses the link type (its remainder by five) and, by its upper
/// bit, whether the last quarter of the frame lies in a second segment; the length of a frame, one byte;
/// the frame.
pub fn run(mut input: &[u8]) {
    let mut target = Target::default();
    while let [choice, len, rest @ ..] = input {
        let (frame, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        let link = LINKS[usize::from(*choice) % LINKS.len()];
        let contiguous = if choice & 0x80 != 0 {
            frame.len() - frame.len() / 4
        } else {
            frame.len()
        };
        target.decode(link, frame, contiguous);
        input = rest;
    }
    target.finish();
}

/// A decoder and a reassembler under test, with an account of every packet.
pub struct Target {
    options: DecodeOptions,
    verifying: DecodeOptions,
    reassembler: Reassembler,
    now_ns: u64,
    packets: u64,
    answered: u64,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            options: DecodeOptions::default(),
            verifying: DecodeOptions::default().with_verified_checksums(true),
            reassembler: Reassembler::default(),
            now_ns: 0,
            packets: 0,
            answered: 0,
        }
    }
}

impl Target {
    /// Decodes a frame of which the first `contiguous` bytes are the first segment.
    pub fn decode(&mut self, link: LinkType, frame: &[u8], contiguous: usize) {
        let (first, second) = frame.split_at(contiguous);
        self.packets += 1;
        self.now_ns += 1000;
        check(decode(link, first, frame.len(), &self.verifying), frame.len());
        let decoded = decode(link, first, frame.len(), &self.options);
        check(decoded, frame.len());
        if let Ok(Decoded::Fragment(fragment)) = decoded {
            let segments = [first, second].into_iter();
            match self
                .reassembler
                .push(&fragment, segments, self.now_ns, &self.options)
            {
                Ok(None) => return,
                Ok(Some((packet, datagram))) => check(Ok(Decoded::Packet(packet)), datagram.len()),
                Err(reason) => check(Err(reason), 0),
            }
        }
        self.answered += 1;
    }

    /// Checks that every packet ended in exactly one place.
    pub fn finish(mut self) {
        let balance = |target: &Self| {
            let counts = target.reassembler.counts();
            target.answered + counts.held + counts.merged + counts.dropped_total()
        };
        assert_eq!(self.packets, balance(&self));
        self.reassembler.flush();
        assert_eq!(
            (self.packets, self.reassembler.counts().held),
            (balance(&self), 0)
        );
    }
}

/// Checks that what a packet or fragment claims lies inside the frame.
pub(super) fn check(decoded: Result<Decoded, DropReason>, frame_len: usize) {
    match decoded {
        Ok(Decoded::Packet(packet)) => {
            assert!(
                (packet.payload_offset + packet.payload_len) as usize <= frame_len,
                "{packet:?}"
            );
        }
        Ok(Decoded::Fragment(fragment)) => {
            let end = fragment.data_offset + u32::from(fragment.data_len);
            assert!(
                end as usize <= frame_len && fragment.ip_offset < fragment.data_offset,
                "{fragment:?}"
            );
        }
        Err(reason) => assert!(!reason.name().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_of_a_run() {
        let frame = [
            &[0x80, 20][..],
            &[0; 12],
            &[8, 0, 0x45, 0, 0, 20, 0, 0],
            &[3, 255, 0x60],
        ]
        .concat();
        for len in 0..=frame.len() {
            run(&frame[..len]);
        }
    }
}
