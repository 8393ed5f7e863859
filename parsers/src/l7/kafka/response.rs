//! What brokers send.

use super::Kafka;
use super::cursor::{Cursor, Lack};
use super::header::{self, LENGTH_BYTES, RESPONSE_BYTES_MIN};
use super::layout::Field as LayoutField;
use super::layouts;
use super::notes::Topical;
use super::request::Tag;
use super::walk::pass_tag;
use crate::conversation::{Out, Role};
use crate::parser::{Advance, Direction, Input};

/// API keys of requests that go on with what an earlier one of their session has asked for.
const FETCH: u8 = 1;
const SHARE_FETCH: u8 = 78;
/// API keys whose responses have names of topics beside their ids.
const METADATA: u8 = 3;
const CREATE_TOPICS: u8 = 19;
const DESCRIBE_TOPIC_PARTITIONS: u8 = 75;

impl Kafka {
    /// The head of a response.
    pub(super) fn begin_response(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(bytes) = header::message_bytes(input.bytes) else {
            return if input.bytes.len() < LENGTH_BYTES {
                Advance::Need(LENGTH_BYTES)
            } else {
                Advance::Malformed
            };
        };
        if self.tokens > 0 {
            return self.token_answer(bytes, out);
        }
        if bytes < RESPONSE_BYTES_MIN as u64 {
            return Advance::Malformed;
        }
        let Some(correlation) = correlation(input.bytes) else {
            return Advance::Need(RESPONSE_BYTES_MIN);
        };
        let id = Some(u64::from(correlation));
        let tag = out.answering(id).map(Tag::from_bits);
        let layout = tag.and_then(layout);
        let mut cursor = Cursor::new(input.bytes, RESPONSE_BYTES_MIN as u64, bytes);
        if layout.as_ref().is_some_and(|layout| layout.has_tags)
            && let Err(Lack::Bytes(to)) = pass_tags(&mut cursor)
        {
            return Advance::Need(usize::try_from(to).unwrap_or(usize::MAX));
        }
        out.open(Role::Response, id);
        self.under_way.remove(correlation);
        let Some(side) = self.sides.get_mut(Direction::ToClient.index()) else {
            return Advance::Malformed;
        };
        let Some(layout) = layout else {
            // Nobody knows what it says.
            out.close();
            return Advance::Skip(bytes);
        };
        side.known.clear();
        side.left = bytes;
        side.tells_outcome = true;
        side.topical = layout.topical;
        side.walk.begin(layout.fields, layout.version, layout.flexible);
        self.go_on(Direction::ToClient, input, cursor.at, out)
    }

    /// The answer to a token of SASL; the last one may be empty.
    fn token_answer(&mut self, bytes: u64, out: &mut Out<'_>) -> Advance {
        self.tokens -= 1;
        out.open(Role::Response, None);
        out.status(crate::field::Status::Ok);
        out.close();
        Advance::Skip(bytes)
    }
}

/// The correlation id of a response.
pub(super) fn correlation(head: &[u8]) -> Option<u32> {
    head.get(LENGTH_BYTES..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

/// How the response to a request is laid out.
struct Layout {
    fields: &'static [LayoutField],
    version: u8,
    flexible: bool,
    has_tags: bool,
    topical: Topical,
}

/// The layout of the response to the request of `tag`; `None` where it is not known.
fn layout(tag: Tag) -> Option<Layout> {
    let api = layouts::api(tag.key())?;
    let version = u16::from(tag.version());
    if !header::is_known(api, version) {
        return None;
    }
    let topical = match api.key {
        FETCH | SHARE_FETCH if !tag.is_named() => Topical::Tell,
        METADATA | CREATE_TOPICS | DESCRIBE_TOPIC_PARTITIONS => Topical::Learn,
        _ => Topical::Ignore,
    };
    Some(Layout {
        fields: api.response,
        version: tag.version(),
        flexible: header::is_flexible(api, version),
        has_tags: header::has_tags(api, version),
        topical,
    })
}

/// Passes the tagged fields of a header.
fn pass_tags(cursor: &mut Cursor<'_>) -> Result<(), Lack> {
    for _ in 0..cursor.length_of_tags()? {
        pass_tag(cursor)?;
    }
    Ok(())
}
