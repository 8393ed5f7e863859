//! A plugin of DeepFlow's Wasm interface in Rust, with nothing but `core`.
//!
//! Implement [`Plugin`] for a type of yours, and name it and its first value in [`serve!`] (see house.rs).
//! Each function returns whether it takes what it is shown; what it leaves goes to the next plugin. Build:
//!
//! ```console
//! $ cargo build --release    # rustup target add wasm32-unknown-unknown
//! ```
#![allow(dead_code, unsafe_code)] // A plugin uses some of it; what speaks to the host is unsafe.

use core::cell::UnsafeCell;

/// Most payload that is read, bytes.
pub const PAYLOAD_MAX: usize = 20_480;
/// Records of one call, bytes.
pub const BATCH_MAX: usize = 16_384;
const CONTEXT_MAX: usize = 1024;
const EVENT_MAX: usize = 65_536;
const NAME_MAX: usize = 64;

/// Payloads of flows without a protocol are checked, those of the plugin's own parsed.
pub const PARSE: u32 = 1;
/// Requests of HTTP, gRPC and Triple.
pub const HTTP_REQUEST: u32 = 2;
/// Their responses.
pub const HTTP_RESPONSE: u32 = 4;
/// Messages of the protocol [`Plugin::MESSAGES`].
pub const MESSAGE: u32 = 8;

/// Numbers for [`Plugin::MESSAGES`].
pub const DUBBO: u8 = 40;
pub const NATS: u8 = 104;
pub const ZMTP: u8 = 106;
pub const ROCKETMQ: u8 = 107;

/// What a plugin does.
pub trait Plugin {
    /// What it is called for: `PARSE | HTTP_REQUEST` and the like.
    const HOOKS: u32;
    /// With the hook [`MESSAGE`]: the protocol whose messages it is shown.
    const MESSAGES: u8 = 0;

    /// Is the payload of its protocol?
    fn check(&mut self, _context: &Context, _payload: &[u8]) -> Option<Claim> {
        None
    }

    /// Reads the messages in a payload of its protocol, a record each. What is not whole is left: it is
    /// shown again with what follows.
    fn parse(&mut self, _context: &Context, _payload: &[u8], _batch: &mut Batch) -> bool {
        false
    }

    /// Adds to a request, with at most one record. The payload is the request as far as it is shown.
    fn http_request(&mut self, _: &Context, _: &HttpRequest, _payload: &[u8], _batch: &mut Batch) -> bool {
        false
    }

    /// As [`http_request`](Self::http_request), to a response.
    fn http_response(&mut self, _: &Context, _: &HttpResponse, _payload: &[u8], _batch: &mut Batch) -> bool {
        false
    }

    /// As [`http_request`](Self::http_request), to a message of [`MESSAGES`](Self::MESSAGES); `told` is what
    /// the host has read of it, in protobuf, where it tells something.
    fn message(&mut self, _: &Context, _told: &[u8], _payload: &[u8], _batch: &mut Batch) -> bool {
        false
    }
}

/// What every call is about.
pub struct Context<'a> {
    /// The client sent it, else the server.
    pub from_server: bool,
    /// 6 TCP, 17 UDP.
    pub l4: u8,
    /// In `parse` the number that `check` gave, in `http_*` that of the host (20 HTTP/1), else 0.
    pub protocol: u8,
    /// 4 bytes, or 16.
    pub src_ip: &'a [u8],
    pub dst_ip: &'a [u8],
    pub src_port: u16,
    pub dst_port: u16,
    /// Capture time, Unix µs.
    pub time_us: u64,
    pub flow_id: u64,
}

/// What `check` says of a payload that it takes.
pub struct Claim {
    /// The plugin's number for its protocol, 1 to 255.
    pub number: u8,
    /// `proto` of records, up to 64 bytes.
    pub name: &'static str,
    /// The payload is a response.
    pub from_server: bool,
}

/// A request; what is not there is empty.
pub struct HttpRequest<'a> {
    pub path: &'a [u8],
    pub host: &'a [u8],
    pub user_agent: &'a [u8],
    pub referer: &'a [u8],
}

/// A response.
pub struct HttpResponse<'a> {
    /// 0: there is none.
    pub code: u16,
    /// What the code means.
    pub status: u8,
    /// `endpoint` of the request.
    pub endpoint: &'a [u8],
}

