//! The thread that follows processes: looks at what they load, keeps probes where they are needed, and says why a
//! connection stays unread.

use super::attach::{Programs, release};
use super::finder::{Finder, FinderCounters};
use super::system;
use super::why::Reason;
use crate::kernel::{Events, KernelError, TlsPrograms};
use crate::limits::TLS_PROCESSES_MAX;
use hashbrown::HashMap;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a look at the ring waits for news.
const POLL: Duration = Duration::from_millis(100);
/// Time between looks for processes that are over.
const SWEEP: Duration = Duration::from_secs(10);

/// What the thread has found out.
#[derive(Default)]
pub struct Findings {
    reasons: Mutex<HashMap<u32, Reason>>,
    counters: Mutex<FinderCounters>,
}

impl Findings {
    /// Why TLS connections of `pid` that no library's call carries can't be read.
    pub fn reason(&self, pid: u32) -> Reason {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.get(&pid).copied().unwrap_or(Reason::NotExamined)
    }

    /// What the thread has done.
    pub fn counters(&self) -> FinderCounters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explain(&self, pid: u32, reason: Reason) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.len() >= TLS_PROCESSES_MAX {
            // Those that go on speaking are explained again.
            reasons.clear();
        }
        reasons.insert(pid, reason);
    }

    fn forget(&self, is_over: impl Fn(u32) -> bool) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.retain(|pid, _| !is_over(*pid));
    }
}

/// The thread, until dropped.
pub struct Watch {
    findings: Arc<Findings>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(programs: TlsPrograms) -> std::io::Result<Self> {
        let findings = Arc::new(Findings::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (found, stops) = (Arc::clone(&findings), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("tapir-tls".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = run(programs, &found, &stops) {
                log::error!("{error}; from now on no TLS library is found that is not known yet");
                // What is probed stays so.
                while !stops.load(Ordering::Relaxed) {
                    std::thread::park_timeout(POLL);
                }
            }
        })?;
        Ok(Self {
            findings,
            stop,
            thread: Some(thread),
        })
    }

    /// What it finds out.
    pub fn findings(&self) -> Arc<Findings> {
        Arc::clone(&self.findings)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has said what was wrong with it.
            let _ = thread.join();
        }
    }
}

fn run(programs: TlsPrograms, findings: &Findings, stop: &AtomicBool) -> Result<(), KernelError> {
    let looks = RefCell::new(Vec::new());
    let news: Events<'_> = programs.looks(|pid, why| looks.borrow_mut().push((pid, why)))?;
    let mut finder = Finder::new("/proc", Programs::new(programs));
    finder.look_at(system::libraries(), Instant::now());
    finder.look_at_all(Instant::now(), || stop.load(Ordering::Relaxed));
    for pid in finder.users() {
        findings.explain(pid, Reason::Indirect);
    }
    log::info!("watching TLS libraries in {} files", finder.probed());
    let mut swept = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        *findings.counters.lock().unwrap_or_else(PoisonError::into_inner) = finder.counters();
        news.wait(POLL)?;
        let now = Instant::now();
        for (pid, why) in looks.take() {
            finder.look(pid, now);
            if finder.is_user(pid) {
                findings.explain(pid, Reason::Indirect);
            }
            if why {
                findings.explain(pid, finder.why(pid));
            }
        }
        if now.saturating_duration_since(swept) >= SWEEP {
            swept = now;
            finder.sweep(now);
            findings.forget(|pid| finder.is_over(pid));
        }
    }
    release(finder.into_links().into_iter().flatten().collect());
    Ok(())
}
