//! What applications encrypt: by OpenSSL, GnuTLS and Go, in servers that run already and programs that are over in no
//! time, with libraries that use sockets and applications that carry the ciphertext themselves.

use crate::host::{Server, backend, children, client, folder, free_port, nginx_tls, skipped};
use crate::matching::exactly;
use crate::running::{Finished, Running};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tapir_parsers::engine::Engine;
use tapir_parsers::settings::Settings;
use tapir_sidecar::kernel::{Kernel, KernelOptions};

/// Certificate and key of a server of this host, for a test's own clients.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    fn new(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (path("certificate.pem"), path("key.pem"));
        client(&[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        Self { certificate, key }
    }
}

fn source(name: &str) -> String {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/peers");
    peers.join(name).to_str().unwrap().to_owned()
}

fn python(name: &str, port: u16, identity: &Identity) -> Server {
    let mut command = Command::new("/usr/bin/python3");
    command.args([
        &source(name),
        &port.to_string(),
        &identity.certificate,
        &identity.key,
    ]);
    Server::start(&mut command, port)
}

/// The program of peers/https.go; `None` where there is no Go, having said so.
fn go_program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build_go).as_deref()
}

/// What `scripts/peers` installs.
fn peers() -> Option<PathBuf> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    peers.canonicalize().ok()
}

/// The folder of the packages of Python there.
fn packages() -> Option<PathBuf> {
    let versions = std::fs::read_dir(peers()?.join("python/lib")).ok()?;
    let mut folders = versions
        .flatten()
        .map(|python| python.path().join("site-packages"));
    folders.find(|folder| folder.is_dir())
}

/// A libssl 1.1, which a package brings; `None` where there is none, having said so.
fn libssl_1_1() -> Option<String> {
    let files = packages().and_then(|packages| std::fs::read_dir(packages.join("psycopg2_binary.libs")).ok());
    let names = files.into_iter().flatten().flatten().map(|file| file.path());
    let mut names = names.filter_map(|path| path.to_str().map(str::to_owned));
    let found = names.find(|name| name.contains("/libssl-") && name.ends_with(".so.1.1"));
    if found.is_none() {
        skipped("no libssl 1.1; scripts/peers installs it");
    }
    found
}

fn build_go() -> Option<PathBuf> {
    let go = packages().map(|packages| packages.join("go/bin/go"));
    let Some(go) = go.filter(|go| go.is_file()) else {
        skipped("no Go; scripts/peers installs it");
        return None;
    };
    let peers = peers()?;
    let program = peers.join("https-by-go");
    let status = Command::new(go)
        // Stripped, as programs mostly come.
        .args(["build", "-ldflags=-s -w", "-o"])
        .arg(&program)
        .arg(source("https.go"))
        .env("GOCACHE", peers.join("go-cache"))
        .env("GOPATH", peers.join("go"))
        .envs([
            ("GOTOOLCHAIN", "local"),
            ("GOPROXY", "off"),
            ("CGO_ENABLED", "0"),
            ("GO111MODULE", "off"),
        ])
        .status();
    assert!(status.unwrap().success());
    Some(program)
}

fn go_server(program: &Path, port: u16, identity: &Identity) -> Server {
    let mut command = Command::new(program);
    command.args([
        "serve",
        &format!("127.0.0.1:{port}"),
        &identity.certificate,
        &identity.key,
    ]);
    Server::start(&mut command, port)
}

/// A sidecar whose probes are in the files that are there.
fn start(folder: &Path, arguments: &[&str]) -> Option<Running> {
    let running = Running::start(folder, arguments)?;
    running.wait_for("watching TLS libraries");
    Some(running)
}

fn url(port: u16, path: &str) -> String {
    format!("https://127.0.0.1:{port}{path}")
}

fn curl(port: u16, paths: &[&str]) {
    let urls: Vec<String> = paths.iter().map(|path| url(port, path)).collect();
    let mut arguments = vec!["curl", "-sk", "--http1.1"];
    arguments.extend(urls.iter().flat_map(|url| ["-o", "/dev/null", url.as_str()]));
    client(&arguments);
}