/// How an exchange went.
#[derive(Clone, Copy)]
pub enum Status {
    Ok = 0,
    Timeout = 2,
    ServerError = 3,
    ClientError = 4,
    Unknown = 5,
}

/// A line in Tapir's log.
pub fn log(text: &str) {
    // SAFETY: the host reads these bytes, and keeps none.
    unsafe { host::wasm_log(text.as_ptr(), text.len(), 0) }
}

/// Records on their way to the host, in protobuf.
pub struct Batch {
    bytes: [u8; BATCH_MAX],
    len: usize,
    /// Where the record begins; 0: there is none.
    record: usize,
    /// Where its request or response begins; 0: there is none.
    part: usize,
    /// Something did not fit: nothing is handed over.
    cut: bool,
}

impl Batch {
    /// Begins a record: a request or response. Several may follow each other.
    pub fn begin(&mut self) {
        self.end();
        self.put(&[0, 0]);
        self.record = self.len;
        self.put(b"PB");
    }

    /// Of the whole record, before `request` or `response`: bytes of the request.
    pub fn request_length(&mut self, bytes: u32) {
        self.number(1, bytes.into());
    }

    pub fn response_length(&mut self, bytes: u32) {
        self.number(2, bytes.into());
    }

    /// Pairs a request and its response.
    pub fn id(&mut self, id: u32) {
        self.number(3, id.into());
    }

    pub fn attribute(&mut self, key: &[u8], value: &[u8]) {
        self.end_part();
        let at = self.open(31);
        self.text(1, key);
        self.text(2, value);
        self.close(at);
    }

    pub fn trace(&mut self, trace_id: &[u8], span_id: &[u8]) {
        self.end_part();
        let at = self.open(12);
        self.text(1, trace_id);
        self.text(2, span_id);
        self.close(at);
    }

    /// Begins the request's fields.
    pub fn request(&mut self) {
        self.end_part();
        self.part = self.open(10);
    }

    pub fn version(&mut self, text: &[u8]) {
        self.text(1, text);
    }

    pub fn request_type(&mut self, text: &[u8]) {
        self.text(2, text);
    }

    pub fn domain(&mut self, text: &[u8]) {
        self.text(3, text);
    }

    pub fn resource(&mut self, text: &[u8]) {
        self.text(4, text);
    }

    pub fn endpoint(&mut self, text: &[u8]) {
        self.text(5, text);
    }

    /// Begins the response's fields.
    pub fn response(&mut self, status: Status) {
        self.end_part();
        self.part = self.open(11);
        self.number(1, status as u64);
    }

    pub fn code(&mut self, code: i32) {
        self.number(2, i64::from(code) as u64);
    }

    pub fn exception(&mut self, text: &[u8]) {
        self.text(3, text);
    }

    pub fn result(&mut self, text: &[u8]) {
        self.text(4, text);
    }

    fn put(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.cut = true,
        }
    }

    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn text(&mut self, field: u64, text: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(text.len() as u64);
        self.put(text);
    }

    /// Lengths inside a record stand in three bytes, which protobuf allows: they are known only behind.
    fn open(&mut self, field: u64) -> usize {
        self.varint(field << 3 | 2);
        self.put(&[0; 3]);
        self.len
    }

    fn close(&mut self, at: usize) {
        let len = self.len - at;
        let length = [
            len as u8 | 0x80,
            (len >> 7) as u8 | 0x80,
            (len >> 14) as u8 & 0x7F,
        ];
        self.set(at - 3, &length);
    }

    fn end_part(&mut self) {
        if self.part != 0 {
            self.close(self.part);
        }
        self.part = 0;
    }

    fn end(&mut self) {
        self.end_part();
        if self.record != 0 {
            let length = ((self.len - self.record) as u16).to_be_bytes();
            self.set(self.record - 2, &length);
        }
        self.record = 0;
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(at..at + bytes.len()) {
            if !self.cut {
                room.copy_from_slice(bytes);
            }
        }
    }

    fn clear(&mut self) {
        (self.len, self.record, self.part, self.cut) = (0, 0, 0, false);
    }

    fn hand_over(&mut self) {
        self.end();
        if self.len > 0 && !self.cut {
            // SAFETY: the host copies these bytes.
            unsafe { host::host_read_l7_protocol_info(self.bytes.as_ptr(), self.len) };
        }
    }
}

