//! Unix stream sockets: what never touches a network, with the processes at both ends.

use crate::host::{client, folder, redis_at};
use crate::lab::Lab;
use crate::matching::exactly;
use crate::running::Running;
use crate::traffic::with;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";

/// What every exchange through `socket` has.
fn by(socket: &str, proto: &str, server: &str, client: &str) -> Value {
    json!({
        "source": "host", "l4": "unix", "proto": proto, "kind": "matched", "gap_bytes": null,
        "client_ip": null, "client_port": null, "server_ip": null, "server_port": null,
        "req_seq": null, "resp_seq": null, "attrs": {"socket": socket},
        "process": {"comm": server}, "client_process": {"comm": client},
    })
}

/// Records of the sockets in `folder`, whatever else the host says.
fn in_folder(records: Vec<Value>, folder: &Path) -> Vec<Value> {
    let folder = folder.to_str().unwrap();
    let is_there = |record: &Value| {
        let socket = record["attrs"]["socket"].as_str();
        socket.is_some_and(|socket| socket.starts_with(folder))
    };
    records.into_iter().filter(is_there).collect()
}

#[test]
fn servers_that_are_asked_by_their_sockets() {
    let Some(folder) = folder(&[]) else { return };
    let Some(lab) = Lab::up(false) else { return };
    // Other tests make more of the servers than is of interest here.
    let clients = ["psql", "mariadb", "redis-cli", "curl"];
    let filters: Vec<&str> = clients.iter().flat_map(|comm| ["--comm", comm]).collect();
    let Some(running) = Running::start(folder.path(), &filters) else {
        return;
    };
    let socket = |name: &str| lab.path("lab").join(name).to_str().unwrap().to_owned();
    let postgresql = socket("postgresql/socket");
    let psql = ["-X", "-h", &postgresql, "-U", "shop", "shop"];
    client(
        &[
            &["psql"],
            &psql[..],
            &["-c", "SELECT name FROM items WHERE price <= 50"],
        ]
        .concat(),
    );
    let said = client(&[&["psql"], &psql[..], &["-t", "-c", "SELECT pg_backend_pid()"]].concat());
    let backend: u64 = said.trim().parse().unwrap();
    let mariadb = socket("mariadb/socket");
    let sql = "INSERT INTO orders VALUES (1, 17, 2)";
    client(&[
        "mariadb",
        "--no-defaults",
        "--socket",
        &mariadb,
        "-u",
        "shop",
        "shop",
        "-e",
        sql,
    ]);
    let redis = socket("redis/socket");
    client(&["redis-cli", "-s", &redis, "-r", "20", "INCR", "visits"]);
    let nginx = socket("nginx/sink");
    client(&["curl", "-sf", "--unix-socket", &nginx, "http://sink.test/cart"]);

    let finished = running.interrupt();
    let name = format!("{postgresql}/.s.PGSQL.5432");
    let postgresql = with(
        &by(&name, "postgresql", "postgres", "psql"),
        json!({"domain": "shop"}),
    );
    let mysql = with(
        &by(&mariadb, "mysql", "mariadbd", "mariadb"),
        json!({"domain": "shop"}),
    );
    let redis = by(&redis, "redis", "redis-server", "redis-cli");
    let mut expected = vec![
        // A child for each connection.
        with(
            &postgresql,
            json!({"req_type": "STARTUP", "process": {"pid": backend}}),
        ),
        with(
            &postgresql,
            json!({"req_type": "QUERY", "process": {"pid": backend}}),
        ),
        with(&postgresql, json!({"req_type": "STARTUP"})),
        with(
            &postgresql,
            json!({"req_type": "QUERY", "endpoint": "SELECT items", "rows": 5}),
        ),
        with(&mysql, json!({"req_type": "LOGIN", "resource": "shop"})),
        with(
            &mysql,
            json!({"req_type": "COM_QUERY", "resource": sql, "rows": 1}),
        ),
        json!({"proto": "mysql", "kind": "oneway", "req_type": "COM_QUIT", "l4": "unix"}),
        with(
            &by(&nginx, "http1", "nginx", "curl"),
            json!({"resource": "/cart", "code": 200, "domain": "sink.test"}),
        ),
    ];
    expected.extend(std::iter::repeat_n(
        with(&redis, json!({"resource": "INCR visits"})),
        20,
    ));
    let records = in_folder(finished.all(), &lab.path("lab"));
    exactly(&records, &expected);
}

