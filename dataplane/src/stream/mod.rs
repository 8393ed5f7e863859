//! TCP order: which bytes of a segment are new, what waits, and what will never come.

mod held;
mod order;

pub use held::{HeldSegment, HeldStore, Insertion};
pub use order::{Placement, WINDOW_BYTES_MAX, ahead, seq_diff};
