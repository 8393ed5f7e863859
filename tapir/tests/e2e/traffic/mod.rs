//! Clients with known requests, and the records that each must give.

mod dns;
mod http;
mod mysql;
mod ping;
mod postgresql;
mod redis;
mod tls;

use crate::lab::Lab;
use serde_json::{Value, json};

pub(crate) const SERVER: &str = "10.99.0.1";

/// Runs all clients; the records expected of them.
pub(crate) fn all(lab: &Lab) -> Vec<Value> {
    let parts = [
        http::known,
        http::bodies,
        redis::known,
        postgresql::known,
        mysql::known,
        dns::known,
        tls::known,
        ping::known,
    ];
    parts.iter().flat_map(|part| part(lab)).collect()
}

/// Requests to the web server and to Redis alone.
pub(crate) fn web_and_cache(lab: &Lab) -> Vec<Value> {
    [http::known, redis::known]
        .iter()
        .flat_map(|part| part(lab))
        .collect()
}

/// `base` with the keys of `more`.
pub(crate) fn with(base: &Value, more: Value) -> Value {
    let mut both = base.clone();
    let Value::Object(more) = more else {
        panic!("an object: {more}");
    };
    both.as_object_mut().unwrap().extend(more);
    both
}

/// What every complete exchange over TCP with the server's IPv4 address has.
pub(crate) fn matched(proto: &str, port: u16) -> Value {
    json!({
        "schema": 1, "kind": "matched", "ended": "response", "source": "wire", "proto": proto, "l4": "tcp",
        "client_ip": "10.99.0.2", "server_ip": SERVER, "server_port": port,
        "status": "ok", "truncated": null, "gap_bytes": null,
    })
}
