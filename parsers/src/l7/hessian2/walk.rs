//! Passes values without looking at what they say.

use super::{Read, Stop, Units, int, is_string, take, take_number};
use crate::limits::{HESSIAN2_CLASSES_MAX, HESSIAN2_DEPTH_MAX};
use arrayvec::ArrayVec;

/// How far a [`Walker`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// All values have passed; the last one ends behind so many bytes.
    Over(usize),
    /// So many bytes have passed, and there are more to come. With 0, what is at hand is too short for
    /// even one step.
    On(usize),
    /// This is not Hessian 2.0, or beyond the bounds.
    Broken,
}

/// What is still to come of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// So many values.
    Values(u32),
    /// Values up to a `Z`.
    UntilEnd,
    /// A type, then a length and as many values.
    Type,
    /// A length and as many values.
    Length,
    /// The name of a class, then the number of its fields and their names.
    Name,
    /// The number of a class's fields and their names.
    Fields,
    /// The number of a class, and the values of its fields.
    Instance,
}

/// Passes a number of values in pieces of any size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walker {
    frames: ArrayVec<Frame, HESSIAN2_DEPTH_MAX>,
    /// How many fields each class has, in the order of their definitions.
    classes: ArrayVec<u16, HESSIAN2_CLASSES_MAX>,
    text: Units,
    /// Bytes of a binary that are still to come.
    binary: usize,
    /// The piece of a string or of a binary that is under way is not its last.
    goes_on: Option<Chunks>,
}

/// Values that may come in several pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunks {
    String,
    Binary,
}

