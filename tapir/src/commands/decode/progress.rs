//! A progress bar, where someone is watching and it takes a while.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// Files shorter than this are done before a bar could be read.
const WORTH_SHOWING_BYTES: u64 = 64 << 20;

/// The bar, or none.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar for `total` file bytes, where stderr is a terminal.
    pub(super) fn new(total: u64) -> Self {
        if total < WORTH_SHOWING_BYTES || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(total);
        let style = "{bar:40} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    pub(super) fn show(&self, read: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(read);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
