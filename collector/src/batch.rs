//! Records of one format, some at a time: what sinks carry.

use crate::flat::BatchEncoder;
use crate::json::write_session_json;
use crate::limits::{BATCH_BYTES_SET_MAX, BATCH_RECORDS};
use crate::session::Session;
use crate::table::Table;

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// A line of a table each, for people.
    Table {
        /// Width of the terminal, characters.
        width: usize,
        /// Whether there is a column for processes, as records of hosts have them.
        processes: bool,
    },
    /// Size-prefixed FlatBuffers batches.
    FlatBuffers,
}

impl Format {
    /// What stands before the first record of a file or connection.
    pub fn preamble(self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Self::Table { width, processes } = self {
            table(width, processes).write_titles(&mut out);
        }
        out
    }
}

fn table(width: usize, processes: bool) -> Table {
    if processes {
        Table::with_processes(width)
    } else {
        Table::new(width)
    }
}

/// Encoded records.
#[derive(Clone, Debug)]
pub struct Batch {
    /// How they are written.
    pub format: Format,
    /// The records, ready to be appended to a file or a connection.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub records: u64,
}

/// Turns records into batches of one format.
pub struct Encoder {
    format: Format,
    state: State,
    batch_bytes: usize,
    records: u64,
}

enum State {
    Json(Vec<u8>),
    Table(Table, Vec<u8>),
    FlatBuffers(Box<BatchEncoder>),
}

impl Encoder {
    /// An encoder whose batches are full at `batch_bytes`, or at the limit of what readers take.
    pub fn new(format: Format, batch_bytes: usize) -> Self {
        let state = match format {
            Format::Json => State::Json(Vec::new()),
            Format::Table { width, processes } => State::Table(table(width, processes), Vec::new()),
            Format::FlatBuffers => State::FlatBuffers(Box::default()),
        };
        Self {
            format,
            state,
            batch_bytes: batch_bytes.min(BATCH_BYTES_SET_MAX),
            records: 0,
        }
    }

    /// The format of its batches.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Records that wait for their batch to be taken.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Adds a record; true when the batch is full.
    pub fn push(&mut self, session: &Session<'_>) -> bool {
        self.records += 1;
        let bytes = match &mut self.state {
            State::Json(out) => {
                write_session_json(session, out);
                out.len()
            }
            State::Table(table, out) => {
                table.write_session(session, out);
                out.len()
            }
            State::FlatBuffers(encoder) => {
                encoder.push(session);
                encoder.bytes()
            }
        };
        bytes >= self.batch_bytes || self.records >= BATCH_RECORDS
    }

    /// Takes what was collected; `None` when there is nothing.
    pub fn take(&mut self) -> Option<Batch> {
        let records = std::mem::take(&mut self.records);
        if records == 0 {
            return None;
        }
        let bytes = match &mut self.state {
            // The next batch will be about as long.
            State::Json(out) | State::Table(_, out) => {
                let room = Vec::with_capacity(out.len());
                std::mem::replace(out, room)
            }
            State::FlatBuffers(encoder) => encoder.finish(<[u8]>::to_vec).unwrap_or_default(),
        };
        Some(Batch {
            format: self.format,
            bytes,
            records,
        })
    }
}
