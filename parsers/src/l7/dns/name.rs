//! Domain names on the wire and as text. Source: RFC 1035 sections 3.1, 4.1.4 and 5.1; RFC 2181 section 11.
//!
//! Text is as `dig` prints it, without the final dot: special characters are quoted by `\`, bytes outside
//! the printable ASCII range become `\DDD`. The root is `.`.

use crate::conversation::TextWriter;

/// Longest name on the wire, octets, with its length bytes and the root's (RFC 1035 section 2.3.4).
pub(super) const NAME_BYTES_MAX: usize = 255;
/// The top bits of a length byte that make it a compression pointer.
pub(super) const POINTER: u8 = 0xC0;
/// Longest label, octets.
const LABEL_BYTES_MAX: u8 = 63;

/// Which bytes stand for themselves in text.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        plain[byte] = !matches!(byte as u8, b'"' | b'(' | b')' | b'.' | b';' | b'\\');
        byte += 1;
    }
    plain
};

/// Where the name at `at` ends in `message`; `None` where it is not whole or no name.
#[inline]
pub(super) fn skip(message: &[u8], at: usize) -> Option<usize> {
    let rest = message.get(at..)?;
    let name = rest.get(..NAME_BYTES_MAX).unwrap_or(rest);
    let mut next = 0;
    while let Some(len @ 1..=LABEL_BYTES_MAX) = name.get(next) {
        next += 1 + usize::from(*len);
    }
    match *name.get(next)? {
        0 => Some(at + next + 1),
        POINTER.. => rest.get(next + 1).map(|_| at + next + 2),
        _ => None,
    }
}

/// The labels of a name, pointers followed. Ends early, and says so, where the name is broken.
pub(super) struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    /// Pointers must lead before what was read of the name so far: so they cannot loop.
    pointers_below: usize,
    octets_left: usize,
    /// The name ended as it must.
    pub(super) whole: bool,
}

impl<'a> Labels<'a> {
    pub(super) fn new(message: &'a [u8], at: usize) -> Self {
        Self {
            message,
            at,
            pointers_below: at,
            octets_left: NAME_BYTES_MAX,
            whole: false,
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let len = *self.message.get(self.at)?;
            if len >= POINTER {
                let low = *self.message.get(self.at + 1)?;
                let target = usize::from(u16::from_be_bytes([len & !POINTER, low]));
                if target >= self.pointers_below {
                    return None;
                }
                (self.at, self.pointers_below) = (target, target);
                continue;
            }
            if len == 0 {
                self.whole = true;
                return None;
            }
            let octets = 1 + usize::from(len);
            // One octet stays for the root.
            if len > LABEL_BYTES_MAX || self.octets_left <= octets {
                return None;
            }
            self.octets_left -= octets;
            let label = self.message.get(self.at + 1..self.at + octets)?;
            self.at += octets;
            return Some(label);
        }
    }
}

/// Writes the name at `at`; false where it is broken, with what could be read written.
pub(super) fn write(message: &[u8], at: usize, text: &mut TextWriter<'_>) -> bool {
    let mut labels = Labels::new(message, at);
    let mut first = true;
    for label in &mut labels {
        if !first {
            text.push(b".");
        }
        first = false;
        write_label(label, text);
    }
    if first && labels.whole {
        text.push(b".");
    }
    labels.whole
}

fn write_label(mut label: &[u8], text: &mut TextWriter<'_>) {
    while !label.is_empty() {
        let plain = label.iter().take_while(|b| PLAIN[usize::from(**b)]).count();
        let (as_is, rest) = label.split_at(plain);
        text.push(as_is);
        let Some((byte, rest)) = rest.split_first() else {
            return;
        };
        push_quoted(*byte, text);
        label = rest;
    }
}

/// Writes a byte that does not stand for itself.
pub(super) fn push_quoted(byte: u8, text: &mut TextWriter<'_>) {
    if (0x21..0x7F).contains(&byte) {
        text.push(&[b'\\', byte]);
    } else {
        text.push(&[b'\\', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]);
    }
}

/// Room for the text of a name of ordinary length: others are not worth the time to clear it.
pub(super) type NameText = [u8; 128];

/// What [`NameText`] holds before: any byte that is plain.
pub(super) const NO_TEXT: NameText = [b'-'; 128];

/// The text, in `room`, of the name whose octets these are, from its first length byte to where [`skip`]
/// said that it ends, where that is those octets with dots for length bytes: nearly every name that is
/// asked for. `None` where it is compressed, long, holds bytes that are rare in names, or is the root.
#[inline]
pub(super) fn plain<'r>(name: &[u8], room: &'r mut NameText) -> Option<&'r [u8]> {
    // Without the first length byte and the root.
    let [first, octets @ .., _] = name else {
        return None;
    };
    let text = room.get_mut(..octets.len())?;
    text.copy_from_slice(octets);
    let mut label_end = usize::from(*first);
    let mut dots = 0;
    while let Some(len) = text.get_mut(label_end) {
        label_end += 1 + usize::from(*len);
        *len = b'.';
        dots += 1;
    }
    let whole = label_end == octets.len() && label_end > 0;
    (whole && rare(room, octets.len()) == dots).then(|| &room[..octets.len()])
}

/// How many of the first `len` bytes, and what fills the last 16 of them up, are dots or rare in names.
#[inline]
fn rare(room: &NameText, len: usize) -> u32 {
    let mut counts = [0; 16];
    for bytes in room.as_chunks::<16>().0.iter().take(len.div_ceil(16)) {
        counts = std::array::from_fn(|i| counts[i] + rare_kinds(bytes[i]));
    }
    counts.iter().map(|count| u32::from(*count)).sum()
}

/// Of what is rare, whatever `byte` is. A sum without branches: sixteen bytes at a time are a few
/// instructions on vectors.
#[inline]
fn rare_kinds(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'-') > b'~' - b'-')
        + u8::from(byte == b'.')
        + u8::from(byte == b';')
        + u8::from(byte == b'\\')
}
