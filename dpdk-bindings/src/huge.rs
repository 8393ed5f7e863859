//! Arrays in hugepage memory on a chosen NUMA node.

use std::any::type_name;
use std::ffi::c_uint;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use bytemuck::Zeroable;

use crate::eal::Eal;
use crate::error::{Error, Result};
use crate::ffi;
use crate::id::SocketId;

/// A zeroed array of fixed length: for tables that are read at random, where ordinary pages would cost
/// a TLB miss each time. Aligned to a cache line at least.
pub struct HugeSlice<T> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: owns its elements, as a `Box<[T]>` does.
unsafe impl<T: Send> Send for HugeSlice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for HugeSlice<T> {}

impl<T: Zeroable> HugeSlice<T> {
    /// Allocates `len` elements of zero bytes on a NUMA node (any if none).
    ///
    /// # Errors
    /// ENOMEM if there is no such piece of memory in one: more hugepages, or `memory_mb` with `no_huge`.
    pub fn zeroed(_eal: Eal, len: usize, socket: Option<SocketId>) -> Result<Self> {
        const { assert!(!std::mem::needs_drop::<T>(), "elements are not dropped") };
        let doing = || format!("allocate {len} of {}", type_name::<T>());
        let Some(bytes) = len.checked_mul(size_of::<T>()) else {
            return Err(Error::invalid(doing(), "more bytes than there are addresses"));
        };
        if bytes == 0 {
            return Ok(Self {
                start: NonNull::dangling(),
                len,
            });
        }
        // 0 is a cache line.
        let align = if align_of::<T>() > 64 {
            align_of::<T>() as c_uint
        } else {
            0
        };
        // SAFETY: EAL is up; no name is needed; the alignment is a power of two.
        let start = unsafe { ffi::rte_zmalloc_socket(ptr::null(), bytes, align, SocketId::to_raw(socket)) };
        // rte_zmalloc_socket leaves no errno; lack of memory is its only reason for these arguments.
        let start = NonNull::new(start.cast()).ok_or_else(|| Error::Dpdk {
            doing: doing(),
            errno: crate::Errno(libc::ENOMEM),
        })?;
        Ok(Self { start, len })
    }
}

impl<T> Deref for HugeSlice<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements, zeroed (valid by `Zeroable`) or written since.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for HugeSlice<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for HugeSlice<T> {
    fn drop(&mut self) {
        if self.len * size_of::<T>() > 0 {
            // SAFETY: from rte_zmalloc_socket, freed once.
            unsafe { ffi::rte_free(self.start.as_ptr().cast()) };
        }
    }
}

impl<T> fmt::Debug for HugeSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HugeSlice")
            .field("type", &type_name::<T>())
            .field("len", &self.len)
            .finish()
    }
}
