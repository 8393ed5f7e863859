//! The sixteen bytes before each message.

use crate::byte_set::ByteSet;
use crate::field::Status;
use crate::l7::hessian2::{Read, Stop, take, take_number};
use crate::limits::DUBBO_MESSAGE_BYTES_MAX;

/// Magic, flags, status, id, length of the body.
pub(super) const HEADER_BYTES: usize = 16;
pub(super) const MAGIC: [u8; 2] = [0xDA, 0xBB];

const REQUEST: u8 = 0x80;
const TWO_WAY: u8 = 0x40;
const EVENT: u8 = 0x20;
const SERIALIZATION: u8 = 0x1F;

/// Every status of a response; requests have 0, or 20 where a client writes all headers alike.
pub(super) const STATUSES: [u8; 13] = [0, 20, 25, 30, 31, 35, 40, 50, 60, 70, 80, 90, 100];
pub(super) const OK: u8 = 20;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request that is answered.
    Request,
    /// A request that is not.
    OneWay,
    /// The answer to a request.
    Response {
        /// See [`STATUSES`].
        status: u8,
    },
}

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// It says something of the connection (a heartbeat, the server goes read-only), and nothing of a service.
    pub(super) is_event: bool,
    /// See [`serialization_name`].
    pub(super) serialization: u8,
    pub(super) id: u64,
    /// Length of the body, bytes.
    pub(super) len: u32,
}

impl Header {
    /// Reads the header at the start of `bytes`; every byte that is there must fit, even where the header is
    /// not whole.
    pub(super) fn read(bytes: &[u8]) -> Read<Self> {
        let mut rest = bytes;
        for magic in MAGIC {
            if take(&mut rest, 1).map_err(|_| Stop::More(HEADER_BYTES - bytes.len()))? != [magic] {
                return Err(Stop::Broken);
            }
        }
        let more = |_| Stop::More(HEADER_BYTES.saturating_sub(bytes.len()));
        let flags = take_number::<1>(&mut rest).map_err(more)? as u8;
        let serialization = flags & SERIALIZATION;
        let is_request = flags & REQUEST != 0;
        if !flags_fit(flags) {
            return Err(Stop::Broken);
        }
        let status = take_number::<1>(&mut rest).map_err(more)? as u8;
        let fits = if is_request {
            matches!(status, 0 | OK)
        } else {
            status != 0 && STATUSES.contains(&status)
        };
        if !fits {
            return Err(Stop::Broken);
        }
        let id = take_number::<8>(&mut rest).map_err(more)?;
        let len = take_number::<4>(&mut rest).map_err(more)? as u32;
        if len > DUBBO_MESSAGE_BYTES_MAX {
            return Err(Stop::Broken);
        }
        Ok(Self {
            kind: match is_request {
                true if flags & TWO_WAY != 0 => Kind::Request,
                true => Kind::OneWay,
                false => Kind::Response { status },
            },
            is_event: flags & EVENT != 0,
            serialization,
            id,
            len,
        })
    }
}

/// What the third byte may be.
pub(super) const fn flag_bytes() -> ByteSet {
    let mut set = ByteSet::NONE;
    let mut flags = 0;
    loop {
        if flags_fit(flags) {
            set = set.with(flags);
        }
        if flags == u8::MAX {
            return set;
        }
        flags += 1;
    }
}

/// Every message has a serialization, and only requests ask for an answer.
const fn flags_fit(flags: u8) -> bool {
    flags & SERIALIZATION != 0 && (flags & REQUEST != 0 || flags & TWO_WAY == 0)
}

/// How a response of `code` went.
pub(super) const fn status(code: u8) -> Status {
    match code {
        OK => Status::Ok,
        // CLIENT_TIMEOUT, BAD_REQUEST, CLIENT_ERROR.
        30 | 40 | 90 => Status::ClientError,
        _ => Status::ServerError,
    }
}

/// The name that Dubbo's configuration has for a serialization; `None`: nobody's.
pub(super) const fn serialization_name(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "dubbo",
        2 => "hessian2",
        3 => "java",
        4 => "compactedjava",
        5 => "json",
        6 => "fastjson",
        7 => "nativejava",
        8 => "kryo",
        9 => "fst",
        10 => "native-hessian",
        11 => "avro",
        12 => "protostuff",
        16 => "gson",
        18 => "jackson",
        21 => "protobuf-json",
        22 => "protobuf",
        23 => "fastjson2",
        25 => "kryo2",
        27 => "msgpack",
        28 => "fury",
        _ => return None,
    })
}
