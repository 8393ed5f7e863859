//! Texts and numbers at the start of a body, in each of Dubbo's serializations.
//!
//! Sources: Hessian 2.0 Serialization Protocol; Java Object Serialization Specification section 6.4 (block
//! data) and `DataOutput.writeUTF`; the writers of Kryo (`Output.writeString`), FST
//! (`FSTStreamEncoder.writeStringUTF`), fastjson2 (JSONB), and Dubbo's `ObjectOutput`s around them.

use crate::l7::hessian2::{self, Read, Stop, take, take_number};
use crate::limits::DUBBO_TEXT_BYTES_MAX;
use arrayvec::ArrayVec;

/// Where a text is put together that does not stand in the message as it is.
pub(super) type Room = ArrayVec<u8, DUBBO_TEXT_BYTES_MAX>;

/// Java's stream magic and version, before the first block.
const JAVA_STREAM: [u8; 4] = [0xAC, 0xED, 0, 5];
const JAVA_BLOCK: u64 = 0x77;
const JAVA_LONG_BLOCK: u64 = 0x7A;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Hessian2,
    /// A line of JSON for each value.
    Lines,
    /// A length of four bytes before each value, which is JSONB.
    Jsonb,
    /// A length of four bytes before each text.
    Lengths,
    Kryo,
    Fst,
    /// An object stream; `counted`: each text has its length in characters before it.
    Java {
        counted: bool,
    },
}

impl Coding {
    /// The one of this serialization; `None`: it is not read.
    pub(super) const fn of(serialization: u8) -> Option<Self> {
        Some(match serialization {
            2 => Self::Hessian2,
            3 | 4 => Self::Java { counted: true },
            5 | 6 | 16 | 21 => Self::Lines,
            7 => Self::Java { counted: false },
            8 | 25 => Self::Kryo,
            9 => Self::Fst,
            12 => Self::Lengths,
            23 => Self::Jsonb,
            _ => return None,
        })
    }
}

/// Reads values one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    coding: Coding,
    rest: &'a [u8],
    /// Bytes left of Java's block; `None` before the stream's head.
    block: Option<usize>,
}

impl<'a> Values<'a> {
    pub(super) const fn new(coding: Coding, body: &'a [u8]) -> Self {
        Self {
            coding,
            rest: body,
            block: None,
        }
    }

    /// What is not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next value, a text; it is put together in `room` where it does not stand in the body as it is, and
    /// cut where it does not fit.
    pub(super) fn text<'t>(&mut self, room: &'t mut Room) -> Read<&'t [u8]>
    where
        'a: 't,
    {
        room.clear();
        let mut at = *self;
        let text = match self.coding {
            Coding::Hessian2 => hessian2::string(&mut at.rest)?,
            Coding::Lengths => at.sized()?,
            Coding::Jsonb => jsonb_text(at.sized()?)?,
            Coding::Lines => {
                unquote(at.line()?, room)?;
                room
            }
            Coding::Kryo => {
                at.kryo_text(room)?;
                room
            }
            Coding::Fst => {
                at.fst_text(room)?;
                room
            }
            Coding::Java { counted } => {
                at.java_text(counted, room)?;
                room
            }
        };
        *self = at;
        Ok(text)
    }

    /// The next value, a number that Dubbo writes as one byte.
    pub(super) fn small_number(&mut self) -> Read<u8> {
        let mut at = *self;
        let number = match self.coding {
            Coding::Hessian2 => u8::try_from(hessian2::int(&mut at.rest)?).map_err(|_| Stop::Broken)?,
            Coding::Lines => match at.line()? {
                [digit @ b'0'..=b'9'] => digit - b'0',
                _ => return Err(Stop::Broken),
            },
            Coding::Jsonb => match at.sized()? {
                [number @ 0..=47] => *number,
                _ => return Err(Stop::Broken),
            },
            Coding::Java { .. } => {
                let mut byte = ArrayVec::<u8, 1>::new();
                at.java_bytes(1, |piece| byte.extend(piece.first().copied()))?;
                byte.first().copied().ok_or(Stop::Broken)?
            }
            Coding::Lengths | Coding::Kryo | Coding::Fst => take_number::<1>(&mut at.rest)? as u8,
        };
        *self = at;
        Ok(number)
    }

    /// How many arguments follow, which Dubbox writes before their types; -1: the types say so, and `None`:
    /// this is plain Dubbo.
    pub(super) fn argument_count(&mut self) -> Read<Option<i32>> {
        let first = *self.rest.first().ok_or(Stop::More(1))?;
        Ok(match self.coding {
            Coding::Hessian2 if !hessian2::is_string(first) => Some(hessian2::int(&mut self.rest)?),
            Coding::Kryo if matches!(first, 0 | 0xFF) => {
                Some(take_number::<4>(&mut self.rest)? as u32 as i32)
            }
            _ => None,
        })
    }

    fn line(&mut self) -> Read<&'a [u8]> {
        let end = memchr::memchr(b'\n', self.rest).ok_or(Stop::More(1))?;
        let line = take(&mut self.rest, end)?;
        take(&mut self.rest, 1)?;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn sized(&mut self) -> Read<&'a [u8]> {
        let len = take_number::<4>(&mut self.rest)? as usize;
        take(&mut self.rest, len)
    }

    /// A text of ASCII alone ends with the byte whose highest bit is set; others begin with such a byte, and
    /// say how many characters follow, and one more.
    fn kryo_text(&mut self, room: &mut Room) -> Read<()> {
        let first = take_number::<1>(&mut self.rest)?;
        if first & 0x80 == 0 {
            push(room, &[first as u8]);
            let last = self.rest.iter().position(|byte| byte & 0x80 != 0);
            let text = take(&mut self.rest, last.ok_or(Stop::More(1))? + 1)?;
            if let Some((last, text)) = text.split_last() {
                push(room, text);
                push(room, &[last & 0x7F]);
            }
            return Ok(());
        }
        let mut count = first & 0x3F;
        let mut goes_on = first & 0x40 != 0;
        for shift in [6, 13, 20, 27] {
            if !goes_on {
                break;
            }
            let next = take_number::<1>(&mut self.rest)?;
            count |= (next & 0x7F) << shift;
            goes_on = next & 0x80 != 0;
        }
        let text = hessian2::text(&mut self.rest, (count as usize).saturating_sub(1))?;
        push(room, text);
        Ok(())
    }

    /// A count of characters, then a byte for each below 255, and 255 with two bytes for others.
    fn fst_text(&mut self, room: &mut Room) -> Read<()> {
        let count = match take_number::<1>(&mut self.rest)? as u8 {
            0x80 => u64::from((take_number::<2>(&mut self.rest)? as u16).swap_bytes()),
            0x81 => u64::from((take_number::<4>(&mut self.rest)? as u32).swap_bytes()),
            short => u64::from(short),
        };
        for _ in 0..count {
            let unit = match take_number::<1>(&mut self.rest)? as u16 {
                255 => (take_number::<2>(&mut self.rest)? as u16).swap_bytes(),
                unit => unit,
            };
            push_unit(room, unit);
        }
        Ok(())
    }

    /// A length in bytes, and modified UTF-8.
    fn java_text(&mut self, counted: bool, room: &mut Room) -> Read<()> {
        if counted && self.java_number(4)? == u64::from(u32::MAX) {
            return Ok(());
        }
        let len = self.java_number(2)? as usize;
        self.java_bytes(len, |piece| push(room, piece))
    }

    fn java_number(&mut self, len: usize) -> Read<u64> {
        let mut number = 0;
        self.java_bytes(len, |piece| {
            number = piece
                .iter()
                .fold(number, |number, byte| number << 8 | u64::from(*byte));
        })?;
        Ok(number)
    }

    /// The next `len` bytes out of blocks.
    fn java_bytes(&mut self, mut len: usize, mut each: impl FnMut(&[u8])) -> Read<()> {
        while len > 0 {
            match self.block {
                None => {
                    if take(&mut self.rest, JAVA_STREAM.len())? != JAVA_STREAM {
                        return Err(Stop::Broken);
                    }
                    self.block = Some(0);
                }
                Some(0) => {
                    self.block = Some(match take_number::<1>(&mut self.rest)? {
                        JAVA_BLOCK => take_number::<1>(&mut self.rest)? as usize,
                        JAVA_LONG_BLOCK => take_number::<4>(&mut self.rest)? as usize,
                        _ => return Err(Stop::Broken),
                    });
                }
                Some(left) => {
                    let piece = take(&mut self.rest, left.min(len))?;
                    each(piece);
                    len -= piece.len();
                    self.block = Some(left - piece.len());
                }
            }
        }
        Ok(())
    }
}

