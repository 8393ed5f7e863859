//! Kafka: two client libraries, and the broker that librdkafka brings along. What they ask of each other depends
//! on time, so each request is also counted where it passes: what Tapir tells must be the same.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::peers;
use crate::running::{ONE_QUEUE, Running};
use crate::traffic::{SERVER, matched, with};
use serde_json::{Value, json};

const PORT: u16 = 9092;
/// As long as librdkafka's messages may be by default, but for what frames them.
const LONG_BYTES: &str = "990000";

#[test]
fn producers_consumers_groups_and_transactions() {
    let Some(lab) = Lab::up(false) else { return };
    let Some(python) = peers::python() else { return };
    let address = format!("{SERVER}:{PORT}");
    let own_port = lab.path("kafka.port").to_str().unwrap().to_owned();
    let _broker = lab.serve(
        &[&python, &peers::source("kafka_broker.py"), &address, &own_port],
        PORT,
    );
    let tapir = Running::start(&lab, &ONE_QUEUE);
    let client = peers::source("kafka_client.py");
    let passed = lab.client(&[&python, &client, &address, &own_port, LONG_BYTES]);
    tapir.health_at_rest();
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    let expected: Vec<Value> = passed.lines().flat_map(told_of).collect();
    exactly(&finished.records, &expected);
    for known in known() {
        let told = finished.records.iter().filter(|record| {
            let keys = known.as_object().unwrap();
            keys.iter().all(|(key, value)| record.get(key) == Some(value))
        });
        assert_eq!(told.count(), 1, "{known}");
    }
}

/// The records of a request that the relay of kafka_client.py has passed.
fn told_of(line: &str) -> Vec<Value> {
    let request: Value = serde_json::from_str(line).unwrap();
    let [port, name, version, id, client, answered] = request.as_array().unwrap().as_slice() else {
        panic!("{line}")
    };
    let base = json!({
        "proto": "kafka", "server_port": PORT, "client_port": port, "req_type": name,
        "version": version.to_string(), "request_id": id, "domain": client, "truncated": null, "gap_bytes": null,
    });
    if client == "careless" && name == "Produce" {
        // This broker answers what wants no answer, and other brokers don't.
        let orphan = json!({"kind": "orphan", "client_port": port, "request_id": id, "req_type": null});
        let answer = answered.as_bool().unwrap().then_some(orphan);
        return [with(&base, json!({"kind": "oneway"}))]
            .into_iter()
            .chain(answer)
            .collect();
    }
    let told = match (answered.as_bool().unwrap(), name.as_str().unwrap(), version) {
        (false, ..) => json!({"kind": "no_response"}),
        // It does not know their version.
        (_, "ApiVersions", version) if version.as_u64() > Some(2) => json!({
            "kind": "matched", "status": "server_error", "code": 35, "exception": "UNSUPPORTED_VERSION",
        }),
        _ => json!({"kind": "matched", "status": "ok", "code": 0}),
    };
    vec![with(&base, told)]
}

/// What kafka_client.py does once.
fn known() -> Vec<Value> {
    let base = matched("kafka", PORT);
    let once = |more: Value| {
        let mut known = with(&base, more);
        let keys = known.as_object_mut().unwrap();
        keys.retain(|_, value| !value.is_null());
        known
    };
    let trace = json!({
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
        "req_type": "Produce", "domain": "shop-c", "resource": "orders", "endpoint": "orders-0",
        "attrs": {"offset": "0"},
    });
    vec![
        once(trace),
        once(
            json!({"req_type": "Produce", "domain": "shop-c", "resource": "orders", "endpoint": "orders-1"}),
        ),
        once(json!({"req_type": "Produce", "domain": "shop-python", "endpoint": "python-2-3-2"})),
        once(json!({"req_type": "AddPartitionsToTxn", "endpoint": "bills-0",
            "attrs": {"transactional_id": "pay-1"}})),
        once(json!({"req_type": "EndTxn", "attrs": {"transactional_id": "pay-1"}})),
        once(json!({"req_type": "JoinGroup", "attrs": {"group_id": "billing"}})),
        once(json!({"req_type": "LeaveGroup", "attrs": {"group_id": "billing"}})),
        once(json!({"req_type": "OffsetFetch", "resource": "orders", "attrs": {"group_id": "billing"}})),
    ]
}
