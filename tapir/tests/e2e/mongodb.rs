//! MongoDB's own client, plain, packed and with a password, against a server in the words of the manual.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 27017;

#[test]
fn commands_of_a_client() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(python) = peers::python() else { return };
    let port = PORT.to_string();
    let _server = lab.serve(
        &[&python, &peers::source("mongodb_server.py"), SERVER, &port],
        PORT,
    );
    let tapir = Running::start(&lab, &ONE_QUEUE);
    lab.client(&[&python, &peers::source("mongodb_client.py"), SERVER, &port]);
    tapir.health_at_rest();
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    let expected: Vec<Value> = [plain(), long(), packed(), logins()].concat();
    exactly(&finished.records, &expected);
    // Neither what was sent for a password nor what was stored.
    let told = serde_json::to_string(&finished.records).unwrap();
    for secret in ["horse", "n=ada", "r=", "apple"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

/// A command of `database` that went well.
fn command(database: &str, name: &str) -> Value {
    with(
        &matched("mongodb", PORT),
        json!({"req_type": name, "domain": database, "endpoint": name, "resource": null,
               "code": null, "exception": null, "rows": null}),
    )
}

/// The same of a collection, with so many documents.
fn of(database: &str, name: &str, collection: &str, rows: u32) -> Value {
    with(
        &command(database, name),
        json!({"resource": collection, "endpoint": format!("{name} {collection}"), "rows": rows}),
    )
}

fn failed(base: &Value, code: u32, name: &str, text: &str) -> Value {
    with(
        base,
        json!({"status": "client_error", "code": code, "exception": text, "rows": null,
               "attrs": {"code_name": name}}),
    )
}

/// What every client begins with: its monitor and its first connection each say who they are.
fn beginning() -> Vec<Value> {
    vec![command("admin", "ismaster"); 2]
}

fn plain() -> Vec<Value> {
    let items = |name, rows| of("shop", name, "items", rows);
    let duplicate = with(
        &items("insert", 0),
        json!({"code": 11000, "exception": "E11000 duplicate key error collection: shop.items"}),
    );
    let further = with(&items("getMore", 1), json!({"kind": "stream"}));
    let unacknowledged = with(
        &of("shop", "insert", "log", 0),
        json!({"kind": "oneway", "status": "unknown", "rows": null}),
    );
    let nonsense = "unknown top level operator: $nonsense";
    let mut expected = beginning();
    expected.extend([
        items("insert", 1),
        items("insert", 4),
        items("find", 2),
        items("getMore", 2),
        duplicate.clone(),
        duplicate,
        failed(&items("find", 0), 2, "BadValue", nonsense),
        failed(
            &command("admin", "nonsense"),
            59,
            "CommandNotFound",
            "no such command: 'nonsense'",
        ),
        items("update", 4),
        items("delete", 1),
        items("aggregate", 1),
        items("find", 1),
        // The exhaust cursor: one question, three answers.
        items("getMore", 1),
        further.clone(),
        further,
        command("admin", "ping"),
        command("admin", "endSessions"),
    ]);
    expected.extend(vec![unacknowledged; 3]);
    expected
}

fn long() -> Vec<Value> {
    let mut expected = beginning();
    expected.extend([
        with(&of("shop", "insert", "blobs", 20), json!({"req_len": 200_619})),
        with(&of("shop", "find", "blobs", 20), json!({"resp_len": 200_669})),
        command("admin", "ping"),
        command("admin", "endSessions"),
    ]);
    expected
}

fn packed() -> Vec<Value> {
    let mut expected = Vec::new();
    for method in ["snappy", "zlib", "zstd"] {
        let packed = |record: &Value| {
            let attrs = with(
                record.get("attrs").unwrap_or(&json!({})),
                json!({"compressor": method}),
            );
            with(record, json!({"attrs": attrs}))
        };
        let items = |name, rows| of("packed", name, method, rows);
        let nonsense = "unknown top level operator: $nonsense";
        expected.extend(beginning());
        expected.extend(
            [
                items("insert", 50),
                items("find", 30),
                items("getMore", 20),
                failed(&items("find", 0), 2, "BadValue", nonsense),
                command("admin", "endSessions"),
            ]
            .iter()
            .map(packed),
        );
    }
    expected
}

fn logins() -> Vec<Value> {
    let start = with(
        &command("admin", "saslStart"),
        json!({"attrs": {"mechanism": "SCRAM-SHA-256"}}),
    );
    let go_on = command("admin", "saslContinue");
    let refused = failed(&go_on, 18, "AuthenticationFailed", "Authentication failed.");
    let mut expected = [beginning(), beginning()].concat();
    expected.extend([start.clone(), start, go_on.clone(), go_on, refused]);
    expected.extend([command("admin", "ping"), command("admin", "endSessions")]);
    expected
}
