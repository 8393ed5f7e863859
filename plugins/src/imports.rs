//! What guests import from the module `deepflow`. None of these ends the guest: what it gets wrong is
//! answered with 0, and counted.

use crate::abi::event::fitting;
use crate::abi::{self, record};
use crate::guest::{Call, Guest};
use crate::limits::{BATCH_BYTES_MAX, LOG_LINE_BYTES_MAX};
use crate::metrics::Reason;
use wasmtime::{Caller, Linker};

/// The module's name.
pub(crate) const MODULE: &str = "deepflow";
/// Answers of the calls that hand over.
const TAKEN: i32 = 1;
const REFUSED: i32 = 0;

/// `len` bytes of the guest's memory from `ptr` on, and its data. Both count from 0 up, whatever the sign;
/// `None`, noted as a fault, when they don't lie within.
pub(crate) fn memory<'c>(
    caller: &'c mut Caller<'_, Guest>,
    ptr: i32,
    len: i32,
) -> Option<(&'c mut [u8], &'c mut Guest)> {
    let memory = caller.data().memory?;
    let (bytes, guest) = memory.data_and_store_mut(caller);
    let start = ptr.cast_unsigned() as usize;
    let range = start.checked_add(len.cast_unsigned() as usize);
    match range.and_then(|end| bytes.get_mut(start..end)) {
        Some(bytes) => Some((bytes, guest)),
        None => {
            guest.note(Reason::BadPointer);
            None
        }
    }
}

/// Defines the functions.
pub(crate) fn define(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "wasm_log", wasm_log)?;
    linker.func_wrap(MODULE, "vm_read_ctx_base", read_context)?;
    linker.func_wrap(MODULE, "vm_read_payload", read_payload)?;
    linker.func_wrap(
        MODULE,
        "vm_read_http_req_info",
        |caller: Caller<'_, Guest>, ptr, cap| read_event(caller, Call::Request, ptr, cap),
    )?;
    linker.func_wrap(
        MODULE,
        "vm_read_http_resp_info",
        |caller: Caller<'_, Guest>, ptr, cap| read_event(caller, Call::Response, ptr, cap),
    )?;
    linker.func_wrap(
        MODULE,
        "vm_read_custom_message_info",
        |caller: Caller<'_, Guest>, ptr, cap| read_event(caller, Call::Message, ptr, cap),
    )?;
    linker.func_wrap(MODULE, "host_read_l7_protocol_info", take_records)?;
    linker.func_wrap(MODULE, "host_read_str_result", take_name)?;
    Ok(())
}

fn wasm_log(mut caller: Caller<'_, Guest>, ptr: i32, len: i32, level: i32) {
    let Some(memory) = caller.data().memory else {
        return;
    };
    let (bytes, guest) = memory.data_and_store_mut(&mut caller);
    let start = ptr.cast_unsigned() as usize;
    let whole = start.checked_add(len.cast_unsigned() as usize);
    let Some(line) = whole.and_then(|end| bytes.get(start..end)) else {
        guest.note(Reason::BadPointer);
        return;
    };
    // What is not shown is not looked at.
    let line = line.get(..LOG_LINE_BYTES_MAX).unwrap_or(line);
    let level = match level {
        2 => log::Level::Error,
        1 => log::Level::Warn,
        0 => log::Level::Info,
        _ => log::Level::Warn,
    };
    let line = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    guest.log(level, line);
}

fn read_context(mut caller: Caller<'_, Guest>, ptr: i32, cap: i32) -> i32 {
    if caller.data().call == Call::None {
        return 0;
    }
    let Some((to, guest)) = memory(&mut caller, ptr, cap) else {
        return 0;
    };
    guest.context.write(to).map_or(0, |len| len as i32)
}

fn read_payload(mut caller: Caller<'_, Guest>, ptr: i32, cap: i32) -> i32 {
    if caller.data().call == Call::None {
        return 0;
    }
    if caller.data().payload.len() > cap.cast_unsigned() as usize {
        return -1;
    }
    let Some((to, guest)) = memory(&mut caller, ptr, cap) else {
        return 0;
    };
    put(&guest.payload, to)
}

fn read_event(mut caller: Caller<'_, Guest>, call: Call, ptr: i32, cap: i32) -> i32 {
    if caller.data().call != call {
        return 0;
    }
    let Some((to, guest)) = memory(&mut caller, ptr, cap) else {
        return 0;
    };
    let encoded = guest.event.get(..guest.event_len).unwrap_or(&[]);
    let part = fitting(encoded, call == Call::Response, to.len());
    part.map_or(0, |part| put(part, to))
}

/// Copies to the front of `to`; 0 when it does not fit.
fn put(bytes: &[u8], to: &mut [u8]) -> i32 {
    match to.get_mut(..bytes.len()) {
        Some(place) => {
            place.copy_from_slice(bytes);
            bytes.len() as i32
        }
        None => 0,
    }
}

fn take_records(mut caller: Caller<'_, Guest>, ptr: i32, len: i32) -> i32 {
    if matches!(caller.data().call, Call::None | Call::Check) {
        return REFUSED;
    }
    let Some((batch, guest)) = memory(&mut caller, ptr, len) else {
        return REFUSED;
    };
    if batch.len() > BATCH_BYTES_MAX || !record::is_valid(batch, guest.context.direction) {
        guest.note(Reason::BadRecord);
        return REFUSED;
    }
    guest.records.clear();
    guest.records.extend_from_slice(batch);
    TAKEN
}

fn take_name(mut caller: Caller<'_, Guest>, ptr: i32, len: i32) -> i32 {
    if caller.data().call == Call::None {
        return REFUSED;
    }
    let Some((text, guest)) = memory(&mut caller, ptr, len) else {
        return REFUSED;
    };
    let Some(name) = abi::name(text) else {
        guest.note(Reason::BadRecord);
        return REFUSED;
    };
    guest.protocol = Some(name);
    TAKEN
}
