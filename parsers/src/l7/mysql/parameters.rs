//! Parameters of prepared statements and query attributes. Source: MySQL 8 source documentation,
//! "Binary Protocol Value", COM_STMT_EXECUTE, COM_QUERY.

use super::wire::Reader;
use crate::conversation::TextWriter;

/// Parameters of one statement whose types are kept for the next EXECUTE, which may leave them out.
const TYPES_MAX: usize = 256;

const TYPE_TINY: u8 = 1;
const TYPE_SHORT: u8 = 2;
const TYPE_LONG: u8 = 3;
const TYPE_FLOAT: u8 = 4;
const TYPE_DOUBLE: u8 = 5;
const TYPE_NULL: u8 = 6;
const TYPE_TIMESTAMP: u8 = 7;
const TYPE_LONGLONG: u8 = 8;
const TYPE_INT24: u8 = 9;
const TYPE_DATE: u8 = 10;
const TYPE_TIME: u8 = 11;
const TYPE_DATETIME: u8 = 12;
const TYPE_YEAR: u8 = 13;
/// Bit of the byte behind the type.
const UNSIGNED: u8 = 0x80;

/// What is known of a prepared statement besides its text.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Its id, once the server has said it.
    pub(super) id: Option<u32>,
    /// How many there are, from the server's answer to PREPARE.
    pub(super) count: Option<u16>,
    /// Type and flags of each, from the last EXECUTE that gave them.
    pub(super) types: Vec<[u8; 2]>,
}

/// A value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Signed(i64),
    Unsigned(u64),
    Float(f32),
    Double(f64),
    Text(&'a [u8]),
    /// Year, month, day; hour, minute, second; microseconds.
    Date(u16, [u8; 5], u32),
    /// Negative, days; hour, minute, second; microseconds.
    Time(bool, u32, [u8; 3], u32),
}

impl<'a> Value<'a> {
    fn read(reader: &mut Reader<'a>, [kind, flags]: [u8; 2]) -> Option<Self> {
        let unsigned = flags & UNSIGNED != 0;
        let integer = |signed: i64, bits: u64| {
            if unsigned {
                Value::Unsigned(bits)
            } else {
                Value::Signed(signed)
            }
        };
        Some(match kind {
            TYPE_NULL => Self::Null,
            TYPE_TINY => reader.u8().map(|v| integer(i64::from(v as i8), v.into()))?,
            TYPE_SHORT | TYPE_YEAR => reader.u16().map(|v| integer(i64::from(v as i16), v.into()))?,
            TYPE_LONG | TYPE_INT24 => reader.u32().map(|v| integer(i64::from(v as i32), v.into()))?,
            TYPE_LONGLONG => reader.u64().map(|v| integer(v as i64, v))?,
            TYPE_FLOAT => Self::Float(f32::from_bits(reader.u32()?)),
            TYPE_DOUBLE => Self::Double(f64::from_bits(reader.u64()?)),
            TYPE_DATE | TYPE_DATETIME | TYPE_TIMESTAMP => Self::read_date(reader)?,
            TYPE_TIME => Self::read_time(reader)?,
            _ => Self::Text(reader.lenenc_text()?),
        })
    }

    /// 0, 4, 7 or 11 bytes: what is zero at the end is left out.
    fn read_date(reader: &mut Reader<'_>) -> Option<Self> {
        let len = reader.u8()?;
        let mut value = Reader(reader.take(usize::from(len))?);
        let year = value.u16().unwrap_or(0);
        let fields = std::array::from_fn(|_| value.u8().unwrap_or(0));
        Some(Self::Date(year, fields, value.u32().unwrap_or(0)))
    }

    /// 0, 8 or 12 bytes.
    fn read_time(reader: &mut Reader<'_>) -> Option<Self> {
        let len = reader.u8()?;
        let mut value = Reader(reader.take(usize::from(len))?);
        let negative = value.u8().unwrap_or(0) != 0;
        let days = value.u32().unwrap_or(0);
        let fields = std::array::from_fn(|_| value.u8().unwrap_or(0));
        Some(Self::Time(negative, days, fields, value.u32().unwrap_or(0)))
    }

