//! BSON: documents of named, typed values. Source: bsonspec.org, version 1.1.
//!
//! A document is read element by element where it lies; nothing is built. What an element's value needs is
//! told from its head, so long values are passed without being looked at.

use memchr::memchr;

/// Bytes of the shortest document: its length and its end.
pub(crate) const DOCUMENT_BYTES_MIN: u32 = 5;
/// Bytes of a document's length, which counts itself.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Longest name of an element that is read, bytes. Names of commands and of what servers say end at about
/// fifty; those of stored documents have no bound and are passed with the value they stand in.
const NAME_BYTES_MAX: usize = 1024;
/// Longest regular expression, with its options, that is passed within a document, bytes: it has no length
/// in front, so its end is searched for.
const REGEX_BYTES_MAX: usize = 4096;

/// The type of a value (bsonspec.org, `element`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Double = 0x01,
    String = 0x02,
    Document = 0x03,
    Array = 0x04,
    Binary = 0x05,
    Undefined = 0x06,
    ObjectId = 0x07,
    Bool = 0x08,
    DateTime = 0x09,
    Null = 0x0A,
    Regex = 0x0B,
    DbPointer = 0x0C,
    Code = 0x0D,
    Symbol = 0x0E,
    CodeWithScope = 0x0F,
    Int32 = 0x10,
    Timestamp = 0x11,
    Int64 = 0x12,
    Decimal128 = 0x13,
    MaxKey = 0x7F,
    MinKey = 0xFF,
}

impl Kind {
    /// The type of this number, if there is one.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0x01 => Self::Double,
            0x02 => Self::String,
            0x03 => Self::Document,
            0x04 => Self::Array,
            0x05 => Self::Binary,
            0x06 => Self::Undefined,
            0x07 => Self::ObjectId,
            0x08 => Self::Bool,
            0x09 => Self::DateTime,
            0x0A => Self::Null,
            0x0B => Self::Regex,
            0x0C => Self::DbPointer,
            0x0D => Self::Code,
            0x0E => Self::Symbol,
            0x0F => Self::CodeWithScope,
            0x10 => Self::Int32,
            0x11 => Self::Timestamp,
            0x12 => Self::Int64,
            0x13 => Self::Decimal128,
            0x7F => Self::MaxKey,
            0xFF => Self::MinKey,
            _ => return None,
        })
    }

    /// How the length of a value is told.
    fn extent(self) -> Extent {
        match self {
            Self::Undefined | Self::Null | Self::MaxKey | Self::MinKey => Extent::Fixed(0),
            Self::Bool => Extent::Fixed(1),
            Self::Int32 => Extent::Fixed(4),
            Self::Double | Self::DateTime | Self::Timestamp | Self::Int64 => Extent::Fixed(8),
            Self::ObjectId => Extent::Fixed(12),
            Self::Decimal128 => Extent::Fixed(16),
            // The length counts what follows it, the zero at the end included.
            Self::String | Self::Code | Self::Symbol => Extent::Behind { extra: 4, min: 1 },
            // A string and an object id.
            Self::DbPointer => Extent::Behind { extra: 16, min: 1 },
            // The length counts neither itself nor the subtype.
            Self::Binary => Extent::Behind { extra: 5, min: 0 },
            // The length counts itself.
            Self::Document | Self::Array => Extent::Behind {
                extra: 0,
                min: DOCUMENT_BYTES_MIN,
            },
            // Length, an empty string, an empty document.
            Self::CodeWithScope => Extent::Behind { extra: 0, min: 14 },
            Self::Regex => Extent::TwoStrings,
        }
    }
}

enum Extent {
    Fixed(u32),
    /// A number of at least `min` in front, and `extra` bytes that it does not count.
    Behind {
        extra: u32,
        min: u32,
    },
    /// Up to the second zero.
    TwoStrings,
}

/// Why an element cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Not before this many bytes are at hand.
    Need(usize),
    /// This is no element.
    Broken,
}

/// The head of an element: where its value is, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a [u8],
    /// Bytes of type and name.
    pub(crate) head: usize,
    /// Bytes of the value, with its own length.
    pub(crate) len: u32,
}

