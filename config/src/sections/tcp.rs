//! `[tcp]`: putting streams in order.

use crate::section::section;
use crate::values::{Bytes, Time, Whole};

section! {
    /// TCP streams: segments that arrive out of order wait for the missing one, within bounds. Past a
    /// bound the stream goes on behind the hole, and the records it touches say how many bytes are missing.
    pub struct Tcp ["tcp"] {
        /// Bytes of waiting segments that one direction of a flow may have.
        held_bytes_per_flow: Bytes<0, { 1 << 30 }> = Bytes::of::<{ 256 << 10 }>(),

        /// Waiting segments that each worker may have. They lie in buffers that the port can't use
        /// meanwhile.
        held_segments_per_lcore: Whole<0, 4_194_304> = Whole::of::<16_384>(),

        /// How long a missing segment is waited for that its receiver has acknowledged: it passed the
        /// mirror unseen, or comes late by another way.
        gap_grace: Time<0, 10_000> = Time::of_ms::<20>(),

        /// How long a missing segment is waited for that nobody has acknowledged.
        gap_timeout: Time<0, 60_000> = Time::of_ms::<3000>(),
    }
}
