//! Log lines on stderr: `level message`, coloured on terminals only.

use log::LevelFilter;
use std::sync::OnceLock;
use tapir_config::LogLevel;

/// The level given on the command line, if one was.
static FROM_FLAG: OnceLock<LevelFilter> = OnceLock::new();

/// Starts logging, at the level that the command line or `TAPIR_LOG` gave, else at `info`.
pub(crate) fn start(flag: Option<LevelFilter>) {
    if let Some(level) = flag {
        // The first caller's level stands; there is but one.
        let _ = FROM_FLAG.set(level);
    }
    // The logger lets everything pass and `log::set_max_level` alone decides, so that a configuration
    // read later can still raise the level.
    env_logger::Builder::new()
        .filter_level(LevelFilter::Trace)
        .format_target(false)
        .init();
    log::set_max_level(flag.unwrap_or(LevelFilter::Info));
}

/// Takes the level of a configuration, unless the command line gave one.
pub(crate) fn configure(level: LogLevel) {
    if FROM_FLAG.get().is_none() {
        log::set_max_level(match level {
            LogLevel::Error => LevelFilter::Error,
            LogLevel::Warn => LevelFilter::Warn,
            LogLevel::Info => LevelFilter::Info,
            LogLevel::Debug => LevelFilter::Debug,
            LogLevel::Trace => LevelFilter::Trace,
        });
    }
}