impl Walker {
    /// Forgets everything: classes are defined anew in each message.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.classes.clear();
        (self.text, self.binary, self.goes_on) = (Units::default(), 0, None);
    }

    /// Sets out to pass `count` values.
    pub(crate) fn expect(&mut self, count: u32) {
        self.frames.clear();
        self.frames.push(Frame::Values(count));
    }

    /// Takes note of a class of so many fields whose definition was read elsewhere.
    pub(crate) fn define(&mut self, fields: u32) -> Read<()> {
        let fields = u16::try_from(fields).map_err(|_| Stop::Broken)?;
        self.classes.try_push(fields).map_err(|_| Stop::Broken)
    }

    /// Bytes that it will pass without looking at them.
    pub(crate) fn unseen(&self) -> usize {
        self.binary
    }

    /// The unseen bytes have passed.
    pub(crate) fn pass_unseen(&mut self) {
        self.binary = 0;
    }

    /// Passes what `bytes` have of the values.
    pub(crate) fn walk(&mut self, bytes: &[u8]) -> Walk {
        let mut rest = bytes;
        loop {
            match self.step(&mut rest) {
                Ok(true) => {}
                Ok(false) => return Walk::Over(bytes.len() - rest.len()),
                Err(Stop::More(_)) => return Walk::On(bytes.len() - rest.len()),
                Err(Stop::Broken) => return Walk::Broken,
            }
        }
    }

    /// One step, taken off `rest` as a whole or not at all, but for text and binaries; false: nothing is
    /// left to pass.
    fn step(&mut self, rest: &mut &[u8]) -> Read<bool> {
        if !self.text.are_over() {
            let passed = self.text.pass(rest);
            take(rest, passed)?;
            return self.wants_nothing(self.text.wants());
        }
        if self.binary > 0 {
            let passed = self.binary.min(rest.len());
            take(rest, passed)?;
            self.binary -= passed;
            return self.wants_nothing(self.binary);
        }
        let mut at = *rest;
        if let Some(chunks) = self.goes_on {
            let tag = take_number::<1>(&mut at)? as u8;
            let fits = match chunks {
                Chunks::String => is_string(tag),
                Chunks::Binary => matches!(tag, 0x20..=0x2F | 0x34..=0x37 | b'A' | b'B'),
            };
            if !fits {
                return Err(Stop::Broken);
            }
            check(tag, at)?;
            self.goes_on = None;
            self.begin(tag, &mut at)?;
            *rest = at;
            return Ok(true);
        }
        let Some(frame) = self.frames.last_mut() else {
            return Ok(false);
        };
        match frame {
            Frame::Values(0) => {
                self.frames.pop();
                return Ok(true);
            }
            Frame::UntilEnd if at.first() == Some(&b'Z') => {
                take(rest, 1)?;
                self.frames.pop();
                return Ok(true);
            }
            Frame::Length => *frame = Frame::Values(count(int(rest)?)?),
            Frame::Fields => {
                let fields = count(int(rest)?)?;
                *frame = Frame::Values(fields);
                self.define(fields)?;
            }
            Frame::Instance => {
                let class = count(int(rest)?)? as usize;
                let fields = self.classes.get(class).ok_or(Stop::Broken)?;
                *frame = Frame::Values(u32::from(*fields));
            }
            Frame::Values(_) | Frame::UntilEnd | Frame::Type | Frame::Name => {
                self.value(&mut at)?;
                *rest = at;
            }
        }
        Ok(true)
    }

    /// Goes on when `count` is 0, else when more bytes are there.
    fn wants_nothing(&self, count: usize) -> Read<bool> {
        if count > 0 {
            Err(Stop::More(count))
        } else {
            Ok(true)
        }
    }

    /// Begins the next value of the innermost frame.
    fn value(&mut self, at: &mut &[u8]) -> Read<()> {
        let tag = take_number::<1>(at)? as u8;
        check(tag, at)?;
        match self.frames.last_mut() {
            Some(Frame::Values(left)) if tag != b'C' => {
                *left -= 1;
                // The last value takes the place of what it belongs to: a long chain of objects is not deep.
                if *left == 0 {
                    self.frames.pop();
                }
            }
            Some(frame @ Frame::Type) => *frame = Frame::Length,
            Some(frame @ Frame::Name) => *frame = Frame::Fields,
            _ => {}
        }
        self.begin(tag, at)
    }

    /// Begins a value of which `tag` was taken: takes its fixed bytes, and notes what follows.
    fn begin(&mut self, tag: u8, at: &mut &[u8]) -> Read<()> {
        match tag {
            0x00..=0x1F => self.text = Units::new(usize::from(tag)),
            0x30..=0x33 => {
                self.text = Units::new(usize::from(tag - 0x30) << 8 | take_number::<1>(at)? as usize);
            }
            b'R' | b'S' => {
                self.text = Units::new(take_number::<2>(at)? as usize);
                self.goes_on = (tag == b'R').then_some(Chunks::String);
            }
            0x20..=0x2F => self.binary = usize::from(tag - 0x20),
            0x34..=0x37 => self.binary = usize::from(tag - 0x34) << 8 | take_number::<1>(at)? as usize,
            b'A' | b'B' => {
                self.binary = take_number::<2>(at)? as usize;
                self.goes_on = (tag == b'A').then_some(Chunks::Binary);
            }
            b'N' | b'T' | b'F' | 0x5B | 0x5C | 0x80..=0xBF | 0xD8..=0xEF => {}
            0x5D | 0xC0..=0xCF | 0xF0..=0xFF | 0x38..=0x3F | 0x5E | 0xD0..=0xD7 => skip_fixed(tag, at)?,
            b'I' | b'K' | 0x59 | 0x5F | b'D' | b'J' | b'L' => skip_fixed(tag, at)?,
            b'C' => self.push(Frame::Name)?,
            b'O' => self.push(Frame::Instance)?,
            0x60..=0x6F => {
                let fields = self.classes.get(usize::from(tag - 0x60)).ok_or(Stop::Broken)?;
                self.push(Frame::Values(u32::from(*fields)))?;
            }
            // The type of a list or map is passed as one value more.
            b'H' | b'M' | b'U' | b'W' => self.push(Frame::UntilEnd)?,
            b'V' => self.push(Frame::Type)?,
            b'X' => self.push(Frame::Length)?,
            0x70..=0x77 => self.push(Frame::Values(u32::from(tag - 0x70) + 1))?,
            0x78..=0x7F => self.push(Frame::Values(u32::from(tag - 0x78)))?,
            b'Q' => self.push(Frame::Values(1))?,
            _ => return Err(Stop::Broken),
        }
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Read<()> {
        self.frames.try_push(frame).map_err(|_| Stop::Broken)
    }
}

/// How many bytes of a value stand behind its `tag` in any case.
const fn fixed_bytes(tag: u8) -> usize {
    match tag {
        0x30..=0x37 | 0x5D | 0xC0..=0xCF | 0xF0..=0xFF => 1,
        0x38..=0x3F | b'A' | b'B' | b'R' | b'S' | 0x5E | 0xD0..=0xD7 => 2,
        b'I' | b'K' | 0x59 | 0x5F => 4,
        b'D' | b'J' | b'L' => 8,
        _ => 0,
    }
}

/// Whether they are there: asked before anything changes, so that no step is half done.
fn check(tag: u8, mut rest: &[u8]) -> Read<()> {
    skip_fixed(tag, &mut rest)
}

fn skip_fixed(tag: u8, rest: &mut &[u8]) -> Read<()> {
    take(rest, fixed_bytes(tag)).map(|_| ())
}

/// A length or an index, which is never negative.
fn count(number: i32) -> Read<u32> {
    u32::try_from(number).map_err(|_| Stop::Broken)
}
