//! ICMP and ICMPv6 echo, in one packet and in fragments.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = with(
        &matched("ping", 0),
        json!({"l4": "icmp", "server_port": null, "client_port": null, "req_type": "echo"}),
    );
    lab.clients(&format!(
        "ping -q -c 3 -i 0.1 {SERVER}; ping -q -c 2 -i 0.1 -s 4000 fd99::1"
    ));
    let mut expected = vec![base.clone(), base.clone(), base.clone()];
    let large = with(
        &base,
        json!({"client_ip": "fd99::2", "server_ip": "fd99::1", "req_len": 4008, "resp_len": 4008}),
    );
    expected.extend([large.clone(), large]);
    expected
}
