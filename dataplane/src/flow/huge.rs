//! Large arrays in huge pages, so that a random access costs one cache miss and no page walk.

use bytemuck::Pod;
use memmap2::{Advice, MmapMut, MmapOptions};
use std::marker::PhantomData;

/// Zeroed array of `T` in anonymous memory: hugetlb pages where the system has some set aside,
/// transparent huge pages where it allows them, plain pages otherwise.
pub struct HugeMemory<T> {
    map: MmapMut,
    len: usize,
    huge: bool,
    items: PhantomData<T>,
}

/// log2 of the x86-64 huge page size, 2 MiB.
const HUGE_PAGE_BITS: u8 = 21;
const HUGE_PAGE: usize = 1 << HUGE_PAGE_BITS;
/// What every mapping is aligned to at least.
const SMALLEST_PAGE: usize = 4096;

impl<T: Pod> HugeMemory<T> {
    /// `len` items, all zero. With `reserved` huge pages set aside by the system are tried first.
    ///
    /// # Errors
    /// When the system has no memory to give.
    pub fn new(len: usize, reserved: bool) -> std::io::Result<Self> {
        const { assert!(align_of::<T>() <= SMALLEST_PAGE) };
        let bytes = (len * size_of::<T>()).next_multiple_of(HUGE_PAGE).max(HUGE_PAGE);
        if reserved
            && let Ok(map) = MmapOptions::new()
                .len(bytes)
                .huge(Some(HUGE_PAGE_BITS))
                .populate()
                .map_anon()
        {
            return Ok(Self {
                map,
                len,
                huge: true,
                items: PhantomData,
            });
        }
        let map = MmapOptions::new().len(bytes).map_anon()?;
        // Only a hint: without transparent huge pages everything works, with more TLB misses.
        let _ = map.advise(Advice::HugePage);
        Ok(Self {
            map,
            len,
            huge: false,
            items: PhantomData,
        })
    }

    /// Whether the memory is of huge pages set aside by the system.
    pub fn is_huge(&self) -> bool {
        self.huge
    }

    /// The items.
    #[inline(always)]
    pub fn items(&self) -> &[T] {
        #[allow(unsafe_code)]
        // SAFETY: `new` mapped at least `len * size_of::<T>()` bytes and nothing unmaps or shrinks them
        // while `self` lives; the map begins at a page, whose alignment `new` found to be enough; the memory
        // began as zeros and any bytes are a valid `Pod`. Asked several times a packet: checking this anew
        // each time was a tenth of a packet's instructions.
        unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len)
        }
    }

    /// The items, to change.
    #[inline(always)]
    pub fn items_mut(&mut self) -> &mut [T] {
        #[allow(unsafe_code)]
        // SAFETY: as in `items`, and `self` is borrowed exclusively.
        unsafe {
            std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.len)
        }
    }
}
