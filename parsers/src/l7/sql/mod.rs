//! What the SQL protocols share: what a statement's text says in a record, and the texts of prepared
//! statements.

mod endpoint;
mod redact;
mod scan;
mod statements;
mod trace;

pub(crate) use scan::Dialect;
pub(crate) use statements::{Handle, Statements};
pub(crate) use trace::write_traceparent;

use crate::conversation::Out;
use crate::field::Field;
use scan::{Kind, Tokens};

/// Keywords that statements begin with, in any dialect.
const VERBS: &[&[u8]] = &[
    b"SELECT",
    b"INSERT",
    b"UPDATE",
    b"DELETE",
    b"REPLACE",
    b"SET",
    b"SHOW",
    b"USE",
    b"BEGIN",
    b"START",
    b"COMMIT",
    b"ROLLBACK",
    b"CREATE",
    b"ALTER",
    b"DROP",
    b"TRUNCATE",
    b"WITH",
    b"EXPLAIN",
    b"DESC",
    b"DESCRIBE",
    b"CALL",
    b"EXECUTE",
    b"PREPARE",
    b"DEALLOCATE",
    b"LOCK",
    b"UNLOCK",
    b"GRANT",
    b"REVOKE",
    b"ANALYZE",
    b"OPTIMIZE",
    b"CHECK",
    b"REPAIR",
    b"LOAD",
    b"KILL",
    b"FLUSH",
    b"RESET",
    b"HANDLER",
    b"DO",
    b"XA",
    b"SAVEPOINT",
    b"RELEASE",
    b"RENAME",
    b"VALUES",
    b"TABLE",
    b"COPY",
    b"VACUUM",
    b"LISTEN",
    b"NOTIFY",
    b"UNLISTEN",
    b"FETCH",
    b"MOVE",
    b"DECLARE",
    b"CLOSE",
    b"DISCARD",
    b"REFRESH",
    b"MERGE",
    b"ABORT",
    b"END",
    b"CLUSTER",
    b"COMMENT",
    b"REINDEX",
    b"CHECKPOINT",
    b"BINLOG",
    b"CHANGE",
    b"PURGE",
    b"STOP",
    b"SIGNAL",
    b"HELP",
    b"IDENTIFY_SYSTEM",
    b"START_REPLICATION",
    b"BASE_BACKUP",
];

/// Whether `text` reads like the beginning of a statement: printable, with a keyword that statements
/// begin with. For text that is not known to be SQL.
pub(crate) fn begins_like_sql(text: &[u8], dialect: Dialect) -> bool {
    let printable = |b: &u8| *b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r');
    let opening = |kind: Kind| matches!(kind, Kind::Mark(b'(' | b';'));
    text.iter().take(32).all(printable)
        && Tokens::new(text, dialect)
            .find(|token| !opening(token.kind))
            .is_some_and(|token| token.is_any(VERBS))
}

/// The database that `USE name` names.
pub(crate) fn used_database(sql: &[u8]) -> Option<&[u8]> {
    let mut tokens = Tokens::new(sql, Dialect::MySql);
    tokens.next().filter(|token| token.is(b"USE"))?;
    let name = tokens.next().filter(scan::Token::is_name)?;
    Some(name.text)
}

/// Whether a statement does nothing but begin a transaction.
pub(crate) fn begins_transaction(sql: &[u8]) -> bool {
    let mut tokens = Tokens::new(sql, Dialect::PostgreSql);
    tokens
        .next()
        .is_some_and(|token| token.is_any(&[b"BEGIN", b"START"]))
}

/// Writes what a statement's text says: `resource` (redacted where the settings say so), `endpoint`, and
/// the trace ids in its comments. `cut`: the text goes on behind what is here.
pub(crate) fn describe(out: &mut Out<'_>, sql: &[u8], cut: bool, dialect: Dialect) {
    if cut {
        out.truncated();
    }
    if out.settings().redaction.sql_literals {
        redact::write_redacted(&mut out.write(Field::Resource), sql, dialect);
    } else {
        out.text(Field::Resource, sql);
    }
    let summary = endpoint::summarize(sql, dialect);
    let mut to = out.write(Field::Endpoint);
    for byte in summary.verb {
        to.push(&[byte.to_ascii_uppercase()]);
    }
    if let Some(table) = summary.table {
        to.push(b" ");
        endpoint::for_each_piece(&table, |piece| to.push(piece));
    }
    drop(to);
    trace::write_comment_trace(out, sql);
}