// ---- What the host calls ----

mod host {
    #[link(wasm_import_module = "deepflow")]
    extern "C" {
        pub fn wasm_log(text: *const u8, len: usize, level: i32);
        pub fn vm_read_ctx_base(to: *mut u8, room: usize) -> i32;
        pub fn vm_read_payload(to: *mut u8, room: usize) -> i32;
        pub fn vm_read_http_req_info(to: *mut u8, room: usize) -> i32;
        pub fn vm_read_http_resp_info(to: *mut u8, room: usize) -> i32;
        pub fn vm_read_custom_message_info(to: *mut u8, room: usize) -> i32;
        pub fn host_read_l7_protocol_info(from: *const u8, len: usize) -> i32;
        pub fn host_read_str_result(from: *const u8, len: usize) -> i32;
    }
}

/// A variable of the module.
pub struct Global<T>(UnsafeCell<T>);

// SAFETY: there are no threads.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    /// One at a time: each call of the host takes it once, and calls never nest.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn get(&self) -> &mut T {
        &mut *self.0.get()
    }
}

/// What is read into, and written to, once for all calls.
struct Rooms {
    context: [u8; CONTEXT_MAX],
    payload: [u8; PAYLOAD_MAX],
    event: [u8; EVENT_MAX],
    name: [u8; NAME_MAX + 2],
    batch: Batch,
}

static ROOMS: Global<Rooms> = Global::new(Rooms {
    context: [0; CONTEXT_MAX],
    payload: [0; PAYLOAD_MAX],
    event: [0; EVENT_MAX],
    name: [0; NAME_MAX + 2],
    batch: Batch {
        bytes: [0; BATCH_MAX],
        len: 0,
        record: 0,
        part: 0,
        cut: false,
    },
});

type Read = unsafe extern "C" fn(*mut u8, usize) -> i32;

/// What the host has to tell; `None` when it has nothing, or too much.
fn read(function: Read, room: &mut [u8]) -> Option<&[u8]> {
    // SAFETY: the host writes no more than there is room.
    let len = unsafe { function(room.as_mut_ptr(), room.len()) };
    room.get(..usize::try_from(len).ok()?)
}

/// Big-endian structures, from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = (self.0.get(..len)?, self.0.get(len..)?);
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(
            self.take(bytes)?
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let len = self.number(2)?;
        self.take(len as usize)
    }
}

fn context(bytes: &[u8]) -> Option<Context<'_>> {
    let mut fields = Fields(bytes);
    let ip = if fields.number(1)? == 6 { 16 } else { 4 };
    let (src_ip, dst_ip) = (fields.take(ip)?, fields.take(ip)?);
    let (src_port, dst_port) = (fields.number(2)? as u16, fields.number(2)? as u16);
    let (l4, protocol) = (fields.number(1)? as u8, fields.number(1)? as u8);
    fields.take(1)?;
    let (time_us, from_server) = (fields.number(8)?, fields.number(1)? == 1);
    let process = fields.number(1)?;
    fields.take(process as usize)?;
    let flow_id = fields.number(8)?;
    Some(Context {
        from_server,
        l4,
        protocol,
        src_ip,
        dst_ip,
        src_port,
        dst_port,
        time_us,
        flow_id,
    })
}

pub fn run_check(plugin: &mut impl Plugin) -> i32 {
    // SAFETY: taken once.
    let rooms = unsafe { ROOMS.get() };
    let claim = || {
        let context = context(read(host::vm_read_ctx_base, &mut rooms.context)?)?;
        plugin.check(&context, read(host::vm_read_payload, &mut rooms.payload)?)
    };
    let claim = match { claim }() {
        Some(claim) => claim,
        None => return 0,
    };
    let name = claim.name.as_bytes();
    let name = name.get(..NAME_MAX).unwrap_or(name);
    rooms.name[1] = name.len() as u8;
    rooms.name[2..2 + name.len()].copy_from_slice(name);
    // SAFETY: the host copies these bytes.
    unsafe { host::host_read_str_result(rooms.name.as_ptr(), 2 + name.len()) };
    i32::from(claim.number) | if claim.from_server { 2 } else { 1 } << 8
}

