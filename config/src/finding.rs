//! One line of a doctor's report: what a machine has for Tapir, and how to fix what is missing.

use serde_json::{Value, json};
use std::io::{self, Write};

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ready.
    Ok,
    /// Works, not as well as it could; or ready only for some uses.
    Warn,
    /// Not there; what needs it will not work.
    Missing,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Missing => "missing",
        }
    }

    /// The escape sequence of its colour: green, yellow, red.
    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Missing => "\x1b[31m",
        }
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    state: State,
    /// What was found.
    pub found: String,
    /// How to fix it; none where nothing is to be fixed.
    pub fix: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Ok,
            found: found.into(),
            fix: None,
        }
    }

    /// It is good enough for some uses only.
    pub fn warn(what: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Warn,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    /// It is not there.
    pub fn missing(what: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Missing,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    /// Whether nothing is to be fixed.
    pub fn is_ok(&self) -> bool {
        self.state == State::Ok
    }

    /// Its keys and values.
    pub fn to_json(&self) -> Value {
        json!({ "what": self.what, "state": self.state.name(), "found": self.found, "fix": self.fix })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn write(&self, out: &mut dyn Write, colour: bool) -> io::Result<()> {
        let (on, off) = if colour {
            (self.state.colour(), "\x1b[0m")
        } else {
            ("", "")
        };
        write!(
            out,
            "{:22} · {on}{:7}{off} · {}",
            self.what,
            self.state.name(),
            self.found
        )?;
        match &self.fix {
            Some(fix) => writeln!(out, " · {fix}"),
            None => writeln!(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_colour_only_when_asked() {
        let shown = |colour| {
            let mut line = Vec::new();
            Finding::warn("cores", "2", "add some")
                .write(&mut line, colour)
                .unwrap();
            String::from_utf8(line).unwrap()
        };
        assert_eq!(shown(false), "cores                  · warn    · 2 · add some\n");
        assert_eq!(
            shown(true),
            "cores                  · \x1b[33mwarn   \x1b[0m · 2 · add some\n"
        );
    }
}
