//! The CPU's time stamp counter, for cycle counts.
//!
//! Its frequency is [`crate::Eal::tsc_hz`]. On every CPU DPDK supports it runs at one rate whatever the
//! clock speed, and together on all cores.

use crate::ffi;

/// Cycles since some start. Costs about 20 cycles; not ordered against other instructions.
#[inline]
#[must_use]
pub fn now() -> u64 {
    // SAFETY: reads a register, touches no memory.
    unsafe { ffi::tapir_rdtsc() }
}
