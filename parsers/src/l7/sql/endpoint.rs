//! `VERB table`: what a statement does and to which table first.

use super::scan::{Dialect, Kind, Token, Tokens};

/// Longest table name that is told apart, bytes: schema and table of 64 characters each.
const TABLE_BYTES_MAX: usize = 256;
/// Common table expressions of one statement that are remembered, so as not to take them for tables.
const CTE_NAMES_MAX: usize = 8;

/// A name of one to three parts, as it stands in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name<'a> {
    parts: [&'a [u8]; 3],
}

impl<'a> Name<'a> {
    /// Its parts; at least one when the name is any.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.parts.into_iter().filter(|part| !part.is_empty())
    }

    fn is_plain(&self, text: &[u8]) -> bool {
        self.parts[0].eq_ignore_ascii_case(text) && self.parts[1].is_empty()
    }
}

/// What a statement does, and to what first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary<'a> {
    /// Its first keyword (of the main statement behind `WITH`), as it stands in the text.
    pub(super) verb: &'a [u8],
    /// The first table.
    pub(super) table: Option<Name<'a>>,
}

/// Words between a verb and its table.
const MODIFIERS: &[&[u8]] = &[
    b"INTO",
    b"ONLY",
    b"TABLE",
    b"TABLES",
    b"IGNORE",
    b"LOW_PRIORITY",
    b"HIGH_PRIORITY",
    b"DELAYED",
    b"QUICK",
    b"OVERWRITE",
    b"IF",
    b"NOT",
    b"EXISTS",
    b"LATERAL",
    b"CONCURRENTLY",
];
/// Words between CREATE, ALTER or DROP and the kind of object.
const OBJECT_MODIFIERS: &[&[u8]] = &[
    b"OR",
    b"REPLACE",
    b"TEMP",
    b"TEMPORARY",
    b"GLOBAL",
    b"LOCAL",
    b"UNLOGGED",
    b"FOREIGN",
    b"UNIQUE",
    b"FULLTEXT",
    b"SPATIAL",
    b"ONLINE",
    b"OFFLINE",
    b"IGNORE",
    b"RECURSIVE",
    b"MATERIALIZED",
    b"CONSTRAINT",
];
/// Functions whose arguments have a FROM of their own: `EXTRACT(YEAR FROM x)`.
const FROM_FUNCTIONS: &[&[u8]] = &[
    b"EXTRACT",
    b"SUBSTRING",
    b"SUBSTR",
    b"TRIM",
    b"OVERLAY",
    b"POSITION",
];
const STATEMENTS: &[&[u8]] = &[
    b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"REPLACE", b"MERGE", b"TABLE", b"VALUES", b"WITH",
];

/// Reads the head of a statement.
pub(super) fn summarize(sql: &[u8], dialect: Dialect) -> Summary<'_> {
    let mut tokens = Tokens::new(sql, dialect);
    let opening = |t: &Token<'_>| matches!(t.kind, Kind::Mark(b'(' | b';'));
    let Some(verb) = tokens.find(|t| !opening(t)).filter(|t| t.kind == Kind::Word) else {
        return Summary::default();
    };
    if verb.is(b"WITH") {
        return summarize_with(tokens);
    }
    Summary {
        verb: verb.text,
        table: table_of(verb, tokens),
    }
}

