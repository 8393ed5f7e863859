//! What stands in front of a message's documents. Source: MongoDB manual, "MongoDB Wire Protocol", and its
//! older versions up to 3.4 for the operations that servers no longer take.

use crate::l7::bson::{DOCUMENT_BYTES_MIN, Trouble, cstring};
use crate::limits::MONGODB_MESSAGE_BYTES_MAX;
use crate::parser::Direction;

/// Bytes of the header of every message.
pub(super) const HEADER_BYTES: usize = 16;
/// Longest namespace, bytes: servers allow 255 since version 4.4.
const NAMESPACE_BYTES_MAX: usize = 512;

/// `flagBits` of OP_MSG.
pub(super) const CHECKSUM_PRESENT: u32 = 1;
pub(super) const MORE_TO_COME: u32 = 1 << 1;
pub(super) const EXHAUST_ALLOWED: u32 = 1 << 16;
/// Flags that a receiver must know, or refuse the message.
const REQUIRED_FLAGS: u32 = 0xFFFF;
/// `flags` of OP_QUERY.
pub(super) const QUERY_EXHAUST: u32 = 1 << 6;
const QUERY_FLAGS: u32 = 0xFE;
/// `responseFlags` of OP_REPLY.
pub(super) const CURSOR_NOT_FOUND: u32 = 1;
pub(super) const QUERY_FAILURE: u32 = 1 << 1;
const REPLY_FLAGS: u32 = 0x0F;
/// Most documents that one reply can hold.
const REPLY_DOCUMENTS_MAX: u32 = MONGODB_MESSAGE_BYTES_MAX / DOCUMENT_BYTES_MIN;
/// Most cursors that one OP_KILL_CURSORS can name.
const CURSORS_MAX: u32 = MONGODB_MESSAGE_BYTES_MAX / 8;

/// What a message is (`opCode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Reply,
    Update,
    Insert,
    Query,
    GetMore,
    Delete,
    KillCursors,
    Command,
    CommandReply,
    Compressed,
    Message,
}

impl Op {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Reply,
            2001 => Self::Update,
            2002 => Self::Insert,
            2004 => Self::Query,
            2005 => Self::GetMore,
            2006 => Self::Delete,
            2007 => Self::KillCursors,
            2010 => Self::Command,
            2011 => Self::CommandReply,
            2012 => Self::Compressed,
            2013 => Self::Message,
            _ => return None,
        })
    }

    /// Its name in the specification.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reply => "OP_REPLY",
            Self::Update => "OP_UPDATE",
            Self::Insert => "OP_INSERT",
            Self::Query => "OP_QUERY",
            Self::GetMore => "OP_GET_MORE",
            Self::Delete => "OP_DELETE",
            Self::KillCursors => "OP_KILL_CURSORS",
            Self::Command => "OP_COMMAND",
            Self::CommandReply => "OP_COMMANDREPLY",
            Self::Compressed => "OP_COMPRESSED",
            Self::Message => "OP_MSG",
        }
    }

    /// Who sends it; `None`: both do.
    pub(super) fn sent_by(self) -> Option<Direction> {
        match self {
            Self::Reply | Self::CommandReply => Some(Direction::ToClient),
            Self::Compressed | Self::Message => None,
            _ => Some(Direction::ToServer),
        }
    }

    /// A request that the server does not answer.
    pub(super) fn is_unanswered(self) -> bool {
        matches!(
            self,
            Self::Update | Self::Insert | Self::Delete | Self::KillCursors
        )
    }

    /// Bytes of the shortest message of its kind, without the header.
    fn bytes_min(self) -> u32 {
        let document = DOCUMENT_BYTES_MIN;
        match self {
            // responseFlags, cursorID, startingFrom, numberReturned.
            Self::Reply => 20,
            // ZERO, "c", flags, selector, update.
            Self::Update => 4 + 2 + 4 + 2 * document,
            // flags, "c", one document.
            Self::Insert => 4 + 2 + document,
            // flags, "c", numberToSkip, numberToReturn, query.
            Self::Query => 4 + 2 + 8 + document,
            // ZERO, "c", numberToReturn, cursorID.
            Self::GetMore => 4 + 2 + 12,
            // ZERO, "c", flags, selector.
            Self::Delete => 4 + 2 + 4 + document,
            // ZERO, numberOfCursorIDs.
            Self::KillCursors => 8,
            // "d", "c", metadata, commandArgs.
            Self::Command => 2 + 2 + 2 * document,
            // metadata, commandReply.
            Self::CommandReply => 2 * document,
            // originalOpcode, uncompressedSize, compressorId.
            Self::Compressed => 9,
            // flagBits, kind, body.
            Self::Message => 4 + 1 + document,
        }
    }
}

/// The header of a message (`MsgHeader`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of the message, this header included.
    pub(super) len: u32,
    pub(super) id: u32,
    pub(super) response_to: u32,
    pub(super) op: Op,
}

impl Header {
    /// The header that `bytes` begin with; `Need` where it is not whole.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Trouble> {
        let mut reader = Reader(bytes);
        let (Some(len), Some(id), Some(response_to), Some(op)) =
            (reader.u32(), reader.u32(), reader.u32(), reader.u32())
        else {
            return Err(Trouble::Need(HEADER_BYTES));
        };
        let op = Op::from_number(op).ok_or(Trouble::Broken)?;
        if len > MONGODB_MESSAGE_BYTES_MAX || len < HEADER_BYTES as u32 + op.bytes_min() {
            return Err(Trouble::Broken);
        }
        Ok(Self {
            len,
            id,
            response_to,
            op,
        })
    }

    /// Bytes behind the header.
    pub(super) fn body_len(&self) -> u32 {
        self.len - HEADER_BYTES as u32
    }
}