    fn write(self, to: &mut TextWriter<'_>) {
        use std::io::Write as _;
        // No number or time is longer than this.
        let mut buffer = [0u8; 64];
        let mut rest = &mut buffer[..];
        let written = match self {
            Self::Text(text) => {
                to.push(b"'");
                to.push(text);
                to.push(b"'");
                return;
            }
            Self::Null => write!(rest, "NULL"),
            Self::Signed(value) => write!(rest, "{value}"),
            Self::Unsigned(value) => write!(rest, "{value}"),
            // `Display` writes no exponents: 1e300 would take 301 digits.
            Self::Float(value) if (1e-9..1e18).contains(&value.abs()) || value == 0.0 => {
                write!(rest, "{value}")
            }
            Self::Float(value) => write!(rest, "{value:e}"),
            Self::Double(value) if (1e-9..1e18).contains(&value.abs()) || value == 0.0 => {
                write!(rest, "{value}")
            }
            Self::Double(value) => write!(rest, "{value:e}"),
            Self::Date(year, [month, day, 0, 0, 0], 0) => write!(rest, "{year:04}-{month:02}-{day:02}"),
            Self::Date(year, [month, day, h, m, s], micros) => {
                write!(rest, "{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}")
                    .and_then(|()| write_micros(&mut rest, micros))
            }
            Self::Time(negative, days, [h, m, s], micros) => {
                let sign = if negative { "-" } else { "" };
                let hours = u64::from(days) * 24 + u64::from(h);
                write!(rest, "{sign}{hours:02}:{m:02}:{s:02}").and_then(|()| write_micros(&mut rest, micros))
            }
        };
        let left = rest.len();
        if written.is_ok() {
            to.push(buffer.get(..64 - left).unwrap_or(&[]));
        }
    }
}

fn write_micros(to: &mut &mut [u8], micros: u32) -> std::io::Result<()> {
    use std::io::Write as _;
    if micros == 0 {
        Ok(())
    } else {
        write!(to, ".{micros:06}")
    }
}

/// One parameter as read: its name (of query attributes only) and value.
pub(super) type Named<'a> = (&'a [u8], Value<'a>);

/// Reads `count` parameters: NULL bitmap, types (or those of before), values. Hands each one out;
/// false when the payload ended before the last.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    count: usize,
    named: bool,
    known: &mut Vec<[u8; 2]>,
    mut each: impl FnMut(Named<'a>),
) -> bool {
    let mut run = || -> Option<()> {
        let nulls = reader.take(count.div_ceil(8))?;
        let types_follow = reader.u8()? != 0;
        let mut types = *reader;
        if types_follow {
            known.clear();
            for _ in 0..count {
                let kind = reader.array::<2>()?;
                if named {
                    reader.lenenc_text()?;
                }
                if known.len() < TYPES_MAX {
                    known.push(kind);
                }
            }
        }
        for index in 0..count {
            let (kind, name) = if types_follow {
                let kind = types.array::<2>()?;
                let name: &[u8] = if named { types.lenenc_text()? } else { &[] };
                (kind, name)
            } else {
                (*known.get(index)?, &[][..])
            };
            let is_null = nulls.get(index / 8)? & 1 << (index % 8) != 0;
            let value = if is_null {
                Value::Null
            } else {
                Value::read(reader, kind)?
            };
            each((name, value));
        }
        Some(())
    };
    run().is_some()
}

/// Appends a value to a list; `?` for all of them where literals are redacted.
pub(super) fn write_listed(to: &mut TextWriter<'_>, value: Value<'_>, redacted: bool) {
    if !to.is_empty() {
        to.push(b",");
    }
    if redacted {
        to.push(b"?");
    } else {
        value.write(to);
    }
}

/// Appends `name=value`.
pub(super) fn write_named(to: &mut TextWriter<'_>, (name, value): Named<'_>, redacted: bool) {
    if !to.is_empty() {
        to.push(b",");
    }
    to.push(name);
    to.push(b"=");
    if redacted {
        to.push(b"?");
    } else {
        value.write(to);
    }
}
