//! Records as FlatBuffers: size-prefixed batches, schema in `schema/session.fbs`.

mod decode;
mod downward;
mod encode;
mod process;
mod shared;
mod table;

pub use decode::{BatchReader, DecodeError, decode_batch};
pub use encode::BatchEncoder;
