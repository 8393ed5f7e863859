//! What the fields of a message say, put into its record.

use super::errors;
use super::layout::Note;
use super::names::Names;
use super::topics::{ID_BYTES, Topics, id_text};
use super::walk::Notes;
use crate::conversation::Out;
use crate::field::{Field, Status};
use crate::l7::http::header::{self, Header};
use crate::limits::KAFKA_TOPICS_BYTES_MAX;

/// FindCoordinator: what is looked for is a consumer or share group, or a transactional producer.
const KEY_OF_GROUP: u8 = 0;
const KEY_OF_TRANSACTION: u8 = 1;

/// What is known of the message at hand.
#[derive(Default)]
pub(super) struct Known {
    /// Topics, comma joined; what FindCoordinator looks for, before it is known what that is.
    names: Names,
    /// Bytes of the first topic's name.
    first_bytes: usize,
    /// Where the last topic's name begins.
    last_at: usize,
    /// What the key of FindCoordinator is.
    key_type: Option<u8>,
    /// The first error.
    error: i16,
    /// The error that was read last.
    last_error: i16,
    told: Told,
}

/// What has gone into the record.
#[derive(Clone, Copy, Default)]
struct Told {
    resource: bool,
    endpoint: bool,
    group: bool,
    transaction: bool,
    offset: bool,
    message: bool,
    headers: bool,
}

impl Known {
    /// Of no message.
    pub(super) const NOTHING: Self = Self {
        names: Names::EMPTY,
        first_bytes: 0,
        last_at: 0,
        key_type: None,
        error: 0,
        last_error: 0,
        told: Told {
            resource: false,
            endpoint: false,
            group: false,
            transaction: false,
            offset: false,
            message: false,
            headers: false,
        },
    };

    /// Forgets the last message.
    pub(super) fn clear(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        names.clear();
        *self = Self {
            names,
            ..Self::NOTHING
        };
    }

    /// Whether a topic was named.
    pub(super) fn has_topics(&self) -> bool {
        self.first_bytes > 0
    }

    /// A response has been read to its end: without an error all went well.
    pub(super) fn tell_outcome(&self, out: &mut Out<'_>) {
        if self.error == 0 {
            out.code(0);
            out.status(Status::Ok);
        }
    }

    /// All topics are known: writes them.
    pub(super) fn tell_topics(&mut self, out: &mut Out<'_>) {
        if self.told.resource || !self.has_topics() {
            return;
        }
        self.told.resource = true;
        out.text(Field::Resource, self.names.bytes());
    }

    /// No partition follows: the topic alone is the endpoint.
    pub(super) fn tell_endpoint(&mut self, out: &mut Out<'_>) {
        if self.told.endpoint || !self.has_topics() {
            return;
        }
        self.told.endpoint = true;
        out.text(Field::Endpoint, self.first_topic());
    }

    fn first_topic(&self) -> &[u8] {
        self.names.bytes().get(..self.first_bytes).unwrap_or(&[])
    }

    fn last_topic(&self) -> &[u8] {
        self.names.bytes().get(self.last_at..).unwrap_or(&[])
    }

    fn add_topic(&mut self, name: &[u8], out: &mut Out<'_>) {
        if name.is_empty() || (self.has_topics() && self.last_topic() == name) {
            return;
        }
        if self.names.bytes().len() + 1 + name.len() > KAFKA_TOPICS_BYTES_MAX {
            out.truncated();
            return;
        }
        if self.has_topics() {
            self.names.push(b",");
        } else {
            self.first_bytes = name.len();
        }
        self.last_at = self.names.bytes().len();
        self.names.push(name);
    }

    /// The topic that the next field is about.
    fn set_topic(&mut self, name: &[u8]) {
        self.names.clear();
        self.names
            .push(name.get(..KAFKA_TOPICS_BYTES_MAX).unwrap_or(name));
        (self.first_bytes, self.last_at) = (self.names.bytes().len(), 0);
    }

    fn tell_partition(&mut self, partition: &[u8], out: &mut Out<'_>) {
        if self.told.endpoint || !self.has_topics() {
            return;
        }
        self.told.endpoint = true;
        let mut text = out.write(Field::Endpoint);
        text.push(self.first_topic());
        text.push(b"-");
        push_integer(&mut text, partition);
    }

