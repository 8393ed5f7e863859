//! Asks the CPU for a cache line before it is needed.

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;

/// Starts to load the line that `place` begins in. A hint: nothing is read or changed.
#[inline(always)]
pub(crate) fn prefetch<T>(place: &T) {
    prefetch_address(std::ptr::from_ref(place).cast());
}

/// Starts to load the lines that `bytes` begin in: as many as most heads of messages take. Behind these the CPU
/// has seen for itself that more are coming.
#[inline(always)]
pub(crate) fn prefetch_beginning(bytes: &[u8]) {
    const LINES: usize = 4;
    for line in bytes.chunks(CACHE_LINE).take(LINES) {
        prefetch_address(line.as_ptr());
    }
}

/// Starts to load the line at `address`, of which nothing is assumed.
#[inline(always)]
pub(crate) fn prefetch_address(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    // SAFETY: a prefetch has no effect but on caches, whatever the address: one that is not mapped is
    // ignored by the CPU.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