/// Records of HTTP, and of handshakes.
fn split(finished: &Finished, port: u16) -> (Vec<Value>, Vec<Value>) {
    // Shown when a test fails.
    println!("{}", finished.stderr);
    let records = finished.of_port(port);
    records.into_iter().partition(|record| record["proto"] != "tls")
}

fn exchange(path: &str, library: &str, pid: impl Into<Value>, comm: &str) -> Value {
    json!({"source": "host", "proto": "http1", "kind": "matched", "ended": "response", "req_type": "GET",
           "resource": path, "code": 200, "status": "ok", "attrs": {"tls": library},
           "process": {"pid": pid.into(), "comm": comm}})
}

fn handshake(plaintext: &str, comm: &str) -> Value {
    json!({"source": "host", "proto": "tls", "kind": "matched", "attrs": {"plaintext": plaintext},
           "process": {"comm": comm}})
}

/// curl asks `paths` of a server at `port`, which `comm` serves by `library`: exactly that comes out.
fn served(running: Running, port: u16, pid: u32, comm: &str, library: &str, plaintext: &str) -> Vec<Value> {
    curl(port, &["/one", "/two?x=1"]);
    let finished = running.interrupt();
    let (exchanges, handshakes) = split(&finished, port);
    let path = |path| exchange(path, library, pid, comm);
    exactly(&exchanges, &[path("/one"), path("/two?x=1")]);
    exactly(&handshakes, &[handshake(plaintext, comm)]);
    let flow = |record: &Value| record["flow_id"].clone();
    assert!(
        exchanges
            .iter()
            .all(|exchange| flow(exchange) == flow(&handshakes[0]))
    );
    exchanges
}

#[test]
fn a_server_by_openssl_that_runs_already() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = python("https.py", port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    served(running, port, server.pid(), "python3", "openssl", "openssl");
}

#[test]
fn a_server_by_openssl_that_starts_later() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    let server = python("https.py", port, &identity);
    served(running, port, server.pid(), "python3", "openssl", "openssl");
}

fn libssl_server(library: &str, port: u16, identity: &Identity) -> Server {
    let mut command = Command::new("/usr/bin/python3");
    command.args([&source("https_by_libssl.py"), library, "serve", &port.to_string()]);
    Server::start(command.args([&identity.certificate, &identity.key]), port)
}

#[test]
fn a_server_by_openssl_1_1() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let Some(library) = libssl_1_1() else { return };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = libssl_server(&library, port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    served(running, port, server.pid(), "python3", "openssl", "openssl");
}

/// Sequence numbers of plain bytes are those of their ciphertext, which both ends move.
#[test]
fn both_ends_tell_the_same_numbers() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let _server = python("https.py", port, &identity);
    let Some(running) = start(folder.path(), &["--side", "both"]) else {
        return;
    };
    curl(port, &["/one", "/two"]);
    let (exchanges, _) = split(&running.interrupt(), port);
    assert_eq!(exchanges.len(), 4);
    let numbers = |resource: &str| {
        let of = exchanges
            .iter()
            .filter(|exchange| exchange["resource"] == resource);
        let numbers =
            of.map(|exchange| [&exchange["req_seq"], &exchange["resp_seq"]].map(|seq| seq.as_u64().unwrap()));
        numbers.collect::<Vec<_>>()
    };
    let (one, two) = (numbers("/one"), numbers("/two"));
    assert_eq!((one.len(), one[0], two.len(), two[0]), (2, one[1], 2, two[1]));
    assert!(one[0].iter().zip(two[0]).all(|(first, second)| *first != second));
}

#[test]
fn a_server_that_carries_the_ciphertext_itself() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = python("https_asyncio.py", port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    served(running, port, server.pid(), "python3", "openssl", "indirect");
}

fn node_server(port: u16, identity: &Identity) -> Server {
    let mut command = Command::new("node");
    command.args([&source("https.js"), "serve", &port.to_string()]);
    Server::start(command.args([&identity.certificate, &identity.key]), port)
}

