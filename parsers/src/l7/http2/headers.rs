//! Header blocks: what they begin, say and end. Source: RFC 9113 sections 4.3, 6.2, 6.6, 6.10 and 8.

use super::block::{self, Content, Extent, Joined};
use super::data::role_of;
use super::fields::Fields;
use super::frame::{self, Frame, HEADER_BYTES, Kind, flag};
use super::name::{GRPC_STATUS, Name};
use super::{Http2, hpack, message};
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::l7::http::target;
use crate::limits::STITCH_BYTES_MAX;
use crate::parser::{Advance, Direction, Input};

/// A header block longer than what can be read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlong {
    role: Role,
    stream: u32,
    /// Its message ends with it.
    ends: bool,
}

/// What is known of a message when its header block was read.
struct Message {
    stream: u32,
    pushed: bool,
    /// Nothing follows.
    ends: bool,
    /// Bytes of the block's frames.
    len: u64,
    /// More of its frames follow than were looked at.
    reaches_on: bool,
}

impl Http2 {
    pub(super) fn headers(
        &mut self,
        direction: Direction,
        frame: &Frame,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        // No more is looked at than what can be stitched, however much is here: segments decide nothing.
        let bytes = input.bytes.get(..STITCH_BYTES_MAX).unwrap_or(input.bytes);
        let ended = input.ended || bytes.len() == STITCH_BYTES_MAX;
        let (end, reaches_on) = match block::extent(frame, bytes) {
            Extent::Whole(end) => (end, false),
            Extent::Need(count) if !ended => return Advance::Need(count),
            Extent::Need(_) => (frame.len(), !frame.has(flag::END_HEADERS)),
            Extent::Broken => return Advance::Malformed,
        };
        let promised = match frame.kind {
            Kind::PushPromise => match promised(direction, frame, bytes) {
                Some(stream) => Some(stream),
                None => return Advance::Malformed,
            },
            _ => None,
        };
        let message = Message {
            stream: promised.unwrap_or(frame.stream),
            pushed: promised.is_some(),
            ends: promised.is_some() || frame.has(flag::END_STREAM),
            len: end as u64,
            reaches_on,
        };
        let skip = if promised.is_some() { 4 } else { 0 };
        if frame.has(flag::END_HEADERS) {
            self.block(direction, message, block::single(frame, bytes, skip), out)
        } else {
            self.joined_block(direction, message, frame, bytes, skip, out)
        }
    }

    /// Reads a block of several frames. By itself, because the room to join them is large.
    #[cold]
    #[inline(never)]
    fn joined_block(
        &mut self,
        direction: Direction,
        message: Message,
        frame: &Frame,
        bytes: &[u8],
        skip: usize,
        out: &mut Out<'_>,
    ) -> Advance {
        let mut joined = Joined::new();
        let content = block::several(frame, bytes, skip, &mut joined);
        self.block(direction, message, content, out)
    }

    fn block(
        &mut self,
        direction: Direction,
        mut message: Message,
        content: Option<Content<'_>>,
        out: &mut Out<'_>,
    ) -> Advance {
        let Some(content) = content else {
            return Advance::Malformed;
        };
        let mut fields = Fields::new();
        let half = self.half(direction);
        let read = if content.whole {
            hpack::decode(content.bytes, &mut half.table, &mut fields)
        } else {
            let read = hpack::decode_part(content.bytes, &mut half.table, &mut fields).map(|_| ());
            fields.unknown = true;
            half.table.forget();
            read
        };
        if read.is_err() {
            return Advance::Malformed;
        }
        half.overlong = None;
        if message.reaches_on {
            let role = if message.pushed {
                Role::Request
            } else {
                role_of(direction)
            };
            half.overlong = Some(Overlong {
                role,
                stream: message.stream,
                ends: message.ends,
            });
            message.ends = false;
        }
        if direction == Direction::ToServer || message.pushed {
            self.request(direction, &message, &fields, out);
        } else {
            self.response(&message, &fields, out);
        }
        Advance::Skip(message.len)
    }

    /// A piece of a block that is too long, or whose beginning was not seen: what it does to the table is not
    /// known.
    #[cold]
    pub(super) fn unread(&mut self, direction: Direction, frame: &Frame, out: &mut Out<'_>) -> Advance {
        let half = self.half(direction);
        half.table.forget();
        let Some(Overlong { role, stream, ends }) = half.overlong else {
            return Advance::Skip(frame.len() as u64);
        };
        let last = frame.has(flag::END_HEADERS);
        if last {
            half.overlong = None;
        }
        if out.select(role, u64::from(stream)) {
            out.add_len(frame.len() as u64);
            if last && ends {
                self.end_pieces(direction, stream);
                self.close(direction, stream, out);
            }
        }
        Advance::Skip(frame.len() as u64)
    }

    fn request(&mut self, direction: Direction, message: &Message, fields: &Fields, out: &mut Out<'_>) {
        let id = u64::from(message.stream);
        // Trailers say nothing of a request; without its beginning neither.
        if !out.select(Role::Request, id) {
            if !fields.has(Name::Method) && !fields.unknown {
                return;
            }
            out.open(Role::Request, Some(id));
            if message.pushed {
                out.pushed();
            }
            let protocol = message::request(fields, self.usual, out);
            if !message.pushed {
                self.usual.learn(protocol, fields);
                self.begin_pieces(direction, message.stream, out);
            }
            let half = self.half(direction);
            half.highest = half.highest.max(message.stream);
        }
        out.add_len(message.len);
        if message.ends {
            self.end_pieces(direction, message.stream);
            out.close();
        }
    }

    fn response(&mut self, message: &Message, fields: &Fields, out: &mut Out<'_>) {
        let id = u64::from(message.stream);
        let status = fields.get(Name::Status);
        if status.is_some_and(|status| status.starts_with(b"1")) {
            // An interim response: the one to come answers the request (RFC 9110 section 15.2).
            return;
        }
        if out.select(Role::Response, id) {
            message::trailers(fields, self.usual, out);
        } else {
            let tells = status.is_some() || fields.unknown || fields.has(GRPC_STATUS);
            if !tells {
                return;
            }
            out.open(Role::Response, Some(id));
            message::response(fields, self.usual, out);
            self.begin_web(message.ends, fields, out);
            self.begin_pieces(Direction::ToClient, message.stream, out);
            if status.is_none() {
                out.truncated();
            }
            if message.stream == 1 && !out.has_request() {
                self.describe_upgrade(out);
            }
        }
        out.add_len(message.len);
        if message.ends {
            self.close(Direction::ToClient, message.stream, out);
        }
    }

    /// The response to the request that asked for HTTP/2 (section 3.1 of RFC 7540, where that was specified).
    fn describe_upgrade(&mut self, out: &mut Out<'_>) {
        if let Some(upgrade) = self.upgrade.take() {
            out.text(Field::Domain, &upgrade.domain);
            target::write(out, &upgrade.resource);
        }
    }
}

/// The stream that a PUSH_PROMISE reserves (section 6.6).
fn promised(direction: Direction, frame: &Frame, bytes: &[u8]) -> Option<u32> {
    let payload = bytes.get(HEADER_BYTES..)?;
    let payload = payload.get(usize::from(frame.has(flag::PADDED))..)?;
    let stream = frame::number(payload)? & 0x7FFF_FFFF;
    let pushed = direction == Direction::ToClient && stream != 0 && stream.is_multiple_of(2);
    pushed.then_some(stream)
}
