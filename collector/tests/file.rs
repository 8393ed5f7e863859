//! Records to files: rotation, what was there before, errors that pass and errors that stay.

#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{Lcore, eventually, quiet_options};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tapir_collector::batch::Batch;
use tapir_collector::sink::{LossReason, Sink, SinkCounts, SinkError};
use tapir_collector::testing::Entry;
use tapir_collector::{Collector, FileOptions, Format, SinkOptions, Target};
use tapir_parsers::field::Field;

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn ids_in(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["flow_id"]
            .as_u64()
            .unwrap()
    };
    text.lines().map(id).collect()
}

/// Runs `count` records of about a KiB through a sink.
fn run(sink: SinkOptions, count: u64, pause: Duration) -> SinkCounts {
    let mut options = quiet_options();
    options.batch_bytes = 10_000;
    options.sinks = vec![sink];
    let (mut lcore, ring) = Lcore::new(1 << 16);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    for id in 0..count {
        let entry = Entry::default().with(|header| header.flow.flow_id = id);
        lcore.make_waiting(&entry.text(Field::Resource, &[b'x'; 700]));
        std::thread::sleep(pause);
    }
    collector.stop().sinks[0].1.clone()
}

#[test]
fn a_full_file_is_named_and_a_new_one_begun_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.json");
    let file = FileOptions {
        rotate_bytes: Some(50_000),
        ..FileOptions::new(&path)
    };
    let counts = run(
        SinkOptions::new("file", Format::Json, Target::File(file)),
        1000,
        Duration::ZERO,
    );
    assert_eq!(counts.delivered, 1000);
    let files = files_in(folder.path());
    assert_eq!(files.len() as u64, counts.rotations + 1);
    assert!(files.len() > 15, "{files:?}");
    for file in &files {
        assert!(file.metadata().unwrap().len() <= 50_000);
    }
    // Names sort by time, the one without a time is the last.
    let ids: Vec<u64> = files.iter().flat_map(|file| ids_in(file)).collect();
    assert_eq!(ids, (0..1000).collect::<Vec<u64>>());
    assert_eq!(files.last(), Some(&path));
}

#[test]
fn only_so_many_finished_files_stay_and_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.json");
    let stranger = folder.path().join("sessions-old.json");
    std::fs::write(&stranger, "mine").unwrap();
    let file = FileOptions {
        rotate_bytes: Some(50_000),
        keep: Some(3),
        ..FileOptions::new(&path)
    };
    let counts = run(
        SinkOptions::new("file", Format::Json, Target::File(file)),
        1000,
        Duration::ZERO,
    );
    assert_eq!(counts.delivered, 1000);
    let files = files_in(folder.path());
    assert_eq!(files.len(), 5, "{files:?}");
    assert!(files.contains(&stranger));
    assert_eq!(ids_in(&path).last(), Some(&999));
}

#[test]
fn an_old_file_is_named_even_when_nothing_more_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.json");
    let file = FileOptions {
        rotate_age: Some(Duration::from_millis(100)),
        ..FileOptions::new(&path)
    };
    let mut options = quiet_options();
    options.sinks = vec![SinkOptions::new("file", Format::Json, Target::File(file))];
    let (mut lcore, ring) = Lcore::new(1 << 16);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    lcore.make_waiting(&Entry::default());
    eventually(|| collector.report().sinks[0].1.rotations == 1);
    std::thread::sleep(Duration::from_millis(250));
    // An empty file does not grow old.
    assert_eq!(collector.stop().sinks[0].1.rotations, 1);
    let files = files_in(folder.path());
    assert_eq!(files.len(), 2);
    assert_eq!(ids_in(&files[0]), [7]);
    assert_eq!(path.metadata().unwrap().len(), 0);
}

#[test]
fn what_was_there_before_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions");
    std::fs::write(&path, "the last run's").unwrap();
    run(
        SinkOptions::new("file", Format::Json, Target::File(FileOptions::new(&path))),
        3,
        Duration::ZERO,
    );
    let files = files_in(folder.path());
    assert_eq!(files.len(), 2);
    assert_eq!(std::fs::read_to_string(&files[1]).unwrap(), "the last run's");
    assert_eq!(ids_in(&path), [0, 1, 2]);
}

#[test]
fn a_device_is_written_to_and_left_in_place() {
    let null = FileOptions {
        rotate_bytes: Some(10),
        ..FileOptions::new("/dev/null")
    };
    let counts = run(
        SinkOptions::new("null", Format::Json, Target::File(null)),
        100,
        Duration::ZERO,
    );
    assert_eq!((counts.delivered, counts.rotations), (100, 0));
    let full = FileOptions::new("/dev/full");
    let counts = run(
        SinkOptions::new("full", Format::Json, Target::File(full)),
        100,
        Duration::ZERO,
    );
    assert_eq!((counts.delivered, counts.lost_for(LossReason::Closed)), (0, 100));
}

/// Fails some times, then takes everything.
struct Moody {
    failures: Arc<AtomicU64>,
    error: io::ErrorKind,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Sink for Moody {
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        let left = self.failures.load(Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Relaxed);
            return Err(SinkError::Again(self.error.into()));
        }
        self.taken.lock().unwrap().extend_from_slice(&batch.bytes);
        Ok(())
    }
}

fn moody(failures: u64, retry_for: Duration) -> (SinkOptions, Arc<Mutex<Vec<u8>>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let sink = Moody {
        failures: Arc::new(AtomicU64::new(failures)),
        error: io::ErrorKind::StorageFull,
        taken: Arc::clone(&taken),
    };
    let mut options = SinkOptions::new("moody", Format::Json, Target::Custom(Box::new(sink)));
    options.retry_for = retry_for;
    (options, taken)
}

#[test]
fn an_error_that_passes_loses_nothing() {
    let (sink, taken) = moody(4, Duration::from_secs(30));
    let counts = run(sink, 50, Duration::ZERO);
    assert_eq!((counts.delivered, counts.retries), (50, 4));
    assert_eq!(
        taken
            .lock()
            .unwrap()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        50
    );
}

#[test]
fn an_error_that_stays_loses_by_name_and_nobody_waits() {
    let (mut sink, _) = moody(u64::MAX, Duration::from_millis(1));
    sink.queue_bytes = 30_000;
    let counts = run(sink, 2000, Duration::ZERO);
    let (full, disk) = (
        counts.lost_for(LossReason::QueueFull),
        counts.lost_for(LossReason::DiskFull),
    );
    assert!(full > 0 && disk > 0, "{counts:?}");
    assert_eq!(counts.lost.iter().sum::<u64>(), 2000);
    assert_eq!((counts.offered, counts.delivered, counts.waiting), (2000, 0, 0));
}

#[test]
fn a_sink_that_hangs_does_not_keep_the_collector_from_stopping() {
    struct Hung;
    impl Sink for Hung {
        fn deliver(&mut self, _batch: &Arc<Batch>) -> Result<(), SinkError> {
            loop {
                std::thread::park();
            }
        }
    }
    let mut options = quiet_options();
    options.stop_timeout = Duration::from_millis(50);
    options.sinks = vec![SinkOptions::new(
        "hung",
        Format::Json,
        Target::Custom(Box::new(Hung)),
    )];
    let (mut lcore, ring) = Lcore::new(1 << 16);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    for _ in 0..500 {
        lcore.make_waiting(&Entry::default());
    }
    let counts = collector.stop().sinks[0].1.clone();
    assert_eq!(
        (counts.offered, counts.lost_for(LossReason::Shutdown)),
        (500, 500)
    );
}
