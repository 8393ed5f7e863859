//! `[records]`: how large, and how they travel.

use crate::section::section;
use crate::values::{Bytes, Time};

section! {
    /// Session records, from the workers to the sinks.
    pub struct Records ["records"] {
        /// Longest `resource` (a path, a statement, a key). The rest is cut, and the record says so.
        resource_bytes: Bytes<64, { 16 << 10 }> = Bytes::of::<4096>(),

        /// Longest of any other text.
        text_bytes: Bytes<64, { 16 << 10 }> = Bytes::of::<1024>(),

        /// Ring between each worker and the collector. Records that find it full are dropped and
        /// counted; a worker never waits.
        ring: Bytes<{ 1 << 20 }, { 4 << 30 }> = Bytes::of::<{ 16 << 20 }>(),

        /// Size at which a batch of records goes to the sinks.
        batch_bytes: Bytes<{ 4 << 10 }, { 8 << 20 }> = Bytes::of::<{ 64 << 10 }>(),

        /// How long the first record of a batch may wait for the batch to fill up.
        batch_delay: Time<1, 60_000> = Time::of_ms::<100>(),
    }
}
