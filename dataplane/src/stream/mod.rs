//! TCP order: which bytes of a segment are new, what waits, and what will never come.

mod held;
mod order;

pub use held::{HeldSegment, HeldStore};
pub use order::{Placement, seq_diff};
