//! Replaces literals in SQL text.

use super::scan::{Dialect, Kind, Tokens};
use crate::conversation::TextWriter;

/// Writes `sql` with `?` in the place of every string and number. What is in comments is left out as a
/// whole: nobody knows what it says.
pub(super) fn write_redacted(to: &mut TextWriter<'_>, sql: &[u8], dialect: Dialect) {
    let mut written = 0;
    for token in Tokens::new(sql, dialect) {
        // In MySQL a text in double quotes is a string unless the session says otherwise.
        let string =
            token.kind == Kind::Quoted && dialect == Dialect::MySql && sql.get(token.start) == Some(&b'"');
        write_between(to, sql.get(written..token.start).unwrap_or(&[]));
        if token.kind == Kind::Literal || string {
            to.push(b"?");
        } else {
            to.push(sql.get(token.start..token.end).unwrap_or(&[]));
        }
        written = token.end;
        if to.is_full() {
            break;
        }
    }
}

/// Writes what stands between two tokens: one blank for any number of blanks and comments.
fn write_between(to: &mut TextWriter<'_>, blanks: &[u8]) {
    if !blanks.is_empty() && !to.is_empty() {
        to.push(b" ");
    }
}
