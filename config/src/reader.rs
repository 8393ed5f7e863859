//! From TOML with its places in the file to typed values, going on after each problem.

use crate::problem::{Conflict, Problem, Problems};
use crate::value::Value;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest part of a value that an error repeats, in characters.
const SHOWN_CHARS_MAX: usize = 40;

/// Likeness (Jaro-Winkler, 0 to 1) above which an unknown name is taken for a slip of the pen.
const SIMILAR: f64 = 0.8;

/// One file under reading, and what was found so far.
pub(crate) struct Findings<'t> {
    file: &'t str,
    text: &'t str,
    /// Names of the protocols that can be configured.
    pub(crate) protocols: &'t [&'t str],
    /// Where each key that was read stands, for problems that show only later.
    places: HashMap<String, Range<usize>>,
    problems: Vec<(usize, Problem)>,
}

impl<'t> Findings<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str, protocols: &'t [&'t str]) -> Self {
        Self {
            file,
            text,
            protocols,
            places: HashMap::new(),
            problems: Vec::new(),
        }
    }

    /// A line that is no TOML.
    pub(crate) fn syntax(&mut self, error: &toml::de::Error) {
        let start = error.span().map_or(0, |span| span.start);
        // The parser's message may have several lines; the first says what, the rest what it expected.
        let message = error.message().trim().replace('\n', "; ");
        self.push(start, String::new(), None, format!("not valid TOML: {message}"));
    }

    /// A key whose value is not acceptable.
    pub(crate) fn refuse(&mut self, key: &str, span: &Range<usize>, message: impl Into<String>) {
        // An empty place is where the TOML breaks off, which has been told.
        if !span.is_empty() {
            let value = self.shown(span);
            self.push(span.start, key.to_owned(), value, message.into());
        }
    }

    /// A key or a table as such.
    pub(crate) fn refuse_name(&mut self, key: &str, span: &Range<usize>, message: impl Into<String>) {
        self.push(span.start, key.to_owned(), None, message.into());
    }

    /// Places a conflict at its key, else at the key's table, else at the top of the file.
    pub(crate) fn conflict(&mut self, conflict: Conflict) {
        let table = conflict.key.rsplit_once('.').map_or("", |(table, _)| table);
        let key_span = self.places.get(&conflict.key).cloned();
        let start = key_span
            .as_ref()
            .or_else(|| self.places.get(table))
            .map_or(0, |span| span.start);
        // Only the value of a key is worth repeating, not a whole table.
        let value = key_span
            .filter(|_| !table.is_empty())
            .and_then(|span| self.shown(&span));
        self.push(start, conflict.key, value, conflict.message);
    }

    /// All problems in order of their lines, if there is any.
    pub(crate) fn into_result<T>(mut self, value: T) -> Result<T, Problems> {
        if self.problems.is_empty() {
            return Ok(value);
        }
        self.problems.sort_by_key(|(start, _)| *start);
        Err(Problems(
            self.problems.into_iter().map(|(_, problem)| problem).collect(),
        ))
    }

    fn push(&mut self, start: usize, key: String, value: Option<String>, message: String) {
        let before = self.text.as_bytes().get(..start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let problem = Problem {
            file: Some(self.file.to_owned()),
            line: Some(line),
            key,
            value,
            message,
        };
        self.problems.push((start, problem));
    }

    fn shown(&self, span: &Range<usize>) -> Option<String> {
        let raw = self.text.get(span.clone())?;
        let line = raw.lines().next().unwrap_or_default().trim_end();
        let cut: String = line.chars().take(SHOWN_CHARS_MAX).collect();
        let whole = cut.len() == raw.len();
        Some(if whole { cut } else { format!("{cut}…") })
    }
}

/// The place of one value: its key, and where problems go.
pub(crate) struct At<'f, 't> {
    pub(crate) key: String,
    /// A value that would be right, as TOML.
    pub(crate) example: String,
    pub(crate) findings: &'f mut Findings<'t>,
}

