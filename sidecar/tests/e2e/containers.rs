//! Cgroups as container runtimes make them, and network namespaces.

use crate::host::{Server, client, folder, free_port, skipped};
use crate::running::Running;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ASKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/peers/asks.py");

/// A cgroup of this test's own, until dropped, with all below.
struct Cgroup(PathBuf);

impl Cgroup {
    /// `None` where there is no place for one, having said so.
    fn new(name: &str) -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let root = mounts.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[2] == "cgroup2").then(|| PathBuf::from(words[1]))
        });
        let own = root.map(|root| root.join(format!("tapir-{name}-{}", std::process::id())));
        match own.map(|own| std::fs::create_dir(&own).map(|()| Self(own))) {
            Some(Ok(cgroup)) => Some(cgroup),
            _ => {
                skipped("no cgroups (version 2) that could be made here");
                None
            }
        }
    }

    /// Makes another one below.
    fn below(&self, path: &str) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let begin = Instant::now();
        // The kernel lets go of processes some time after they ended.
        while remove(&self.0).is_err() && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes a cgroup and those below.
fn remove(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)?.flatten() {
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    std::fs::remove_dir(path)
}

/// A Redis in a cgroup.
fn redis_in(cgroup: &Path, port: u16) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]);
    command.arg(cgroup).args(["redis-server", "--port"]);
    command
        .arg(port.to_string())
        .args(["--save", "", "--daemonize", "no"]);
    Server::start(&mut command, port)
}

fn ping(port: u16) {
    client(&["redis-cli", "-p", &port.to_string(), "PING"]);
}

#[test]
fn containers_older_and_younger_than_the_sidecar() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let Some(cgroup) = Cgroup::new("containers") else {
        return;
    };
    let id = |first: char| format!("{first}{:08x}{:055x}", std::process::id(), 7);
    let ports: [u16; 5] = std::array::from_fn(|_| free_port());
    let docker = cgroup.below(&format!("system.slice/docker-{}.scope", id('a')));
    let _older = redis_in(&docker, ports[0]);
    let (begin_a, begin_b) = (&id('a')[..12], &id('b')[..12]);
    let uid = format!("{:08x}-17a2-4f0f-9a3e-52a0a2d7b6a1", std::process::id());
    let host = folder.path().join("host");
    std::fs::create_dir_all(host.join(format!("var/log/pods/shop_redis-0_{uid}"))).unwrap();
    let root = host.to_str().unwrap();
    let arguments = [
        "--container",
        begin_a,
        "--container",
        begin_b,
        "--host-root",
        root,
    ];
    let Some(running) = Running::start(folder.path(), &arguments) else {
        return;
    };
    running.wait_for(&format!("container {begin_b}: there is none yet"));
    let pod = format!(
        "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{}.slice",
        uid.replace('-', "_")
    );
    let scope = |id: String| cgroup.below(&format!("{pod}/cri-containerd-{id}.scope"));
    let containerd = scope(id('b'));
    let _younger = redis_in(&containerd, ports[1]);
    // What a container makes for itself is its own.
    let _within = redis_in(
        &cgroup.below(&format!("{pod}/cri-containerd-{}.scope/init.scope", id('b'))),
        ports[2],
    );
    let _another = redis_in(&scope(id('c')), ports[3]);
    let _outside = redis_in(&cgroup.below(&pod), ports[4]);
    ports.into_iter().for_each(ping);

    let finished = running.interrupt();
    let places = ports.map(|port| {
        let records = finished.of_port(port).into_iter();
        let places = records.map(|record| ["container", "pod"].map(|key| record["process"][key].clone()));
        places.collect::<Vec<_>>()
    });
    let of = |first: char, pod: Option<&str>| vec![[Value::from(id(first)), Value::from(pod)]];
    let pod = Some("shop/redis-0");
    assert_eq!(
        places,
        [of('a', None), of('b', pod), of('b', pod), vec![], vec![]]
    );
}

#[test]
fn a_cgroup_that_goes_and_comes_back() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let Some(cgroup) = Cgroup::new("service") else {
        return;
    };
    let service = cgroup.0.join("shop.service");
    let path = service.to_str().unwrap();
    let Some(running) = Running::start(folder.path(), &["--cgroup", path]) else {
        return;
    };
    let ports: [u16; 3] = std::array::from_fn(|_| free_port());
    for port in [ports[0], ports[1]] {
        let below = cgroup.below("shop.service/workers");
        let server = redis_in(&below, port);
        ping(port);
        drop(server);
        let begin = Instant::now();
        while remove(&service).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let _other = redis_in(&cgroup.below("shop.service.other"), ports[2]);
    ping(ports[2]);
    let finished = running.interrupt();
    assert_eq!(ports.map(|port| finished.of_port(port).len()), [1, 1, 0]);
}

/// A network namespace, until dropped.
struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Option<Self> {
        let own = Self(format!("tapir-{name}-{}", std::process::id()));
        let run = |arguments: &[&str]| Command::new("ip").args(arguments).status();
        let made = run(&["netns", "add", &own.0]).is_ok_and(|status| status.success());
        if !made {
            skipped("network namespaces");
            return None;
        }
        assert!(run(&["-n", &own.0, "link", "set", "lo", "up"]).unwrap().success());
        Some(own)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    fn redis(&self, port: u16) -> Server {
        let port = port.to_string();
        let mut command = self.command("redis-server");
        command.args(["--port", &port, "--save", "", "--daemonize", "no"]);
        Server::start_until(&mut command, || {
            let mut ask = self.command("redis-cli");
            let answer = ask.args(["-p", &port, "PING"]).output().unwrap();
            answer.status.success()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A client that keeps its connection.
struct Asks(Child, BufReader<std::process::ChildStdout>);

impl Asks {
    fn new(namespace: &Namespace, port: u16, own: u16) -> Self {
        let mut command = namespace.command("python3");
        command.args([ASKS, &port.to_string(), &own.to_string()]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut asks = Self(child, said);
        assert_eq!(asks.next(), "connected\n");
        asks
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"PING\r\n").unwrap();
        assert_eq!(self.next(), "+PONG\n");
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn namespaces_with_the_same_addresses() {
    let Some(folder) = folder(&["redis-server", "redis-cli", "python3"]) else {
        return;
    };
    let (Some(one), Some(other)) = (Namespace::new("one"), Namespace::new("other")) else {
        return;
    };
    let (port, older, younger) = (free_port(), free_port(), free_port());
    let namespaces = [&one, &other];
    let servers = namespaces.map(|namespace| namespace.redis(port));
    let mut before = namespaces.map(|namespace| Asks::new(namespace, port, older));
    let Some(running) = Running::start(folder.path(), &["--port", &port.to_string()]) else {
        return;
    };
    let mut after = namespaces.map(|namespace| Asks::new(namespace, port, younger));
    for _ in 0..3 {
        before.iter_mut().chain(&mut after).for_each(Asks::ask);
    }
    let records = running.interrupt().all();
    let known: Vec<[u64; 2]> = records
        .iter()
        .map(|record| ["process", "client_process"].map(|who| record[who]["pid"].as_u64().unwrap_or(0)))
        .collect();
    let mut expected = Vec::new();
    for clients in [&before, &after] {
        for (server, client) in servers.iter().zip(clients) {
            let pair = [u64::from(server.pid()), u64::from(client.0.id())];
            expected.extend([pair; 3]);
        }
    }
    let sorted = |mut pairs: Vec<[u64; 2]>| {
        pairs.sort_unstable();
        pairs
    };
    assert_eq!(sorted(known), sorted(expected), "{}", Value::from(records));
}
