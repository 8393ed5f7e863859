//! The queues of a started port.

use std::sync::Arc;

use crate::burst::Burst;
use crate::error::{Error, Result};
use crate::ffi;
use crate::id::PortId;
use crate::limits::{BURST_SIZE, MAX_FRAME};
use crate::mempool::Mempool;
use crate::port::Device;

/// A receive queue. There is one handle of each while its port runs; the port can't stop before the handle
/// is dropped.
#[derive(Debug)]
pub struct RxQueue {
    // Here and not behind `_port`: read on every poll.
    port: u16,
    queue: u16,
    _port: Arc<Device>,
}

impl RxQueue {
    pub(crate) fn new(port: &Arc<Device>, queue: u16) -> Self {
        Self {
            port: port.id().0,
            queue,
            _port: Arc::clone(port),
        }
    }

    /// Clears `burst` and fills it with what has arrived; returns how many packets. Never waits.
    #[inline]
    pub fn receive(&mut self, burst: &mut Burst) -> usize {
        burst.refill(|slots| {
            // SAFETY: the port is started and the queue set up as long as `_port` lives; `&mut self` of
            // its only handle keeps other threads off it; there is room for BURST_SIZE packets.
            let received =
                unsafe { ffi::tapir_rx_burst(self.port, self.queue, slots.as_mut_ptr(), BURST_SIZE as u16) };
            usize::from(received)
        })
    }

    /// The port it belongs to.
    #[must_use]
    pub fn port(&self) -> PortId {
        PortId(self.port)
    }

    /// Its number among the port's receive queues.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.queue
    }
}

/// A transmit queue, for tests and generators: Tapir sends nothing.
#[derive(Debug)]
pub struct TxQueue {
    port: u16,
    queue: u16,
    _port: Arc<Device>,
}

impl TxQueue {
    pub(crate) fn new(port: &Arc<Device>, queue: u16) -> Self {
        Self {
            port: port.id().0,
            queue,
            _port: Arc::clone(port),
        }
    }

    /// Sends a copy of one frame; whether the queue had room.
    ///
    /// # Errors
    /// ENOMEM when the pool is empty, [`Error::Invalid`] for an empty frame or one above 65535 bytes.
    pub fn send(&mut self, pool: &Mempool, frame: &[u8]) -> Result<bool> {
        let doing = || format!("send {} bytes on port {}", frame.len(), self.port);
        if frame.is_empty() || frame.len() > MAX_FRAME {
            return Err(Error::invalid(
                doing(),
                format!("a frame has 1 to {MAX_FRAME} bytes"),
            ));
        }
        let packet = pool.packet_from(frame).ok_or_else(|| Error::Dpdk {
            doing: doing(),
            errno: crate::Errno(libc::ENOMEM),
        })?;
        let mut burst = Burst::new();
        // An empty burst has room.
        _ = burst.push(packet);
        Ok(self.send_burst(&mut burst) == 1)
    }

    /// Sends packets of `burst`, as many as the queue has room for, and returns how many. The others stay.
    pub fn send_burst(&mut self, burst: &mut Burst) -> usize {
        burst.hand_over(|mbufs| {
            // SAFETY: as in `receive`; packets sent are the PMD's from here on, which only reads shared ones.
            let sent = unsafe {
                ffi::tapir_tx_burst(
                    self.port,
                    self.queue,
                    mbufs.as_ptr().cast_mut(),
                    mbufs.len() as u16,
                )
            };
            usize::from(sent)
        })
    }
}
