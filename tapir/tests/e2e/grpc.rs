//! gRPC: all four forms of calls, by two implementations, well and badly ended.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::Running;
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 50051;

#[test]
fn calls_of_all_forms() {
    let Some(lab) = Lab::up(false) else { return };
    let (Some(python), Some(node_path)) = (peers::python(), peers::node_path()) else {
        return;
    };
    let address = format!("{SERVER}:{PORT}");
    let _server = lab.serve(&[&python, &peers::source("grpc_server.py"), &address], PORT);
    let tapir = Running::start(&lab, &["--vdev", "net_af_packet0,iface=srv0", "--lcores", "1"]);
    lab.client(&[&python, &peers::source("grpc_client.py"), &address]);
    let node_path = format!("NODE_PATH={node_path}");
    lab.client(&[
        "env",
        &node_path,
        "node",
        &peers::source("grpc_client.js"),
        &address,
    ]);
    let health = tapir.health_at_rest();
    assert_eq!(health["packets"]["difference"], 0, "{health}");
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    let expected: Vec<Value> = python_calls().into_iter().chain(node_calls()).collect();
    exactly(&finished.records, &expected);
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
    let mut expected: Vec<Value> = (0..20)
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
    expected.extend(vec![call("Get"); 100]);
    // The deadline: which side notices it first is open, and with it who ends the call.
    expected.push(json!({"proto": "grpc", "endpoint": "/shop.Cart/Get", "request_id": 55}));
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