/// The first table of the statement that begins with `verb`; `tokens` are those behind it.
fn table_of<'a>(verb: Token<'a>, mut tokens: Tokens<'a>) -> Option<Name<'a>> {
    let verb_is = |keywords: &[&[u8]]| verb.is_any(keywords);
    if verb_is(&[b"SELECT", b"DELETE", b"VALUES"]) {
        return after_from(tokens);
    }
    if verb_is(&[
        b"INSERT",
        b"REPLACE",
        b"UPDATE",
        b"MERGE",
        b"TRUNCATE",
        b"TABLE",
        b"LOCK",
    ]) {
        return name_after_modifiers(tokens);
    }
    if verb_is(&[b"CREATE", b"ALTER", b"DROP", b"RENAME"]) {
        return object_of(tokens);
    }
    if verb_is(&[b"COPY"]) {
        return name_after_modifiers(tokens).or_else(|| after_from(tokens));
    }
    if verb_is(&[b"LOAD"]) {
        tokens.find(|t| t.is(b"INTO"))?;
        return name_after_modifiers(tokens);
    }
    if verb_is(&[b"ANALYZE", b"OPTIMIZE", b"CHECK", b"CHECKSUM", b"REPAIR"]) {
        let mut ahead = tokens;
        if ahead.any(|t| t.is_any(&[b"TABLE", b"TABLES"])) {
            return name_after_modifiers(ahead);
        }
    }
    if verb_is(&[b"VACUUM", b"ANALYZE"]) {
        return vacuumed(tokens);
    }
    if verb_is(&[b"EXPLAIN", b"DESCRIBE", b"DESC"]) {
        return explained(tokens);
    }
    None
}

