//! The network and its servers, made by scripts/lab.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// One lab at a time: each has two busy lcores, and machines may have no more.
static ONE: Mutex<()> = Mutex::new(());

/// Servers and clients, until dropped.
pub(crate) struct Lab {
    /// Holds the lab, configurations and records.
    folder: tempfile::TempDir,
    server: String,
    client: String,
    _alone: MutexGuard<'static, ()>,
}

/// A server of a test's own.
pub(crate) struct Server(Child);

impl Lab {
    /// Starts a lab; `None` where a machine can't have one, having said why.
    pub(crate) fn up(mirror: bool) -> Option<Self> {
        if wanted() == "skip" {
            return None;
        }
        let missing = Command::new(script()).arg("check").output().unwrap();
        if !missing.status.success() {
            skipped(&text(&missing.stdout));
            return None;
        }
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Not below $TMPDIR: the databases' own users must get there.
        let folder = tempfile::Builder::new()
            .prefix("tapir-e2e.")
            .tempdir_in("/tmp")
            .unwrap();
        allow_all_to_enter(folder.path());
        let mut up = Command::new(script());
        up.arg("up").arg(folder.path().join("lab"));
        if mirror {
            up.arg("--mirror");
        }
        let status = up.stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "scripts/lab up failed");
        let env = std::fs::read_to_string(folder.path().join("lab/env")).unwrap();
        let name = |key: &str| {
            let line = env.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().to_owned()
        };
        Some(Self {
            server: name("server="),
            client: name("client="),
            folder,
            _alone: alone,
        })
    }

    /// Where files of a test go; deleted with the lab.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the servers' namespace.
    pub(crate) fn in_server(&self, program: &str) -> Command {
        inside(&self.server, program)
    }

    /// A command in the clients' namespace.
    pub(crate) fn in_client(&self, program: &str) -> Command {
        let mut command = inside(&self.client, program);
        command
            .env("PGSSLMODE", "disable")
            .env("HOME", self.folder.path());
        command
    }

    /// Starts a server of a test's own, and waits until it listens on `port`; it runs until dropped.
    pub(crate) fn serve(&self, arguments: &[&str], port: u16) -> Server {
        let (program, rest) = arguments.split_first().unwrap();
        let mut command = self.in_server(program);
        command.args(rest).stdout(Stdio::null());
        let mut server = Server(command.spawn().unwrap());
        let begin = Instant::now();
        while !self.listens(port) {
            let ended = server.0.try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < START,
                "{arguments:?}: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn listens(&self, port: u16) -> bool {
        let mut sockets = self.in_server("ss");
        let sockets = sockets
            .args(["-Hlnt", &format!("sport = :{port}")])
            .output()
            .unwrap();
        !sockets.stdout.is_empty()
    }

    /// Runs a client to its good end; what it printed.
    pub(crate) fn client(&self, arguments: &[&str]) -> String {
        let (program, rest) = arguments.split_first().unwrap();
        let output = self.in_client(program).args(rest).output().unwrap();
        succeeded(arguments, &output)
    }

    /// Runs a shell script of clients to its good end; what it printed.
    pub(crate) fn clients(&self, script: &str) -> String {
        self.client(&["bash", "-euc", script])
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let down = Command::new(script()).arg("down").arg(self.path("lab")).status();
        if !down.is_ok_and(|status| status.success()) {
            eprintln!("scripts/lab down failed");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the environment asks of these tests: "required", "skip" or nothing.
fn wanted() -> String {
    std::env::var("TAPIR_E2E").unwrap_or_default()
}

/// Says that a test is skipped for what is missing, a line each. Fails where all tests are required.
pub(crate) fn skipped(missing: &str) {
    assert!(wanted() != "required", "missing here: {missing}");
    for line in missing.lines() {
        // Not by a macro, whose output the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "end-to-end test skipped: no {line} here");
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/lab")
}

fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", namespace, program])
        .stdin(Stdio::null());
    command
}

fn allow_all_to_enter(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn succeeded(arguments: &[&str], output: &Output) -> String {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{arguments:?}: {}\n{stdout}{stderr}",
        output.status
    );
    stdout
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
