//! A sidecar at work.

use crate::host::{backend, program, skipped};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An emulated machine takes its time (scripts/vm).
const START: Duration = Duration::from_secs(180);

/// A `tapir-sidecar` that writes JSON to a file.
pub(crate) struct Running {
    child: Option<Child>,
    records: PathBuf,
    stderr: PathBuf,
}

/// What a run left.
pub(crate) struct Finished {
    pub(crate) stderr: String,
    records: Vec<Value>,
}

impl Running {
    /// Starts it and waits until it watches; `None` where the kernel refuses, having said so.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new(program());
        if let Some(backend) = backend() {
            command.args(["--backend", &backend.to_string()]);
        }
        Self::start_by(command, folder, arguments)
    }

    /// The same, by a command that becomes a sidecar.
    pub(crate) fn start_by(mut command: Command, folder: &Path, arguments: &[&str]) -> Option<Self> {
        let (records, stderr) = (folder.join("records.json"), folder.join("sidecar.err"));
        command
            .args(["--log", "info", "--output"])
            .arg(&records)
            .args(arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let mut running = Self {
            child: Some(child),
            records,
            stderr,
        };
        let begin = Instant::now();
        while !running.stderr().contains("watching") {
            let ended = running.child.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some_and(|status| status.code() == Some(1)) {
                skipped(&running.stderr());
                return None;
            }
            assert!(ended.is_none() && begin.elapsed() < START, "{}", running.stderr());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(running)
    }

    /// Waits until it has said `text`.
    pub(crate) fn wait_for(&self, text: &str) {
        let begin = Instant::now();
        while !self.stderr().contains(text) {
            assert!(begin.elapsed() < START, "{text}: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has written a record with `text` in it.
    pub(crate) fn wait_for_record(&self, text: &str) {
        let begin = Instant::now();
        while !std::fs::read_to_string(&self.records).is_ok_and(|records| records.contains(text)) {
            assert!(begin.elapsed() < START, "{text}: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether it has said `text` so far.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.stderr().contains(text)
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends SIGINT and takes what there is; everything is accounted for.
    pub(crate) fn interrupt(mut self) -> Finished {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        let status = child.wait().unwrap();
        let stderr = self.stderr();
        assert!(status.success() && !stderr.contains("BUG"), "{status}: {stderr}");
        let lines = std::fs::read_to_string(&self.records).unwrap_or_default();
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Finished {
            stderr,
            records: lines.lines().map(parse).collect(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Where a test failed halfway, or wants it.
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Finished {
    /// All records.
    pub(crate) fn all(self) -> Vec<Value> {
        self.records
    }

    /// Records of the server at `port`: a host says more than what a test asks for.
    pub(crate) fn of_port(&self, port: u16) -> Vec<Value> {
        let is_of = |record: &&Value| record["server_port"] == port;
        self.records.iter().filter(is_of).cloned().collect()
    }
}
