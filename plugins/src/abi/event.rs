//! What a guest reads of a message that a built-in parser has read: `HttpReq`, `HttpResp`, `CustomMessage`.

use super::writer::Writer;
use tapir_parsers::plugin::{Event, status_number};

/// The only hook point of custom messages: where a protocol is parsed.
const PROTOCOL_PARSE: u16 = 0;
/// Code and status of a response: all that guests before 2026 have room for.
const SHORT_RESPONSE_BYTES: usize = 3;

/// Writes the structure of an event; `None` when it does not fit.
pub fn write(event: &Event<'_>, to: &mut [u8]) -> Option<usize> {
    let mut to = Writer::new(to);
    match event {
        Event::HttpRequest {
            path,
            host,
            user_agent,
            referer,
            ..
        } => {
            for text in [path, host, user_agent, referer] {
                to.text(text);
            }
        }
        Event::HttpResponse {
            code,
            status,
            endpoint,
            ..
        } => {
            to.u16(*code);
            to.u8(status_number(*status));
            to.text(endpoint);
        }
        Event::Message { protocol, message } => {
            to.u16(PROTOCOL_PARSE);
            to.u32(u32::from(*protocol));
            to.u32(message.len() as u32);
            to.bytes(message);
        }
    }
    to.finish()
}

/// What a guest with room for `room` bytes gets of an encoded event: nothing, or all of it; of a response
/// at least its beginning.
pub fn fitting(encoded: &[u8], is_response: bool, room: usize) -> Option<&[u8]> {
    if encoded.len() <= room {
        Some(encoded)
    } else if is_response && room >= SHORT_RESPONSE_BYTES {
        encoded.get(..SHORT_RESPONSE_BYTES)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::record::hex;
    use tapir_parsers::field::Status;
    use tapir_parsers::plugin::l7;

    fn written(event: &Event<'_>) -> Vec<u8> {
        let mut room = [0; 256];
        let len = write(event, &mut room).unwrap();
        room[..len].to_vec()
    }

    #[test]
    fn a_request_is_the_example() {
        let event = Event::HttpRequest {
            protocol: l7::HTTP1,
            path: b"/test?a=1&b=2&c=test",
            host: b"abc.com",
            user_agent: b"deepflow",
            referer: b"aaa.com",
        };
        let wanted = hex(
            "0014 2f746573743f613d3126623d3226633d74657374 0007 6162632e636f6d \
                          0008 64656570666c6f77 0007 6161612e636f6d",
        );
        assert_eq!(written(&event), wanted);
        assert_eq!(write(&event, &mut [0; 49]), None);
    }

    #[test]
    fn a_response_is_the_example_and_is_short_for_old_guests() {
        let event = Event::HttpResponse {
            protocol: l7::HTTP1,
            code: 404,
            status: Status::ClientError,
            endpoint: b"/api/user",
        };
        let whole = written(&event);
        assert_eq!(whole, hex("0194 04 0009 2f6170692f75736572"));
        assert_eq!(fitting(&whole, true, 65_536), Some(&whole[..]));
        assert_eq!(fitting(&whole, true, 13), Some(&whole[..3]));
        assert_eq!(fitting(&whole, true, 3), Some(&hex("0194 04")[..]));
        assert_eq!(fitting(&whole, true, 2), None);
        assert_eq!(fitting(&whole, false, 13), None);
        let well = Event::HttpResponse {
            protocol: l7::HTTP1,
            code: 200,
            status: Status::Ok,
            endpoint: b"",
        };
        assert_eq!(fitting(&written(&well), true, 3), Some(&hex("00c8 00")[..]));
    }

    #[test]
    fn messages_are_the_examples() {
        let nats = hex("0a03612e62 12045f522e31 1a026869");
        let event = |protocol, message| Event::Message { protocol, message };
        let wanted = hex("0000 00000068 0000000f 0a03612e62 12045f522e31 1a026869");
        assert_eq!(written(&event(l7::NATS, &nats)), wanted);
        assert_eq!(written(&event(l7::DUBBO, b"")), hex("0000 00000028 00000000"));
    }
}
