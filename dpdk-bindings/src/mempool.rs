//! A pool of mbufs on one NUMA node.

use std::ffi::CString;
use std::ptr::NonNull;

use crate::eal::Eal;
use crate::error::{Error, Result};
use crate::ffi;
use crate::id::SocketId;
use crate::limits::{MAX_CACHE, MAX_NAME};
use crate::mbuf::Mbuf;

/// How large a pool is. Its memory is about `mbufs * (data_room + 320)` bytes; with `no_huge` no mbuf crosses
/// a page, so those of the usual size take 4 KiB each.
#[derive(Clone, Copy, Debug)]
pub struct MempoolConfig {
    /// Mbufs in the pool. It must cover the descriptors of every queue that receives into it, plus what
    /// the workers hold and what lies in caches. `2^n - 1` uses memory best.
    pub mbufs: u32,
    /// Mbufs each lcore keeps for itself, at most 512 and two thirds of the pool; 0 for none.
    pub cache: u32,
    /// Bytes a buffer takes of a frame. Longer frames are scattered over several.
    pub data_room: u16,
    /// The NUMA node to allocate on; any if none. Best that of the port.
    pub socket: Option<SocketId>,
}

impl Default for MempoolConfig {
    /// Enough for one port with four queues of 1024 descriptors, frames of 1500 bytes unscattered.
    fn default() -> Self {
        Self {
            mbufs: 8191,
            cache: 256,
            data_room: 2048,
            socket: None,
        }
    }
}

/// A pool of mbufs. Clones are the same pool, which stays for the life of the process, since any mbuf of it
/// may.
#[derive(Clone, Debug)]
pub struct Mempool {
    pool: NonNull<ffi::rte_mempool>,
    config: MempoolConfig,
    name: String,
}

// SAFETY: DPDK's pools are made for use by many threads: a multi-producer, multi-consumer ring
// behind caches that belong to one lcore each. Nothing in the handle changes.
unsafe impl Send for Mempool {}
// SAFETY: as above.
unsafe impl Sync for Mempool {}

impl Mempool {
    /// Allocates a pool. The name is unique in the process and at most 26 bytes long.
    ///
    /// # Errors
    /// EEXIST for a name in use, ENOMEM (more hugepages, or `memory_mb` with `no_huge`),
    /// [`Error::Invalid`] for sizes that can't be.
    pub fn new(_eal: Eal, name: &str, config: MempoolConfig) -> Result<Self> {
        let MempoolConfig {
            mbufs,
            cache,
            data_room,
            socket,
        } = config;
        let doing = || format!("create mempool {name} of {mbufs} mbufs of {data_room} bytes");
        let c_name = checked_name(name).map_err(|reason| Error::invalid(doing(), reason))?;
        if cache > MAX_CACHE || u64::from(cache) * 3 / 2 > u64::from(mbufs) {
            let reason =
                format!("a cache of {cache}, but it can have {MAX_CACHE} and two thirds of the pool");
            return Err(Error::invalid(doing(), reason));
        }
        // DPDK leaves its headroom free in front of a received frame.
        let Some(room) = data_room.checked_add(ffi::HEADROOM) else {
            return Err(Error::invalid(
                doing(),
                format!("at most {} bytes", u16::MAX - ffi::HEADROOM),
            ));
        };
        // SAFETY: EAL is up; the name is copied.
        let pool = unsafe {
            ffi::rte_pktmbuf_pool_create(c_name.as_ptr(), mbufs, cache, 0, room, SocketId::to_raw(socket))
        };
        let pool = NonNull::new(pool).ok_or_else(|| Error::from_rte_errno(doing()))?;
        Ok(Self {
            pool,
            config,
            name: name.to_owned(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was made with.
    #[must_use]
    pub fn config(&self) -> &MempoolConfig {
        &self.config
    }

    /// Mbufs not in use: in the pool or in an lcore's cache. While others allocate, an estimate; walks
    /// all caches, so not for every packet.
    #[must_use]
    pub fn available(&self) -> u32 {
        // SAFETY: pools are never freed.
        unsafe { ffi::rte_mempool_avail_count(self.pool.as_ptr()) }
    }

    /// Mbufs in use: held by queues, bursts, rings and owners.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.config.mbufs.saturating_sub(self.available())
    }

    /// A packet with a copy of `bytes`, in as many segments as it takes; none when the pool is empty.
    /// For tests and generators: what is received is never copied.
    #[must_use]
    pub fn packet_from(&self, bytes: &[u8]) -> Option<Mbuf> {
        let length = u32::try_from(bytes.len()).ok()?;
        // SAFETY: a live pool, and `length` readable bytes.
        let mbuf = unsafe { ffi::tapir_packet_from(self.pool.as_ptr(), bytes.as_ptr(), length) };
        // SAFETY: a new chain, with its only reference.
        NonNull::new(mbuf).map(|mbuf| unsafe { Mbuf::from_raw(mbuf) })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::rte_mempool {
        self.pool.as_ptr()
    }
}

/// The C string of a name DPDK has room for.
pub(crate) fn checked_name(name: &str) -> std::result::Result<CString, String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!("a name has 1 to {MAX_NAME} bytes"));
    }
    CString::new(name).map_err(|_| "a zero byte in the name".to_owned())
}
