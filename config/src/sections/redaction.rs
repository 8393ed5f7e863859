//! `[redaction]`: what never leaves a worker.

use crate::section::section;

section! {
    /// Secrets in records. What is redacted becomes `?` before the record leaves its worker. Bodies are
    /// never kept, with or without.
    pub struct Redaction ["redaction"] {
        /// Literals in SQL statements.
        sql_literals: bool = false,

        /// Arguments of Redis commands, after the key.
        redis_values: bool = false,

        /// Values in the query of a URL.
        url_query: bool = false,

        /// Values of HTTP headers that are kept: user agent, referer, forwarded-for.
        http_headers: bool = false,
    }
}
