//! Records in protobuf: `AppInfo` of the package `wasm_plugin` (proto3).
//!
//! Fields come in any order and unknown ones are passed. The SDK writes texts that the plugin did not set
//! as empty ones, so an empty text is none.

use crate::abi::reader::Reader;
use tapir_parsers::plugin::{Info, status_of};

/// One field of a message.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a fixed length: no field of ours has one.
    Other,
}

impl<'a> Value<'a> {
    fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Numbers of 32 bits are cut to them.
    fn u32(self) -> Option<u32> {
        self.number().map(|number| number as u32)
    }

    fn flag(self) -> Option<bool> {
        self.number().map(|number| number != 0)
    }

    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A text, which protobuf wants in UTF-8.
    fn text(self) -> Option<&'a [u8]> {
        self.bytes().filter(|bytes| std::str::from_utf8(bytes).is_ok())
    }
}

/// Reads the message `bytes` field by field; `None` when it is broken or `take` will not have a field.
fn fields<'a>(bytes: &'a [u8], mut take: impl FnMut(u64, Value<'a>) -> Option<()>) -> Option<()> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let key = reader.varint()?;
        let value = match key & 7 {
            0 => Value::Number(reader.varint()?),
            1 => reader.take(8).map(|_| Value::Other)?,
            2 => {
                let len = reader.varint()?;
                Value::Bytes(reader.take(usize::try_from(len).ok()?)?)
            }
            5 => reader.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        let number = key >> 3;
        if number == 0 {
            return None;
        }
        take(number, value)?;
    }
    Some(())
}

/// Reads an `AppInfo`.
pub(super) fn read(bytes: &[u8]) -> Option<Info<'_>> {
    let mut info = Info::default();
    let mut trace_id: &[u8] = &[];
    fields(bytes, |number, value| {
        match number {
            1 => info.req_len = Some(value.u32()?),
            2 => info.resp_len = Some(value.u32()?),
            3 => info.request_id = Some(value.u32()?),
            10 => request(value.bytes()?, &mut info)?,
            11 => response(value.bytes()?, &mut info)?,
            12 => trace(value.bytes()?, &mut info, &mut trace_id)?,
            13 => info.protocol = value.text()?,
            21 => info.is_end = Some(value.flag()?),
            22 => info.is_async = Some(value.flag()?),
            23 => info.is_reversed = Some(value.flag()?),
            31 => attribute(value.bytes()?, &mut info)?,
            32 => info.biz_type = value.u32()? as u8,
            33 => info.biz_code = value.text()?,
            34 => info.biz_scenario = value.text()?,
            35 => info.biz_response_code = value.text()?,
            _ => {}
        }
        Some(())
    })?;
    if !trace_id.is_empty() && !info.trace_ids.contains(&trace_id) {
        info.cut |= info.trace_ids.try_push(trace_id).is_err();
    }
    Some(info)
}

fn request<'a>(bytes: &'a [u8], info: &mut Info<'a>) -> Option<()> {
    fields(bytes, |number, value| {
        match number {
            1 => info.version = value.text()?,
            2 => info.req_type = value.text()?,
            3 => info.domain = value.text()?,
            4 => info.resource = value.text()?,
            5 => info.endpoint = value.text()?,
            _ => {}
        }
        Some(())
    })
}

/// A response without a status, or with one that is none, is no response.
fn response<'a>(bytes: &'a [u8], info: &mut Info<'a>) -> Option<()> {
    let mut status = None;
    fields(bytes, |number, value| {
        match number {
            1 => status = Some(value.number()?),
            2 => info.code = Some(value.u32()?.cast_signed()),
            3 => info.exception = value.text()?,
            4 => info.result = value.text()?,
            5 => told(&mut info.req_type, value.text()?),
            6 => told(&mut info.endpoint, value.text()?),
            _ => {}
        }
        Some(())
    })?;
    info.status = Some(u8::try_from(status?).ok().and_then(status_of)?);
    Some(())
}

/// A response may repeat what the request is; where both stand in one record the request counts.
fn told<'a>(text: &mut &'a [u8], value: &'a [u8]) {
    if text.is_empty() {
        *text = value;
    }
}

fn trace<'a>(bytes: &'a [u8], info: &mut Info<'a>, trace_id: &mut &'a [u8]) -> Option<()> {
    fields(bytes, |number, value| {
        match number {
            1 => *trace_id = value.text()?,
            2 => info.span_id = value.text()?,
            3 => info.parent_span_id = value.text()?,
            4 => info.x_request_id = value.text()?,
            5 => info.client_ip = value.text()?,
            6 => {
                let id = value.text()?;
                if !id.is_empty() && info.trace_ids.try_push(id).is_err() {
                    info.cut = true;
                }
            }
            _ => {}
        }
        Some(())
    })
}

fn attribute<'a>(bytes: &'a [u8], info: &mut Info<'a>) -> Option<()> {
    let (mut key, mut text): (&[u8], &[u8]) = (&[], &[]);
    fields(bytes, |number, value| {
        match number {
            1 => key = value.text()?,
            2 => text = value.text()?,
            _ => {}
        }
        Some(())
    })?;
    info.cut |= info.attrs.try_push((key, text)).is_err();
    Some(())
}
