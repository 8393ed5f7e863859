//! Why a plugin was refused.

use std::path::PathBuf;

/// Why a plugin can't be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file can't be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The module's file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is larger than any plugin is.
    #[error("{bytes} bytes; a plugin has at most {max}", max = crate::limits::MODULE_BYTES_MAX)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not a module, or one of a kind that is not run.
    #[error("not a WebAssembly module that can be run: {0}")]
    Compile(String),
    /// It wants something of the host that is not there.
    #[error("it imports what no host of this interface has: {0}")]
    Imports(String),
    /// It lacks what every plugin has.
    #[error("it exports no {0}")]
    Exports(String),
    /// Its start failed.
    #[error("{call} failed: {reason}")]
    Start {
        /// The function that failed.
        call: &'static str,
        /// How.
        reason: String,
    },
    /// What it says of its hooks lies outside of its memory.
    #[error("{0} points outside of its memory")]
    Hooks(&'static str),
    /// Another plugin has this name.
    #[error("there is a plugin of this name already")]
    Name,
    /// One too many.
    #[error("there are {max} plugins already", max = crate::limits::PLUGINS_MAX)]
    TooMany,
    /// The engine could not be set up.
    #[error("setting up the engine: {0}")]
    Engine(String),
}

impl LoadError {
    /// On one line, as every error is: the compiler spreads bytes that it shows over many.
    pub(crate) fn compile(error: &wasmtime::Error) -> Self {
        let text = format!("{error:#}");
        Self::Compile(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
