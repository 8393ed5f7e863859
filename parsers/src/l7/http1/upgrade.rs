//! What a WebSocket is opened for. Source: RFC 6455 sections 1.9, 4.2.2 and 9.1.

use crate::conversation::Out;
use crate::l7::Protocol;
use crate::l7::http::header::trim;

/// The protocol that is read within the WebSocket that this response head opens. `None`: its own messages
/// are told, because nothing was agreed, nothing that is read or wanted, or compression, which leaves
/// nothing to read.
pub(super) fn within_websocket(head: &[u8], out: &Out<'_>) -> Option<Protocol> {
    if value_of(head, b"sec-websocket-extensions").is_some_and(|list| !list.is_empty()) {
        return None;
    }
    let agreed = value_of(head, b"sec-websocket-protocol")?;
    Protocol::of_subprotocol(agreed).filter(|protocol| out.wants(*protocol))
}

/// The value of the first field of this name, which is in lower case.
fn value_of<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name).then(|| trim(value))
    })
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn fields_are_found_by_their_whole_name_in_any_case() {
        let head = b"HTTP/1.1 101 x\r\nSec-WebSocket-Protocols: a\r\nSEC-WebSocket-Protocol: \tmqtt \r\n\r\n";
        assert_eq!(value_of(head, b"sec-websocket-protocol"), Some(&b"mqtt"[..]));
        assert_eq!(value_of(head, b"sec-websocket-extensions"), None);
        assert_eq!(value_of(b"", b"sec-websocket-extensions"), None);
    }
}
