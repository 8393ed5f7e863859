//! Reads the primitive types of the protocol. Source: Apache Kafka, protocol guide, "Protocol Primitive Types".

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// Bytes up to this place of the input must be at hand.
    Bytes(u64),
    /// It breaks its type, or lies beyond the end of the message.
    Broken,
}

/// A place in one message. May be beyond the bytes at hand: what was passed need not be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// From the start of `bytes`.
    pub(super) at: u64,
    /// Where the message ends, from the start of `bytes`.
    pub(super) end: u64,
}

impl<'a> Cursor<'a> {
    /// At `at` of `bytes`, in a message that ends at `end`.
    pub(super) fn new(bytes: &'a [u8], at: u64, end: u64) -> Self {
        Self { bytes, at, end }
    }

    /// Bytes of the message from here on, seen or not.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// Takes `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Lack> {
        let to = self.at.saturating_add(count as u64);
        if to > self.end {
            return Err(Lack::Broken);
        }
        let from = usize::try_from(self.at).map_err(|_| Lack::Broken)?;
        let taken = self.bytes.get(from..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or(Lack::Bytes(to))?;
        self.at = to;
        Ok(taken)
    }

    /// Passes `count` bytes.
    pub(super) fn pass(&mut self, count: u64) -> Result<(), Lack> {
        let to = self.at.saturating_add(count);
        if to > self.end {
            return Err(Lack::Broken);
        }
        self.at = to;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Lack> {
        self.take(N)?.try_into().map_err(|_| Lack::Broken)
    }

    /// INT8.
    pub(super) fn int8(&mut self) -> Result<i8, Lack> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    /// INT16.
    pub(super) fn int16(&mut self) -> Result<i16, Lack> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    /// INT32.
    pub(super) fn int32(&mut self) -> Result<i32, Lack> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// UNSIGNED_VARINT: seven bits a byte, the lowest first, at most 32 of them.
    pub(super) fn unsigned_varint(&mut self) -> Result<u32, Lack> {
        let mut value = 0u64;
        for place in 0..5 {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| Lack::Broken);
            }
        }
        Err(Lack::Broken)
    }

    /// VARINT: zigzag, as in Protocol Buffers.
    pub(super) fn varint(&mut self) -> Result<i32, Lack> {
        let value = self.unsigned_varint()?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// Passes a VARLONG.
    pub(super) fn pass_varlong(&mut self) -> Result<(), Lack> {
        for _ in 0..10 {
            let [byte] = self.array()?;
            if byte & 0x80 == 0 {
                return Ok(());
            }
        }
        Err(Lack::Broken)
    }

    /// Length of an array, bytes or (`short`) a string; `None` for null. What is longer than the rest of the
    /// message is broken: everything takes a byte at least.
    pub(super) fn length(&mut self, flexible: bool, short: bool) -> Result<Option<u32>, Lack> {
        let length = match (flexible, short) {
            (true, _) => i64::from(self.unsigned_varint()?) - 1,
            (false, true) => i64::from(self.int16()?),
            (false, false) => i64::from(self.int32()?),
        };
        match u32::try_from(length) {
            Ok(length) if u64::from(length) <= self.left() => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            _ => Err(Lack::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Cursor<'_> {
        Cursor::new(bytes, 0, 100)
    }

    #[test]
    fn integers_of_every_kind_are_read() {
        assert_eq!(of(&[0x96, 1]).unsigned_varint(), Ok(150));
        assert_eq!(
            of(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).unsigned_varint(),
            Ok(u32::MAX)
        );
        assert_eq!(
            of(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]).unsigned_varint(),
            Err(Lack::Broken)
        );
        assert_eq!(of(&[0x80; 6]).unsigned_varint(), Err(Lack::Broken));
        assert_eq!(of(&[0x80]).unsigned_varint(), Err(Lack::Bytes(2)));
        assert_eq!(
            (of(&[3]).varint(), of(&[4]).varint(), of(&[1]).varint()),
            (Ok(-2), Ok(2), Ok(-1))
        );
        assert_eq!(of(&[0xFF; 10]).pass_varlong(), Err(Lack::Broken));
        assert_eq!((of(&[0xFF, 0xFE]).int16(), of(&[1]).int8()), (Ok(-2), Ok(1)));
    }

    #[test]
    fn lengths_know_null_and_the_end_of_the_message() {
        assert_eq!(of(&[0xFF, 0xFF]).length(false, true), Ok(None));
        assert_eq!(of(&[0xFF, 0xFE]).length(false, true), Err(Lack::Broken));
        assert_eq!(of(&[0, 0, 0, 5]).length(false, false), Ok(Some(5)));
        assert_eq!(of(&[0, 0, 1, 5]).length(false, false), Err(Lack::Broken));
        assert_eq!(
            (of(&[0]).length(true, true), of(&[1]).length(true, false)),
            (Ok(None), Ok(Some(0)))
        );
    }

    #[test]
    fn what_is_passed_need_not_be_at_hand_but_within_the_message() {
        let mut cursor = of(b"abc");
        assert_eq!(cursor.take(2), Ok(&b"ab"[..]));
        assert_eq!(cursor.pass(90), Ok(()));
        assert_eq!(cursor.take(4), Err(Lack::Bytes(96)));
        assert_eq!(
            (cursor.take(9), cursor.pass(9)),
            (Err(Lack::Broken), Err(Lack::Broken))
        );
        assert_eq!(cursor.at, 92);
    }
}
