//! The Redis serialization protocol: heads of values, and a walk over values that keeps nothing of them.
//! Source: Redis documentation, "Redis serialization protocol specification" (RESP2 and RESP3); streamed
//! values from the RESP3 specification, "Streamed strings" and "Streamed aggregated data types".

use crate::limits::{REDIS_ELEMENTS_MAX, REDIS_LINE_BYTES_MAX, REDIS_STREAMED_DEPTH_MAX};
use memchr::memchr;

/// What ends a line and a bulk value.
pub(super) const CRLF: &[u8; 2] = b"\r\n";
/// Longest line that holds a length: type, 20 digits and their end.
const LENGTH_LINE_MAX: usize = 24;

/// What the first line of a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The line is the value.
    Line,
    /// The line is the value and longer than what is read of one; `end` lies within it.
    LongLine,
    /// So many bytes and an end of line follow.
    Bulk(u64),
    /// So many values follow, and are the value.
    Elements(u64),
    /// So many values follow, then the value that they are about.
    Attribute(u64),
    /// No value.
    Null,
    /// Chunks follow, to an empty one.
    StreamedBulk,
    /// So many bytes of a streamed value.
    Chunk(u64),
    /// Values follow, to a mark.
    StreamedElements,
    /// The mark.
    Mark,
}

/// The head of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The first byte.
    pub(super) kind: u8,
    pub(super) form: Form,
    /// Where the first line ends.
    pub(super) end: usize,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Head(Head),
    /// The line is not whole.
    More,
    /// No value of this protocol.
    Broken,
}

/// Looks at the value that begins at `at`.
#[inline]
pub(super) fn look(bytes: &[u8], at: usize) -> Look {
    let Some(kind) = bytes.get(at).copied() else {
        return Look::More;
    };
    match kind {
        b'+' | b'-' | b':' | b',' | b'#' | b'(' => look_line(kind, bytes, at),
        b'$' | b'*' | b'%' | b'~' | b'>' | b'|' | b'!' | b'=' | b';' => look_length(kind, bytes, at),
        b'_' | b'.' => match bytes.get(at + 1..) {
            Some([b'\r', b'\n', ..]) => {
                let form = if kind == b'_' { Form::Null } else { Form::Mark };
                Look::Head(Head {
                    kind,
                    form,
                    end: at + 3,
                })
            }
            None | Some([] | [b'\r']) => Look::More,
            Some(_) => Look::Broken,
        },
        _ => Look::Broken,
    }
}

fn look_line(kind: u8, bytes: &[u8], at: usize) -> Look {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let seen = rest.get(..REDIS_LINE_BYTES_MAX).unwrap_or(rest);
    match memchr(b'\n', seen) {
        Some(n) if rest.get(n - 1) == Some(&b'\r') => Look::Head(Head {
            kind,
            form: Form::Line,
            end: at + n + 1,
        }),
        Some(_) => Look::Broken,
        None if rest.len() < REDIS_LINE_BYTES_MAX => Look::More,
        None => Look::Head(Head {
            kind,
            form: Form::LongLine,
            end: at + REDIS_LINE_BYTES_MAX,
        }),
    }
}

#[inline]
fn look_length(kind: u8, bytes: &[u8], at: usize) -> Look {
    let mut next = at + 1;
    let mut number: u64 = 0;
    while let Some(digit) = bytes
        .get(next)
        .map(|byte| byte.wrapping_sub(b'0'))
        .filter(|digit| *digit < 10)
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        next += 1;
        if next - at > LENGTH_LINE_MAX {
            return Look::Broken;
        }
    }
    let form = if next > at + 1 {
        if number > REDIS_ELEMENTS_MAX {
            return Look::Broken;
        }
        match kind {
            b'$' | b'!' | b'=' => Form::Bulk(number),
            b'*' | b'~' | b'>' => Form::Elements(number),
            b'%' => Form::Elements(2 * number),
            b'|' => Form::Attribute(2 * number),
            _ => Form::Chunk(number),
        }
    } else {
        match (kind, bytes.get(next..).unwrap_or(&[])) {
            (_, [] | [b'-']) => return Look::More,
            (b'$' | b'*', [b'-', b'1', ..]) => {
                next += 2;
                Form::Null
            }
            (b'$', [b'?', ..]) => {
                next += 1;
                Form::StreamedBulk
            }
            (b'*' | b'%' | b'~', [b'?', ..]) => {
                next += 1;
                Form::StreamedElements
            }
            _ => return Look::Broken,
        }
    };
    match bytes.get(next..) {
        Some([b'\r', b'\n', ..]) => Look::Head(Head {
            kind,
            form,
            end: next + 2,
        }),
        None | Some([] | [b'\r']) => Look::More,
        Some(_) => Look::Broken,
    }
}