/// The element that `bytes` begin with; `None` where the document ends.
pub(crate) fn element(bytes: &[u8]) -> Result<Option<Element<'_>>, Trouble> {
    let (number, rest) = bytes.split_first().ok_or(Trouble::Need(1))?;
    if *number == 0 {
        return Ok(None);
    }
    let kind = Kind::from_number(*number).ok_or(Trouble::Broken)?;
    let name = cstring(rest, NAME_BYTES_MAX).map_err(|trouble| trouble.behind(1))?;
    let head = 1 + name.len() + 1;
    let value = bytes.get(head..).unwrap_or(&[]);
    let len = match kind.extent() {
        Extent::Fixed(len) => len,
        Extent::Behind { extra, min } => {
            let len = length(value).ok_or(Trouble::Need(head + LENGTH_BYTES))?;
            // Not above i32::MAX, so that sums stay in range.
            if len < min || len > i32::MAX as u32 {
                return Err(Trouble::Broken);
            }
            len + extra
        }
        Extent::TwoStrings => {
            let first = cstring(value, REGEX_BYTES_MAX).map_err(|trouble| trouble.behind(head))?;
            let options = value.get(first.len() + 1..).unwrap_or(&[]);
            let second = cstring(options, REGEX_BYTES_MAX)
                .map_err(|trouble| trouble.behind(head + first.len() + 1))?;
            (first.len() + second.len() + 2) as u32
        }
    };
    Ok(Some(Element {
        kind,
        name,
        head,
        len,
    }))
}

/// The text up to the zero in `bytes`, which must stand within the first `max`.
pub(crate) fn cstring(bytes: &[u8], max: usize) -> Result<&[u8], Trouble> {
    let within = bytes.get(..bytes.len().min(max)).unwrap_or(&[]);
    match memchr(0, within) {
        Some(end) => Ok(within.get(..end).unwrap_or(&[])),
        None if bytes.len() < max => Err(Trouble::Need(bytes.len() + 1)),
        None => Err(Trouble::Broken),
    }
}

/// The number that `bytes` begin with: the length of a document, string or binary.
pub(crate) fn length(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

impl Trouble {
    /// The same, for bytes that begin `by` earlier.
    pub(crate) fn behind(self, by: usize) -> Self {
        match self {
            Self::Need(need) => Self::Need(need + by),
            Self::Broken => Self::Broken,
        }
    }
}

impl Element<'_> {
    /// The text of a string whose value, or the beginning of it, is `value`.
    pub(crate) fn text<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        if !matches!(self.kind, Kind::String | Kind::Symbol) {
            return None;
        }
        let end = value.len().min(self.len as usize - 1);
        Some(value.get(LENGTH_BYTES..end).unwrap_or(&[]))
    }

    /// A number, cut to an integer; a truth value is 1 or 0.
    pub(crate) fn number(&self, value: &[u8]) -> Option<i64> {
        match self.kind {
            Kind::Double => value.first_chunk().map(|bytes| f64::from_le_bytes(*bytes) as i64),
            Kind::Int32 => value.first_chunk().map(|bytes| i32::from_le_bytes(*bytes).into()),
            Kind::Int64 => value.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)),
            Kind::Bool => value.first().map(|byte| i64::from(*byte != 0)),
            _ => None,
        }
    }
}

