//! `[flows]`: how many, and for how long.

use crate::section::section;
use crate::values::{Time, Whole};

/// From a millisecond to a day.
type FlowTimeout = Time<1, 86_400_000>;

section! {
    /// The flow table of each worker.
    pub struct Flows ["flows"] {
        /// Flows that each worker keeps. The memory for them, about 150 bytes each, is taken at start; when
        /// they are all in use, the oldest idle flow makes room and is counted.
        max_per_lcore: Whole<1024, 268_435_456> = Whole::of::<1_048_576>(),

        /// How long a TCP flow is kept without a packet, until its handshake is done: scans and floods
        /// leave flows like these.
        syn_timeout: FlowTimeout = Time::of_ms::<10_000>(),

        /// How long an established TCP flow is kept without a packet.
        established_timeout: FlowTimeout = Time::of_ms::<300_000>(),

        /// How long a closed TCP flow is kept for stragglers.
        closing_timeout: FlowTimeout = Time::of_ms::<2000>(),

        /// How long a UDP flow is kept without a packet.
        udp_timeout: FlowTimeout = Time::of_ms::<60_000>(),

        /// How long a flow of ICMP echoes is kept without a packet.
        icmp_timeout: FlowTimeout = Time::of_ms::<15_000>(),
    }
}
