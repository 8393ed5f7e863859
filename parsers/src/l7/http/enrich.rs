//! Shows messages of the HTTP family to plugins.

use super::header::Header;
use crate::conversation::Out;
use crate::field::Status;
use crate::l7::Protocol;
use crate::limits::{STITCH_BYTES_MAX, UPGRADE_TEXT_BYTES_MAX};
use crate::parser::{Advance, Input};
use crate::plugin::{Event, Hook, l7};

/// How a parser waits for the body of a message that plugins want to see, of `head` bytes and then `body`:
/// as much of it as they are shown. `None`: it is there, or nobody waits for it.
#[inline]
pub(crate) fn wait(
    out: &mut Out<'_>,
    hook: Hook,
    head: usize,
    body: u64,
    input: Input<'_>,
) -> Option<Advance> {
    let shown = out.enriching_bytes(hook).min(STITCH_BYTES_MAX) as u64;
    if shown == 0 || input.ended {
        return None;
    }
    let wanted = body.saturating_add(head as u64).min(shown) as usize;
    (wanted > input.bytes.len()).then_some(Advance::Need(wanted))
}

/// Shows plugins the request that was just opened; its text must not have been written.
#[inline]
pub(crate) fn request<'f>(
    out: &mut Out<'_>,
    protocol: Protocol,
    path: &[u8],
    authority: Option<&[u8]>,
    fields: impl Iterator<Item = (Header, &'f [u8])>,
) {
    if out.enriching_bytes(Hook::HttpRequest) == 0 {
        return;
    }
    let (mut host, mut user_agent, mut referer) = (authority.unwrap_or(b""), &b""[..], &b""[..]);
    for (header, value) in fields {
        let text = match header {
            Header::Host => &mut host,
            Header::UserAgent => &mut user_agent,
            Header::Referer => &mut referer,
            _ => continue,
        };
        if text.is_empty() {
            *text = value;
        }
    }
    let event = Event::HttpRequest {
        protocol: number(protocol),
        path,
        host,
        user_agent,
        referer,
    };
    out.enrich(&event);
}

/// Shows plugins the response that was just opened; its text must not have been written.
#[inline]
pub(crate) fn response(out: &mut Out<'_>, protocol: Protocol, code: u16, status: Status) {
    if out.enriching_bytes(Hook::HttpResponse) == 0 {
        return;
    }
    let mut endpoint = [0; UPGRADE_TEXT_BYTES_MAX];
    let len = out.request_endpoint(&mut endpoint);
    let event = Event::HttpResponse {
        protocol: number(protocol),
        code,
        status,
        endpoint: endpoint.get(..len).unwrap_or(&[]),
    };
    out.enrich(&event);
}

/// DeepFlow's number of a protocol of the HTTP family.
fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Http2 => l7::HTTP2,
        Protocol::Grpc => l7::GRPC,
        Protocol::Triple => l7::TRIPLE,
        _ => l7::HTTP1,
    }
}
