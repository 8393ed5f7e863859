//! The same exchanges on the wire and at the server's sockets: one record of each, with what both know.

use crate::lab::{Lab, skipped};
use crate::matching::exactly;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::SERVER;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the sidecar may take to load its programs.
const START: Duration = Duration::from_secs(60);

/// A sidecar that sends to the collector at `socket`; `None`, having said why, where there can't be one.
fn sidecar(lab: &Lab, socket: &Path) -> Option<Child> {
    let program = Path::new(env!("CARGO_BIN_EXE_tapir")).with_file_name("tapir-sidecar");
    if !program.exists() {
        skipped("tapir-sidecar is not built: cargo build -p tapir-sidecar");
        return None;
    }
    let stderr = lab.path("sidecar.err");
    let mut child = Command::new(program)
        .args(["--log", "info", "--port", "6379", "--port", "80", "--output"])
        .arg(format!("unix:{}", socket.display()))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&stderr).unwrap_or_default();
    let begin = Instant::now();
    while !said().contains("watching") {
        if child.try_wait().unwrap().is_some() {
            skipped(&said());
            return None;
        }
        assert!(begin.elapsed() < START, "{}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(child)
}

#[test]
fn what_the_wire_and_a_host_see_is_one_record() {
    let Some(lab) = Lab::up(false) else { return };
    let (socket, config) = (lab.path("sidecars.sock"), lab.path("join.toml"));
    let text = format!(
        "[[sidecars]]\npath = \"{}\"\n[join]\nwait = \"10s\"\n",
        socket.display()
    );
    std::fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let running = Running::start(&lab, &[&["--config", &config], &ONE_QUEUE[..]].concat());
    let Some(mut sidecar) = sidecar(&lab, &socket) else {
        return;
    };
    lab.clients(&format!(
        "for i in 1 2 3 4 5; do redis-cli -h {SERVER} SET joined:$i $i; done
         redis-cli -h {SERVER} GET joined:3
         for i in $(seq 100); do echo SET piped:$i $i; done | redis-cli -h {SERVER} --pipe
         curl -s -o /dev/null http://{SERVER}/nothing/1 http://{SERVER}/nothing/2"
    ));
    // Its end brings out what it has.
    std::thread::sleep(Duration::from_secs(2));
    Command::new("kill")
        .args(["-INT", &sidecar.id().to_string()])
        .status()
        .unwrap();
    assert!(sidecar.wait().unwrap().success());
    let health = running.health_at_rest();
    assert_eq!(health["join"]["balanced"], true, "{health}");
    let finished = running.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    let of = |proto: &str| -> Vec<Value> {
        let is_of = |record: &&Value| record["proto"] == proto;
        finished.records.iter().filter(is_of).cloned().collect()
    };
    let redis = |whole: &str| {
        json!({"source": "wire", "joined": "seq", "kind": "matched", "server_port": 6379, "resource": whole,
               "process": {"comm": "redis-server"}})
    };
    let mut expected: Vec<Value> = (1..=5).map(|i| redis(&format!("SET joined:{i} {i}"))).collect();
    expected.push(redis("GET joined:3"));
    expected.extend((1..=100).map(|i| redis(&format!("SET piped:{i} {i}"))));
    expected.push(json!({"source": "wire", "joined": "seq", "req_type": "ECHO"}));
    exactly(&of("redis"), &expected);
    let http = |path: &str| {
        json!({"source": "wire", "joined": "seq", "kind": "matched", "resource": path, "code": 404,
               "process": {"comm": "nginx"}})
    };
    exactly(&of("http1"), &[http("/nothing/1"), http("/nothing/2")]);
}