    fn tell_group(&mut self, group: &[u8], out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.told.group, true) {
            out.attr("group_id", group);
        }
    }

    fn tell_transaction(&mut self, id: &[u8], out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.told.transaction, true) {
            out.attr("transactional_id", id);
        }
    }

    fn tell_key(&mut self, key: &[u8], out: &mut Out<'_>) {
        match self.key_type {
            Some(KEY_OF_GROUP) => self.tell_group(key, out),
            Some(KEY_OF_TRANSACTION) => self.tell_transaction(key, out),
            Some(_) => {}
            // Its type follows.
            None => self.names.push(key),
        }
    }

    fn set_key_type(&mut self, key_type: u8, out: &mut Out<'_>) {
        self.key_type = Some(key_type);
        let key = std::mem::take(&mut self.names);
        if !key.bytes().is_empty() {
            self.tell_key(key.bytes(), out);
        }
        self.names = key;
        self.names.clear();
    }

    fn tell_offset(&mut self, offset: &[u8], out: &mut Out<'_>) {
        // -1 stands for none.
        if !self.told.offset && offset.first().is_some_and(|byte| *byte < 0x80) {
            self.told.offset = true;
            push_integer(&mut out.write_attr("offset"), offset);
        }
    }

    fn tell_error(&mut self, code: i16, out: &mut Out<'_>) {
        self.last_error = code;
        if self.error == 0 && code != 0 {
            self.error = code;
            out.code(i64::from(code));
            out.status(Status::ServerError);
            if let Some(name) = errors::name(code) {
                out.text(Field::Exception, name.as_bytes());
            }
        }
    }

    fn tell_message(&mut self, message: &[u8], out: &mut Out<'_>) {
        if self.last_error != 0 && !std::mem::replace(&mut self.told.message, true) {
            out.attr("error_message", message);
        }
    }

    fn tell_header(&mut self, name: &[u8], value: &[u8], out: &mut Out<'_>) {
        self.told.headers = true;
        if let Some(
            found @ (Header::TraceParent
            | Header::B3
            | Header::B3TraceId
            | Header::B3SpanId
            | Header::Sw8
            | Header::UberTraceId
            | Header::SofaTraceId
            | Header::SofaRpcId
            | Header::RpcTraceContext
            | Header::XRequestId),
        ) = Header::of_name(name)
        {
            header::write(out, found, value);
        }
    }
}

fn push_integer(text: &mut crate::conversation::TextWriter<'_>, big_endian: &[u8]) {
    let negative = big_endian.first().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { u64::MAX } else { 0 };
    let value = big_endian
        .iter()
        .fold(start, |value, byte| value << 8 | u64::from(*byte));
    if negative {
        text.push(b"-");
    }
    text.push_number(value.cast_signed().unsigned_abs());
}

/// What to do with the topics of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topical {
    /// The request has named them.
    Ignore,
    /// The request went on with what an earlier one had asked for: it is the response that names them.
    Tell,
    /// Names stand beside ids.
    Learn,
}

/// The notes of a message under way.
pub(super) struct Noted<'n, 'o> {
    pub(super) known: &'n mut Known,
    pub(super) topics: &'n mut Topics,
    pub(super) topical: Topical,
    pub(super) out: &'n mut Out<'o>,
}

impl Notes for Noted<'_, '_> {
    fn text(&mut self, note: Note, text: &[u8], cut: bool) {
        let Self { known, out, .. } = self;
        match note {
            Note::Topic if self.topical == Topical::Tell => known.add_topic(text, out),
            Note::Topic if self.topical == Topical::Learn => known.set_topic(text),
            Note::Group => known.tell_group(text, out),
            Note::Transaction => known.tell_transaction(text, out),
            Note::Key => known.tell_key(text, out),
            Note::Mechanism => out.attr("mechanism", text),
            Note::Library => out.attr("client_software", text),
            Note::LibraryVersion => out.attr("client_software_version", text),
            Note::Message => known.tell_message(text, out),
            _ => return,
        }
        if cut {
            out.truncated();
        }
    }

    fn value(&mut self, note: Note, bytes: &[u8]) {
        let Self {
            known,
            topics,
            topical,
            out,
        } = self;
        match (note, bytes) {
            (Note::TopicId, _) if *topical == Topical::Learn => topics.learn(bytes, known.last_topic()),
            (Note::TopicId, _) if *topical == Topical::Tell => {
                if let Some(name) = topics.name(bytes) {
                    known.add_topic(name, out);
                } else if let Some(id) = bytes.first_chunk().filter(|id| **id != [0; ID_BYTES]) {
                    known.add_topic(&id_text(id), out);
                }
            }
            (Note::Partition, _) if *topical == Topical::Tell => known.tell_partition(bytes, out),
            (Note::Offset, _) => known.tell_offset(bytes, out),
            (Note::Error, [high, low]) => known.tell_error(i16::from_be_bytes([*high, *low]), out),
            (Note::KeyType, [key_type]) => known.set_key_type(*key_type, out),
            _ => {}
        }
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        self.known.tell_header(name, value, self.out);
    }

    fn wants_headers(&self) -> bool {
        !self.known.told.headers
    }
}
