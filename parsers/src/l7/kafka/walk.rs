//! Walks through a message by its layout, and can stop and go on at any byte of it.
//!
//! What says nothing is passed by arithmetic, also where it was never seen. A walk takes a step at a time;
//! a step whose bytes are not all at hand is not taken, and the walk goes on with it later.

use super::batch::Batch;
use super::cursor::{Cursor, Lack};
use super::layout::{Field, Kind, Note};
use crate::limits::KAFKA_TEXT_BYTES_MAX;

/// Structures within each other, of the deepest layout.
const DEPTH_MAX: usize = 7;

/// What is told of the fields that a walk comes by.
pub(super) trait Notes {
    /// Whether texts are wanted that say nothing: to judge whether they are texts at all.
    const ALL: bool = false;

    /// A text; `cut` where it goes on.
    fn text(&mut self, note: Note, text: &[u8], cut: bool);
    /// A value of fixed length.
    fn value(&mut self, note: Note, bytes: &[u8]);
    /// A header of a record.
    fn header(&mut self, name: &[u8], value: &[u8]);
    /// Whether headers of records are wanted.
    fn wants_headers(&self) -> bool;
}

/// Why a walk stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The layout is at its end; what is left of the message is to be passed.
    Done,
    /// Bytes up to this place of the input must be at hand.
    Need(u64),
    /// The message is not of this layout.
    Broken,
}

/// A structure under way.
#[derive(Clone, Copy, Debug)]
struct Level {
    fields: &'static [Field],
    /// The field that comes next.
    at: u8,
    /// Tagged fields follow the last one.
    tagged: bool,
    /// Structures of the list that are left, this one included.
    left: u32,
}

/// A walk through one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    levels: [Level; DEPTH_MAX],
    depth: u8,
    version: u8,
    flexible: bool,
    /// Tagged fields that come next.
    tags: u32,
    batch: Batch,
}

const NO_LEVEL: Level = Level {
    fields: &[],
    at: 0,
    tagged: false,
    left: 0,
};

impl Walk {
    /// A walk that is over before it begins.
    pub(super) const NONE: Self = Self {
        levels: [NO_LEVEL; DEPTH_MAX],
        depth: 0,
        version: 0,
        flexible: false,
        tags: 0,
        batch: Batch::NONE,
    };

    /// Begins a message of this layout.
    pub(super) fn begin(&mut self, fields: &'static [Field], version: u8, flexible: bool) {
        self.levels[0] = Level {
            fields,
            left: 1,
            ..NO_LEVEL
        };
        self.depth = 1;
        self.version = version;
        self.flexible = flexible;
        self.tags = 0;
        self.batch = Batch::NONE;
    }

    /// Whether every list but the innermost is at its last structure: no further topic follows.
    pub(super) fn is_in_last(&self) -> bool {
        let lists = self.levels.get(1..usize::from(self.depth)).unwrap_or(&[]);
        let outer = lists.split_last().map_or(lists, |(_, outer)| outer);
        !outer.is_empty() && outer.iter().all(|level| level.left <= 1)
    }

    /// Goes on as far as the bytes at hand reach.
    pub(super) fn run(&mut self, cursor: &mut Cursor<'_>, notes: &mut impl Notes) -> Stop {
        loop {
            let before = *cursor;
            match self.step(cursor, notes) {
                Ok(false) => {}
                Ok(true) => return Stop::Done,
                Err(Lack::Bytes(to)) => {
                    // Records are walked within a step: what they did stays done.
                    if !self.batch.is_open() {
                        *cursor = before;
                    }
                    return Stop::Need(to);
                }
                Err(Lack::Broken) => return Stop::Broken,
            }
        }
    }

    /// One step; true when the layout is at its end.
    fn step(&mut self, cursor: &mut Cursor<'_>, notes: &mut impl Notes) -> Result<bool, Lack> {
        if self.batch.is_open() {
            self.batch.run(cursor, notes)?;
            return Ok(false);
        }
        if self.tags > 0 {
            pass_tag(cursor)?;
            self.tags -= 1;
            return self.end_structure().map(|()| false);
        }
        let (depth, version) = (self.depth, self.version);
        let Some(level) = self.level() else {
            return Ok(true);
        };
        let Some(field) = level.fields.get(usize::from(level.at)) else {
            if depth == 1 {
                return Ok(true);
            }
            if level.tagged {
                self.tags = cursor.length_of_tags()?;
            }
            return self.end_structure().map(|()| false);
        };
        if field.is_in(version) {
            self.field(field, cursor, notes)?;
        } else {
            level.at += 1;
        }
        Ok(false)
    }

