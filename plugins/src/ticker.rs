//! The one thread of the host: it lets time pass for deadlines, and writes what guests log.

use crate::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_QUEUED, TICK};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use wasmtime::Engine;

/// A line of a guest on its way to the log.
struct Line {
    plugin: Arc<str>,
    level: log::Level,
    text: String,
}

/// Takes lines of guests to the thread that writes them: an lcore never waits for a log.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue(SyncSender<Line>);

impl LogQueue {
    /// A queue whose lines nobody writes.
    pub(crate) fn closed() -> Self {
        Self(sync_channel(0).0)
    }

    /// False when the queue is full.
    pub(crate) fn push(&self, plugin: &Arc<str>, level: log::Level, text: &str) -> bool {
        if !log::log_enabled!(level) {
            return true;
        }
        let text = text
            .get(..text.floor_char_boundary(LOG_LINE_BYTES_MAX))
            .unwrap_or(text);
        let line = Line {
            plugin: Arc::clone(plugin),
            level,
            text: text.to_owned(),
        };
        self.0.try_send(line).is_ok()
    }
}

/// The thread; it ends with this.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    /// There are plugins, or have been: calls of them may be under way.
    ticking: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread. It sleeps until [`tick`](Self::tick) is called.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<(Self, LogQueue)> {
        let (sender, lines) = sync_channel(LOG_LINES_QUEUED);
        let stop = Arc::new(AtomicBool::new(false));
        let ticking = Arc::new(AtomicBool::new(false));
        let (stopped, may_tick, engine) = (Arc::clone(&stop), Arc::clone(&ticking), engine.clone());
        let thread = std::thread::Builder::new()
            .name("plugin-ticker".to_owned())
            .spawn(move || {
                while !may_tick.load(Ordering::Acquire) && !stopped.load(Ordering::Acquire) {
                    std::thread::park();
                }
                while !stopped.load(Ordering::Acquire) {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                    write(&lines);
                }
                write(&lines);
            })?;
        let ticker = Self {
            stop,
            ticking,
            thread: Some(thread),
        };
        Ok((ticker, LogQueue(sender)))
    }

    /// Lets time pass from here on.
    pub(crate) fn tick(&self) {
        self.ticking.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

fn write(lines: &Receiver<Line>) {
    for line in lines.try_iter() {
        log::log!(line.level, "plugin {}: {}", line.plugin, line.text);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}
