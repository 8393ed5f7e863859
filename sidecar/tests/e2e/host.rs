//! This host: what it can do, and the servers that tests start on it.

use clap::ValueEnum;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tapir_sidecar::kernel::Backend;

/// What a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(30);

/// What the environment asks of these tests: "required", "skip" or nothing.
fn wanted() -> String {
    std::env::var("TAPIR_E2E").unwrap_or_default()
}

/// The backend that the environment asks for, if it does: all tests are of any backend.
pub(crate) fn backend() -> Option<Backend> {
    let name = std::env::var("TAPIR_BACKEND").ok()?;
    Some(Backend::from_str(&name, false).expect("TAPIR_BACKEND: a name that --backend takes"))
}

/// Says that a test is skipped for what is missing. Fails where all tests are required.
pub(crate) fn skipped(missing: &str) {
    assert!(wanted() != "required", "missing here: {missing}");
    // Not by a macro, whose output the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "end-to-end test skipped: {missing}");
}

/// A folder for a test that wants these programs; `None` where it can't run, having said why.
pub(crate) fn folder(programs: &[&str]) -> Option<tempfile::TempDir> {
    if wanted() == "skip" {
        return None;
    }
    for program in programs {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
        if !found {
            skipped(&format!("no {program} here"));
            return None;
        }
    }
    // Not below $TMPDIR: servers that run as somebody else must get there.
    let folder = tempfile::Builder::new()
        .prefix("tapir-sidecar.")
        .tempdir_in("/tmp")
        .unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    Some(folder)
}

/// A TCP port that nobody uses.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server, until dropped.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts a server and waits until it listens on `port`.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self::start_until(command, || TcpStream::connect(address).is_ok())
    }

    /// Starts a server and waits until `is_up` says so.
    pub(crate) fn start_until(command: &mut Command, is_up: impl Fn() -> bool) -> Self {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = quiet.spawn();
        let mut server = Self {
            child: child.unwrap(),
        };
        let begin = Instant::now();
        while !is_up() {
            let ended = server.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < START,
                "{command:?}: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

/// A Redis that keeps nothing.
pub(crate) fn redis(port: u16) -> Server {
    let port_text = port.to_string();
    let mut command = Command::new("redis-server");
    Server::start(
        command.args(["--port", &port_text, "--save", "", "--daemonize", "no"]),
        port,
    )
}

/// The same at a Unix socket.
pub(crate) fn redis_at(socket: &Path) -> Server {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--daemonize", "no", "--unixsocket"]);
    Server::start_until(command.arg(socket), || UnixStream::connect(socket).is_ok())
}

/// An nginx with one worker that serves `folder`/www.
pub(crate) fn nginx(folder: &Path, port: u16) -> Server {
    nginx_listening(folder, port, &format!("listen 127.0.0.1:{port};"))
}

/// The same, by TLS.
pub(crate) fn nginx_tls(folder: &Path, port: u16, certificate: &str, key: &str) -> Server {
    let listen =
        format!("listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};");
    nginx_listening(folder, port, &listen)
}

fn nginx_listening(folder: &Path, port: u16, listen: &str) -> Server {
    let www = folder.join("www");
    std::fs::create_dir_all(&www).unwrap();
    std::fs::write(www.join("large.bin"), vec![b'x'; 100_000]).unwrap();
    let root = folder.display();
    let config = folder.join("nginx.conf");
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {root}/{name};"))
        .join(" ");
    let text = format!(
        "daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/nginx.err;
         events {{ worker_connections 256; }}
         http {{ access_log off; sendfile on; root {root}/www; {paths}
                 server {{ {listen} location /hello {{ return 200 \"hello\\n\"; }} }} }}"
    );
    std::fs::write(&config, text).unwrap();
    Server::start(Command::new("nginx").arg("-c").arg(&config), port)
}

/// Processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Runs a client to its good end; what it printed.
pub(crate) fn client(arguments: &[&str]) -> String {
    let (program, rest) = arguments.split_first().unwrap();
    let output = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_tapir-sidecar").into()
}
