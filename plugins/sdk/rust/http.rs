//! Adds to HTTP what only this house knows: who asked, by the query; which trace a request belongs to, by a header
//! of its own; and how it really went, by the body that comes with code 200.
#![no_std]
#![deny(unsafe_code)]

mod tapir_plugin;

use tapir_plugin::{Batch, Context, HttpRequest, HttpResponse, Plugin, Status};

/// `X-House-Trace: TRACE/SPAN`.
const TRACE: &[u8] = b"x-house-trace:";
/// What a body begins with when something went wrong, before the message and `"}`.
const WRONG: &[u8] = br#"{"error":""#;

struct Http;

tapir_plugin::serve!(Http, Http);

/// The value of a parameter in the query of `path`.
fn parameter<'a>(path: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let query = path.splitn(2, |byte| *byte == b'?').nth(1)?;
    let mut pairs = query.split(|byte| *byte == b'&');
    pairs.find_map(|pair| pair.strip_prefix(key)?.strip_prefix(b"="))
}

/// The value of the line that begins with `name`, in lower case.
fn header<'a>(message: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut lines = message.split(|byte| *byte == b'\n');
    // Up to the empty line before the body.
    let value = lines.by_ref().take_while(|line| *line != b"\r").find(|line| {
        line.get(..name.len())
            .map_or(false, |begin| begin.eq_ignore_ascii_case(name))
    })?;
    let value = value.get(name.len()..)?;
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

fn body(message: &[u8]) -> Option<&[u8]> {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    message.get(end + 4..)
}

impl Plugin for Http {
    const HOOKS: u32 = tapir_plugin::HTTP_REQUEST | tapir_plugin::HTTP_RESPONSE;

    fn http_request(
        &mut self,
        _: &Context,
        request: &HttpRequest,
        payload: &[u8],
        batch: &mut Batch,
    ) -> bool {
        let user = parameter(request.path, b"user");
        let trace = header(payload, TRACE);
        if user.is_none() && trace.is_none() {
            return false;
        }
        batch.begin();
        if let Some(user) = user {
            batch.attribute(b"user", user);
        }
        if let Some(trace) = trace {
            let mut ids = trace.splitn(2, |byte| *byte == b'/');
            batch.trace(ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
        }
        true
    }

    fn http_response(
        &mut self,
        _: &Context,
        response: &HttpResponse,
        payload: &[u8],
        batch: &mut Batch,
    ) -> bool {
        let said = body(payload).and_then(|body| body.strip_prefix(WRONG));
        let message = match said {
            Some(said) if response.code == 200 => said.split(|byte| *byte == b'"').next().unwrap_or_default(),
            _ => return false,
        };
        batch.begin();
        batch.attribute(b"asked", response.endpoint);
        batch.response(Status::ServerError);
        batch.exception(message);
        true
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
