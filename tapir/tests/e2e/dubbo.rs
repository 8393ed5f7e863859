//! Dubbo: calls of a service in Node.js, well and badly ended, with attachments behind large arguments.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 20880;

#[test]
fn calls_of_a_service() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(node_path) = peers::node_path() else {
        return;
    };
    let node = |source: &str, argument: &str| {
        [
            "env",
            &format!("NODE_PATH={node_path}"),
            "node",
            &peers::source(source),
            argument,
        ]
        .map(str::to_owned)
    };
    let server = node("dubbo_server.js", &PORT.to_string());
    let _server = lab.serve(&server.each_ref().map(String::as_str), PORT);
    let tapir = Running::start(&lab, &ONE_QUEUE);
    let client = node("dubbo_client.js", &format!("{SERVER}:{PORT}"));
    lab.client(&client.each_ref().map(String::as_str));
    tapir.health_at_rest();
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    exactly(&finished.records, &expected());
}

/// A call of `method` that went well.
fn call(method: &str, parameter_types: &str) -> Value {
    let attrs =
        json!({"serialization": "hessian2", "service_version": "1.2.0", "parameter_types": parameter_types});
    with(
        &matched("dubbo", PORT),
        json!({
            "version": "5.3.0", "req_type": method, "domain": "shop.Items", "resource": "shop.Items",
            "endpoint": format!("shop.Items/{method}"), "code": 20, "exception": null, "attrs": attrs,
        }),
    )
}

/// What dubbo_client.js calls. Its ids count up from 1.
fn expected() -> Vec<Value> {
    let get = call("get", "Ljava/lang/String;");
    let mut expected: Vec<Value> = (1..=20).map(|id| with(&get, json!({"request_id": id}))).collect();
    expected.extend([
        with(
            &get,
            json!({"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
                   "x_request_id": "r-17"}),
        ),
        with(
            &call("count", "[B"),
            json!({"trace_id": "80f198ee56343ba8", "span_id": "e457b5a2e4d86bd1", "req_len": 300_361}),
        ),
        with(&get, json!({"trace_id": "3b9f", "span_id": "1c2"})),
        call("list", "I"),
        with(
            &get,
            json!({"status": "server_error", "code": 80, "exception": "no such item: nothing"}),
        ),
        with(
            &call("find", "Ljava/lang/String;"),
            json!({"exception": "shop.NoSuchItemException: no such item: gone"}),
        ),
        with(
            &call("steal", ""),
            json!({"status": "server_error", "code": 80, "attrs": {"parameter_types": null},
                   "exception": "Can not find method: shop.Items:1.2.0#steal()"}),
        ),
    ]);
    expected.extend(vec![get; 100]);
    expected
}
