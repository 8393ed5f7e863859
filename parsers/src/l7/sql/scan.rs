//! Cuts SQL text into tokens: just enough grammar to tell names, literals and comments apart.
//!
//! Sources: MySQL 8.4 reference manual, chapter 11 (language structure); PostgreSQL 17 manual, section
//! 4.1 (lexical structure).

use memchr::{memchr, memmem};

/// Whose rules for quotes and comments hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `"` quotes strings (unless the server was told otherwise), `\` escapes, `#` begins a comment.
    MySql,
    /// `"` quotes names, `$tag$` quotes strings, comments nest.
    PostgreSql,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a name, a variable or a parameter.
    Word,
    /// A name in backticks or (by the standard) double quotes; its text is without them.
    Quoted,
    /// A string or a number.
    Literal,
    /// Any other single byte.
    Mark(u8),
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its text; quotes of names left out.
    pub(crate) text: &'a [u8],
    /// Where it begins in the SQL, bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

impl Token<'_> {
    /// Whether it is this keyword, given in upper case.
    #[inline]
    pub(crate) fn is(&self, keyword: &[u8]) -> bool {
        self.text.len() == keyword.len() && self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is one of these keywords.
    pub(crate) fn is_any(&self, keywords: &[&[u8]]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether it can name a table.
    pub(crate) fn is_name(&self) -> bool {
        match self.kind {
            Kind::Quoted => !self.text.is_empty(),
            Kind::Word => !matches!(self.text.first(), Some(b'@' | b'$' | b':')),
            _ => false,
        }
    }
}

/// The tokens of a text, comments and blanks left out. A token that the end of the text cuts is as
/// long as the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    sql: &'a [u8],
    at: usize,
    dialect: Dialect,
}

/// What a byte may begin or go on with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    /// Letters, `_`, `@`, `$` and what is not ASCII.
    Letter,
    Digit,
    /// Begins a comment, perhaps: `-`, `/`, `#`, and `*` behind one that was run.
    Comment,
    /// Anything else.
    Other,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut value = 0;
    while value < 256 {
        classes[value] = match value as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C | 0 => Class::Blank,
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' | b'$' | 0x80.. => Class::Letter,
            b'-' | b'/' | b'#' | b'*' => Class::Comment,
            _ => Class::Other,
        };
        value += 1;
    }
    classes
};

#[inline]
fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

#[inline]
fn is_word_byte(byte: u8) -> bool {
    matches!(class(byte), Class::Letter | Class::Digit)
}

impl<'a> Tokens<'a> {
    /// The tokens of `sql`.
    pub(crate) fn new(sql: &'a [u8], dialect: Dialect) -> Self {
        Self { sql, at: 0, dialect }
    }