/// `WITH` names its subqueries, then comes the statement proper.
fn summarize_with(tokens: Tokens<'_>) -> Summary<'_> {
    let mut ctes: [&[u8]; CTE_NAMES_MAX] = [&[]; CTE_NAMES_MAX];
    let mut count = 0;
    let mut depth = 0usize;
    let mut name_next = true;
    let mut ahead = tokens;
    while let Some(token) = ahead.next() {
        match token.kind {
            Kind::Mark(b'(') => depth += 1,
            Kind::Mark(b')') => depth = depth.saturating_sub(1),
            Kind::Mark(b',') if depth == 0 => name_next = true,
            _ if depth > 0 || token.is(b"RECURSIVE") => {}
            _ if name_next && token.is_name() => {
                name_next = false;
                if let Some(place) = ctes.get_mut(count) {
                    *place = token.text;
                    count += 1;
                }
            }
            _ if token.is_any(STATEMENTS) => {
                let is_cte = |name: &Name<'_>| ctes.iter().take(count).any(|cte| name.is_plain(cte));
                let table = table_of(token, ahead).filter(|name| !is_cte(name));
                return Summary {
                    verb: token.text,
                    table: table.or_else(|| after_from(tokens).filter(|name| !is_cte(name))),
                };
            }
            _ => {}
        }
    }
    Summary {
        verb: b"WITH",
        table: None,
    }
}

/// The table behind the first FROM that has one.
fn after_from(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    // The word before; a whole token kept from round to round costs more than reading it.
    let mut previous: &[u8] = &[];
    while let Some(token) = tokens.next() {
        let before = std::mem::replace(
            &mut previous,
            if token.kind == Kind::Word { token.text } else { &[] },
        );
        let is = |keyword: &[u8]| before.eq_ignore_ascii_case(keyword);
        if token.kind == Kind::Mark(b'(') && FROM_FUNCTIONS.iter().any(|function| is(function)) {
            pass_parentheses(&mut tokens);
        }
        // `a IS DISTINCT FROM b`
        if token.is(b"FROM")
            && !is(b"DISTINCT")
            && let Some(name) = name_in_from(tokens)
        {
            return Some(name);
        }
    }
    None
}

/// Passes what is within parentheses, the opening one of which has passed.
fn pass_parentheses(tokens: &mut Tokens<'_>) {
    let mut depth = 1usize;
    for token in tokens.by_ref() {
        match token.kind {
            Kind::Mark(b'(') => depth += 1,
            Kind::Mark(b')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// The name right behind FROM; `None` for subqueries (their own FROM follows), functions and DUAL.
fn name_in_from(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    let passed = |t: &Token<'_>| t.is_any(MODIFIERS) || t.kind == Kind::Mark(b'(');
    let first = tokens.find(|t| !passed(t))?;
    if !first.is_name() || first.is_any(STATEMENTS) {
        return None;
    }
    let (name, next) = name_from(first, tokens);
    let function = next.is_some_and(|t| t.kind == Kind::Mark(b'('));
    (!function && !name.is_plain(b"DUAL")).then_some(name)
}

fn name_after_modifiers(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    let first = tokens.find(|t| !t.is_any(MODIFIERS))?;
    first.is_name().then(|| name_from(first, tokens).0)
}

/// The name that begins with `first`, and the token behind it.
fn name_from<'a>(first: Token<'a>, mut tokens: Tokens<'a>) -> (Name<'a>, Option<Token<'a>>) {
    let mut parts: [&[u8]; 3] = [first.text, &[], &[]];
    let mut next = tokens.next();
    for place in parts.iter_mut().skip(1) {
        if next.is_none_or(|t| t.kind != Kind::Mark(b'.')) {
            break;
        }
        let Some(part) = tokens.next().filter(Token::is_name) else {
            break;
        };
        *place = part.text;
        next = tokens.next();
    }
    (Name { parts }, next)
}

/// The table that CREATE, ALTER, DROP or RENAME is about.
fn object_of(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    while let Some(token) = tokens.next() {
        if token.is_any(&[b"TABLE", b"TABLES", b"VIEW"]) {
            return name_after_modifiers(tokens);
        }
        if token.is_any(&[b"INDEX", b"TRIGGER", b"POLICY", b"RULE"]) {
            tokens.find(|t| t.is(b"ON"))?;
            return name_after_modifiers(tokens);
        }
        if token.kind != Kind::Word || !token.is_any(OBJECT_MODIFIERS) {
            return None;
        }
    }
    None
}

/// The table of PostgreSQL's VACUUM and ANALYZE, behind their options.
fn vacuumed(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    const OPTIONS: &[&[u8]] = &[b"FULL", b"FREEZE", b"VERBOSE", b"ANALYZE"];
    while let Some(token) = tokens.next() {
        if token.kind == Kind::Mark(b'(') {
            pass_parentheses(&mut tokens);
        } else if !token.is_any(OPTIONS) {
            return token.is_name().then(|| name_from(token, tokens).0);
        }
    }
    None
}

/// The table of the statement behind EXPLAIN, or the one that is described.
fn explained(mut tokens: Tokens<'_>) -> Option<Name<'_>> {
    let mut described = None;
    while let Some(token) = tokens.next() {
        if token.is_any(STATEMENTS) {
            return table_of(token, tokens);
        }
        if token.kind == Kind::Mark(b'(') {
            pass_parentheses(&mut tokens);
        } else if described.is_none() && token.is_name() {
            described = Some(name_from(token, tokens).0);
        }
    }
    described
}

/// The table's name, cut to a sane length, piece by piece.
pub(super) fn for_each_piece(name: &Name<'_>, mut piece: impl FnMut(&[u8])) {
    let mut room = TABLE_BYTES_MAX;
    for (index, part) in name.parts().enumerate() {
        if index > 0 {
            piece(b".");
        }
        let part = part.get(..part.len().min(room)).unwrap_or(&[]);
        room -= part.len();
        piece(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(sql: &str, dialect: Dialect) -> String {
        let summary = summarize(sql.as_bytes(), dialect);
        let mut told = String::from_utf8_lossy(summary.verb).to_uppercase();
        if let Some(table) = summary.table {
            told.push(' ');
            for_each_piece(&table, |piece| told.push_str(&String::from_utf8_lossy(piece)));
        }
        told
    }

    #[test]
    fn the_first_table_is_found() {
        for (sql, told) in [
            ("select * from test_table", "SELECT test_table"),
            ("SELECT a, b FROM `db`.`t` WHERE c = 1", "SELECT db.t"),
            ("SELECT a FROM db.t, u", "SELECT db.t"),
            ("SELECT * FROM \"S\" . \"T\"", "SELECT S.T"),
            ("/* x */ -- y\n select 1", "SELECT"),
            ("select @@version_comment limit 1", "SELECT"),
            ("SELECT DATABASE()", "SELECT"),
            ("SELECT NOW() FROM DUAL", "SELECT"),
            (
                "SELECT EXTRACT(YEAR FROM d), TRIM(BOTH 'x' FROM n) FROM t",
                "SELECT t",
            ),
            ("SELECT a IS DISTINCT FROM b, c FROM t", "SELECT t"),
            ("SELECT * FROM (SELECT 1 FROM inner_t) x JOIN y", "SELECT inner_t"),
            ("SELECT * FROM ((a JOIN b ON 1) JOIN c)", "SELECT a"),
            ("SELECT * FROM ONLY t", "SELECT t"),
            ("SELECT * FROM generate_series(1, 3), t", "SELECT"),
            ("(SELECT a FROM t1) UNION (SELECT b FROM t2)", "SELECT t1"),
            ("SELECT (SELECT max(x) FROM u) FROM t", "SELECT u"),
            ("insert into t(a) values (1)", "INSERT t"),
            ("INSERT IGNORE INTO db.t SELECT * FROM u", "INSERT db.t"),
            ("INSERT t VALUES (1)", "INSERT t"),
            ("REPLACE INTO t VALUES (1)", "REPLACE t"),
            ("update LOW_PRIORITY t set a = 1", "UPDATE t"),
            ("delete from test_table  where id=1", "DELETE test_table"),
            ("DELETE a FROM t1 AS a JOIN t2", "DELETE t1"),
            ("create table `t`( `id` int)", "CREATE t"),
            ("CREATE TABLE IF NOT EXISTS s.t (a int)", "CREATE s.t"),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE v"),
            ("CREATE UNIQUE INDEX i ON t (a)", "CREATE t"),
            ("create database yuanchao2", "CREATE"),
            ("ALTER TABLE ONLY t ADD b int", "ALTER t"),
            ("drop table if exists a, b", "DROP a"),
            ("drop database d", "DROP"),
            ("TRUNCATE t", "TRUNCATE t"),
            ("TRUNCATE TABLE t", "TRUNCATE t"),
            ("set autocommit=0", "SET"),
            ("show tables from d", "SHOW"),
            ("BEGIN", "BEGIN"),
            ("COPY t (a) FROM STDIN", "COPY t"),
            ("COPY (SELECT * FROM rules WHERE a = 'x') TO STDOUT", "COPY rules"),
            ("LOAD DATA LOCAL INFILE 'f' INTO TABLE t", "LOAD t"),
            ("EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN t"),
            ("DESC t", "DESC t"),
            ("ANALYZE TABLE t", "ANALYZE t"),
            ("VACUUM (VERBOSE, ANALYZE) t", "VACUUM t"),
            ("vacuum full analyze s.t", "VACUUM s.t"),
            ("VACUUM", "VACUUM"),
            ("MERGE INTO t USING u ON a = b", "MERGE t"),
            ("WITH x AS (SELECT * FROM t) SELECT * FROM x", "SELECT t"),
            (
                "WITH RECURSIVE x(a, b) AS (SELECT 1), y AS (SELECT 2 FROM x) SELECT * FROM t",
                "SELECT t",
            ),
            ("with x as (select 1) insert into t select * from x", "INSERT t"),
            ("", ""),
            ("'string'", ""),
        ] {
            assert_eq!(endpoint(sql, Dialect::MySql), told, "{sql}");
            assert_eq!(endpoint(sql, Dialect::PostgreSql), told, "{sql}");
        }
        assert_eq!(endpoint("/*!40101 SET NAMES utf8 */", Dialect::MySql), "SET");
        assert_eq!(endpoint("/*!40101 SET NAMES utf8 */", Dialect::PostgreSql), "");
    }
}
