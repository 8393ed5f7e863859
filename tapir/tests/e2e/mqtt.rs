//! MQTT: a broker, clients of each version, messages of each quality of service both ways, and the same
//! within a WebSocket.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 1883;
const WEBSOCKET_PORT: u16 = 9001;
/// Payload of a message that takes many packets.
const LARGE: usize = 300_000;
/// The same within a WebSocket: mqtt_client.py says why.
const LARGE_IN_WEBSOCKET: usize = 20_000;

#[test]
fn messages_of_each_quality_of_service() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(python) = peers::python() else { return };
    if !peers::has(&["mosquitto", "mosquitto_pub"]) {
        return;
    }
    // Its WebSockets come last.
    let _broker = lab.serve(
        &["mosquitto", "-c", &peers::source("mosquitto.conf")],
        WEBSOCKET_PORT,
    );
    let tapir = Running::start(&lab, &ONE_QUEUE);
    let (port, websocket_port, large) = (PORT.to_string(), WEBSOCKET_PORT.to_string(), LARGE.to_string());
    let client = peers::source("mqtt_client.py");
    lab.client(&[&python, &client, SERVER, &port, &websocket_port, &large]);
    lab.clients(&format!(
        "mosquitto_pub -h {SERVER} -i pub-1 -V mqttv5 -q 1 -t nobody/listens -m hello
         seq 100 | mosquitto_pub -h {SERVER} -i pub-2 -V mqttv311 -q 2 -t numbers -l"
    ));
    tapir.health_at_rest();
    assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    exactly(&finished.records, &expected());
}

fn expected() -> Vec<Value> {
    let mut expected = paho("v31", "3.1", PORT);
    expected.extend(paho("v311", "3.1.1", PORT));
    expected.extend(paho("v5", "5", PORT));
    expected.extend(paho("ws", "5", WEBSOCKET_PORT));
    expected.push(with(
        &matched("http1", WEBSOCKET_PORT),
        json!({"req_type": "GET", "domain": format!("{SERVER}:{WEBSOCKET_PORT}"), "resource": "/mqtt", "code": 101}),
    ));
    expected.extend(mosquitto_pub("pub-1", "5"));
    expected.push(with(
        &packet("PUBLISH", "pub-1", "5", PORT),
        json!({"request_id": 1, "resource": "nobody/listens", "code": 16, "result": "No matching subscribers",
               "attrs": {"qos": "1"}}),
    ));
    expected.extend(mosquitto_pub("pub-2", "3.1.1"));
    expected.extend((1..=100).map(|id| {
        let len = "numbers".len() + 6 + id.to_string().len();
        with(
            &packet("PUBLISH", "pub-2", "3.1.1", PORT),
            json!({"request_id": id, "resource": "numbers", "req_len": len, "code": null,
                   "attrs": {"qos": "2"}}),
        )
    }));
    expected
}

/// What every exchange of a client has.
fn packet(kind: &str, client: &str, version: &str, port: u16) -> Value {
    with(
        &matched("mqtt", port),
        json!({"req_type": kind, "domain": client, "version": version}),
    )
}

fn one_way(base: &Value, status: &str) -> Value {
    let keys =
        json!({"kind": "oneway", "status": status, "request_id": null, "resp_len": null, "rrt_ns": null});
    with(base, keys)
}

/// What mosquitto_pub does around its messages.
fn mosquitto_pub(client: &str, version: &str) -> Vec<Value> {
    let packet = |kind| packet(kind, client, version, PORT);
    vec![
        with(
            &packet("CONNECT"),
            json!({"code": 0, "attrs": {"keep_alive": "60", "user": null}}),
        ),
        one_way(&packet("DISCONNECT"), "ok"),
    ]
}

/// What mqtt_client.py does on one connection. Both sides number what they ask.
fn paho(client: &str, version: &str, port: u16) -> Vec<Value> {
    let is_v5 = version == "5";
    let success = if is_v5 { json!(0) } else { Value::Null };
    let packet = |kind| packet(kind, client, version, port);
    let topic = |name: &str| format!("{client}/{name}");
    let message = |name: &str, id: u32, more: Value| {
        let base = with(
            &packet("PUBLISH"),
            json!({"resource": topic(name), "endpoint": topic(name), "request_id": id, "code": success,
                   "attrs": {"qos": "1", "retain": null, "duplicate": null}}),
        );
        with(&base, more)
    };
    let filter = topic("#");
    let at_once = one_way(
        &with(
            &packet("PUBLISH"),
            json!({"resource": topic("0"), "attrs": {"qos": "0"}}),
        ),
        "unknown",
    );
    let end = with(&packet("DISCONNECT"), json!({"code": success}));
    let mut all = vec![
        with(
            &packet("CONNECT"),
            json!({"code": 0, "attrs": {"user": "ada", "will_topic": format!("status/{client}"),
                   "keep_alive": "60", "clean_start": "true", "session_present": null}}),
        ),
        with(
            &packet("SUBSCRIBE"),
            json!({"resource": filter, "request_id": 1, "code": 2, "attrs": {"qos": "2"}}),
        ),
        at_once.clone(),
        at_once,
        one_way(&end, "ok"),
    ];
    // There, and back under the broker's own number.
    let payload = if port == PORT { LARGE } else { LARGE_IN_WEBSOCKET };
    // Fixed header of four bytes, length of the topic, packet id, and in MQTT 5 the length of no properties.
    let large = format!("{client}/large").len() + payload + if is_v5 { 9 } else { 8 };
    for (name, there, back, more) in [
        ("1", 3, 1, json!({})),
        ("2", 4, 2, json!({"attrs": {"qos": "2"}})),
        ("large", 5, 3, json!({"req_len": large})),
    ] {
        all.extend([message(name, there, more.clone()), message(name, back, more)]);
    }
    all.extend([
        message("kept", 6, json!({"attrs": {"qos": "1", "retain": "true"}})),
        message("kept", 4, json!({})),
    ]);
    let mut next = 7;
    if is_v5 {
        let asks = json!({
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "x_request_id": "r-17",
            "attrs": {"qos": "1", "content_type": "text/plain", "response_topic": topic("replies"),
                      "correlation_data": "call-7"},
        });
        let alias = json!({"attrs": {"qos": "1", "topic_alias": "1"}});
        let no_alias = json!({"attrs": {"qos": "1", "topic_alias": null}});
        all.extend([
            message("asks", 7, asks.clone()),
            message("asks", 5, asks),
            message("alias", 8, alias.clone()),
            message("alias", 6, no_alias.clone()),
            message("alias", 9, alias),
            message("alias", 7, no_alias),
        ]);
        next = 10;
    }
    all.push(with(
        &packet("UNSUBSCRIBE"),
        json!({"resource": filter, "request_id": next, "code": success}),
    ));
    all
}
