//! A global allocator that has large blocks put into huge pages.
//!
//! Sessions, parser state, exchanges and their text lie in a few large blocks and are read all over: with pages
//! of 4 KiB most packets wait for page walks, which a virtual machine makes twice as long.

use rustix::mm::{Advice, madvise};
use std::alloc::{GlobalAlloc, Layout};

/// Blocks of at least this many bytes are worth a huge page.
const LARGE_BYTES: usize = 2 << 20;
/// What addresses given to the system must be a multiple of, bytes.
const PAGE_BYTES: usize = 4096;

/// Another allocator, whose large blocks the system is asked to put into huge pages.
pub struct HugePages<A>(pub A);

/// Asks for huge pages under the whole pages of `bytes` at `start`. A hint: where the system has none to give,
/// or is told to give none, nothing changes.
fn advise(start: *mut u8, bytes: usize) {
    if bytes < LARGE_BYTES || start.is_null() {
        return;
    }
    let before = start.align_offset(PAGE_BYTES);
    let pages = (bytes - before) & !(PAGE_BYTES - 1);
    #[allow(unsafe_code)]
    // SAFETY: the range lies within a block that was just allocated, which nobody else knows yet; this advice
    // changes the size of the pages under it and nothing of what it holds.
    unsafe {
        let _ = madvise(start.wrapping_add(before).cast(), pages, Advice::LinuxHugepage);
    }
}

#[allow(unsafe_code)]
// SAFETY: every call is passed on as it came, and what it returned is returned.
unsafe impl<A: GlobalAlloc> GlobalAlloc for HugePages<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the callee's demands, here and below.
        let start = unsafe { self.0.alloc(layout) };
        advise(start, layout.size());
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let start = unsafe { self.0.alloc_zeroed(layout) };
        advise(start, layout.size());
        start
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let start = unsafe { self.0.realloc(block, layout, new_size) };
        advise(start, new_size);
        start
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { self.0.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::System;

    #[test]
    #[allow(unsafe_code)]
    fn large_blocks_keep_what_they_hold_as_they_grow() {
        let allocator = HugePages(System);
        let layout = Layout::array::<u8>(3 * LARGE_BYTES).expect("a small layout");
        // SAFETY: the layout is not empty; only bytes within the block are touched, and it is given back once
        // with the layout that it has then.
        unsafe {
            let block = allocator.alloc_zeroed(layout);
            assert!(!block.is_null());
            *block.add(layout.size() - 1) = 7;
            let grown = allocator.realloc(block, layout, 2 * layout.size());
            assert_eq!((*grown, *grown.add(layout.size() - 1)), (0, 7));
            let grown_layout = Layout::array::<u8>(2 * layout.size()).expect("a small layout");
            allocator.dealloc(grown, grown_layout);
        }
    }
}
