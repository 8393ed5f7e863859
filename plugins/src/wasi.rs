//! What guests import from `wasi_snapshot_preview1`. There are no arguments, no environment and no files;
//! standard input is empty, what is written goes nowhere. The clock is real, sleep is not. The rest of WASI
//! is there by name, since the runtimes of Go, Rust and Zig import what their programs never call, and has
//! one answer: no.
//!
//! Source: WASI preview 1, witx of `wasi_snapshot_preview1`.

use crate::guest::Guest;
use crate::imports::memory;
use crate::limits::{IOVECS_MAX, RANDOM_BYTES_MAX};
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wasmtime::{Caller, FuncType, Linker, Val, ValType};

/// The module's name.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const NOSYS: i32 = 52;
const SPIPE: i32 = 70;
/// `filetype`: a character device.
const CHARACTER_DEVICE: u8 = 2;
/// Subscriptions of one `poll_oneoff` that are answered.
const POLLED_MAX: i32 = 64;

/// Functions of files, folders and sockets, of which there are none, with their parameters: `i` is an i32, `I` an
/// i64. They return an error.
const ABSENT: [(&str, &str); 26] = [
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_datasync", "i"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// When the host began: guests' steady clock counts from here.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The guest has called `proc_exit`.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it ended itself with code {0}")]
pub(crate) struct Exit(pub(crate) i32);

/// Defines the functions.
pub(crate) fn define(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_time_get", clock_time_get)?;
    for name in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(
            MODULE,
            name,
            |mut caller: Caller<'_, Guest>, count: i32, bytes: i32| {
                store(&mut caller, count, &[0; 4]) | store(&mut caller, bytes, &[0; 4])
            },
        )?;
    }
    for name in ["args_get", "environ_get"] {
        linker.func_wrap(MODULE, name, |_: i32, _: i32| SUCCESS)?;
    }
    linker.func_wrap(
        MODULE,
        "fd_close",
        |fd: i32| if is_standard(fd) { SUCCESS } else { BADF },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut caller: Caller<'_, Guest>, fd: i32, to: i32| {
            let mut stat = [0; 24];
            stat[0] = CHARACTER_DEVICE;
            if is_standard(fd) {
                store(&mut caller, to, &stat)
            } else {
                BADF
            }
        },
    )?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |fd: i32, _: i32| {
        if is_standard(fd) { SUCCESS } else { BADF }
    })?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut caller: Caller<'_, Guest>, fd: i32, to: i32| {
            let mut stat = [0; 64];
            stat[16] = CHARACTER_DEVICE;
            if is_standard(fd) {
                store(&mut caller, to, &stat)
            } else {
                BADF
            }
        },
    )?;
    linker.func_wrap(MODULE, "fd_pread", |fd: i32, _: i32, _: i32, _: i64, _: i32| {
        no_place(fd)
    })?;
    linker.func_wrap(MODULE, "fd_seek", |fd: i32, _: i64, _: i32, _: i32| no_place(fd))?;
    linker.func_wrap(MODULE, "fd_prestat_get", |_: i32, _: i32| BADF)?;
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut caller: Caller<'_, Guest>, fd: i32, _: i32, _: i32, read: i32| {
            if fd == 0 {
                store(&mut caller, read, &[0; 4])
            } else {
                BADF
            }
        },
    )?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut caller: Caller<'_, Guest>, code: i32| -> wasmtime::Result<()> {
            caller.data_mut().exited = Some(code);
            Err(Exit(code).into())
        },
    )?;
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    linker.func_wrap(MODULE, "clock_res_get", clock_res_get)?;
    linker.func_wrap(MODULE, "proc_raise", |_: i32| NOSYS)?;
    for (name, parameters) in ABSENT {
        let parameters = parameters
            .chars()
            .map(|p| if p == 'I' { ValType::I64 } else { ValType::I32 });
        let function = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(MODULE, name, function, |_, _, results| {
            results.fill(Val::I32(BADF));
            Ok(())
        })?;
    }
    Ok(())
}

