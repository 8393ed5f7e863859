//! Records from before protobuf. What they hold depends on the direction of the call.

use super::Dialect;
use crate::abi::reader::Reader;
use tapir_parsers::parser::Direction;
use tapir_parsers::plugin::{Info, status_of};

/// Both lengths and the byte behind them.
const BYTES_MIN: usize = 9;
/// The length is known.
const PRESENT: u32 = 1 << 31;
/// The message goes on over several payloads.
const MERGE: u8 = 0x80;
/// This was the last of them.
const IS_END: u8 = 1;

/// Reads a record of this dialect, which must be all that there is.
pub(super) fn read(bytes: &[u8], direction: Direction, dialect: Dialect) -> Option<Info<'_>> {
    if bytes.len() < BYTES_MIN {
        return None;
    }
    let mut reader = Reader::new(bytes);
    let reader = &mut reader;
    let mut info = Info {
        req_len: length(reader)?,
        resp_len: length(reader)?,
        ..Info::default()
    };
    if reader.flag()? {
        info.request_id = Some(reader.u32()?);
    }
    match direction {
        Direction::ToServer => {
            info.req_type = reader.text()?;
            info.endpoint = reader.text()?;
            info.domain = reader.text()?;
            info.resource = reader.text()?;
        }
        Direction::ToClient => {
            info.status = Some(status_of(reader.u8()?)?);
            if reader.flag()? {
                info.code = Some(reader.u32()?.cast_signed());
            }
            info.result = reader.text()?;
            info.exception = reader.text()?;
        }
    }
    if dialect == Dialect::Legacy4 {
        info.protocol = reader.text()?;
    }
    let merge = reader.u8()?;
    info.is_end = (merge & MERGE != 0).then_some(merge & IS_END != 0);
    if reader.flag()? {
        let trace_id = reader.text()?;
        if !trace_id.is_empty() {
            info.trace_ids.push(trace_id);
        }
        info.span_id = reader.text()?;
        info.parent_span_id = reader.text()?;
    }
    if reader.flag()? {
        attributes(reader, &mut info);
    }
    if dialect != Dialect::Legacy1 {
        info.biz_type = reader.u8()?;
    }
    reader.is_empty().then_some(info)
}

/// A length whose highest bit tells that it is known.
fn length(reader: &mut Reader<'_>) -> Option<Option<u32>> {
    let number = reader.u32()?;
    if number & PRESENT != 0 {
        return Some(Some(number & !PRESENT));
    }
    (number == 0).then_some(None)
}

/// Pairs of texts until the next one does not fit.
fn attributes<'a>(reader: &mut Reader<'a>, info: &mut Info<'a>) {
    loop {
        let mut ahead = *reader;
        let (Some(key), Some(value)) = (ahead.text(), ahead.text()) else {
            return;
        };
        *reader = ahead;
        if std::str::from_utf8(key).is_err() || info.attrs.try_push((key, value)).is_err() {
            info.cut = true;
        }
    }
}
