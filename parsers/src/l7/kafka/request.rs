//! What clients send.

use super::Kafka;
use super::cursor::Lack;
use super::header::{self, LENGTH_BYTES, Request};
use super::layout::Field as LayoutField;
use super::notes::Topical;
use super::probe;
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::parser::{Advance, Direction, Input};

/// What a response needs to know of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u32);

impl Tag {
    /// The request has named its topics.
    const NAMED: u32 = 1 << 24;
    /// A tag is never 0, which stands for none.
    const SET: u32 = 1 << 31;

    /// That of no request.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn new(key: u16, version: u16) -> Self {
        Self(Self::SET | u32::from(key) << 8 | u32::from(version & 0xFF))
    }

    pub(super) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) fn key(self) -> u16 {
        (self.0 >> 8) as u16
    }

    pub(super) fn version(self) -> u8 {
        self.0 as u8
    }

    /// The tag of a request that has named its topics.
    pub(super) fn named(self) -> u32 {
        self.0 | Self::NAMED
    }

    pub(super) fn is_named(self) -> bool {
        self.0 & Self::NAMED != 0
    }
}

impl Kafka {
    /// The head of a request.
    pub(super) fn begin_request(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.may_send_tokens && input.bytes.len() >= LENGTH_BYTES {
            match probe::is_request(input.bytes, input.ended) {
                None => return Advance::Need(input.bytes.len() + 1),
                // Whoever asks for something else has been let in.
                Some(true) => (self.may_send_tokens, self.tokens) = (false, 0),
                Some(false) => return self.token(input, out),
            }
        }
        let request = match Request::read(input.bytes) {
            Ok(request) => request,
            Err(Lack::Bytes(to)) => return Advance::Need(usize::try_from(to).unwrap_or(usize::MAX)),
            Err(Lack::Broken) => return Advance::Malformed,
        };
        let role = if request.is_oneway {
            Role::OneWay
        } else {
            Role::Request
        };
        out.open(role, Some(u64::from(request.correlation)));
        match request.api {
            Some(api) => out.text(Field::ReqType, api.name.as_bytes()),
            None => out.write(Field::ReqType).push_number(u64::from(request.key)),
        }
        out.write(Field::Version).push_number(u64::from(request.version));
        out.text(Field::Domain, request.client);
        if request.is_cut {
            out.truncated();
        }
        let tag = Tag::new(request.key, request.version);
        out.tag(tag.0);
        if role == Role::Request {
            self.under_way.add(request.correlation, tag);
        }
        if request.key == header::SASL_HANDSHAKE && request.version == 0 {
            self.may_send_tokens = true;
        }
        let Some(side) = self.sides.get_mut(Direction::ToServer.index()) else {
            return Advance::Malformed;
        };
        side.known.clear();
        side.left = request.bytes;
        side.topical = Topical::Tell;
        side.tells_outcome = false;
        side.tag = tag;
        let version = request.version.min(0xFF) as u8;
        let fields: &'static [LayoutField] = match request.api {
            Some(api) if request.is_known() => api.request,
            _ => &[],
        };
        let flexible = request
            .api
            .is_some_and(|api| header::is_flexible(api, request.version));
        side.walk.begin(fields, version, flexible);
        self.go_on(Direction::ToServer, input, request.fields_at, out)
    }

    /// A token of SASL, of which only the length is told.
    fn token(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(bytes) = header::message_bytes(input.bytes) else {
            return Advance::Malformed;
        };
        self.tokens = self.tokens.saturating_add(1);
        out.open(Role::Request, None);
        out.text(Field::ReqType, b"SaslToken");
        out.close();
        Advance::Skip(bytes)
    }
}