/// Asks for a PING, which `server` answers.
fn ping(client: &mut UnixStream, server: &mut UnixStream) {
    let mut bytes = [0; PING.len()];
    client.write_all(PING).unwrap();
    server.read_exact(&mut bytes).unwrap();
    server.write_all(PONG).unwrap();
    client.read_exact(&mut bytes[..PONG.len()]).unwrap();
}

#[test]
fn a_connection_older_than_the_sidecar() {
    let Some(folder) = folder(&["redis-server"]) else {
        return;
    };
    let socket = folder.path().join("redis.sock");
    let server = redis_at(&socket);
    let mut connection = UnixStream::connect(&socket).unwrap();
    let mut ask = || {
        connection.write_all(PING).unwrap();
        connection.read_exact(&mut [0; PONG.len()]).unwrap();
    };
    ask();
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    (0..20).for_each(|_| ask());
    let records = in_folder(running.interrupt().all(), folder.path());
    let one = json!({"kind": "matched", "resource": "PING", "process": {"pid": server.pid()},
                     "client_process": {"pid": std::process::id()}});
    exactly(&records, &vec![one; 20]);
}

#[test]
fn each_end_can_be_watched_and_no_exchange_twice() {
    let Some(folder) = folder(&[]) else { return };
    let own = std::process::id().to_string();
    for (side, count) in [("server", 2), ("client", 2), ("both", 4)] {
        let Some(running) = Running::start(folder.path(), &["--side", side, "--pid", &own]) else {
            return;
        };
        let path = folder.path().join(side);
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        let mut server = listener.accept().unwrap().0;
        ping(&mut client, &mut server);
        // The client has said all; its answer comes nevertheless.
        client.write_all(PING).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut said = Vec::new();
        server.read_to_end(&mut said).unwrap();
        server.write_all(PONG).unwrap();
        drop(server);
        client.read_to_end(&mut said).unwrap();
        assert_eq!(said, [PING, PONG].concat());
        let finished = running.interrupt();
        let me = json!({"pid": std::process::id()});
        let one = json!({"proto": "redis", "kind": "matched", "ended": "response", "gap_bytes": null,
                         "process": me, "client_process": me});
        exactly(&in_folder(finished.all(), folder.path()), &vec![one; count]);
    }
}

#[test]
fn sockets_without_a_path() {
    let Some(folder) = folder(&[]) else { return };
    let Some(running) = Running::start(folder.path(), &["--pid", &std::process::id().to_string()]) else {
        return;
    };
    let name = format!("tapir-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let mut client = UnixStream::connect_addr(&address).unwrap();
    ping(&mut client, &mut listener.accept().unwrap().0);
    // Of these neither end has any name.
    let (mut one, mut other) = UnixStream::pair().unwrap();
    ping(&mut one, &mut other);
    let records = running.interrupt().all();
    let of_no_path = |record: &&Value| {
        let socket = record["attrs"]["socket"].as_str();
        record["l4"] == "unix" && socket.is_none_or(|socket| !socket.starts_with('/'))
    };
    let records: Vec<Value> = records.iter().filter(of_no_path).cloned().collect();
    let expected = json!({"resource": "PING", "attrs": {"socket": format!("@{name}")}});
    exactly(&records, &[expected]);
}

#[test]
fn a_connection_that_nobody_reads_to_its_end() {
    let Some(folder) = folder(&[]) else { return };
    let own = std::process::id().to_string();
    let Some(running) = Running::start(folder.path(), &["--pid", &own]) else {
        return;
    };
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    let mut server = listener.accept().unwrap().0;
    ping(&mut client, &mut server);
    client.write_all(PING).unwrap();
    server.read_exact(&mut [0; PING.len()]).unwrap();
    drop((client, server));
    // Where programs see sockets go, nothing is missed.
    running.wait_for_record("\"ended\":\"fin\"");
    let records = in_folder(running.interrupt().all(), folder.path());
    let kinds: Vec<&str> = records
        .iter()
        .map(|record| record["ended"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["response", "fin"]);
}
