//! gRPC: all four forms of calls, by two implementations, well and badly ended.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 50051;
/// Made one after the other, and then as many at once.
const CALLS: usize = 50;

/// What runs the peers.
struct Peers {
    python: String,
    node_path: String,
}

#[test]
fn calls_of_all_forms() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(peers) = Peers::here() else { return };
    let expected: Vec<Value> = python_calls().into_iter().chain(node_calls()).collect();
    exactly(&peers.watch(&lab, &[]), &expected);
}

#[test]
fn pieces_of_streams() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(peers) = Peers::here() else { return };
    let configuration = lab.path("pieces.toml");
    std::fs::write(&configuration, "[protocols]\ngrpc_stream_records = true\n").unwrap();
    let records = peers.watch(&lab, &["--config", configuration.to_str().unwrap()]);
    let mut expected: Vec<Value> = python_calls().into_iter().chain(node_calls()).collect();
    let piece = |method: &str, lengths: Value| {
        let stream = json!({"kind": "stream", "code": null, "rrt_ns": null});
        with(&with(&call(method), stream), lengths)
    };
    let asked = |method, len: u32| piece(method, json!({"req_len": len, "resp_len": null}));
    let answered = |method, len: u32| piece(method, json!({"req_len": null, "resp_len": len}));
    // A prefix of five bytes and "item 0" and so on, of both clients.
    expected.extend(vec![answered("List", 11); 5 + 3]);
    expected.extend(vec![asked("Put", 6); 3]);
    expected.extend(vec![asked("Chat", 6); 3]);
    expected.extend(vec![answered("Chat", 6); 3]);
    expected.extend([asked("Chat", 6), asked("Chat", 9)]);
    exactly(&records, &expected);
}

impl Peers {
    fn here() -> Option<Self> {
        Some(Self {
            python: peers::python()?,
            node_path: format!("NODE_PATH={}", peers::node_path()?),
        })
    }

    /// The records of all calls of both clients.
    fn watch(&self, lab: &Lab, arguments: &[&str]) -> Vec<Value> {
        let address = format!("{SERVER}:{PORT}");
        let server = peers::source("grpc_server.py");
        let _server = lab.serve(&[&self.python, &server, &address], PORT);
        let tapir = Running::start(lab, &[arguments, &ONE_QUEUE].concat());
        let calls = CALLS.to_string();
        lab.client(&[&self.python, &peers::source("grpc_client.py"), &address, &calls]);
        let node = peers::source("grpc_client.js");
        lab.client(&["env", &self.node_path, "node", &node, &address]);
        tapir.health_at_rest();
        assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
        let finished = tapir.interrupt();
        assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
        finished.records
    }
}

/// A call of `method` that went well.
fn call(method: &str) -> Value {
    with(
        &matched("grpc", PORT),
        json!({
            "version": "2", "req_type": "POST", "domain": format!("{SERVER}:{PORT}"), "resource": "shop.Cart",
            "endpoint": format!("/shop.Cart/{method}"), "code": 0, "exception": null,
        }),
    )
}

fn failed(method: &str, status: &str, code: u8, text: &str) -> Value {
    with(
        &call(method),
        json!({"status": status, "code": code, "exception": text}),
    )
}

/// What grpc_client.py calls. Its streams are numbered from 1 on by two.
fn python_calls() -> Vec<Value> {
    let python = |call: Value| {
        with(
            &call,
            json!({"user_agent": "grpc-python/1.85.1 grpc-c/58.0.0 (linux; chttp2)"}),
        )
    };
    let mut expected: Vec<Value> = (0..CALLS)
        .map(|i| with(&call("Get"), json!({"request_id": 2 * i + 1})))
        .collect();
    expected.extend([
        with(
            &call("Get"),
            json!({"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
                   "x_request_id": "r-17"}),
        ),
        call("List"),
        call("List"),
        call("Put"),
        call("Chat"),
        failed("Get", "client_error", 5, "no such item: 50 %"),
        failed("Get", "server_error", 2, "Exception calling application: crash"),
        failed("Chat", "server_error", 14, "gone"),
        failed("Steal", "server_error", 12, "Method not found!"),
    ]);
    expected.extend(vec![call("Get"); CALLS]);
    // The deadline: which side notices it first is open, and with it who ends the call.
    expected.push(json!({"proto": "grpc", "endpoint": "/shop.Cart/Get", "request_id": 2 * CALLS + 15}));
    expected.into_iter().map(python).collect()
}

/// What grpc_client.js calls.
fn node_calls() -> Vec<Value> {
    let node = |call: Value| with(&call, json!({"user_agent": "grpc-node-js/1.14.7"}));
    let calls = [
        call("Get"),
        call("List"),
        failed("Get", "client_error", 5, "no such item: 50 %"),
    ];
    calls.into_iter().map(node).collect()
}
