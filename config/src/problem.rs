//! What is wrong with a configuration: one line each, with its place and what to do.

use std::fmt;

/// One finding. Shown as `FILE:LINE: key 'flows.max_per_lcore' = "x": expected …; write …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, if the configuration came from one.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// Key with its section (`flows.max_per_lcore`, `ports[0].pci`); empty for TOML that is no TOML.
    pub key: String,
    /// What stands there, as written.
    pub value: Option<String>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            _ => {}
        }
        if !self.key.is_empty() {
            write!(f, "key '{}'", self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Two keys that don't go together, or one that is missing. Found after all values are read.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    /// Key with its section: where the problem is shown.
    pub(crate) key: String,
    /// What is wrong and what to do about it.
    pub(crate) message: String,
}

impl Conflict {
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}
