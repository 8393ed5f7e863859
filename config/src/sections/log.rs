//! `[log]`: what is said on stderr.

use crate::section::section;
use crate::values::LogLevel;

section! {
    /// Log lines on stderr.
    pub struct Log ["log"] {
        /// How much is said. `--log` on the command line has precedence.
        level: LogLevel = LogLevel::Info,
    }
}
