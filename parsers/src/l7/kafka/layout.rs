//! How the layout of a message is written down: fields in their order, with the versions that have them.
//!
//! A layout ends with the last field that says something for a record; what follows is passed. Tagged fields
//! (KIP-482) say nothing for a record and are in no layout: the walk passes them.

/// What the value of a field is to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Nothing.
    Nothing,
    /// Name of a topic.
    Topic,
    /// Id of a topic, a UUID (KIP-516); zeros where the name stands instead.
    TopicId,
    /// Number of a partition of the topic before it.
    Partition,
    /// An offset of the partition before it.
    Offset,
    /// Consumer, share or streams group.
    Group,
    /// Id of a transactional producer.
    Transaction,
    /// What FindCoordinator looks for.
    Key,
    /// What kind of thing that is.
    KeyType,
    /// Acknowledgements that a producer waits for.
    Acks,
    /// SASL mechanism.
    Mechanism,
    /// Name of the client's library.
    Library,
    /// Version of the client's library.
    LibraryVersion,
    /// Error code.
    Error,
    /// Text of the error before it.
    Message,
}

/// How a field is encoded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// So many bytes.
    Fixed(u8, Note),
    /// STRING, NULLABLE_STRING or their compact forms.
    Text(Note),
    /// BYTES, NULLABLE_BYTES or their compact forms.
    Bytes,
    /// RECORDS: as BYTES, and record batches inside.
    Records,
    /// An array of values of one encoding, which is the slice's only field.
    Values(&'static [Field]),
    /// An array of structures.
    List(&'static [Field]),
    /// One structure.
    Group(&'static [Field]),
    /// One structure, or null.
    Maybe(&'static [Field]),
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) kind: Kind,
    /// First and last version that has it.
    first: u8,
    last: u8,
}

impl Field {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            first: 0,
            last: u8::MAX,
        }
    }

    /// The first version that has it.
    pub(super) const fn since(self, version: u8) -> Self {
        Self {
            first: version,
            ..self
        }
    }

    /// The last version that has it.
    pub(super) const fn until(self, version: u8) -> Self {
        Self {
            last: version,
            ..self
        }
    }

    pub(super) fn is_in(&self, version: u8) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

pub(super) const STRING: Field = text(Note::Nothing);
pub(super) const TOPIC: Field = text(Note::Topic);
pub(super) const GROUP: Field = text(Note::Group);
pub(super) const TRANSACTION: Field = text(Note::Transaction);
pub(super) const KEY: Field = text(Note::Key);
pub(super) const MECHANISM: Field = text(Note::Mechanism);
pub(super) const LIBRARY: Field = text(Note::Library);
pub(super) const LIBRARY_VERSION: Field = text(Note::LibraryVersion);
pub(super) const MESSAGE: Field = text(Note::Message);
pub(super) const TOPIC_ID: Field = Field::new(Kind::Fixed(16, Note::TopicId));
pub(super) const PARTITION: Field = Field::new(Kind::Fixed(4, Note::Partition));
pub(super) const OFFSET: Field = Field::new(Kind::Fixed(8, Note::Offset));
pub(super) const ERROR: Field = Field::new(Kind::Fixed(2, Note::Error));
pub(super) const ACKS: Field = Field::new(Kind::Fixed(2, Note::Acks));
pub(super) const KEY_TYPE: Field = Field::new(Kind::Fixed(1, Note::KeyType));
pub(super) const BYTES: Field = Field::new(Kind::Bytes);
pub(super) const RECORDS: Field = Field::new(Kind::Records);
pub(super) const PARTITIONS: Field = values(&[PARTITION]);
pub(super) const TOPICS: Field = values(&[TOPIC]);
pub(super) const GROUPS: Field = values(&[GROUP]);
pub(super) const TRANSACTIONS: Field = values(&[TRANSACTION]);
pub(super) const KEYS: Field = values(&[KEY]);
pub(super) const STRINGS: Field = values(&[STRING]);
/// Arrays of numbers that say nothing, by the bytes of each.
pub(super) const BYTES_1: Field = values(&[pass(1)]);
pub(super) const NUMBERS_4: Field = values(&[pass(4)]);
pub(super) const NUMBERS_8: Field = values(&[pass(8)]);

/// A text.
pub(super) const fn text(note: Note) -> Field {
    Field::new(Kind::Text(note))
}

/// So many bytes that say nothing: one field, or several in a row.
pub(super) const fn pass(bytes: u8) -> Field {
    Field::new(Kind::Fixed(bytes, Note::Nothing))
}

/// An array of values: one field tells their encoding.
pub(super) const fn values(field: &'static [Field]) -> Field {
    Field::new(Kind::Values(field))
}

/// An array of structures.
pub(super) const fn list(fields: &'static [Field]) -> Field {
    Field::new(Kind::List(fields))
}

/// A structure within another.
pub(super) const fn group(fields: &'static [Field]) -> Field {
    Field::new(Kind::Group(fields))
}

/// A structure within another, or null.
pub(super) const fn maybe(fields: &'static [Field]) -> Field {
    Field::new(Kind::Maybe(fields))
}

/// One API: a kind of request, and of the response to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api {
    /// The key that requests carry.
    pub(super) key: u8,
    /// Its name in the protocol guide.
    pub(super) name: &'static str,
    /// The highest version that is known; the lowest is 0.
    pub(super) newest: u8,
    /// The first version with compact encodings and tagged fields; [`INFLEXIBLE`] where none has them.
    pub(super) flexible: u8,
    pub(super) request: &'static [Field],
    pub(super) response: &'static [Field],
}

/// Stands for no flexible version.
pub(super) const INFLEXIBLE: u8 = u8::MAX;

impl Api {
    /// The API of `key`; `newest` and `flexible` are versions.
    pub(super) const fn new(key: u8, name: &'static str, newest: u8, flexible: u8) -> Self {
        Self {
            key,
            name,
            newest,
            flexible,
            request: &[],
            response: &[],
        }
    }

    /// With this request.
    pub(super) const fn asks(self, request: &'static [Field]) -> Self {
        Self { request, ..self }
    }

    /// With this response.
    pub(super) const fn tells(self, response: &'static [Field]) -> Self {
        Self { response, ..self }
    }
}