/// Appends what fits.
fn push(room: &mut Room, bytes: &[u8]) {
    let fits = bytes.len().min(room.remaining_capacity());
    room.extend(bytes.iter().take(fits).copied());
}

/// Appends a character.
fn push_unit(room: &mut Room, unit: u16) {
    let character = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
    push(room, character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The text of a JSON string.
fn unquote(line: &[u8], room: &mut Room) -> Read<()> {
    if line == b"null" {
        return Ok(());
    }
    let quoted = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    let mut rest = quoted.ok_or(Stop::Broken)?;
    loop {
        let end = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        push(room, rest.get(..end).unwrap_or(&[]));
        rest = match rest.get(end..) {
            Some([_, b'u', hex @ ..]) => {
                let (digits, rest) = hex.split_at_checked(4).ok_or(Stop::Broken)?;
                let digits = std::str::from_utf8(digits).map_err(|_| Stop::Broken)?;
                push_unit(room, u16::from_str_radix(digits, 16).map_err(|_| Stop::Broken)?);
                rest
            }
            Some([_, escaped, rest @ ..]) => {
                let plain = match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                };
                push(room, &[plain]);
                rest
            }
            _ => return Ok(()),
        };
    }
}

/// The text of a JSONB string that is ASCII or UTF-8: others hold no names.
fn jsonb_text(mut value: &[u8]) -> Read<&[u8]> {
    // What has a length of its own is whole: nothing more will come.
    let broken = |_| Stop::Broken;
    match take_number::<1>(&mut value).map_err(broken)? {
        fixed @ 73..=120 => take(&mut value, fixed as usize - 73).map_err(broken),
        121 | 122 => {
            let len = jsonb_int(&mut value).map_err(broken)?;
            take(&mut value, len).map_err(broken)
        }
        // Null.
        0xAF => Ok(&[]),
        _ => Err(Stop::Broken),
    }
}

fn jsonb_int(value: &mut &[u8]) -> Read<usize> {
    Ok(match take_number::<1>(value)? as usize {
        small @ 0..=47 => small,
        middle @ 56..=63 => (middle - 56) << 8 | take_number::<1>(value)? as usize,
        large @ 68..=71 => (large - 68) << 16 | take_number::<2>(value)? as usize,
        72 => take_number::<4>(value)? as usize,
        _ => return Err(Stop::Broken),
    })
}
