//! DNS: common types, names that do not exist, TCP, many at once.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = with(&matched("dns", 53), json!({"l4": "udp", "code": 0}));
    let asked = |kind: &str, name: &str, result: Value| {
        with(
            &base,
            json!({"req_type": kind, "resource": name, "domain": name, "endpoint": name, "result": result}),
        )
    };
    lab.clients(&format!(
        "dig @{SERVER} www.shop.test A www.shop.test AAAA shop.shop.test A shop.test MX shop.test TXT \
           _redis._tcp.shop.test SRV -x {SERVER} nowhere.shop.test A
         dig +tcp @{SERVER} api.shop.test A
         for i in $(seq 50); do echo host$i.shop.test A; done >{batch}
         dig @{SERVER} -f {batch}",
        batch = lab.path("names").display()
    ));
    let mut expected = vec![
        asked("A", "www.shop.test", json!("A=10.99.0.1")),
        asked("AAAA", "www.shop.test", json!("AAAA=fd99::1")),
        asked("A", "shop.shop.test", json!("CNAME=www.shop.test;A=10.99.0.1")),
        asked("MX", "shop.test", json!("MX=10 mail.shop.test")),
        asked("TXT", "shop.test", json!("TXT=\"v=spf1 -all\"")),
        asked(
            "SRV",
            "_redis._tcp.shop.test",
            json!("SRV=1 2 6379 www.shop.test"),
        ),
        asked("PTR", "1.0.99.10.in-addr.arpa", json!("PTR=www.shop.test")),
        with(
            &asked("A", "nowhere.shop.test", Value::Null),
            json!({"code": 3, "status": "client_error"}),
        ),
        with(
            &asked("A", "api.shop.test", json!("A=10.99.0.1")),
            json!({"l4": "tcp"}),
        ),
    ];
    expected.extend((1..=50).map(|i| {
        let name = format!("host{i}.shop.test");
        with(
            &asked("A", &name, Value::Null),
            json!({"code": 3, "status": "client_error"}),
        )
    }));
    expected
}
