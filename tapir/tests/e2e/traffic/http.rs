//! HTTP/1.1: keep-alive, pipelining, clients at once, large bodies.

use super::{SERVER, matched, with};
use crate::lab::Lab;
use serde_json::{Value, json};

pub(super) fn known(lab: &Lab) -> Vec<Value> {
    let base = with(
        &matched("http1", 80),
        json!({"version": "1.1", "domain": SERVER, "req_type": "GET"}),
    );
    let ok = with(&base, json!({"code": 200}));
    let mut expected = Vec::new();

    // Keep-alive: twenty requests on one connection.
    lab.clients(&format!("curl -sf http://{SERVER}/api/items/[1-20]?full=1"));
    expected.extend((1..=20).map(|i| {
        with(
            &ok,
            json!({"resource": format!("/api/items/{i}?full=1"), "endpoint": "/api/items"}),
        )
    }));

    // Eight clients at once, each twenty-five requests.
    lab.clients(&format!(
        "for i in 1 2 3 4 5 6 7 8; do curl -sf http://{SERVER}/api/parallel/$i/[1-25] & pids+=($!); done; wait ${{pids[@]}}"
    ));
    expected.extend((1..=8).flat_map(|i| (1..=25).map(move |j| (i, j))).map(|(i, j)| {
        with(
            &ok,
            json!({"resource": format!("/api/parallel/{i}/{j}"), "endpoint": "/api/parallel"}),
        )
    }));

    // Pipelined: ten requests before the first response.
    lab.clients(&format!(
        "exec 3<>/dev/tcp/{SERVER}/80
         for i in $(seq 9); do printf 'GET /api/pipe/%s HTTP/1.1\\r\\nHost: {SERVER}\\r\\n\\r\\n' $i; done >&3
         printf 'GET /api/pipe/10 HTTP/1.1\\r\\nHost: {SERVER}\\r\\nConnection: close\\r\\n\\r\\n' >&3
         test $(grep -ao 'HTTP/1.1 200' <&3 | wc -l) = 10"
    ));
    expected.extend((1..=10).map(|i| with(&ok, json!({"resource": format!("/api/pipe/{i}")}))));

    // Methods and status codes.
    lab.clients(&format!(
        "curl -s -o /dev/null http://{SERVER}/old http://{SERVER}/missing http://{SERVER}/broken
         curl -s --data item=17 http://{SERVER}/cart
         curl -s -X DELETE -H 'X-Request-Id: r-17' -A probe/1 http://{SERVER}/api/items/17
         curl -sI http://{SERVER}/large.txt"
    ));
    expected.extend([
        with(&base, json!({"resource": "/old", "code": 302})),
        with(&base, json!({"resource": "/missing", "code": 404, "status": "client_error"})),
        with(&base, json!({"resource": "/broken", "code": 503, "status": "server_error"})),
        with(&base, json!({"resource": "/cart", "req_type": "POST", "code": 201})),
        with(&ok, json!({"resource": "/api/items/17", "req_type": "DELETE", "x_request_id": "r-17", "user_agent": "probe/1"})),
        with(&ok, json!({"resource": "/large.txt", "req_type": "HEAD"})),
    ]);

    // IPv6.
    lab.clients("curl -sf 'http://[fd99::1]/api/v6'");
    expected.push(with(
        &ok,
        json!({"client_ip": "fd99::2", "server_ip": "fd99::1", "domain": "[fd99::1]", "resource": "/api/v6"}),
    ));
    expected
}

/// Bodies of a megabyte either way: lengths to the byte, as curl counts them.
pub(super) fn bodies(lab: &Lab) -> Vec<Value> {
    let base = with(
        &matched("http1", 80),
        json!({"version": "1.1", "domain": SERVER, "code": 200}),
    );
    let sizes = |arguments: &str| -> Vec<u64> {
        let sizes = lab.clients(&format!(
            "curl -sf -o /dev/null -w '%{{size_request}} %{{size_upload}} %{{size_header}} %{{size_download}}' {arguments}"
        ));
        sizes.split(' ').map(|size| size.parse().unwrap()).collect()
    };
    let lengths = |sizes: Vec<u64>| json!({"req_len": sizes[0] + sizes[1], "resp_len": sizes[2] + sizes[3]});

    let down = sizes(&format!("http://{SERVER}/large.txt"));
    assert_eq!(down[3], 1_000_000);
    let large = lab.path("lab/nginx/www/large.txt");
    let up = sizes(&format!(
        "--data-binary @{} http://{SERVER}/upload",
        large.display()
    ));
    assert_eq!(up[1], 1_000_000);
    // Chunked, so curl does not say what was on the wire.
    sizes(&format!("-H 'Accept-Encoding: gzip' http://{SERVER}/chunked.txt"));
    vec![
        with(
            &with(&base, lengths(down)),
            json!({"req_type": "GET", "resource": "/large.txt"}),
        ),
        with(
            &with(&base, lengths(up)),
            json!({"req_type": "POST", "resource": "/upload"}),
        ),
        with(&base, json!({"req_type": "GET", "resource": "/chunked.txt"})),
    ]
}
