//! Zone transfers: one request, one response of many messages. Source: RFC 5936 section 2.2 (AXFR),
//! RFC 1995 section 4 (IXFR).
//!
//! The records are walked without being kept together, however long a message is. The response ends with
//! the SOA record that it began with; an incremental one has that record once more within it.

use super::message::Record;
use super::name;
use super::names::SOA;
use crate::conversation::Out;
use crate::parser::{Advance, Input};

/// Longest name and the head of a record, bytes: a record that needs more to be recognised is broken.
const RECORD_HEAD_MAX: usize = 255 + 10;
/// Two names and five numbers: the longest SOA data, bytes.
const SOA_DATA_MAX: usize = 2 * 255 + 20;

/// A transfer under way.
pub(super) struct Transfer {
    /// Of the query and of every message of the response.
    pub(super) id: u16,
    /// Serial of the zone, from the first record.
    serial: u32,
    /// Records seen.
    records: u64,
    /// SOA records with that serial seen.
    marks: u8,
    /// A second record that is an older SOA makes it one.
    incremental: bool,
    message: Option<Message>,
}

/// What is left of the message being read.
struct Message {
    bytes: usize,
    answers: u16,
}

/// What a look at the next record said.
enum Look {
    Record(Record, Option<u32>),
    More,
    Broken,
}

impl Transfer {
    /// A transfer whose first message follows with `bytes` from its first answer on.
    pub(super) fn new(id: u16, answers: u16, bytes: usize) -> Self {
        Self {
            id,
            serial: 0,
            records: 0,
            marks: 0,
            incremental: false,
            message: Some(Message { bytes, answers }),
        }
    }

    /// Another message of the response: `bytes` from its first answer on.
    pub(super) fn next_message(&mut self, answers: u16, bytes: usize) {
        self.message = Some(Message { bytes, answers });
    }

    /// Whether the next bytes belong to a message that has begun.
    pub(super) fn in_message(&self) -> bool {
        self.message.is_some()
    }

    fn is_complete(&self) -> bool {
        self.marks >= if self.incremental { 3 } else { 2 }
    }

    /// Reads records of the message at hand. True: the transfer is over.
    pub(super) fn advance(&mut self, input: Input<'_>, out: &mut Out<'_>) -> (Advance, bool) {
        let Some(Message {
            mut bytes,
            mut answers,
        }) = self.message.take()
        else {
            return (Advance::Malformed, true);
        };
        let window = input.bytes.get(..bytes).unwrap_or(input.bytes);
        let last_chance = input.ended || window.len() == bytes;
        let mut at = 0;
        while answers > 0 && !self.is_complete() {
            match look(window, at) {
                Look::Record(record, serial) if record.end <= bytes => {
                    self.note(record.kind, serial);
                    answers -= 1;
                    at = record.end;
                    if at > window.len() {
                        // Its data is passed, seen or not.
                        bytes -= at;
                        self.message = Some(Message { bytes, answers });
                        return (Advance::Skip(at as u64), false);
                    }
                }
                Look::More if !last_chance => {
                    bytes -= at;
                    self.message = Some(Message { bytes, answers });
                    let advance = if at > 0 {
                        Advance::Consumed(at)
                    } else {
                        Advance::Need(window.len() + 1)
                    };
                    return (advance, false);
                }
                _ => {
                    out.truncated();
                    return (self.finish(bytes, out), true);
                }
            }
        }
        if self.is_complete() {
            return (self.finish(bytes, out), true);
        }
        (Advance::Skip(bytes as u64), false)
    }

    /// The response ends with the `bytes` that are left of this message.
    fn finish(&self, bytes: usize, out: &mut Out<'_>) -> Advance {
        out.rows(self.records);
        out.close();
        Advance::Skip(bytes as u64)
    }

    fn note(&mut self, kind: u16, serial: Option<u32>) {
        let is_first = self.records == 0;
        self.records += 1;
        let Some(serial) = serial.filter(|_| kind == SOA) else {
            return;
        };
        if is_first {
            self.serial = serial;
        } else if self.records == 2 && serial != self.serial {
            self.incremental = true;
        }
        if serial == self.serial {
            self.marks = self.marks.saturating_add(1);
        }
    }
}

/// The record at `at`, with its serial when it is an SOA.
fn look(window: &[u8], at: usize) -> Look {
    let left = window.len().saturating_sub(at);
    let Some(record) = Record::read_head(window, at) else {
        return if left < RECORD_HEAD_MAX {
            Look::More
        } else {
            Look::Broken
        };
    };
    if record.kind != SOA {
        return Look::Record(record, None);
    }
    if record.end - record.data > SOA_DATA_MAX {
        return Look::Broken;
    }
    if record.end > window.len() {
        return Look::More;
    }
    let serial = name::skip(window, record.data)
        .and_then(|at| name::skip(window, at))
        .and_then(|at| window.get(at..)?.first_chunk::<4>());
    match serial {
        Some(serial) => Look::Record(record, Some(u32::from_be_bytes(*serial))),
        None => Look::Broken,
    }
}