/// Whether `bytes` may begin a document that is no longer than `max`: its length, and the type and name of
/// its first element as far as they are here. `None`: not to be told from so few bytes.
pub(crate) fn begins_document(bytes: &[u8], max: u64) -> Option<bool> {
    let len = length(bytes)?;
    if len < DOCUMENT_BYTES_MIN || u64::from(len) > max || len > i32::MAX as u32 {
        return Some(false);
    }
    let body = bytes.get(LENGTH_BYTES..)?;
    let (first, name) = body.split_first()?;
    if *first == 0 {
        return Some(len == DOCUMENT_BYTES_MIN);
    }
    let Some(kind) = Kind::from_number(*first) else {
        return Some(false);
    };
    let fixed = match kind.extent() {
        Extent::Fixed(fixed) => fixed,
        Extent::Behind { extra, min } => extra + min,
        Extent::TwoStrings => 2,
    };
    let end = memchr(0, name);
    let name = name.get(..end.unwrap_or(name.len())).unwrap_or(&[]);
    // Length, type, name and its zero, value, zero.
    let least = 4 + 1 + name.len() as u64 + 1 + u64::from(fixed) + 1;
    let printable = name.iter().all(|byte| *byte >= b' ' && *byte != 0x7F);
    if !printable || name.len() > NAME_BYTES_MAX || least > u64::from(len) {
        return Some(false);
    }
    end.map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of type `number`, named `a`, whose value is `value`.
    fn of(number: u8, value: &[u8]) -> Vec<u8> {
        [&[number, b'a', 0], value].concat()
    }

    #[test]
    fn every_type_is_as_long_as_it_says() {
        let empty = [5, 0, 0, 0, 0];
        let scope = [&18u32.to_le_bytes()[..], &4u32.to_le_bytes(), b"f()\0", &empty].concat();
        let pointer = [&b"\x02\0\0\0c\0"[..], &[7; 12]].concat();
        let values: &[(u8, &[u8])] = &[
            (0x01, &[0; 8]),
            (0x02, b"\x02\0\0\0x\0"),
            (0x03, &empty),
            (0x04, &empty),
            (0x05, b"\x03\0\0\0\x00abc"),
            (0x06, b""),
            (0x07, &[0; 12]),
            (0x08, &[1]),
            (0x09, &[0; 8]),
            (0x0A, b""),
            (0x0B, b"^a\0i\0"),
            (0x0C, &pointer),
            (0x0D, b"\x02\0\0\0x\0"),
            (0x0E, b"\x02\0\0\0x\0"),
            (0x0F, &scope),
            (0x10, &[0; 4]),
            (0x11, &[0; 8]),
            (0x12, &[0; 8]),
            (0x13, &[0; 16]),
            (0x7F, b""),
            (0xFF, b""),
        ];
        for (number, value) in values {
            let bytes = of(*number, value);
            let found = element(&bytes).unwrap().unwrap();
            assert_eq!((found.name, found.head), (&b"a"[..], 3), "{number:#x}");
            let len = if *number == 0x0F { 18 } else { value.len() };
            assert_eq!(found.len as usize, len, "{number:#x}");
            for at in 0..bytes.len() {
                match element(&bytes[..at]) {
                    Err(Trouble::Need(need)) => assert!(need > at, "{number:#x} at {at}"),
                    Ok(Some(same)) => assert_eq!(same.len, found.len),
                    other => panic!("{number:#x} at {at}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn documents_end_and_garbage_is_no_element() {
        assert_eq!(element(&[0, 1]), Ok(None));
        assert_eq!(element(b"\x14a\0"), Err(Trouble::Broken));
        assert_eq!(element(b"\x02a\0\0\0\0\0\0"), Err(Trouble::Broken));
        assert_eq!(element(b"\x02a\0\xff\xff\xff\xff\0"), Err(Trouble::Broken));
        assert_eq!(element(b"\x03a\0\x04\0\0\0\0"), Err(Trouble::Broken));
        let long = [&[2][..], &[b'n'; 2000]].concat();
        assert_eq!(element(&long), Err(Trouble::Broken));
    }

    #[test]
    fn values_are_read() {
        let read = |number, value: &[u8]| {
            let bytes = of(number, value);
            let found = element(&bytes).unwrap().unwrap();
            let value = &bytes[found.head..];
            (found.number(value), found.text(value).map(<[u8]>::to_vec))
        };
        assert_eq!(read(0x01, &1.0f64.to_le_bytes()), (Some(1), None));
        assert_eq!(read(0x01, &f64::NAN.to_le_bytes()), (Some(0), None));
        assert_eq!(read(0x10, &(-3i32).to_le_bytes()), (Some(-3), None));
        assert_eq!(read(0x12, &i64::MIN.to_le_bytes()), (Some(i64::MIN), None));
        assert_eq!(read(0x08, &[1]), (Some(1), None));
        assert_eq!(read(0x02, b"\x04\0\0\0abc\0"), (None, Some(b"abc".to_vec())));
        assert_eq!(read(0x02, b"\x04\0\0\0ab"), (None, Some(b"ab".to_vec())));
        assert_eq!(read(0x02, b"\x01\0\0\0\0"), (None, Some(Vec::new())));
        assert_eq!(read(0x0A, b""), (None, None));
    }

    #[test]
    fn a_document_is_known_by_its_first_element() {
        let document = b"\x0e\0\0\0\x10ping\0\x01\0\0\0\0";
        // Fourteen bytes cannot hold a name of four and a number.
        assert_eq!(begins_document(document, 100), Some(false));
        let document = b"\x0f\0\0\0\x10ping\0\x01\0\0\0\0";
        assert_eq!(begins_document(document, 100), Some(true));
        assert_eq!(begins_document(document, 14), Some(false));
        assert_eq!(begins_document(&document[..7], 100), None);
        assert_eq!(begins_document(b"\x05\0\0\0\0", 100), Some(true));
        assert_eq!(begins_document(b"\x06\0\0\0\0\0", 100), Some(false));
        assert_eq!(begins_document(b"\x0f\0\0\0\x10pi\x01", 100), Some(false));
        assert_eq!(begins_document(b"\x0f\0\0\0\x20ping\0", 100), Some(false));
    }
}