/// Reads context, event and payload, and hands over what `run` tells, if it takes them.
fn run(event: Option<Read>, run: impl FnOnce(&Context, &[u8], &[u8], &mut Batch) -> Option<bool>) -> i32 {
    // SAFETY: taken once.
    let rooms = unsafe { ROOMS.get() };
    let batch = &mut rooms.batch;
    batch.clear();
    let taken = || {
        let context = context(read(host::vm_read_ctx_base, &mut rooms.context)?)?;
        let event = match event {
            Some(event) => read(event, &mut rooms.event)?,
            None => &[],
        };
        run(
            &context,
            event,
            read(host::vm_read_payload, &mut rooms.payload)?,
            batch,
        )
    };
    if { taken }() != Some(true) {
        return 0;
    }
    rooms.batch.hand_over();
    1
}

pub fn run_parse(plugin: &mut impl Plugin) -> i32 {
    run(None, |context, _, payload, batch| {
        Some(plugin.parse(context, payload, batch))
    })
}

pub fn run_request(plugin: &mut impl Plugin) -> i32 {
    run(
        Some(host::vm_read_http_req_info),
        |context, event, payload, batch| {
            let mut fields = Fields(event);
            let (path, host) = (fields.text()?, fields.text()?);
            let (user_agent, referer) = (fields.text()?, fields.text()?);
            let request = HttpRequest {
                path,
                host,
                user_agent,
                referer,
            };
            Some(plugin.http_request(context, &request, payload, batch))
        },
    )
}

pub fn run_response(plugin: &mut impl Plugin) -> i32 {
    run(
        Some(host::vm_read_http_resp_info),
        |context, event, payload, batch| {
            let mut fields = Fields(event);
            let (code, status) = (fields.number(2)? as u16, fields.number(1)? as u8);
            let response = HttpResponse {
                code,
                status,
                endpoint: fields.text().unwrap_or_default(),
            };
            Some(plugin.http_response(context, &response, payload, batch))
        },
    )
}

pub fn run_message(plugin: &mut impl Plugin) -> i32 {
    run(
        Some(host::vm_read_custom_message_info),
        |context, event, payload, batch| {
            let mut fields = Fields(event);
            fields.take(6)?;
            let len = fields.number(4)?;
            Some(plugin.message(context, fields.take(len as usize)?, payload, batch))
        },
    )
}

pub const fn bitmap(hooks: u32) -> [u8; 16] {
    let mut bitmap = [0; 16];
    bitmap[0] = ((hooks & HTTP_REQUEST) << 6 | (hooks & HTTP_RESPONSE) << 4 | (hooks & MESSAGE) << 2) as u8;
    bitmap[15] = (hooks & PARSE) as u8;
    bitmap
}

/// `serve!(House, House)`: which type the plugin is, and its first value (a constant).
macro_rules! serve {
    ($plugin:ty, $value:expr) => {
        #[allow(unsafe_code)]
        mod exports {
            use super::*;
            use crate::tapir_plugin::{self as sdk, Plugin};

            static PLUGIN: sdk::Global<$plugin> = sdk::Global::new($value);
            static BITMAP: [u8; 16] = sdk::bitmap(<$plugin as Plugin>::HOOKS);
            static MESSAGES: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, <$plugin as Plugin>::MESSAGES];

            #[no_mangle]
            extern "C" fn _start() {}

            #[no_mangle]
            extern "C" fn get_hook_bitmap() -> *const u8 {
                BITMAP.as_ptr()
            }

            #[no_mangle]
            extern "C" fn get_custom_message_hook() -> *const u8 {
                MESSAGES.as_ptr()
            }

            $crate::tapir_plugin::exports! {
                check_payload run_check, parse_payload run_parse, on_http_req run_request,
                on_http_resp run_response, on_custom_message run_message
            }
        }
    };
}

macro_rules! exports {
    ($($name:ident $run:ident),*) => {$(
        #[no_mangle]
        extern "C" fn $name() -> i32 {
            // SAFETY: taken once.
            sdk::$run(unsafe { PLUGIN.get() })
        }
    )*};
}

pub(crate) use {exports, serve};