/// How a message is packed (OP_COMPRESSED).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// What is packed.
    pub(super) op: Op,
    /// Bytes of the message unpacked, without a header.
    pub(super) plain_len: u32,
    /// `compressorId`.
    pub(super) method: u8,
}

/// Bytes in front of what is packed.
pub(super) const PACKED_HEAD_BYTES: usize = 9;

impl Packed {
    /// What stands behind the header.
    pub(super) fn read(body: &[u8]) -> Result<Self, Trouble> {
        let mut reader = Reader(body);
        let (Some(op), Some(plain_len), Some(method)) = (reader.u32(), reader.u32(), reader.u8()) else {
            return Err(Trouble::Need(PACKED_HEAD_BYTES));
        };
        let op = Op::from_number(op).filter(|op| *op != Op::Compressed);
        let op = op.ok_or(Trouble::Broken)?;
        let fits = (op.bytes_min()..=MONGODB_MESSAGE_BYTES_MAX).contains(&plain_len);
        if !fits || method > 3 {
            return Err(Trouble::Broken);
        }
        Ok(Self {
            op,
            plain_len,
            method,
        })
    }
}

/// What stands between a message's header and its documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prelude<'a> {
    Message {
        flags: u32,
    },
    Reply {
        flags: u32,
        /// The server has more for the asking.
        has_cursor: bool,
        documents: u32,
    },
    Query {
        flags: u32,
        namespace: &'a [u8],
    },
    /// OP_INSERT, OP_UPDATE, OP_DELETE, OP_GET_MORE.
    Namespace(&'a [u8]),
    KillCursors,
    Command {
        database: &'a [u8],
        name: &'a [u8],
    },
    CommandReply,
}

impl<'a> Prelude<'a> {
    /// Reads it from the bytes behind the header, and how many they are.
    pub(super) fn read(op: Op, body: &'a [u8]) -> Result<(Self, usize), Trouble> {
        let mut reader = Reader(body);
        let prelude = match op {
            Op::Message => {
                let flags = reader.u32().ok_or(Trouble::Need(4))?;
                if flags & REQUIRED_FLAGS & !(CHECKSUM_PRESENT | MORE_TO_COME) != 0 {
                    return Err(Trouble::Broken);
                }
                Self::Message { flags }
            }
            Op::Reply => {
                let (Some(flags), Some(cursor), Some(from), Some(documents)) =
                    (reader.u32(), reader.u64(), reader.u32(), reader.u32())
                else {
                    return Err(Trouble::Need(20));
                };
                let fits = documents <= REPLY_DOCUMENTS_MAX && from <= i32::MAX as u32;
                if flags & !REPLY_FLAGS != 0 || !fits {
                    return Err(Trouble::Broken);
                }
                Self::Reply {
                    flags,
                    has_cursor: cursor != 0,
                    documents,
                }
            }
            Op::Query => {
                let flags = reader.u32().ok_or(Trouble::Need(4))?;
                if flags & !QUERY_FLAGS != 0 {
                    return Err(Trouble::Broken);
                }
                let namespace = reader.name(body.len())?;
                // numberToSkip, numberToReturn.
                reader
                    .u64()
                    .ok_or(Trouble::Need(body.len() + 8 - reader.0.len()))?;
                Self::Query { flags, namespace }
            }
            Op::Insert | Op::Update | Op::Delete | Op::GetMore => {
                let first = reader.u32().ok_or(Trouble::Need(4))?;
                // OP_INSERT has flags here, of which one is defined; the others a zero.
                if first > u32::from(op == Op::Insert) {
                    return Err(Trouble::Broken);
                }
                Self::Namespace(reader.name(body.len())?)
            }
            Op::KillCursors => {
                let (Some(zero), Some(cursors)) = (reader.u32(), reader.u32()) else {
                    return Err(Trouble::Need(8));
                };
                if zero != 0 || cursors > CURSORS_MAX {
                    return Err(Trouble::Broken);
                }
                Self::KillCursors
            }
            Op::Command => {
                let database = reader.name(body.len())?;
                let name = reader.name(body.len())?;
                Self::Command { database, name }
            }
            Op::CommandReply => Self::CommandReply,
            Op::Compressed => return Err(Trouble::Broken),
        };
        Ok((prelude, body.len() - reader.0.len()))
    }
}

/// Database and collection of a namespace; a collection's name may have dots.
pub(super) fn split_namespace(namespace: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'.', namespace) {
        Some(dot) => (
            namespace.get(..dot).unwrap_or(&[]),
            namespace.get(dot + 1..).unwrap_or(&[]),
        ),
        None => (namespace, &[]),
    }
}

/// Little-endian numbers and names, one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A name of a database, collection or command; `whole` bytes were there in the beginning.
    fn name(&mut self, whole: usize) -> Result<&'a [u8], Trouble> {
        let passed = whole - self.0.len();
        let name = cstring(self.0, NAMESPACE_BYTES_MAX).map_err(|trouble| trouble.behind(passed))?;
        if name.is_empty() || name.iter().any(|byte| *byte < b' ' || *byte == 0x7F) {
            return Err(Trouble::Broken);
        }
        self.0 = self.0.get(name.len() + 1..).unwrap_or(&[]);
        Ok(name)
    }
}