    fn level(&mut self) -> Option<&mut Level> {
        self.levels.get_mut(usize::from(self.depth).checked_sub(1)?)
    }

    /// The structure at hand has ended, once no tagged field of it is left.
    fn end_structure(&mut self) -> Result<(), Lack> {
        if self.tags > 0 {
            return Ok(());
        }
        let level = self.level().ok_or(Lack::Broken)?;
        level.left = level.left.saturating_sub(1);
        level.at = 0;
        if level.left == 0 {
            self.depth -= 1;
        }
        Ok(())
    }

    /// The field at hand is done with.
    fn pass_field(&mut self) {
        if let Some(level) = self.level() {
            level.at += 1;
        }
    }

    fn field(
        &mut self,
        field: &'static Field,
        cursor: &mut Cursor<'_>,
        notes: &mut impl Notes,
    ) -> Result<(), Lack> {
        let flexible = self.flexible;
        match field.kind {
            Kind::Fixed(bytes, Note::Nothing) => cursor.pass(u64::from(bytes))?,
            Kind::Fixed(bytes, note) => notes.value(note, cursor.take(usize::from(bytes))?),
            Kind::Text(note) => pass_text(note, cursor, flexible, notes)?,
            Kind::Bytes => {
                let length = cursor.length(flexible, false)?;
                cursor.pass(u64::from(length.unwrap_or(0)))?;
            }
            Kind::Records => {
                let length = u64::from(cursor.length(flexible, false)?.unwrap_or(0));
                if notes.wants_headers() {
                    self.batch = Batch::of(length);
                } else {
                    cursor.pass(length)?;
                }
            }
            Kind::Values(fields) => {
                let count = cursor.length(flexible, false)?.unwrap_or(0);
                if let [
                    Field {
                        kind: Kind::Fixed(bytes, Note::Nothing),
                        ..
                    },
                ] = fields
                {
                    cursor.pass(u64::from(count) * u64::from(*bytes))?;
                } else {
                    return self.enter(fields, count, false);
                }
            }
            Kind::List(fields) => {
                let count = cursor.length(flexible, false)?.unwrap_or(0);
                return self.enter(fields, count, flexible);
            }
            Kind::Group(fields) => return self.enter(fields, 1, flexible),
            Kind::Maybe(fields) => {
                let count = u32::from(cursor.int8()? >= 0);
                return self.enter(fields, count, flexible);
            }
        }
        self.pass_field();
        Ok(())
    }

    /// Goes into `count` structures, behind which the next field stands.
    fn enter(&mut self, fields: &'static [Field], count: u32, tagged: bool) -> Result<(), Lack> {
        self.pass_field();
        if count == 0 {
            return Ok(());
        }
        let level = self.levels.get_mut(usize::from(self.depth)).ok_or(Lack::Broken)?;
        *level = Level {
            fields,
            at: 0,
            tagged,
            left: count,
        };
        self.depth += 1;
        Ok(())
    }
}

fn pass_text(
    note: Note,
    cursor: &mut Cursor<'_>,
    flexible: bool,
    notes: &mut impl Notes,
) -> Result<(), Lack> {
    fn pass<N: Notes>(note: Note, cursor: &mut Cursor<'_>, length: u32, notes: &mut N) -> Result<(), Lack> {
        if note == Note::Nothing && !N::ALL {
            return cursor.pass(u64::from(length));
        }
        let kept = (length as usize).min(KAFKA_TEXT_BYTES_MAX);
        let text = cursor.take(kept)?;
        cursor.pass(u64::from(length) - kept as u64)?;
        notes.text(note, text, kept < length as usize);
        Ok(())
    }
    match cursor.length(flexible, true)? {
        Some(length) => pass(note, cursor, length, notes),
        None => Ok(()),
    }
}

/// Passes one tagged field: its number, its length and its value.
pub(super) fn pass_tag(cursor: &mut Cursor<'_>) -> Result<(), Lack> {
    cursor.unsigned_varint()?;
    let length = cursor.unsigned_varint()?;
    cursor.pass(u64::from(length))
}

impl Cursor<'_> {
    /// How many tagged fields follow; each takes two bytes at least.
    pub(super) fn length_of_tags(&mut self) -> Result<u32, Lack> {
        let count = self.unsigned_varint()?;
        if u64::from(count) * 2 > self.left() {
            return Err(Lack::Broken);
        }
        Ok(count)
    }
}