const fn is_standard(fd: i32) -> bool {
    matches!(fd, 0..=2)
}

/// Standard streams have no position.
const fn no_place(fd: i32) -> i32 {
    if is_standard(fd) { SPIPE } else { BADF }
}

/// Writes `bytes` to the guest's memory.
fn store(caller: &mut Caller<'_, Guest>, ptr: i32, bytes: &[u8]) -> i32 {
    match memory(caller, ptr, bytes.len() as i32) {
        Some((to, _)) => {
            to.copy_from_slice(bytes);
            SUCCESS
        }
        None => FAULT,
    }
}

/// Reads a number of the guest's memory, which are little-endian.
fn load(caller: &mut Caller<'_, Guest>, ptr: i32) -> Option<u32> {
    let (bytes, _) = memory(caller, ptr, 4)?;
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn clock_time_get(mut caller: Caller<'_, Guest>, clock: i32, _: i64, to: i32) -> i32 {
    let time = match clock {
        0 => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        1..=3 => BEGINNING.elapsed(),
        _ => return INVAL,
    };
    store(&mut caller, to, &(time.as_nanos() as u64).to_le_bytes())
}

fn clock_res_get(mut caller: Caller<'_, Guest>, clock: i32, to: i32) -> i32 {
    const NANOSECOND: u64 = 1;
    match clock {
        0..=3 => store(&mut caller, to, &NANOSECOND.to_le_bytes()),
        _ => INVAL,
    }
}

fn fd_write(mut caller: Caller<'_, Guest>, fd: i32, vectors: i32, count: i32, written: i32) -> i32 {
    if !matches!(fd, 1 | 2) {
        return BADF;
    }
    let mut total = 0u32;
    for i in 0..(count.cast_unsigned() as usize).min(IOVECS_MAX) as i32 {
        let Some(len) = load(&mut caller, vectors.wrapping_add(8 * i + 4)) else {
            return FAULT;
        };
        total = total.saturating_add(len);
    }
    store(&mut caller, written, &total.to_le_bytes())
}

/// Numbers for hash seeds, the same in every run: no guest has secrets.
fn random_get(mut caller: Caller<'_, Guest>, ptr: i32, len: i32) -> i32 {
    if len.cast_unsigned() as usize > RANDOM_BYTES_MAX {
        return INVAL;
    }
    let Some((to, guest)) = memory(&mut caller, ptr, len) else {
        return FAULT;
    };
    for chunk in to.chunks_mut(8) {
        // Xorshift64 (Marsaglia, 2003).
        guest.random ^= guest.random << 13;
        guest.random ^= guest.random >> 7;
        guest.random ^= guest.random << 17;
        for (to, from) in chunk.iter_mut().zip(guest.random.to_le_bytes()) {
            *to = from;
        }
    }
    SUCCESS
}

/// Everything waited for has come: an lcore never sleeps for a guest.
fn poll_oneoff(mut caller: Caller<'_, Guest>, from: i32, to: i32, count: i32, events: i32) -> i32 {
    const SUBSCRIPTION_BYTES: i32 = 48;
    const EVENT_BYTES: i32 = 32;
    if !(1..=POLLED_MAX).contains(&count) {
        return INVAL;
    }
    for i in 0..count {
        let Some((subscription, _)) = memory(
            &mut caller,
            from.wrapping_add(SUBSCRIPTION_BYTES * i),
            SUBSCRIPTION_BYTES,
        ) else {
            return FAULT;
        };
        let mut event = [0; EVENT_BYTES as usize];
        // What the guest knows it by, and its kind.
        event[..8].copy_from_slice(&subscription[..8]);
        event[10] = subscription[8];
        if store(&mut caller, to.wrapping_add(EVENT_BYTES * i), &event) != SUCCESS {
            return FAULT;
        }
    }
    store(&mut caller, events, &count.to_le_bytes())
}
