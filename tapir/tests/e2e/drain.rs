//! What is under way when Tapir is told to stop becomes records all the same.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::running::{ONE_QUEUE, Running};
use serde_json::json;
use std::process::{Child, Stdio};
use std::time::Duration;

#[test]
fn requests_under_way_end_by_shutdown() {
    let Some(lab) = Lab::up(false) else { return };
    let tapir = Running::start(&lab, &ONE_QUEUE);
    let ask = |arguments: &[&str]| -> Child {
        let mut client = lab.in_client(arguments[0]);
        let client = client
            .args(&arguments[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        client.spawn().unwrap()
    };
    let clients = [
        ask(&["redis-cli", "-h", "10.99.0.1", "BLPOP", "nothing", "0"]),
        ask(&[
            "psql",
            "-X",
            "-h",
            "10.99.0.1",
            "-U",
            "shop",
            "shop",
            "-c",
            "SELECT pg_sleep(600)",
        ]),
        ask(&[
            "mariadb",
            "--no-defaults",
            "-h",
            "10.99.0.1",
            "-u",
            "shop",
            "shop",
            "-e",
            "SELECT SLEEP(600)",
        ]),
        ask(&["curl", "-s", "http://10.99.0.1/slow.txt"]),
    ];
    std::thread::sleep(Duration::from_secs(2));
    let finished = tapir.interrupt();
    for mut client in clients {
        client.kill().unwrap();
        client.wait().unwrap();
    }
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    assert!(!finished.stderr.contains("BUG"), "{}", finished.stderr);
    exactly(
        &finished.records,
        &[
            json!({"proto": "redis", "kind": "no_response", "ended": "shutdown", "resource": "BLPOP nothing 0"}),
            json!({"proto": "postgresql", "kind": "matched", "ended": "response", "req_type": "STARTUP"}),
            json!({"proto": "postgresql", "kind": "no_response", "ended": "shutdown", "resource": "SELECT pg_sleep(600)"}),
            json!({"proto": "mysql", "kind": "matched", "ended": "response", "req_type": "LOGIN"}),
            json!({"proto": "mysql", "kind": "no_response", "ended": "shutdown", "resource": "SELECT SLEEP(600)"}),
            // Its response has begun.
            json!({"proto": "http1", "kind": "matched", "ended": "shutdown", "resource": "/slow.txt", "code": 200}),
        ],
    );
}
