//! WebSocket: messages both ways, in several frames, compressed, and how connections end.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 8083;

#[test]
fn messages_of_all_kinds() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(node_path) = peers::node_path() else {
        return;
    };
    let node_path = format!("NODE_PATH={node_path}");
    let [server, client] = ["websocket_server.js", "websocket_client.js"].map(peers::source);
    let port = PORT.to_string();
    let _server = lab.serve(&["env", &node_path, "node", &server, SERVER, &port], PORT);
    let tapir = Running::start(&lab, &ONE_QUEUE);
    lab.client(&[
        "env",
        &node_path,
        "node",
        &client,
        &format!("ws://{SERVER}:{PORT}"),
    ]);
    tapir.health_at_rest();
    assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    exactly(&finished.records, &expected());
}

/// What websocket_client.js does.
fn expected() -> Vec<Value> {
    let upgrade = |path: &str| {
        with(
            &matched("http1", PORT),
            json!({"req_type": "GET", "domain": format!("{SERVER}:{PORT}"), "resource": path, "code": 101}),
        )
    };
    let message = |path: &str, kind: &str, len: u32| {
        with(
            &matched("websocket", PORT),
            json!({"kind": "stream", "req_type": kind, "domain": format!("{SERVER}:{PORT}"), "resource": path,
                   "req_len": len}),
        )
    };
    let (first, second) = ("/chat/1?room=2", "/chat/2");
    let closing = |path, len, code, text: &str| {
        let result = if text.is_empty() { Value::Null } else { json!(text) };
        with(
            &message(path, "close", len),
            json!({"code": code, "result": result}),
        )
    };
    // A thousand times the same letter; how small it becomes is zlib's affair.
    let mut compressed = message(second, "text", 0);
    compressed.as_object_mut().unwrap().remove("req_len");
    // The client's frames have a mask of four bytes.
    vec![
        upgrade(first),
        message(first, "text", 2 + 4 + 5),
        message(first, "text", 2 + 5),
        message(first, "binary", 4 + 4 + 2000),
        message(first, "binary", 4 + 2000),
        message(first, "ping", 2 + 4),
        message(first, "pong", 2),
        message(first, "text", 3 * (2 + 4) + 11),
        message(first, "text", 2 + 11),
        closing(first, 2 + 4 + 5, 1000, "bye"),
        closing(first, 2 + 5, 1000, "bye"),
        upgrade(second),
        compressed.clone(),
        compressed,
        closing(second, 2 + 4 + 2, 4001, ""),
        closing(second, 2 + 2, 4001, ""),
    ]
}
