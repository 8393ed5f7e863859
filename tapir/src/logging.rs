//! Log lines on stderr: `level message`, coloured on terminals only.

use log::LevelFilter;

/// Starts logging at `level`, or at `info`. Later calls change nothing but the level.
pub(crate) fn start(level: Option<LevelFilter>) {
    // The logger lets everything pass; `log::set_max_level` alone decides, so that a configuration
    // file that is read later can still raise the level.
    let started = env_logger::Builder::new()
        .filter_level(LevelFilter::Trace)
        .format_target(false)
        .try_init();
    if started.is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
}
