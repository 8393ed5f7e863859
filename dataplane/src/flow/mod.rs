//! Flows: both directions of a conversation under one key, in bounded memory.

mod huge;
mod index;
mod key;
mod table;
mod wheel;

pub use crate::FlowIndex;
pub use huge::HugeMemory;
pub use key::{FlowKey, KeyedPacket};
pub use table::{Flow, FlowState, FlowTable, NO_FLOW, Reader, TcpSide, Timeouts, side_flag};
