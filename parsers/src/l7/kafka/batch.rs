//! The headers of a record, where trace ids travel. Source: Apache Kafka documentation, "Record Batch" and
//! "Record"; KIP-82 (record headers).
//!
//! Only the first record of a batch that is not compressed is looked at: who traces one message traces all, and
//! the first one's trace names the batch. Keys and values are passed unseen.

use super::cursor::{Cursor, Lack};
use super::walk::Notes;
use crate::limits::{KAFKA_HEADER_BYTES_MAX, KAFKA_HEADERS_MAX};

/// From the offset of a batch to the number of its records.
const HEAD_BYTES: usize = 61;
/// Where the magic number and the attributes stand in it.
const MAGIC_AT: usize = 16;
const ATTRIBUTES_AT: usize = 21;
/// The magic number of batches with headers; message sets have 0 or 1.
const MAGIC: u8 = 2;
/// Compression codec, and whether the batch is one of control records.
const CLOSED: u8 = 0x07 | 0x20;

/// What comes next of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Nothing is read.
    None,
    /// The batch's head, and what stands before the record's key.
    Head,
    Key,
    Value,
    /// How many headers.
    Count,
    /// So many headers.
    Header(u32),
    /// Nothing of interest.
    Rest,
}

/// The batches of one partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    part: Part,
    /// Bytes that are left of them.
    left: u64,
}

impl Batch {
    pub(super) const NONE: Self = Self {
        part: Part::None,
        left: 0,
    };

    /// Batches of so many bytes, beginning here.
    pub(super) fn of(left: u64) -> Self {
        Self {
            part: Part::Head,
            left,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.part != Part::None
    }

    /// Reads as far as the bytes at hand reach; closed when it returns `Ok`.
    pub(super) fn run(&mut self, cursor: &mut Cursor<'_>, notes: &mut impl Notes) -> Result<(), Lack> {
        while self.part != Part::Rest {
            // Within the batches, which are within the message.
            let mut within = *cursor;
            within.end = cursor.at.saturating_add(self.left).min(cursor.end);
            let from = within.at;
            match self.part(&mut within, notes) {
                Ok(next) => {
                    self.part = next;
                    self.left = self.left.saturating_sub(within.at - from);
                    cursor.at = within.at;
                }
                // Records that are not as they should be are passed: the message goes on behind them.
                Err(Lack::Broken) => self.part = Part::Rest,
                Err(lack) => return Err(lack),
            }
        }
        let left = std::mem::replace(self, Self::NONE).left;
        cursor.pass(left)
    }

    /// Reads one part whole, and says what comes next.
    fn part(&self, cursor: &mut Cursor<'_>, notes: &mut impl Notes) -> Result<Part, Lack> {
        match self.part {
            Part::Head => {
                let head = cursor.take(HEAD_BYTES)?;
                let open = head.get(MAGIC_AT) == Some(&MAGIC)
                    && head.get(ATTRIBUTES_AT + 1).is_some_and(|low| low & CLOSED == 0);
                if !open {
                    return Ok(Part::Rest);
                }
                // Length of the record, its attributes, and how much its time and its offset differ.
                cursor.varint()?;
                cursor.int8()?;
                cursor.pass_varlong()?;
                cursor.varint()?;
                Ok(Part::Key)
            }
            Part::Key | Part::Value => {
                // -1 is null.
                let length = u64::try_from(cursor.varint()?).unwrap_or(0);
                cursor.pass(length)?;
                Ok(match self.part {
                    Part::Key => Part::Value,
                    _ => Part::Count,
                })
            }
            Part::Count => match u32::try_from(cursor.varint()?) {
                Ok(count @ 1..=KAFKA_HEADERS_MAX) => Ok(Part::Header(count)),
                _ => Ok(Part::Rest),
            },
            Part::Header(count) => {
                let name = header_text(cursor)?;
                let value = header_text(cursor)?;
                notes.header(name, value);
                Ok(match count {
                    2.. => Part::Header(count - 1),
                    _ => Part::Rest,
                })
            }
            Part::None | Part::Rest => Ok(Part::Rest),
        }
    }
}

/// A header's name or value: what is long is passed, as it is no trace.
fn header_text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Lack> {
    let length = usize::try_from(cursor.varint()?).unwrap_or(0);
    if length <= KAFKA_HEADER_BYTES_MAX {
        return cursor.take(length);
    }
    cursor.pass(length as u64)?;
    Ok(&[])
}
