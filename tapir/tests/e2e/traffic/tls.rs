//! TLS: versions, names, ALPN, a handshake that fails.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = with(
        &matched("tls", 443),
        json!({"req_type": "handshake", "domain": "shop.test", "resource": "shop.test"}),
    );
    // A connection of its own for each of five; several requests on the last one.
    lab.clients(&format!(
        "for i in 1 2 3 4; do curl -skf --resolve shop.test:443:{SERVER} https://shop.test/api/$i; done
         curl -skf --resolve shop.test:443:{SERVER} https://shop.test/api/[5-9]
         curl -skf --tls-max 1.2 --resolve shop.test:443:{SERVER} https://shop.test/api/10
         openssl s_client -connect {SERVER}:443 -servername shop.test -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384 </dev/null
         openssl s_client -connect {SERVER}:443 -servername shop.test -tls1_2 -cipher ECDHE-RSA-AES128-SHA </dev/null || true"
    ));
    let mut expected = vec![
        with(
            &base,
            json!({"version": "1.2", "attrs": {"tls_version": "1.2", "alpn_offered": null, "cipher": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}}),
        ),
        with(
            &base,
            json!({"version": "1.2", "attrs": {"tls_version": "1.2", "alpn_offered": "h2,http/1.1", "alpn": "http/1.1"}}),
        ),
        // The server has no RSA key.
        with(
            &base,
            json!({"version": null, "status": "client_error", "code": 40}),
        ),
    ];
    // What the server chose by ALPN is encrypted from TLS 1.3 on.
    expected.extend(std::iter::repeat_n(
        with(
            &base,
            json!({"version": "1.3", "attrs": {"tls_version": "1.3", "alpn": null, "alpn_offered": "h2,http/1.1"}}),
        ),
        5,
    ));
    expected
}