/// How the kernel knows a process: newer versions of Node.js call their first thread otherwise.
fn comm(pid: u32) -> String {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    comm.trim_end().to_owned()
}

/// OpenSSL is linked into the program, which carries the ciphertext itself.
#[test]
fn a_server_in_node() {
    let Some(folder) = folder(&["curl", "openssl", "node"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = node_server(port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    let comm = comm(server.pid());
    served(running, port, server.pid(), &comm, "openssl", "indirect");
}

#[test]
fn a_worker_of_nginx() {
    let Some(folder) = folder(&["curl", "openssl", "nginx"]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = nginx_tls(folder.path(), port, &identity.certificate, &identity.key);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    curl(port, &["/hello", "/large.bin", "/hello"]);
    let worker = children(server.pid())[0];
    let (exchanges, handshakes) = split(&running.interrupt(), port);
    let answer = |path| exchange(path, "openssl", worker, "nginx");
    exactly(
        &exchanges,
        &[answer("/hello"), answer("/large.bin"), answer("/hello")],
    );
    exactly(&handshakes, &[handshake("openssl", "nginx")]);
    let large = exchanges
        .iter()
        .find(|exchange| exchange["resource"] == "/large.bin")
        .unwrap();
    assert!(large["resp_len"].as_u64().unwrap() > 100_000, "{large}");
}

#[test]
fn a_server_by_go() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let Some(program) = go_program() else { return };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = go_server(program, port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    served(running, port, server.pid(), "https-by-go", "go", "go");
}

/// As after an upgrade: its path leads there no more.
#[test]
fn a_server_by_go_whose_program_is_gone() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let Some(program) = go_program() else { return };
    let old = folder.path().join("old-by-go");
    std::fs::copy(program, &old).unwrap();
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = go_server(&old, port, &identity);
    std::fs::remove_file(&old).unwrap();
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    served(running, port, server.pid(), "old-by-go", "go", "go");
}

#[test]
fn http2_between_programs_of_go() {
    let Some(folder) = folder(&["curl", "openssl"]) else {
        return;
    };
    let Some(program) = go_program() else { return };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let server = go_server(program, port, &identity);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    client(&["curl", "-sk", "--http2", &url(port, "/two")]);
    let (exchanges, _) = split(&running.interrupt(), port);
    let expected = json!({"proto": "http2", "kind": "matched", "req_type": "GET", "resource": "/two", "code": 200,
                          "attrs": {"tls": "go"}, "process": {"pid": server.pid(), "comm": "https-by-go"}});
    exactly(&exchanges, &[expected]);
}

/// A program that runs for milliseconds asks a server of Python; what its own end tells.
fn asked(arguments: &[&str], library: &str, comm: &str) {
    let Some(folder) = folder(&["openssl", arguments[0]]) else {
        return;
    };
    let (port, identity) = (free_port(), Identity::new(folder.path()));
    let _server = python("https.py", port, &identity);
    let Some(running) = start(folder.path(), &["--side", "client"]) else {
        return;
    };
    let url = url(port, "/asked");
    client(&[arguments, &[&url]].concat());
    let (exchanges, handshakes) = split(&running.interrupt(), port);
    let pid = exchanges
        .first()
        .map_or(Value::Null, |first| first["process"]["pid"].clone());
    exactly(&exchanges, &[exchange("/asked", library, pid, comm)]);
    exactly(&handshakes, &[handshake(library, comm)]);
}

#[test]
fn a_client_by_openssl() {
    asked(&["curl", "-sk", "--http1.1"], "openssl", "curl");
}

#[test]
fn a_client_by_gnutls() {
    asked(&["wget", "-qO-", "--no-check-certificate"], "gnutls", "wget");
}

#[test]
fn a_client_in_python() {
    let program = "import http.client, ssl, sys
host = sys.argv[1].split('/')[2]
connection = http.client.HTTPSConnection(host, context=ssl._create_unverified_context())
connection.request('GET', '/asked')
assert connection.getresponse().read() == b'hello from /asked\\n'";
    asked(&["/usr/bin/python3", "-c", program], "openssl", "python3");
}

/// A client that is over in no time, of a program that somebody (`known`) uses already, so it has probes. It asks a server
/// of Python two things.
fn asked_by(known: &Server, folder: &Path, arguments: &[&str], library: &str, plaintext: Option<&str>) {
    let (port, identity) = (free_port(), Identity::new(folder));
    let _server = python("https.py", port, &identity);
    let Some(running) = start(folder, &["--side", "client"]) else {
        return;
    };
    let urls = [url(port, "/one"), url(port, "/two")];
    client(&[arguments, &[&urls[0], &urls[1]]].concat());
    let (exchanges, handshakes) = split(&running.interrupt(), port);
    let pid = exchanges
        .first()
        .map_or(Value::Null, |first| first["process"]["pid"].clone());
    let comm = comm(known.pid());
    let path = |path| exchange(path, library, pid.clone(), &comm);
    exactly(&exchanges, &[path("/one"), path("/two")]);
    if let Some(plaintext) = plaintext {
        exactly(&handshakes, &[handshake(plaintext, &comm)]);
    }
}

#[test]
fn a_client_by_go_whose_program_is_known() {
    let Some(folder) = folder(&["openssl"]) else {
        return;
    };
    let Some(program) = go_program() else { return };
    let known = go_server(program, free_port(), &Identity::new(folder.path()));
    let arguments = [program.to_str().unwrap(), "get"];
    asked_by(&known, folder.path(), &arguments, "go", Some("go"));
}

#[test]
fn a_client_by_openssl_1_1_whose_library_is_known() {
    let Some(folder) = folder(&["openssl"]) else {
        return;
    };
    let Some(library) = libssl_1_1() else { return };
    let known = libssl_server(&library, free_port(), &Identity::new(folder.path()));
    let program = source("https_by_libssl.py");
    let arguments = ["/usr/bin/python3", &program, &library, "get"];
    asked_by(&known, folder.path(), &arguments, "openssl", Some("openssl"));
}

#[test]
fn a_client_in_node_whose_program_is_known() {
    let Some(folder) = folder(&["openssl", "node"]) else {
        return;
    };
    let known = node_server(free_port(), &Identity::new(folder.path()));
    let arguments = ["node", &source("https.js"), "get"];
    // Why no call carries the ciphertext is found out later than such a client is over, perhaps.
    asked_by(&known, folder.path(), &arguments, "openssl", None);
}

#[test]
fn why_nothing_is_read() {
    let Some(folder) = folder(&["curl"]) else { return };
    let port = free_port();
    let mut command = Command::new("/usr/bin/python3");
    command.args([&source("refuses_tls.py"), &port.to_string()]);
    let _server = Server::start(&mut command, port);
    let Some(running) = start(folder.path(), &[]) else {
        return;
    };
    let refused = Command::new("curl")
        .args(["-sk", &url(port, "/")])
        .status()
        .unwrap();
    assert!(!refused.success());
    let (exchanges, handshakes) = split(&running.interrupt(), port);
    exactly(&exchanges, &[]);
    let expected =
        json!({"proto": "tls", "attrs": {"plaintext": "unknown_library"}, "process": {"comm": "python3"}});
    exactly(&handshakes, &[expected]);
}

#[test]
fn runs_that_are_missed_are_counted_of_all_programs() {
    let Some(_folder) = folder(&[]) else { return };
    let engine = Engine::new(Settings::default(), |_| true);
    let options = KernelOptions {
        backend: backend(),
        ..KernelOptions::default()
    };
    let table = engine.candidates();
    let mut kernel = match Kernel::start(&options, table) {
        Ok(kernel) => kernel,
        Err(refusal) => return skipped(&refusal.to_string()),
    };
    let _tls = kernel.tls(&options, table).unwrap();
    let names: Vec<&str> = kernel.missed().map(|(name, _)| name).collect();
    // One of a socket's, and those that run where a library's calls begin and end.
    for name in ["destroyed", "tls_enter", "tls_return", "tls_exec"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}
