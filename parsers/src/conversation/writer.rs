//! Writes one text field in pieces, straight to where the message's text is kept.

use super::out::cut_at_character;
#[cfg(test)]
use super::scratch::ENTRY_HEAD_BYTES;
use super::scratch::Scratch;
use crate::field::Field;

/// One text field under way: what is pushed stands together in the record. What exceeds the field's
/// limit is left out and the record says `truncated`; a field to which nothing was pushed is no field.
pub struct TextWriter<'a> {
    to: &'a mut Scratch,
    start: usize,
    /// Where in `to` the text begins.
    text: usize,
    /// Where in `to` the field's limit lies.
    end: usize,
    truncated: Option<&'a mut bool>,
}

impl<'a> TextWriter<'a> {
    /// A field of at most `max` bytes at the end of `to`; with `truncated: None` nothing is written.
    pub(super) fn new(
        to: &'a mut Scratch,
        field: Field,
        max: usize,
        truncated: Option<&'a mut bool>,
    ) -> Self {
        let start = to.len();
        let max = if truncated.is_some() {
            max.min(usize::from(u16::MAX))
        } else {
            0
        };
        to.extend(&[field as u8, 0, 0]);
        let text = to.len();
        Self {
            to,
            start,
            text,
            end: text + max,
            truncated,
        }
    }

    /// An entry of `attrs`: its key stands before its value, and is not part of it.
    pub(super) fn with_key(mut self, key: &str) -> Self {
        let key = key.as_bytes();
        self.to.extend(&[key.len() as u8]);
        self.to.extend(key);
        let before = std::mem::replace(&mut self.text, self.to.len());
        self.end += self.text - before;
        self
    }

    /// Appends `bytes`.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.end - self.to.len();
        if bytes.len() <= room {
            self.to.extend(bytes);
        } else {
            self.to.extend(cut_at_character(bytes, room));
            // Nothing may follow what was left out.
            self.end = self.to.len();
            self.mark_truncated();
        }
    }

    /// Appends a decimal number.
    pub fn push_number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = number;
        while let Some(place) = at.checked_sub(1).and_then(|i| digits.get_mut(i)) {
            *place = b'0' + (left % 10) as u8;
            at -= 1;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.to.len() - self.text
    }

    /// Whether nothing was written so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.to.len() >= self.end
    }

    /// The message has more than was pushed.
    pub fn mark_truncated(&mut self) {
        if let Some(truncated) = &mut self.truncated {
            **truncated = true;
        }
    }
}

impl Drop for TextWriter<'_> {
    fn drop(&mut self) {
        if self.is_empty() {
            self.to.truncate(self.start);
        } else {
            self.to.end_entry(self.start);
        }
    }
}

/// What `write` writes, for tests of what parsers write.
#[cfg(test)]
pub(crate) fn written(write: impl FnOnce(&mut TextWriter<'_>)) -> String {
    let (mut to, mut truncated) = (Scratch::new(), false);
    write(&mut TextWriter::new(
        &mut to,
        Field::Result,
        4096,
        Some(&mut truncated),
    ));
    String::from_utf8_lossy(to.as_slice().get(ENTRY_HEAD_BYTES..).unwrap_or(&[])).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{write_attr, write_text};

    #[test]
    fn pieces_make_the_entry_that_a_whole_text_makes() {
        let (mut pieces, mut whole, mut truncated) = (Scratch::new(), Vec::new(), false);
        let mut writer = TextWriter::new(&mut pieces, Field::Result, 100, Some(&mut truncated));
        writer.push(b"A=");
        writer.push_number(1_203_040);
        writer.push(b";");
        writer.push_number(0);
        drop(writer);
        write_text(&mut whole, Field::Result, b"A=1203040;0");
        assert_eq!((pieces.as_slice(), truncated), (&whole[..], false));
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters_and_says_so() {
        let (mut to, mut truncated) = (Scratch::new(), false);
        to.extend(b"before");
        let mut writer = TextWriter::new(&mut to, Field::Result, 4, Some(&mut truncated));
        writer.push("añ€".as_bytes());
        writer.push(b"more");
        drop(writer);
        assert_eq!(
            to.as_slice(),
            [b"before", &[Field::Result as u8, 3, 0][..], "añ".as_bytes()].concat()
        );
        assert!(truncated);
    }

    #[test]
    fn pieces_make_the_attribute_that_a_whole_value_makes() {
        let (mut pieces, mut whole, mut truncated) = (Scratch::new(), Vec::new(), false);
        let writer = TextWriter::new(&mut pieces, Field::Attr, 3, Some(&mut truncated));
        let mut writer = writer.with_key("parameters");
        writer.push(b"1,");
        writer.push(b"23");
        drop(writer);
        write_attr(&mut whole, b"parameters", b"1,2");
        assert_eq!((pieces.as_slice(), truncated), (&whole[..], true));
    }

    #[test]
    fn an_empty_field_leaves_nothing() {
        let (mut to, mut truncated) = (Scratch::new(), false);
        drop(TextWriter::new(&mut to, Field::Attr, 4, Some(&mut truncated)).with_key("key"));
        TextWriter::new(&mut to, Field::Result, 4, Some(&mut truncated)).push(b"");
        TextWriter::new(&mut to, Field::Result, 4, None).push(b"abc");
        assert_eq!((to.len(), truncated), (0, false));
    }
}