    fn rest(&self) -> &'a [u8] {
        self.sql.get(self.at..).unwrap_or(&[])
    }

    /// Passes blanks and comments.
    #[inline]
    fn pass_blanks(&mut self) {
        while let Some(byte) = self.sql.get(self.at) {
            match class(*byte) {
                Class::Blank => self.at += 1,
                Class::Comment if self.pass_any_comment() => {}
                _ => return,
            }
        }
    }

    /// Passes the comment that begins here; false when none does.
    fn pass_any_comment(&mut self) -> bool {
        let mysql = self.dialect == Dialect::MySql;
        match *self.rest() {
            [b'-', b'-', ..] => self.pass_line(),
            [b'#', ..] if mysql => self.pass_line(),
            // What MySQL (MariaDB) runs though others take it for a comment: `/*!40101 SET ... */`.
            [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] if mysql => {
                self.at += memchr(b'!', self.rest()).map_or(3, |n| n + 1);
                while self.rest().first().is_some_and(u8::is_ascii_digit) {
                    self.at += 1;
                }
            }
            [b'*', b'/', ..] if mysql => self.at += 2,
            [b'/', b'*', ..] => self.pass_comment(),
            _ => return false,
        }
        true
    }

    fn pass_line(&mut self) {
        self.at += memchr(b'\n', self.rest()).map_or(self.rest().len(), |n| n + 1);
    }

    fn pass_comment(&mut self) {
        self.at += 2;
        let mut depth = 1;
        while depth > 0 {
            let Some(n) = memchr(b'/', self.rest()) else {
                self.at = self.sql.len();
                return;
            };
            let before = (self.at + n).checked_sub(1).and_then(|i| self.sql.get(i));
            let after = self.sql.get(self.at + n + 1);
            if n > 0 && before == Some(&b'*') {
                depth -= 1;
                self.at += n + 1;
            } else if self.dialect == Dialect::PostgreSql && after == Some(&b'*') {
                depth += 1;
                self.at += n + 2;
            } else {
                self.at += n + 1;
            }
        }
    }

    /// Passes a quoted text that begins here; its end, or that of the whole text.
    fn pass_quoted(&mut self, quote: u8, backslash: bool) {
        self.at += 1;
        loop {
            let rest = self.rest();
            let found = if backslash {
                memchr::memchr2(quote, b'\\', rest)
            } else {
                memchr(quote, rest)
            };
            let Some(n) = found else {
                self.at = self.sql.len();
                return;
            };
            let doubled = rest.get(n + 1) == Some(&quote);
            let escape = rest.get(n) == Some(&b'\\');
            self.at = (self.at + n + 1 + usize::from(escape || doubled)).min(self.sql.len());
            if !escape && !doubled {
                return;
            }
        }
    }

    /// Passes `$tag$ … $tag$`; false when no such text begins here.
    fn pass_dollar_quoted(&mut self) -> bool {
        let rest = self.rest();
        let tag_len = rest
            .get(1..)
            .unwrap_or(&[])
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_');
        let tag_len = tag_len.count() + 2;
        let Some(tag) = rest.get(..tag_len).filter(|tag| tag.ends_with(b"$")) else {
            return false;
        };
        if rest.get(1).is_some_and(u8::is_ascii_digit) {
            return false;
        }
        let inner = rest.get(tag_len..).unwrap_or(&[]);
        let end = memmem::find(inner, tag).map_or(rest.len(), |n| n + 2 * tag_len);
        self.at += end;
        true
    }

    fn pass_number(&mut self) {
        while let [byte, rest @ ..] = self.rest() {
            let exponent = matches!(byte, b'e' | b'E') && matches!(rest, [b'+' | b'-', b'0'..=b'9', ..]);
            if exponent {
                self.at += 2;
            } else if is_word_byte(*byte) || *byte == b'.' {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    #[inline]
    fn pass_word(&mut self) {
        while self.sql.get(self.at).is_some_and(|b| is_word_byte(*b)) {
            self.at += 1;
        }
    }

    /// Passes the token at hand, and says what it is.
    #[inline]
    fn pass_token(&mut self, first: u8) -> Kind {
        match class(first) {
            Class::Letter
                if first == b'$' && self.dialect == Dialect::PostgreSql && self.pass_dollar_quoted() =>
            {
                Kind::Literal
            }
            Class::Letter => {
                self.pass_word();
                Kind::Word
            }
            Class::Digit => {
                self.pass_number();
                Kind::Literal
            }
            _ => self.pass_mark(first),
        }
    }

    fn pass_mark(&mut self, first: u8) -> Kind {
        let mysql = self.dialect == Dialect::MySql;
        match first {
            b'\'' => {
                // Of PostgreSQL's strings only E'...' has escapes.
                let prefix = self.at.checked_sub(1).and_then(|i| self.sql.get(i));
                self.pass_quoted(b'\'', mysql || matches!(prefix, Some(b'e' | b'E')));
                Kind::Literal
            }
            b'"' => {
                self.pass_quoted(b'"', mysql);
                Kind::Quoted
            }
            b'`' => {
                self.pass_quoted(b'`', false);
                Kind::Quoted
            }
            byte => {
                self.at += 1;
                Kind::Mark(byte)
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        self.pass_blanks();
        let start = self.at;
        let first = *self.sql.get(start)?;
        let kind = self.pass_token(first);
        let end = self.at;
        let whole = self.sql.get(start..end)?;
        let text = match kind {
            Kind::Quoted => {
                let inner = whole.get(1..).unwrap_or(&[]);
                inner.strip_suffix(&[first]).unwrap_or(inner)
            }
            _ => whole,
        };
        Some(Token {
            kind,
            text,
            start,
            end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, dialect: Dialect) -> Vec<String> {
        Tokens::new(sql.as_bytes(), dialect)
            .map(|t| String::from_utf8_lossy(t.text).into_owned())
            .collect()
    }

    #[test]
    fn comments_and_blanks_are_left_out() {
        let sql = "-- one\n SELECT /* a /* b */ 1 # two\n /*!40101 SQL_CACHE */ x";
        assert_eq!(texts(sql, Dialect::MySql), ["SELECT", "1", "SQL_CACHE", "x"]);
        assert_eq!(texts("/*M!100100 SET a */", Dialect::MySql), ["SET", "a"]);
        let sql = "SELECT /* a /* b */ c */ 1 -- end";
        assert_eq!(texts(sql, Dialect::PostgreSql), ["SELECT", "1"]);
    }

    #[test]
    fn strings_end_where_they_should() {
        assert_eq!(
            texts(r"a 'it\'s' 'it''s' b", Dialect::MySql),
            ["a", r"'it\'s'", "'it''s'", "b"]
        );
        assert_eq!(
            texts(r"a '\' b E'\'' $$x'y$$ $t$ $$ $t$ $1", Dialect::PostgreSql),
            ["a", r"'\'", "b", "E", r"'\''", "$$x'y$$", "$t$ $$ $t$", "$1"]
        );
        assert_eq!(
            texts("1.5e-3+0x1F t1.c2 `a b`", Dialect::MySql),
            ["1.5e-3", "+", "0x1F", "t1", ".", "c2", "a b"]
        );
    }

    #[test]
    fn a_text_that_is_cut_anywhere_still_ends() {
        let sql = br"/* c */ SELECT 'a\'b', $$x$$, `q`, 1.5e-3 -- end";
        for dialect in [Dialect::MySql, Dialect::PostgreSql] {
            for len in 0..sql.len() {
                let covered = Tokens::new(&sql[..len], dialect).last().map_or(0, |t| t.end);
                assert!(covered <= len);
            }
        }
    }
}
