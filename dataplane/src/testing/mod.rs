//! Conversations as packets, and replays of them: for tests of this crate and of those above it.
//!
//! ```text
//! Connection ─► Vec<Segment> ─ cut, shuffle, lose, repeat ─► Vec<Frame> ─► replay ─► records, counters
//! ```

mod connection;
mod fragment;
mod frame;
pub mod fuzz;
mod replay;
mod segment;
mod tunnel;

pub use connection::{Connection, Way};
pub use fragment::fragments;
pub use frame::{Ends, Frame, echo, udp};
pub use replay::{Replayed, frame_source, replay, replay_from};
pub use segment::{Segment, TcpOptions};
pub use tunnel::{in_gre, in_ipip, in_vlan, in_vxlan};

/// When the first packet of a conversation passes, Unix ns.
pub const START_NS: u64 = 1_700_000_000_000_000_000;
/// Between two packets unless set otherwise, ns.
pub const STEP_NS: u64 = 1_000_000;
