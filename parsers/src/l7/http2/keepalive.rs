//! PING and SETTINGS: counted, and told only where that is asked for. Source: RFC 9113 sections 6.5 and 6.7.

use super::Http2;
use super::frame::{Frame, HEADER_BYTES, Kind, flag};
use super::message::VERSION;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::parser::{Advance, Direction};

/// What SETTINGS and their acknowledgement have in common, besides who sent the former.
const SETTINGS_TAG: u32 = 1;
/// Tags of PINGs are not below this.
const PING_TAG_MIN: u32 = SETTINGS_TAG + 2;

impl Http2 {
    /// Takes the whole frame at the start of `bytes`. Either side sends them, and the other acknowledges.
    pub(super) fn keepalive(
        &mut self,
        direction: Direction,
        frame: &Frame,
        bytes: &[u8],
        out: &mut Out<'_>,
    ) -> Advance {
        let payload = bytes.get(HEADER_BYTES..frame.len()).unwrap_or(&[]);
        if frame.kind == Kind::Settings {
            self.settings(direction, payload);
        }
        if out.keepalive() {
            tell(direction, frame, payload, out);
        }
        Advance::Consumed(frame.len())
    }
}

fn tell(direction: Direction, frame: &Frame, payload: &[u8], out: &mut Out<'_>) {
    let acknowledges = frame.has(flag::ACK);
    // Both sides ask: an acknowledgement answers the other one's question.
    let asker = if acknowledges {
        direction.opposite()
    } else {
        direction
    };
    let (name, tag): (&[u8], u32) = match frame.kind {
        Kind::Settings => (b"SETTINGS", SETTINGS_TAG + asker as u32),
        _ => (b"PING", ping_tag(asker, payload)),
    };
    let connection = Some(u64::from(frame.stream));
    if acknowledges {
        out.open_tagged(Role::Response, connection, tag);
        out.status(Status::Ok);
    } else {
        out.open_tagged(Role::Request, connection, tag);
    }
    if !out.has_request() || !acknowledges {
        out.text(Field::Version, VERSION);
        out.text(Field::ReqType, name);
    }
    out.add_len(frame.len() as u64);
    out.close();
}

/// An acknowledgement repeats the eight bytes of its PING.
fn ping_tag(asker: Direction, payload: &[u8]) -> u32 {
    let folded = payload.iter().fold(asker as u32, |tag, byte| {
        tag.wrapping_mul(0x0100_0193) ^ u32::from(*byte)
    });
    folded.max(PING_TAG_MIN)
}

#[cfg(test)]
mod tests {
    use super::super::hpack::encoder::Write::Indexed;
    use super::super::tests::*;
    use crate::field::Field;

    #[test]
    fn pings_and_settings_are_told_where_that_is_asked_for() {
        let ping = |flags, number: u8| frame(6, flags, 0, &[0, 0, 0, 0, 0, 0, 0, number]);
        let mut script = connected()
            .client([ping(0, 1), headers(1, END_STREAM, &get("/")), ping(0, 2)].concat())
            .server([ping(1, 2), headers(1, 0, &[Indexed(8)]), ping(1, 1)].concat())
            .server([ping(0, 3), data(1, END_STREAM, 5)].concat())
            .client(ping(1, 3));
        assert_eq!(script.replay().len(), 1);
        script.check();

        script.settings.keepalive_records = true;
        let told = script.replay();
        let count = |kind, name| {
            let fits = |t: &&crate::testing::Told| (t.kind, t.text(Field::ReqType)) == (kind, name);
            told.iter().filter(fits).count()
        };
        assert_eq!(count("matched", "SETTINGS"), 2);
        assert_eq!(count("matched", "PING"), 3);
        assert_eq!(count("matched", "GET"), 1);
        assert_eq!(told.len(), 6);
        let ping = told.iter().find(|t| t.text(Field::ReqType) == "PING").unwrap();
        assert_eq!((ping.request_id, ping.status), (Some(0), "ok"));
        assert_eq!((ping.req_len, ping.resp_len), (Some(17), Some(17)));
        script.check();
    }
}