/// How far a walk got, in bytes from the start of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// The values end here, perhaps behind the input.
    Done(u64),
    /// A value under way ends here, behind the input; more values follow.
    Beyond(u64),
    /// What stands here is not whole.
    More(usize),
    /// No value of this protocol.
    Broken,
}

/// What of a level's values is to come.
const STREAMED: u64 = u64::MAX;

/// Passes values, nested to any depth: a counted aggregate adds its elements to those that are to come,
/// so only streamed ones, which end with a mark, need a level of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// Values of this level that are to come, or [`STREAMED`].
    left: u64,
    /// The same for the levels around this one.
    outer: [u64; REDIS_STREAMED_DEPTH_MAX],
    depth: u8,
    in_line: bool,
    in_chunks: bool,
}

impl Walk {
    /// A walk that has nothing to pass.
    pub(super) const IDLE: Self = Self {
        left: 0,
        outer: [0; REDIS_STREAMED_DEPTH_MAX],
        depth: 0,
        in_line: false,
        in_chunks: false,
    };

    /// A walk over as many values as there are.
    pub(super) const ENDLESS: Self = Self {
        left: REDIS_ELEMENTS_MAX / 2,
        ..Self::IDLE
    };

    /// A walk over `values` values.
    pub(super) fn over(values: u64) -> Self {
        Self {
            left: values,
            ..Self::IDLE
        }
    }

    /// Whether nothing is left to pass.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.depth == 0
    }

    /// Passes values from `at` on until `stop` are left.
    pub(super) fn advance(&mut self, bytes: &[u8], mut at: usize, stop: u64) -> Walked {
        loop {
            if self.in_line {
                match memchr(b'\n', bytes.get(at..).unwrap_or(&[])) {
                    Some(n) => at += n + 1,
                    None => return Walked::More(bytes.len()),
                }
                self.in_line = false;
                self.take();
            }
            if self.depth == 0 && self.left <= stop && !self.in_chunks {
                return Walked::Done(at as u64);
            }
            let head = match look(bytes, at) {
                Look::Head(head) => head,
                Look::More => return Walked::More(at),
                Look::Broken => return Walked::Broken,
            };
            let is_chunk = matches!(head.form, Form::Chunk(_));
            if is_chunk != self.in_chunks {
                return Walked::Broken;
            }
            at = head.end;
            let data = match head.form {
                Form::Bulk(len) => {
                    self.take();
                    Some(len)
                }
                Form::Chunk(0) => {
                    self.in_chunks = false;
                    self.take();
                    None
                }
                Form::Chunk(len) => Some(len),
                form => {
                    if !self.enter(form) {
                        return Walked::Broken;
                    }
                    None
                }
            };
            let Some(len) = data else { continue };
            let end = at as u64 + len + CRLF.len() as u64;
            if end > bytes.len() as u64 {
                let is_last = self.depth == 0 && self.left <= stop && !self.in_chunks;
                return if is_last {
                    Walked::Done(end)
                } else {
                    Walked::Beyond(end)
                };
            }
            at = end as usize;
            if bytes.get(at - CRLF.len()..at) != Some(CRLF) {
                return Walked::Broken;
            }
        }
    }

    /// Takes note of a value whose head was read. False where it can't stand here.
    pub(super) fn enter(&mut self, form: Form) -> bool {
        match form {
            Form::LongLine => self.in_line = true,
            Form::StreamedBulk => self.in_chunks = true,
            Form::Elements(count) => {
                if self.left == STREAMED {
                    return count == 0 || self.push(count);
                }
                self.left = self.left.saturating_sub(1) + count;
                self.climb();
                return self.left <= REDIS_ELEMENTS_MAX;
            }
            Form::Attribute(count) => {
                if self.left == STREAMED {
                    return count == 0 || self.push(count);
                }
                self.left += count;
                return self.left <= REDIS_ELEMENTS_MAX;
            }
            Form::StreamedElements => {
                if self.left != STREAMED {
                    self.left = self.left.saturating_sub(1);
                }
                return self.push(STREAMED);
            }
            Form::Mark => {
                if self.left != STREAMED || self.depth == 0 {
                    return false;
                }
                self.left = 0;
                self.climb();
            }
            Form::Line | Form::Null | Form::Bulk(_) | Form::Chunk(_) => self.take(),
        }
        true
    }

    /// One value of this level has passed.
    fn take(&mut self) {
        if self.left != STREAMED {
            self.left = self.left.saturating_sub(1);
            self.climb();
        }
    }

    /// Goes back to the level around a level that is over.
    fn climb(&mut self) {
        while self.left == 0 && self.depth > 0 {
            self.depth -= 1;
            self.left = self.outer.get(usize::from(self.depth)).copied().unwrap_or(0);
        }
    }

    fn push(&mut self, left: u64) -> bool {
        let Some(level) = self.outer.get_mut(usize::from(self.depth)) else {
            return false;
        };
        *level = self.left;
        self.depth += 1;
        self.left = left;
        true
    }
}

