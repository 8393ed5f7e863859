//! Batches back into records.
//!
//! Bytes may come from any file or socket: a batch is verified whole before a record of it is read.

use crate::generated::tapir as fb;
use crate::limits::BATCH_BYTES_MAX;
use crate::session::{Parts, SCHEMA, Session, Tunnel};
use flatbuffers::{InvalidFlatbuffer, Vector, VerifierOptions};
use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use tapir_parsers::field::{Ended, Field, Joined, Kind, Source, Status};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::record::L4_NAMES;

/// Bytes of the length that stands before a batch.
const PREFIX_BYTES: usize = 4;

/// Why a batch could not be read.
#[derive(Debug)]
pub enum DecodeError {
    /// The bytes could not be had.
    Io(std::io::Error),
    /// The input ends within a batch.
    CutShort,
    /// These are no batches of session records: the length or the file identifier is wrong.
    NotRecords,
    /// The batch contradicts itself.
    Invalid(InvalidFlatbuffer),
    /// Records of a later format.
    Schema(u16),
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::CutShort => write!(f, "the input ends within a batch; what stands before was read"),
            Self::NotRecords => write!(
                f,
                "not session records in FlatBuffers (written with format `flatbuffers`)"
            ),
            Self::Invalid(error) => write!(f, "broken batch: {error}"),
            Self::Schema(schema) => write!(
                f,
                "record format {schema}, but this version reads {SCHEMA}: use a newer one"
            ),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads batches from a file or a socket.
pub struct BatchReader<R> {
    input: R,
    batch: Vec<u8>,
}

impl<R: Read> BatchReader<R> {
    /// Reads from `input`; give it a buffer if it has none.
    pub fn new(input: R) -> Self {
        let batch = Vec::new();
        Self { input, batch }
    }

    /// Hands the records of the next batch to `each`; false at the end of the input.
    ///
    /// # Errors
    /// When the input is not what it should be. After an error nothing more can be read.
    pub fn next_batch(&mut self, each: impl FnMut(&Session<'_>)) -> Result<bool, DecodeError> {
        let mut prefix = [0; PREFIX_BYTES];
        match read_full(&mut self.input, &mut prefix)? {
            0 => return Ok(false),
            PREFIX_BYTES => {}
            _ => return Err(DecodeError::CutShort),
        }
        let len = u32::from_le_bytes(prefix) as usize;
        if len > BATCH_BYTES_MAX {
            return Err(DecodeError::NotRecords);
        }
        self.batch.clear();
        self.batch.extend_from_slice(&prefix);
        self.batch.resize(PREFIX_BYTES + len, 0);
        let body = self.batch.get_mut(PREFIX_BYTES..).unwrap_or_default();
        if read_full(&mut self.input, body)? < len {
            return Err(DecodeError::CutShort);
        }
        decode_batch(&self.batch, each)?;
        Ok(true)
    }
}

/// Reads until `to` is full or the input ends; how much was read.
fn read_full(input: &mut impl Read, to: &mut [u8]) -> Result<usize, DecodeError> {
    let mut done = 0;
    while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(DecodeError::Io(error)),
        }
    }
    Ok(done)
}

/// Hands the records of one batch (length prefix included) to `each`.
///
/// # Errors
/// When the bytes are not a batch of records that this version reads.
pub fn decode_batch(bytes: &[u8], mut each: impl FnMut(&Session<'_>)) -> Result<(), DecodeError> {
    const SMALLEST: usize = PREFIX_BYTES + 8;
    if bytes.len() < SMALLEST || !fb::batch_size_prefixed_buffer_has_identifier(bytes) {
        return Err(DecodeError::NotRecords);
    }
    let options = VerifierOptions {
        max_depth: 4,
        // Strings may be shared, but what they add up to is bounded.
        max_apparent_size: 4 * BATCH_BYTES_MAX,
        ..VerifierOptions::default()
    };
    let batch = fb::size_prefixed_root_as_batch_with_opts(&options, bytes).map_err(DecodeError::Invalid)?;
    for record in batch.records().into_iter().flatten() {
        if record.schema() != SCHEMA {
            return Err(DecodeError::Schema(record.schema()));
        }
        each(&read(&record));
    }
    Ok(())
}

fn read<'a>(record: &fb::Record<'a>) -> Session<'a> {
    let mut session = Session::from(Parts {
        kind: Kind::from_number(record.kind().0).unwrap_or(Kind::OneWay),
        ended: Ended::from_number(record.ended().0).unwrap_or(Ended::Shutdown),
        source: Source::from_number(record.source().0).unwrap_or(Source::Wire),
        status: Status::from_number(record.status().0).unwrap_or(Status::Unknown),
        protocol: record.proto().filter(|name| !name.is_empty()),
        l4: L4_NAMES.get(usize::from(record.l4().0)).copied().unwrap_or("tcp"),
    });
    session.client_ip = record.client_ip().and_then(read_ip);
    session.client_port = record.client_port();
    session.server_ip = record.server_ip().and_then(read_ip);
    session.server_port = record.server_port();
    for id in record.vlan().into_iter().flatten() {
        // Past what a record can carry they are left out.
        if session.vlan.try_push(id).is_err() {
            break;
        }
    }
    session.tunnel = record.tunnel().map(|tunnel| Tunnel {
        kind: tunnel.type_(),
        id: tunnel.id(),
    });
    session.flow_id = record.flow_id();
    session.start_ns = record.start_ns();
    session.end_ns = record.end_ns();
    session.rrt_ns = record.rrt_ns();
    session.request_id = record.request_id();
    session.code = record.code();
    session.request_len = record.req_len();
    session.response_len = record.resp_len();
    session.rows = record.rows();
    session.truncated = record.truncated();
    session.gap_bytes = record.gap_bytes();
    session.request_seq = record.req_seq();
    session.response_seq = record.resp_seq();
    session.host = HostFacts {
        process: record.process().map(read_process),
        client_process: record.client_process().map(read_process),
        queue_ns: record.queue_ns(),
        app_ns: record.app_ns(),
    };
    session.joined = record.joined().and_then(|joined| Joined::from_number(joined.0));
    read_texts(record, &mut session);
    session
}

fn read_process(process: fb::Process<'_>) -> Process<'_> {
    Process {
        pid: process.pid(),
        comm: process.comm().unwrap_or_default(),
        executable: process.executable().unwrap_or_default(),
        container: process.container().unwrap_or_default(),
        pod: process.pod().unwrap_or_default(),
    }
}

fn read_texts<'a>(record: &fb::Record<'a>, session: &mut Session<'a>) {
    for (field, text) in [
        (Field::ReqType, record.req_type()),
        (Field::Domain, record.domain()),
        (Field::Resource, record.resource()),
        (Field::Endpoint, record.endpoint()),
        (Field::Version, record.version()),
        (Field::Exception, record.exception()),
        (Field::Result, record.result()),
        (Field::TraceId, record.trace_id()),
        (Field::SpanId, record.span_id()),
        (Field::XRequestId, record.x_request_id()),
        (Field::UserAgent, record.user_agent()),
        (Field::Referer, record.referer()),
        (Field::ForwardedFor, record.forwarded_for()),
    ] {
        session.set_text(field, text.unwrap_or_default().as_bytes());
    }
    for attr in record.attrs().into_iter().flatten() {
        session.add_attr(attr.name().as_bytes(), attr.value().as_bytes());
    }
}

fn read_ip(bytes: Vector<'_, u8>) -> Option<IpAddr> {
    let bytes = bytes.bytes();
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}
