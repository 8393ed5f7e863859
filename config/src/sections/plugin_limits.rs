//! `[plugin_limits]`: what all plugins share.

use crate::section::section;
use crate::values::{Bytes, Time};

section! {
    /// What all plugins of an lcore may use together.
    pub struct PluginLimits ["plugin_limits"] {
        /// Time of each second that an lcore spends on plugins. What comes when it is used up is read without
        /// them, and counted. 0s: plugins are never asked.
        time_per_second: Time<0, 1000> = Time::of_ms::<100>(),

        /// Bytes of a message that a plugin is shown.
        payload: Bytes<64, { 20 << 10 }> = Bytes::of::<{ 8 << 10 }>(),
    }
}