impl<'t> At<'_, 't> {
    /// Says what was expected, with a value that would do.
    pub(crate) fn expected(&mut self, span: &Range<usize>, expected: &str) {
        let message = format!("expected {expected}; write for example {}", self.example);
        self.findings.refuse(&self.key, span, message);
    }

    /// The place of an element of a list, or of an entry of a map.
    pub(crate) fn element(&mut self, key: String, example: String) -> At<'_, 't> {
        At {
            key,
            example,
            findings: self.findings,
        }
    }
}

/// Reads the keys of one table.
pub(crate) struct TableReader<'f, 't, 'd> {
    /// `flows`, `ports[0]`.
    path: String,
    table: Option<&'d DeTable<'d>>,
    findings: &'f mut Findings<'t>,
}

impl<'f, 't, 'd> TableReader<'f, 't, 'd> {
    /// A reader of the section `name` of `root`; one that is not there gives defaults only.
    pub(crate) fn section(root: &'d DeTable<'d>, name: &str, findings: &'f mut Findings<'t>) -> Self {
        let value = root.get(name);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let Some(value) = value {
            findings.places.insert(name.to_owned(), value.span());
            if table.is_none() {
                findings.refuse(
                    name,
                    &value.span(),
                    format!("expected a section; write [{name}] on a line of its own"),
                );
            }
        }
        Self {
            path: name.to_owned(),
            table,
            findings,
        }
    }

    /// A reader of one of several tables of the same name; nothing where it is no table.
    pub(crate) fn element(
        name: &str,
        index: usize,
        value: &'d Spanned<DeValue<'d>>,
        findings: &'f mut Findings<'t>,
    ) -> Option<Self> {
        let path = format!("{name}[{index}]");
        findings.places.insert(path.clone(), value.span());
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!("expected a table; write [[{name}]] on a line of its own");
            findings.refuse(&path, &value.span(), message);
        }
        table.map(|table| Self {
            path,
            table: Some(table),
            findings,
        })
    }

    /// The value of a key, or `default` where the key is absent or wrong.
    pub(crate) fn value<T: Value>(&mut self, name: &str, default: T) -> T {
        let Some(value) = self.table.and_then(|table| table.get(name)) else {
            return default;
        };
        let key = format!("{}.{name}", self.path);
        self.findings.places.insert(key.clone(), value.span());
        let example = default.show().unwrap_or_else(T::example);
        let mut at = At {
            key,
            example,
            findings: self.findings,
        };
        T::read(value, &mut at).unwrap_or(default)
    }

    /// Whether the key stands there, right or wrong.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(name))
    }

    /// Refuses every key that is not among `known`.
    pub(crate) fn reject_unknown(&mut self, known: &[&str]) {
        for (name, value) in self.table.into_iter().flatten() {
            if !known.contains(&name.get_ref().as_ref()) {
                let key = format!("{}.{}", self.path, name.get_ref());
                let message = unknown(
                    name.get_ref(),
                    known,
                    &format!("remove it; known here: {}", known.join(", ")),
                );
                // Where the value is a table, its span is that of the whole table.
                match value.get_ref().is_table() {
                    true => self.findings.refuse_name(&key, &name.span(), message),
                    false => self.findings.refuse(&key, &value.span(), message),
                }
            }
        }
    }

    /// Notes two keys that don't go together.
    pub(crate) fn conflict(&mut self, key: &str, message: impl Into<String>) {
        let key = if key.is_empty() {
            self.path.clone()
        } else {
            format!("{}.{key}", self.path)
        };
        self.findings.conflict(Conflict::new(key, message));
    }
}

/// What to say of a name that is not known: the most similar one, else `otherwise`.
pub(crate) fn unknown(name: &str, known: &[&str], otherwise: &str) -> String {
    // Of equals the first: `max_by` takes the last.
    let nearest = known
        .iter()
        .rev()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, nearest)) => format!("unknown; did you mean '{nearest}'?"),
        None => format!("unknown; {otherwise}"),
    }
}
