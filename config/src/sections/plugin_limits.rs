//! `[plugin_limits]`: what all plugins share.

use crate::section::section;
use crate::values::{Bytes, Time};
use std::path::PathBuf;

section! {
    /// What all plugins of an lcore may use together.
    pub struct PluginLimits ["plugin_limits"] {
        /// Time of each second that an lcore spends on plugins. What comes when it is used up is read without
        /// them, and counted. 0s: plugins are never asked.
        time_per_second: Time<0, 1000> = Time::of_ms::<100>(),

        /// Bytes of a message that a plugin is shown.
        payload: Bytes<64, { 20 << 10 }> = Bytes::of::<{ 8 << 10 }>(),

        /// Folder of compiled modules, which spare a start or a reload to compile them again. It is made if it
        /// is not there, and used only if it belongs to the user that Tapir runs as and nobody else may write
        /// there: who can change compiled code can do all that Tapir may do.
        cache: PathBuf = PathBuf::from("/var/cache/tapir/plugins"),
    }
}
