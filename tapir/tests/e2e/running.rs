//! Tapir at work in a lab.

use crate::lab::{Lab, text};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const METRICS: &str = "127.0.0.1:9464";
/// One queue, with room for what comes while a busy machine lets the worker wait.
pub(crate) const ONE_QUEUE: [&str; 4] = [
    "--vdev",
    "net_af_packet0,iface=srv0,framesz=2048,framecnt=16384",
    "--lcores",
    "1",
];
/// A build for debugging takes its time to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A `tapir run` in the servers' namespace, writing JSON to a file.
pub(crate) struct Running<'a> {
    lab: &'a Lab,
    tapir: Option<Child>,
    records: PathBuf,
}

/// What a run left.
pub(crate) struct Finished {
    pub(crate) exit_code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) records: Vec<Value>,
}

impl<'a> Running<'a> {
    /// Starts it with `arguments` besides those for output, and waits until it receives.
    pub(crate) fn start(lab: &'a Lab, arguments: &[&str]) -> Self {
        let records = lab.path("records.json");
        let mut command = lab.in_server(env!("CARGO_BIN_EXE_tapir"));
        command
            .args([
                "--log",
                "info",
                "run",
                "--metrics",
                METRICS,
                "--format",
                "json",
                "--output",
            ])
            .arg(&records)
            .args(arguments);
        if !has_hugepages() {
            command.arg("--no-huge");
        }
        let stderr = std::fs::File::create(lab.path("tapir.err")).unwrap();
        let tapir = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        let mut running = Self {
            lab,
            tapir: Some(tapir),
            records,
        };
        let begin = Instant::now();
        while running.http("/healthz").is_none() {
            let ended = running.tapir.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && begin.elapsed() < START, "{}", running.stderr());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    fn http(&self, path: &str) -> Option<String> {
        let url = format!("http://{METRICS}{path}");
        let mut curl = self.lab.in_server("curl");
        let answer = curl.args(["-sf", "--max-time", "5", &url]).output().unwrap();
        answer.status.success().then(|| text(&answer.stdout))
    }

    /// The accounts, once nothing moves any more: both identities hold then.
    pub(crate) fn health_at_rest(&self) -> Value {
        let read = || -> Value { serde_json::from_str(&self.http("/healthz").unwrap()).unwrap() };
        let mut before = read();
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(300));
            let now = read();
            if now["packets"]["total"] == before["packets"]["total"] && now["balanced"] == true {
                for account in ["packets", "records"] {
                    assert_eq!(now[account]["difference"], 0, "{now}");
                }
                return now;
            }
            before = now;
        }
        panic!("the accounts don't come to rest: {before}");
    }

    /// The value of a metric with all these labels; the sum where several have them.
    pub(crate) fn metric(&self, name: &str, label: &str) -> u64 {
        let page = self.http("/metrics").unwrap();
        let values = page
            .lines()
            .filter(|line| line.starts_with(name) && line.contains(label));
        values
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// How many lines of its log have this in them.
    pub(crate) fn said(&self, words: &str) -> usize {
        self.stderr().lines().filter(|line| line.contains(words)).count()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> String {
        self.tapir.as_ref().unwrap().id().to_string()
    }

    /// Sends SIGINT and takes what there is.
    pub(crate) fn interrupt(mut self) -> Finished {
        let mut tapir = self.tapir.take().unwrap();
        std::process::Command::new("kill")
            .args(["-INT", &tapir.id().to_string()])
            .status()
            .unwrap();
        let status = tapir.wait().unwrap();
        let lines = std::fs::read_to_string(&self.records).unwrap_or_default();
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Finished {
            exit_code: status.code(),
            stderr: self.stderr(),
            records: lines.lines().map(parse).collect(),
        }
    }

    fn stderr(&self) -> String {
        std::fs::read_to_string(self.lab.path("tapir.err")).unwrap_or_default()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Only where a test failed halfway.
        if let Some(mut tapir) = self.tapir.take() {
            let _ = tapir.kill();
            let _ = tapir.wait();
        }
    }
}

/// Whether there are enough free hugepages of 2 MiB.
fn has_hugepages() -> bool {
    let free = std::fs::read_to_string("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    free.ok()
        .and_then(|free| free.trim().parse::<u32>().ok())
        .is_some_and(|free| free >= 256)
}
