//! Hessian 2.0, the binary form of values in Dubbo and other RPC protocols, read where it lies.
//! Source: Hessian 2.0 Serialization Protocol (hessian.caucho.com), sections 4 (grammar) and 7 (bytecodes).
//!
//! * [`string`] and [`int`] read one value that is whole.
//! * [`Walker`] passes any number of values of any kind, in as many pieces as they come, and keeps none of
//!   them. What it remembers is bounded: how deep it stands, and how many fields each class has.
//!
//! References need no table here: a value that is only passed is never looked at again.

mod units;
mod walk;

#[cfg(test)]
pub(crate) mod encoder;
#[cfg(test)]
mod tests;

use units::Units;
pub(crate) use walk::{Walk, Walker};

/// Why a value can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It goes on for this many bytes more, at least.
    More(usize),
    /// It is something else, or broken.
    Broken,
}

/// What a reader gives.
pub(crate) type Read<T> = Result<T, Stop>;

/// Takes `count` bytes off `bytes`.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Read<&'a [u8]> {
    let (taken, rest) = bytes
        .split_at_checked(count)
        .ok_or(Stop::More(count.saturating_sub(bytes.len())))?;
    *bytes = rest;
    Ok(taken)
}

/// Takes a number of `N` bytes off `bytes`, most significant first.
pub(crate) fn take_number<const N: usize>(bytes: &mut &[u8]) -> Read<u64> {
    let taken = take(bytes, N)?;
    Ok(taken
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A string that is sent in one piece, off the start of `bytes`.
pub(crate) fn string<'a>(bytes: &mut &'a [u8]) -> Read<&'a [u8]> {
    let mut rest = *bytes;
    let (units, is_last) = string_head(&mut rest)?;
    if !is_last {
        return Err(Stop::Broken);
    }
    let text = text(&mut rest, units)?;
    *bytes = rest;
    Ok(text)
}

/// What is at hand of a string's first piece.
pub(crate) fn string_start(mut bytes: &[u8]) -> Read<&[u8]> {
    let (units, _) = string_head(&mut bytes)?;
    let len = Units::new(units).pass(bytes);
    take(&mut bytes, len)
}

/// UTF-8 of so many UTF-16 units, off the start of `bytes`.
pub(crate) fn text<'a>(bytes: &mut &'a [u8], units: usize) -> Read<&'a [u8]> {
    let mut units = Units::new(units);
    let len = units.pass(bytes);
    if !units.are_over() {
        return Err(Stop::More(units.wants()));
    }
    take(bytes, len)
}

/// Length of a string's piece, UTF-16 units, and whether it is the last.
fn string_head(bytes: &mut &[u8]) -> Read<(usize, bool)> {
    let tag = take_number::<1>(bytes)?;
    let units = match tag {
        0x00..=0x1F => tag,
        0x30..=0x33 => (tag - 0x30) << 8 | take_number::<1>(bytes)?,
        0x52 | 0x53 => take_number::<2>(bytes)?,
        _ => return Err(Stop::Broken),
    };
    Ok((units as usize, tag != 0x52))
}

/// Whether a value that begins with `tag` is a string.
pub(crate) const fn is_string(tag: u8) -> bool {
    matches!(tag, 0x00..=0x1F | 0x30..=0x33 | b'R' | b'S')
}

/// An int, off the start of `bytes`.
pub(crate) fn int(bytes: &mut &[u8]) -> Read<i32> {
    let mut rest = *bytes;
    let first = take_number::<1>(&mut rest)? as i32;
    let number = match first {
        0x80..=0xBF => first - 0x90,
        0xC0..=0xCF => (first - 0xC8) << 8 | take_number::<1>(&mut rest)? as i32,
        0xD0..=0xD7 => (first - 0xD4) << 16 | take_number::<2>(&mut rest)? as i32,
        0x49 => take_number::<4>(&mut rest)? as i32,
        _ => return Err(Stop::Broken),
    };
    *bytes = rest;
    Ok(number)
}