/// What a bulk value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk<'a> {
    /// Its first bytes (all of them, or as many as were wanted), and where the value ends.
    Text(&'a [u8], u64),
    /// So many bytes are wanted, from the start of the input.
    More(usize),
    /// There is no bulk value.
    Other,
}

/// The bulk value at `at`, of which `max` bytes are wanted.
pub(super) fn bulk(bytes: &[u8], at: usize, max: usize) -> Bulk<'_> {
    let head = match look(bytes, at) {
        Look::Head(head) => head,
        Look::More => return Bulk::More(bytes.len() + 1),
        Look::Broken => return Bulk::Other,
    };
    let Form::Bulk(len) = head.form else {
        return Bulk::Other;
    };
    let wanted = head.end + len.min(max as u64) as usize;
    match bytes.get(head.end..wanted) {
        Some(text) => Bulk::Text(text, head.end as u64 + len + CRLF.len() as u64),
        None => Bulk::More(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(text: &str) -> Walked {
        Walk::over(1).advance(text.as_bytes(), 0, 0)
    }

    #[test]
    fn values_of_every_kind_end_where_they_end() {
        for value in [
            "+OK\r\n",
            "-ERR no\r\n",
            ":-12\r\n",
            "$3\r\na\r\n\r\n",
            "$0\r\n\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "_\r\n",
            "#t\r\n",
            ",1.5e3\r\n",
            "(349\r\n",
            "!5\r\nERR x\r\n",
            "=7\r\ntxt:abc\r\n",
            "*2\r\n*2\r\n:1\r\n*0\r\n%1\r\n+k\r\n~1\r\n$1\r\nv\r\n",
            "|1\r\n+ttl\r\n:3\r\n*1\r\n|1\r\n+a\r\n+b\r\n:1\r\n",
            "$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n",
            "*?\r\n:1\r\n*2\r\n:2\r\n*?\r\n.\r\n:3\r\n%?\r\n+a\r\n$?\r\n;0\r\n.\r\n.\r\n",
            "*2\r\n*?\r\n.\r\n:1\r\n",
        ] {
            assert_eq!(walk(value), Walked::Done(value.len() as u64), "{value:?}");
            let more = format!("{value}+next\r\n");
            assert_eq!(
                walk(&more),
                Walked::Done(value.len() as u64),
                "{value:?} and more"
            );
            for cut in 0..value.len() {
                let mut walk = Walk::over(1);
                match walk.advance(&value.as_bytes()[..cut], 0, 0) {
                    Walked::More(at) => {
                        let rest = walk.advance(&value.as_bytes()[at..], 0, 0);
                        assert_eq!(
                            rest,
                            Walked::Done((value.len() - at) as u64),
                            "{value:?} cut at {cut}"
                        );
                    }
                    Walked::Beyond(end) => {
                        let at = end as usize;
                        let rest = walk.advance(&value.as_bytes()[at..], 0, 0);
                        assert_eq!(
                            rest,
                            Walked::Done((value.len() - at) as u64),
                            "{value:?} cut at {cut}"
                        );
                    }
                    walked => assert_eq!(walked, Walked::Done(value.len() as u64), "{value:?} cut at {cut}"),
                }
            }
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "x\r\n",
            "$a\r\n",
            "$-2\r\n",
            "*1\r\n.\r\n",
            ".\r\n",
            ";1\r\na\r\n",
            "$3\r\nabcd\r\n",
            "+OK\nX",
            "$99999999999999999999\r\n",
            "*1000000000000000\r\n",
            "_x\r\n",
            "$?\r\n+OK\r\n",
            "*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n*?\r\n",
        ] {
            assert_eq!(walk(text), Walked::Broken, "{text:?}");
        }
    }

    #[test]
    fn counted_nesting_has_no_limit_and_counts_have() {
        let deep = "*1\r\n".repeat(100_000);
        assert_eq!(walk(&deep), Walked::More(deep.len()));
        let many = format!("*{REDIS_ELEMENTS_MAX}\r\n").repeat(3);
        assert_eq!(walk(&many), Walked::Broken);
    }

    #[test]
    fn a_long_line_passes_in_pieces() {
        let line = format!("+{}\r\n", "x".repeat(3 * REDIS_LINE_BYTES_MAX));
        assert_eq!(walk(&line), Walked::Done(line.len() as u64));
        let mut walk = Walk::over(1);
        assert_eq!(walk.advance(&line.as_bytes()[..5000], 0, 0), Walked::More(5000));
        assert_eq!(
            walk.advance(&line.as_bytes()[5000..], 0, 0),
            Walked::Done(line.len() as u64 - 5000)
        );
    }
}
