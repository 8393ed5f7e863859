//! Records as FlatBuffers: size-prefixed batches, schema in `schema/session.fbs`.

mod decode;
mod encode;

pub use decode::{BatchReader, DecodeError, decode_batch};
pub use encode::BatchEncoder;
