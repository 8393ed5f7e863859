//! Numbers that must not be mixed up.

use std::fmt;

/// A CPU as the kernel counts them (`/sys/devices/system/cpu/cpuN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuId(pub u16);

/// A thread known to DPDK. Not a CPU number: [`crate::Lcore`] maps one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LcoreId(pub u32);

/// An Ethernet port of this process, in probe order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u16);

/// A NUMA node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

impl SocketId {
    /// DPDK's signed number; negative (`SOCKET_ID_ANY`) means the node is unknown or of no matter.
    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
        u32::try_from(raw).ok().map(Self)
    }

    /// The signed number DPDK's allocators take, `SOCKET_ID_ANY` for none.
    pub(crate) fn to_raw(socket: Option<Self>) -> i32 {
        socket
            .and_then(|socket| i32::try_from(socket.0).ok())
            .unwrap_or(crate::ffi::ANY_SOCKET)
    }
}

macro_rules! display_as_number {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

display_as_number!(CpuId LcoreId PortId SocketId);
